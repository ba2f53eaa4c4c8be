"""Which way requests go: proxies (tinyproxy, https, SOCKS5), Unix sockets, and addresses that are refused."""
import contextlib
import json
import socket
import socketserver
import ssl
import threading

from authority import Authority
from harness import (Answerer, Answering, TestCase, can_replace_files, free_port, main, needs_command, replacing,
                     wait_until)
from socks_server import SocksServer, relay

SECRET = "s3cr3t-of-the-proxy"
USER = "us:er"  # with what must be percent-encoded


class Ways(TestCase):
    """A server that says what it was asked, by http and by https."""

    def setUp(self):
        super().setUp()
        self.requests = []
        self.url = self.python_server(self.answer)
        self.authority = Authority(self.folder / "ca")
        self.secure = self.python_tls_server(*self.authority.issue("server", alt="IP:127.0.0.1,DNS:localhost"))
        self.tls = {"ca_file": str(self.authority.ca)}

    def answer(self, request):
        self.requests.append(request.path)
        body = {"path": request.path, "host": request.headers["Host"], "port": request.client_address[1],
                "key": request.headers.get("X-Api-Key"), "proxy": request.headers.get("Proxy-Authorization"),
                "via": request.headers.get("Via")}
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()

    def python_tls_server(self, pem, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(pem), str(key))
        server = Answerer(("127.0.0.1", 0), Answering)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.function = self.answer
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"https://127.0.0.1:{server.server_address[1]}"

    def source(self, name, **keys):
        source = {"name": name, "url": self.url + "/" + name, "timeout": "20s", "retry": {"max_attempts": 1},
                  "headers": {"X-Api-Key": "k"}, **keys}
        if source["url"].startswith("https:"):
            source.setdefault("tls", self.tls)
        return source

    def poll(self, *sources, status=0, **options):
        daemon = self.run_once({"hosts": {"max_concurrent": 10}, "sources": list(sources)}, status=status, **options)
        runs = daemon.sql("SELECT source, outcome, failure, http_status, error FROM _gatherd_runs")
        return daemon, {run[0]: run[1:] for run in runs}

    def assert_secret_is_nowhere(self, daemon, said=""):
        self.assertNotIn(SECRET, said + daemon.log())
        for path in daemon.folder.glob("gatherd.db*"):
            self.assertNotIn(SECRET.encode(), path.read_bytes())


@needs_command("tinyproxy")
class Tinyproxy(Ways):
    def proxy(self, extra=""):
        port = free_port()
        log = self.folder / f"tinyproxy-{port}.log"
        config = self.folder / f"tinyproxy-{port}.conf"
        config.write_text(f"Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\nMaxClients 100\n"
                          f"LogFile \"{log}\"\nLogLevel Connect\n{extra}\n")
        self.serve(["tinyproxy", "-d", "-c", str(config)], port, f"tinyproxy-{port}")
        return f"127.0.0.1:{port}", log

    def test_http_and_https_go_through_it_and_its_headers_stay_with_it(self):
        proxy, log = self.proxy()
        daemon, _ = self.poll(self.source("plain", proxy_url=f"http://{proxy}"),
                              self.source("tunnel", url=self.secure + "/tunnel", proxy_url=f"http://{proxy}/"),
                              self.source("direct"))
        self.assertIn("tinyproxy", daemon.value("SELECT via FROM plain"))
        self.assertEqual(daemon.sql("SELECT path, key, via FROM tunnel"), [("/tunnel", "k", None)])
        self.assertEqual(daemon.sql("SELECT path, key, via FROM direct"), [("/direct", "k", None)])
        said = log.read_text()
        self.assertIn("CONNECT 127.0.0.1:", said)
        self.assertNotIn("/direct", said)

    def test_a_password_opens_it_and_is_kept_nowhere(self):
        proxy, _ = self.proxy(f"BasicAuth user {SECRET}")
        password = self.folder / "password"
        password.write_text(SECRET)
        password.chmod(0o600)
        ways = {"both": {"proxy_url": f"http://user:{SECRET}@{proxy}"},
                "variable": {"proxy_url": f"http://user:${{PROXY_PASSWORD}}@{proxy}"},
                "file": {"proxy_url": f"http://user@{proxy}", "proxy_password_file": str(password)},
                "wrong": {"proxy_url": f"http://user:not{SECRET}@{proxy}"},
                "none": {"proxy_url": f"http://{proxy}"}}
        sources = [self.source(name, **keys) for name, keys in ways.items()]
        sources += [self.source("tls_" + name, url=self.secure + "/", **keys) for name, keys in ways.items()]
        daemon, runs = self.poll(*sources, status=1, env={"PROXY_PASSWORD": SECRET})
        for name in ("both", "variable", "file"):
            self.assertEqual(runs[name][0], "success", runs[name])
            self.assertEqual(runs["tls_" + name][0], "success", runs["tls_" + name])
            self.assertIsNone(daemon.value(f"SELECT proxy FROM tls_{name}"))
        for name in ("wrong", "none"):
            self.assertEqual(runs[name][1:3], ("status", 407 if name == "none" else 401))
            self.assertEqual(runs["tls_" + name][1], "network")
            self.assertRegex(runs["tls_" + name][3], r"^the proxy refused to connect: HTTP 40[17] ")
        self.assertEqual(runs["tls_none"][3], "the proxy refused to connect: HTTP 407 Proxy Authentication Required;"
                                              " see the user in proxy_url, and proxy_password")
        self.assert_secret_is_nowhere(daemon, daemon.output)
        dump = self.gatherd("check", "--dump", daemon.config_path, env={"PROXY_PASSWORD": SECRET})
        self.assertEqual(dump.returncode, 0, dump.stderr)
        self.assertNotIn(SECRET, dump.stdout)
        self.assertIn(f"proxy_url: http://***@{proxy}", dump.stdout)

    def test_nobody_rides_on_a_tunnel_that_anothers_password_opened(self):
        proxy, _ = self.proxy(f"BasicAuth user {SECRET}")
        fast = {"interval": "50ms", "max_interval": "50ms", "write_mode": "append"}
        daemon = self.daemon({"fetchers": 1, "hosts": {"max_concurrent": 10}, "sources": [
            self.source("known", url=self.secure + "/", proxy_url=f"http://user:{SECRET}@{proxy}", **fast),
            self.source("stranger", url=self.secure + "/", proxy_url=f"http://other:{SECRET}@{proxy}", **fast),
            self.source("nobody", url=self.secure + "/", proxy_url=f"http://{proxy}", **fast)]})
        daemon.wait_for_sql("SELECT min(runs) >= 10 FROM _gatherd_sources", 1, 60)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.sql("SELECT DISTINCT source, outcome FROM _gatherd_runs ORDER BY source"),
                         [("known", "success"), ("nobody", "failed"), ("stranger", "failed")])
        self.assert_secret_is_nowhere(daemon)

    def test_ways_do_not_mix_on_kept_connections(self):
        one, log_one = self.proxy()
        two, _ = self.proxy()
        fast = {"interval": "50ms", "write_mode": "append", "url": self.secure + "/"}
        daemon = self.daemon({"fetchers": 1, "hosts": {"max_concurrent": 10}, "sources": [
            self.source("direct", **fast), self.source("one", proxy_url=f"http://{one}", **fast),
            self.source("two", proxy_url=f"http://{two}", **fast)]})
        daemon.wait_for_sql("SELECT min(runs) >= 20 FROM _gatherd_sources", 1, 60)
        self.assertEqual(daemon.stop(), 0)
        ports = [{row[0] for row in daemon.sql(f"SELECT DISTINCT port FROM {name}")} for name in ("direct", "one", "two")]
        self.assertEqual(len(set.union(*ports)), sum(map(len, ports)))  # no connection is seen by two of them
        self.assertLess(len(ports[1]), 20)  # and they are kept
        self.assertGreater(log_one.read_text().count("CONNECT"), 0)

    def test_a_proxy_that_is_not_there(self):
        _, runs = self.poll(self.source("down", proxy_url=f"http://127.0.0.1:{free_port()}"),
                            self.source("unknown", proxy_url="http://no-such-proxy.invalid:3128"),
                            self.source("refusing", url="https://127.0.0.1:1/", proxy_url=f"http://{self.proxy()[0]}"),
                            status=1)
        self.assertEqual(runs["down"][1], "network")
        self.assertRegex(runs["down"][3], "^the proxy does not answer: Failed to connect to 127.0.0.1 port ")
        self.assertRegex(runs["unknown"][3], "^Could not resolve proxy: no-such-proxy.invalid")
        self.assertRegex(runs["refusing"][3], "^the proxy refused to connect: HTTP 5")

    def test_the_environment_says_nothing(self):
        proxy, log = self.proxy()
        away = f"http://127.0.0.1:{free_port()}"
        env = {name: away for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")}
        env.update(no_proxy="*", NO_PROXY="*")
        daemon, _ = self.poll(self.source("direct"), self.source("secure", url=self.secure + "/"),
                              self.source("proxied", proxy_url=f"http://{proxy}"), env=env)
        self.assertIsNone(daemon.value("SELECT via FROM direct"))
        self.assertIsNotNone(daemon.value("SELECT via FROM proxied"))

    def test_no_proxy_lets_hosts_be_reached_directly(self):
        proxy, _ = self.proxy()
        through = {"proxy_url": f"http://{proxy}"}
        named = self.url.replace("127.0.0.1", "localhost")
        daemon, _ = self.poll(
            self.source("address", no_proxy=["127.0.0.1"], **through), self.source("range", no_proxy="127.0.0.0/8", **through),
            self.source("every", no_proxy=["*"], **through), self.source("name", url=named, no_proxy=["localhost"], **through),
            self.source("other", no_proxy=["10.0.0.0/8", "example.org", "localhost"], **through))
        for name in ("address", "range", "every", "name"):
            self.assertIsNone(daemon.value(f"SELECT via FROM {name}"), name)
        self.assertIsNotNone(daemon.value("SELECT via FROM other"))

    def test_a_redirect_stays_in_the_proxy_and_to_an_address_within_is_refused(self):
        proxy, _ = self.proxy()

        def answer(request):
            self.requests.append(request.path)
            return 302, {"Location": "http://127.0.0.1:1/private"}, b""

        # The proxy takes a name for public whatever it resolves to; what the URL says is judged here.
        url = self.python_server(answer).replace("127.0.0.1", "redirecting.test")
        hosts = self.folder / "hosts"
        hosts.write_text("127.0.0.1 localhost redirecting.test\n")
        if not can_replace_files():
            self.skipTest("cannot give the proxy names of its own")
        port = free_port()
        config = self.folder / "own.conf"
        config.write_text(f"Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\n")
        self.serve(replacing({"/etc/hosts": hosts}) + ["tinyproxy", "-d", "-c", str(config)], port, "own")
        _, runs = self.poll(self.source("away", url=url, proxy_url=f"http://127.0.0.1:{port}"),
                            self.source("allowed", url=url, proxy_url=f"http://127.0.0.1:{port}",
                                        allow_private_networks=True), status=1)
        self.assertEqual(runs["away"][1:], ("redirect", None, "redirect from a public address to 127.0.0.1, which is"
                                            " not public, refused"))
        self.assertNotEqual(runs["allowed"][1], "redirect")


class HttpsProxy(Ways):
    def test_tls_to_the_proxy_is_verified_by_the_authorities_of_the_system(self):
        """A proxy of our own, which answers CONNECT behind TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, self.authority.issue("proxy")))
        asked = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError):
                    client = context.wrap_socket(self.request, server_side=True)
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += client.recv(4096)
                    asked.append(head)
                    host, port = head.split()[1].decode().rsplit(":", 1)
                    with client, socket.create_connection((host, int(port))) as target:
                        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                        relay(client, target)

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        proxied = self.source("proxied", url=self.secure + "/", proxy_url=f"https://127.0.0.1:{server.server_address[1]}")
        _, runs = self.poll(proxied, status=1)
        self.assertEqual(runs["proxied"][1], "tls")
        self.assertEqual(asked, [])
        if not can_replace_files():
            self.skipTest("cannot add an authority for a process: no mount namespace of its own")
        daemon = self.daemon({"sources": [proxied]}, wrapper=replacing(
            {"/etc/ssl/certs/ca-certificates.crt": self.authority.ca}))
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'")
        self.assertEqual(daemon.stop(), 0)
        self.assertRegex(asked[0], rb"^CONNECT 127.0.0.1:")
        self.assertNotIn(b"X-Api-Key", asked[0])


class Socks(Ways):
    def start(self, **options):
        server = SocksServer(**options)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def test_names_are_resolved_here_or_there(self):
        server = self.start(names={"only.the.proxy.knows": "127.0.0.1"})
        named = self.url.replace("127.0.0.1", "localhost")
        hidden = self.url.replace("127.0.0.1", "only.the.proxy.knows")
        daemon, runs = self.poll(
            self.source("here", url=named, proxy_url=f"socks5://127.0.0.1:{server.port}"),
            self.source("there", url=hidden, proxy_url=f"socks5h://127.0.0.1:{server.port}"),
            self.source("tls", url=self.secure + "/tls", proxy_url=f"socks5h://127.0.0.1:{server.port}"),
            self.source("unknown", url=hidden, proxy_url=f"socks5://127.0.0.1:{server.port}"), status=1)
        self.assertEqual({name: runs[name][0] for name in ("here", "there", "tls")},
                         {"here": "success", "there": "success", "tls": "success"})
        self.assertIn(("name", "only.the.proxy.knows"), server.asked)
        self.assertNotIn(("name", "localhost"), server.asked)
        self.assertRegex(runs["unknown"][3], "only.the.proxy.knows")
        self.assertEqual(runs["unknown"][1], "network")

    def test_a_user_and_a_password(self):
        server = self.start(user=(USER, SECRET))
        at = f"127.0.0.1:{server.port}"
        daemon, runs = self.poll(
            self.source("good", proxy_url=f"socks5h://us%3Aer:{SECRET}@{at}"),
            self.source("split", proxy_url=f"socks5h://us%3Aer@{at}", proxy_password="${PROXY_PASSWORD}"),
            self.source("wrong", proxy_url=f"socks5h://us%3Aer:x{SECRET}@{at}"),
            self.source("none", proxy_url=f"socks5h://{at}"), status=1, env={"PROXY_PASSWORD": SECRET})
        self.assertEqual(runs["good"][0], "success")
        self.assertEqual(runs["split"][0], "success")
        self.assertEqual(runs["wrong"][1], "network")
        self.assertRegex(runs["wrong"][3], "^the proxy refused: .*; see the user in proxy_url, and proxy_password$")
        self.assertEqual(runs["none"][1], "network")
        self.assert_secret_is_nowhere(daemon, daemon.output)

    def test_nobody_rides_on_a_connection_that_anothers_password_opened(self):
        at = f"127.0.0.1:{self.start(user=('user', SECRET)).port}"
        fast = {"interval": "50ms", "max_interval": "50ms", "write_mode": "append"}
        daemon = self.daemon({"fetchers": 1, "hosts": {"max_concurrent": 10}, "sources": [
            self.source("known", url=self.url + "/", proxy_url=f"socks5h://user:{SECRET}@{at}", **fast),
            self.source("stranger", url=self.url + "/", proxy_url=f"socks5h://other:{SECRET}@{at}", **fast),
            self.source("nobody", url=self.url + "/", proxy_url=f"socks5h://{at}", **fast)]})
        daemon.wait_for_sql("SELECT min(runs) >= 10 FROM _gatherd_sources", 1, 60)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.sql("SELECT DISTINCT source, outcome FROM _gatherd_runs ORDER BY source"),
                         [("known", "success"), ("nobody", "failed"), ("stranger", "failed")])

    def test_what_the_proxy_cannot_reach(self):
        server = self.start()
        _, runs = self.poll(self.source("down", url="http://127.0.0.1:1/", proxy_url=f"socks5h://127.0.0.1:{server.port}"),
                            status=1)
        self.assertEqual(runs["down"][1], "network")
        self.assertRegex(runs["down"][3], "^the proxy refused: ")


class UnixSockets(Ways):
    def listen(self, name, function):
        path = self.folder / name

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

        class Handler(Answering):
            def address_string(self):
                return "unix"

        server = Server(str(path), Handler)
        server.function = function
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return path

    @staticmethod
    def named(name, seen=None):
        def answer(request):
            if seen is not None:
                seen.append(request.path)
            return 200, {"Content-Type": "application/json"}, json.dumps(
                {"server": name, "path": request.path, "host": request.headers["Host"]}).encode()
        return answer

    def test_each_socket_is_a_server_of_its_own(self):
        one, two = self.listen("one.sock", self.named("one")), self.listen("two.sock", self.named("two"))
        fast = {"url": self.url + "/v1/x?y=1", "interval": "50ms", "write_mode": "append"}
        daemon = self.daemon({"fetchers": 1, "sources": [
            self.source("one", unix_socket=str(one), **fast), self.source("two", unix_socket=str(two), **fast),
            self.source("network", url=self.url + "/network", interval="50ms", write_mode="append")]})
        daemon.wait_for_sql("SELECT min(runs) >= 20 FROM _gatherd_sources", 1, 60)
        self.assertEqual(daemon.stop(), 0)
        host = self.url.removeprefix("http://")
        for name in ("one", "two"):
            self.assertEqual(daemon.sql(f"SELECT DISTINCT server, path, host FROM {name}"), [(name, "/v1/x?y=1", host)])
        self.assertEqual(set(self.requests), {"/network"})

    def test_politeness_counts_a_socket_as_a_host(self):
        lock = threading.Lock()
        most, now = [0], [0]

        def answer(request):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            wait_until(lambda: now[0] >= 2, 1, pause=0.01) if request.path == "/never" else threading.Event().wait(0.05)
            with lock:
                now[0] -= 1
            return 200, {"Content-Type": "application/json"}, b"[]"

        path = self.listen("busy.sock", answer)
        daemon = self.run_once({"hosts": {"max_concurrent": 2}, "sources": [
            {"name": f"s{n}", "url": f"http://host{n}.invalid/", "unix_socket": "../busy.sock"} for n in range(10)]})
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'"), 10)
        self.assertLessEqual(most[0], 2)
        self.assertTrue(path.exists())

    def test_a_socket_that_is_not_there(self):
        stale = self.folder / "stale.sock"
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(stale))
        _, runs = self.poll(self.source("missing", unix_socket=str(self.folder / "no.sock")),
                            self.source("stale", unix_socket=str(stale)), status=1)
        for name in ("missing", "stale"):
            self.assertEqual(runs[name][1], "network")
            self.assertRegex(runs[name][3], "^(Failed to connect|Couldn't connect)")

    def test_a_redirect_to_another_origin_leaves_the_socket(self):
        seen = []

        def answer(request):
            seen.append(request.path)
            if request.path == "/away":
                return 302, {"Location": self.url + "/outside"}, b""
            if request.path == "/within":
                return 302, {"Location": "/end"}, b""
            return self.named("inside")(request)

        path = self.listen("redirecting.sock", answer)
        daemon, _ = self.poll(self.source("away", url="http://localhost/away", unix_socket=str(path)),
                              self.source("within", url="http://localhost/within", unix_socket=str(path)))
        self.assertEqual(daemon.sql("SELECT path, key FROM away"), [("/outside", None)])
        self.assertEqual(daemon.sql("SELECT path, server FROM within"), [("/end", "inside")])
        self.assertEqual(sorted(seen), ["/away", "/end", "/within"])


class PrivateNetworks(Ways):
    def test_false_refuses_the_url_itself(self):
        named = self.url.replace("127.0.0.1", "localhost")
        _, runs = self.poll(self.source("address", allow_private_networks=False),
                            self.source("name", url=named, allow_private_networks=False),
                            self.source("allowed", allow_private_networks=True), self.source("unsaid"), status=1)
        for name in ("address", "name"):
            self.assertEqual(runs[name][:3], ("failed", "network", None))
            self.assertRegex(runs[name][3], r"^(127\.0\.0\.1|::1) is not public, and allow_private_networks is false$")
        self.assertEqual((runs["allowed"][0], runs["unsaid"][0]), ("success", "success"))
        self.assertEqual(sorted(self.requests), ["/allowed", "/unsaid"])


if __name__ == "__main__":
    main()
