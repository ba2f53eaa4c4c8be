"""Real servers: nginx (keep-alive, gzip, rate limits, TLS and HTTP/2), httpbin, json-server."""
import collections
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import time
import unittest
import urllib.parse

from harness import ROOT, TestCase, can_replace_files, free_port, http_get, main, needs_command, replacing

SYSTEM_AUTHORITIES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
FULL = os.environ.get("GATHERD_FULL") == "1"


@needs_command("nginx")
class Nginx(TestCase):
    FORMAT = ("log_format seen '$connection $connection_requests $status $server_protocol $gzip_ratio"
              " $sent_http_transfer_encoding $http_user_agent';")

    def setUp(self):
        super().setUp()
        self.access = self.folder / "access.log"
        rows = [{"id": n, "name": f"item-{n}", "text": "x" * 50} for n in range(100)]
        (self.folder / "items.json").write_text(json.dumps(rows))

    def start(self, server="", http=""):
        return self.nginx(self.folder, f"access_log {self.access} seen; {server}", f"{self.FORMAT} {http}")

    def seen(self):
        """The requests as nginx saw them: a list of named tuples."""
        request = collections.namedtuple("Request", "connection number status protocol gzip coding agent")
        return [request(*line.split(" ")) for line in self.access.read_text().splitlines()]

    def sources(self, url, count, **keys):
        """Each poll is answered in full: what these tests look at is how bodies come."""
        return [{"name": f"s{n}", "url": url, "table": f"t{n}", "primary_key": "id", "write_mode": "upsert",
                 "conditional": False,
                 "fields": {"id": "$.id", "name": "$.name", "text": "$.text"}, **keys} for n in range(count)]

    def test_connections_are_kept_and_few_and_bodies_compressed(self):
        url = self.start("location /connections { stub_status; access_log off; }")
        daemon = self.daemon({"sources": self.sources(url + "/items.json", 10, interval="200ms")})
        daemon.wait_for_sql("SELECT min(runs) >= 10 FROM _gatherd_sources", 1, 60)
        accepted = int(http_get(url + "/connections").split(b"\n")[2].split()[0])
        self.assertEqual(daemon.stop(), 0)
        seen = self.seen()
        print(f"{len(seen)} requests over {accepted} connections, ours among them", flush=True)
        self.assertGreaterEqual(len(seen), 100)
        self.assertLessEqual(len({request.connection for request in seen}), 3)  # max_concurrent is 2
        self.assertLessEqual(accepted, 6)  # the harness has some of its own
        for request in seen:
            self.assertEqual((request.status, request.protocol, request.coding), ("200", "HTTP/1.1", "chunked"))
            self.assertGreater(float(request.gzip), 2)
            self.assertRegex(request.agent, r"^gatherd/\d+\.\d+")
        self.assertEqual(daemon.value("SELECT count(*) FROM t9"), 100)
        self.assertEqual(daemon.value("SELECT sum(updated) FROM _gatherd_runs"), 0)

    def test_a_host_polled_rarely_has_no_connection_kept(self):
        url = self.start("location /connections { stub_status; access_log off; }")
        daemon = self.daemon({"sources": self.sources(url + "/items.json", 1, interval="1h")})
        daemon.wait_for_sql("SELECT runs FROM _gatherd_sources", 1)
        active = int(http_get(url + "/connections").split(b"\n")[0].split()[-1])
        self.assertEqual(active, 1)  # the one that asks
        self.assertEqual(daemon.stop(), 0)

    def test_a_server_that_goes_away_and_comes_back_is_polled_on(self):
        url = self.start()
        config = {"sources": self.sources(url + "/items.json", 2, interval="300ms", max_interval="600ms")}
        daemon = self.daemon(config)
        daemon.wait_for_sql("SELECT min(runs) >= 2 FROM _gatherd_sources", 1)
        port = url.rsplit(":", 1)[1]
        pid = next(self.folder.glob("*/nginx.pid"))
        subprocess.run(["kill", pid.read_text().strip()], check=True)
        daemon.wait_for_sql("SELECT min(consecutive_failures) >= 1 FROM _gatherd_sources", 1, 60)
        error = daemon.value("SELECT error FROM _gatherd_runs WHERE outcome = 'failed'")
        self.assertRegex(error, f"^Failed to connect to 127.0.0.1 port {port} after ")
        folder = pid.parent
        nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.serve([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], int(port), "nginx")
        daemon.wait_for_sql("SELECT max(consecutive_failures) FROM _gatherd_sources", 0, 60)
        self.assertEqual(daemon.stop(), 0)

    def test_a_rate_limit_is_obeyed_and_everyone_gets_through(self):
        url = self.start(
            "location /items.json { limit_req zone=z; limit_req_status 429; error_page 429 = @busy; }"
            "location @busy { add_header Retry-After 1 always; return 429 '{\"error\": \"slow down\"}'; }",
            "limit_req_zone $binary_remote_addr zone=z:1m rate=5r/s;")
        daemon = self.daemon({"hosts": {"max_concurrent": 10},
                              "sources": self.sources(url + "/items.json", 6, interval="2s")})
        daemon.wait_for_sql("SELECT count(DISTINCT source) FROM _gatherd_runs WHERE outcome = 'success'", 6, 60)
        self.assertEqual(daemon.stop(), 0)
        statuses = collections.Counter(request.status for request in self.seen())
        print(dict(statuses), flush=True)
        self.assertGreater(statuses["429"], 0)
        self.assertGreaterEqual(statuses["200"], 6)
        for error in daemon.sql("SELECT DISTINCT error FROM _gatherd_runs WHERE outcome = 'failed'"):
            self.assertEqual(error, ("HTTP 429 Too Many Requests",))


@needs_command("nginx")
@needs_command("openssl")
class Tls(Nginx):
    """https with HTTP/2, and an authority that the system is told to trust."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1",
                        "-addext", "subjectAltName=IP:127.0.0.1"], cwd=self.folder, check=True, capture_output=True)
        self.start(http=f"""server {{
            listen 127.0.0.1:{self.port} ssl http2; root {self.folder}; access_log {self.access} seen;
            ssl_certificate {self.folder}/cert.pem; ssl_certificate_key {self.folder}/key.pem; }}""")
        self.url = f"https://127.0.0.1:{self.port}/items.json"

    def trusting(self):
        """A wrapper in whose view the system trusts the certificate, too."""
        if not SYSTEM_AUTHORITIES.is_file() or not can_replace_files():
            self.skipTest("cannot add an authority for a process: no mount namespace of its own")
        bundle = self.folder / "bundle.crt"
        bundle.write_text(SYSTEM_AUTHORITIES.read_text() + (self.folder / "cert.pem").read_text())
        return replacing({SYSTEM_AUTHORITIES: bundle})

    def test_http_2_carries_many_sources_over_few_connections(self):
        wrapper = self.trusting()
        daemon = self.daemon({"hosts": {"max_concurrent": 10},
                              "sources": self.sources(self.url, 20, interval="500ms")}, wrapper=wrapper)
        daemon.wait_for_sql("SELECT min(runs) >= 5 FROM _gatherd_sources", 1, 60)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.sql("SELECT DISTINCT outcome, http_status, records FROM _gatherd_runs"),
                         [("success", 200, 100)])
        seen = self.seen()
        connections = {request.connection for request in seen}
        print(f"{len(seen)} requests over {len(connections)} connections", flush=True)
        self.assertEqual({request.protocol for request in seen}, {"HTTP/2.0"})
        self.assertLessEqual(len(connections), 12)  # of the first burst, until the first is known to be HTTP/2
        self.assertGreater(len(seen) / len(connections), 5)

    def test_a_certificate_that_nobody_vouches_for_is_refused_once_with_the_way_out(self):
        daemon = self.run_once({"sources": self.sources(self.url, 1)}, status=1)
        failure, requests, error = daemon.sql("SELECT failure, requests, error FROM _gatherd_runs")[0]
        self.assertEqual((failure, requests), ("tls", 1))
        self.assertRegex(error, "^the certificate of the server is refused: .*self-signed certificate;"
                                " to trust its authority, name it in tls: ")
        self.assertEqual(self.access.read_text(), "")
        self.assertIn(error, daemon.output)


def load_tests(loader, _tests, _pattern):
    """Tls has the tools of Nginx, and only tests of its own."""
    suite = unittest.TestSuite()
    for case in (Nginx, Tls, Httpbin, JsonServer):
        names = [name for name in vars(case) if name.startswith("test_")]
        suite.addTests(case(name) for name in names)
    return suite


@needs_command("gunicorn")
class Httpbin(TestCase):
    def setUp(self):
        super().setUp()
        if importlib.util.find_spec("httpbin") is None:
            self.skipTest("python3-httpbin is not installed")
        self.url = self.httpbin()

    def poll(self, sources, status=0):
        """Each source once: the Daemon, and the runs by the name of their source."""
        daemon = self.run_once({"hosts": {"max_concurrent": 20}, "sources": [
            {"name": name, **({"url": self.url + keys} if isinstance(keys, str) else keys)}
            for name, keys in sources.items()]}, status=status)
        runs = daemon.sql("SELECT source, outcome, failure, http_status, requests, records, error FROM _gatherd_runs")
        return daemon, {run[0]: run[1:] for run in runs}

    def test_every_status_is_told(self):
        codes = [200, 204, 205, 206, 226, 300, 304, 400, 401, 403, 404, 406, 410, 415, 418, 422, 451]
        _, runs = self.poll({f"s{code}": f"/status/{code}" for code in codes}, status=1)
        for code in codes:
            outcome, failure, status, requests, _, error = runs[f"s{code}"]
            with self.subTest(code=code):
                self.assertEqual((status, requests), (code, 1))
                if code == 204:
                    self.assertEqual(outcome, "success")
                elif code < 300:
                    self.assertEqual((failure, error), ("decode", "the body is empty, where JSON was expected"))
                else:
                    self.assertEqual(failure, "status")
                    self.assertRegex(error, f"^HTTP {code}( [A-Z]|$)")

    def test_content_codings_are_decoded(self):
        daemon, runs = self.poll({name: f"/{name}" for name in ("gzip", "deflate", "brotli")})
        for name in runs:
            column = {"gzip": "gzipped", "deflate": "deflated", "brotli": "brotli"}[name]
            self.assertEqual(daemon.sql(f"SELECT {column}, method FROM {name}"), [(1, "GET")])
            self.assertIn("gzip", json.loads(daemon.value(f"SELECT headers FROM {name}"))["Accept-Encoding"])

    def test_a_stream_is_json_lines(self):
        daemon, runs = self.poll({"lines": {"url": self.url + "/stream/25", "format": "ndjson"},
                                  "guess": "/stream/2", "one": "/stream/1",
                                  "declared": {"url": self.url + "/stream/2", "format": "json"}}, status=1)
        self.assertEqual(runs["lines"][:1] + runs["lines"][4:5], ("success", 25))
        self.assertEqual(daemon.sql("SELECT count(*), min(id), max(id) FROM lines"), [(25, 0, 24)])
        self.assertEqual(runs["guess"][:1] + runs["guess"][4:5], ("success", 2))
        self.assertEqual(runs["declared"][1], "decode")
        self.assertRegex(runs["declared"][5], "^the body is not JSON: line 2, column 1: a second document;"
                                           " one document a line is the format ndjson")
        self.assertEqual(runs["one"][0], "success")

    def test_slow_answers_are_waited_for_until_the_timeout(self):
        daemon, runs = self.poll({
            "delay": {"url": self.url + "/delay/1", "timeout": "20s"},
            "drip": {"url": self.url + "/drip?duration=1&numbytes=5&delay=0", "timeout": "20s"},
            "late": {"url": self.url + "/delay/9", "timeout": "1s"}}, status=1)
        self.assertEqual(runs["delay"][0], "success")
        self.assertEqual(runs["drip"][1], "decode")  # five asterisks
        self.assertEqual(daemon.value("SELECT CAST(content AS TEXT) FROM _gatherd_dead_letters"), "*****")
        self.assertEqual((runs["late"][1], runs["late"][3]), ("timeout", 3))
        self.assertGreaterEqual(daemon.value("SELECT total_ms FROM _gatherd_runs WHERE source = 'delay'"), 1000)

    def test_redirects_relative_and_absolute(self):
        _, runs = self.poll({"three": "/redirect/3", "absolute": "/absolute-redirect/2",
                             "relative": "/relative-redirect/2", "many": "/redirect/6"}, status=1)
        self.assertEqual([runs[name][3] for name in ("three", "absolute", "relative", "many")], [4, 3, 3, 6])
        self.assertEqual([runs[name][1] for name in ("three", "absolute", "relative", "many")],
                         [None, None, None, "redirect"])

    def test_headers_are_sent_as_configured(self):
        version = self.gatherd("version").stdout.split()[1]
        headers = {"X-Api-Key": "k 1; \"q\"", "Accept": "application/vnd.x+json", "X-Empty": "", "X-Utf8": "žluť"}
        daemon, _ = self.poll({
            "plain": "/headers",
            "own": {"url": self.url + "/headers", "headers": headers},
            "agent": {"url": self.url + "/headers", "headers": {"User-Agent": "me/1"}}})
        sent = {name: json.loads(daemon.value(f"SELECT headers FROM {name}")) for name in ("plain", "own", "agent")}
        self.assertEqual(sent["plain"]["User-Agent"], f"gatherd/{version}")
        self.assertEqual(sent["agent"]["User-Agent"], "me/1")
        for name in ("X-Api-Key", "Accept"):
            self.assertEqual(sent["own"][name], headers[name])
        self.assertEqual(sent["own"].get("X-Empty", ""), "")
        self.assertEqual(sent["own"]["X-Utf8"].encode("latin-1").decode(), "žluť")

    PARAMS = {
        "q": "a b&c=d#e?f", "unicode": "žluťoučký 日本 😀", "reserved": "!*'();:@&=+$,/?#[]%\"<>\\^`{|}~-_.",
        "percent": "100%25", "empty": "", "list": ["x", "y z"], "number": 100, "name with blank": "1",
        "ключ": "2", "line": "a\nb\tc",
    }

    def test_params_come_through_whatever_they_hold(self):
        daemon, _ = self.poll({
            "anything": {"url": self.url + "/anything", "params": self.PARAMS},
            "beside": {"url": self.url + "/anything?kept=1%202&a=b", "params": {"more": "é"}},
            "question": {"url": self.url + "/anything?", "params": {"more": "1"}}})
        expected = {name: [str(v) for v in value] if isinstance(value, list) else str(value)
                    for name, value in self.PARAMS.items()}
        self.assertEqual(json.loads(daemon.value("SELECT args FROM anything")), expected)
        self.assertEqual(json.loads(daemon.value("SELECT args FROM beside")), {"kept": "1 2", "a": "b", "more": "é"})
        self.assertEqual(json.loads(daemon.value("SELECT args FROM question")), {"more": "1"})

    def test_what_is_encoded_in_a_url_stays_as_it_is(self):
        daemon, _ = self.poll({"path": "/anything/p%C3%A4th%20seg/a+b;c=1,2/?q=%C3%BC&r=a+b"})
        seen = urllib.parse.unquote(daemon.value("SELECT url FROM path"))
        self.assertEqual(seen, self.url + "/anything/päth seg/a+b;c=1,2/?q=ü&r=a+b")
        self.assertEqual(json.loads(daemon.value("SELECT args FROM path")), {"q": "ü", "r": "a b"})

    def test_credentials_in_a_header_are_used_and_never_kept(self):
        headers = {"Authorization": "Basic dXNlcjpodW50ZXIy"}  # user:hunter2
        daemon, runs = self.poll({"yes": {"url": self.url + "/basic-auth/user/hunter2", "headers": headers},
                                  "no": {"url": self.url + "/basic-auth/user/other", "headers": headers}}, status=1)
        self.assertEqual(runs["yes"][0], "success")
        self.assertEqual(runs["no"][5], "HTTP 401 Unauthorized")
        self.assertNotIn("dXNlcjpodW50ZXIy", daemon.output)
        for path in daemon.folder.glob("gatherd.db*"):
            self.assertNotIn(b"dXNlcjpodW50ZXIy", path.read_bytes())


@unittest.skipUnless(FULL, "runs under ./check --full")
@needs_command("npm")
class JsonServer(TestCase):
    PACKAGE = "json-server@0.17.4"
    HOME = ROOT / "build" / "e2e-npm"  # kept: the next run needs no download

    def setUp(self):
        super().setUp()
        self.program = self.HOME / "node_modules" / ".bin" / "json-server"
        if not self.program.exists():
            self.HOME.mkdir(parents=True, exist_ok=True)
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(self.HOME),
                                   self.PACKAGE], capture_output=True, text=True, timeout=300, check=False)
            if done.returncode != 0:
                self.skipTest(f"npm cannot install {self.PACKAGE}: {done.stderr[-300:]}")
        self.file = self.folder / "db.json"
        self.write(200)
        port = free_port()
        self.serve([str(self.program), "--host", "127.0.0.1", "--port", str(port), "--watch", str(self.file)],
                   port, "json-server", cwd=self.folder)
        self.url = f"http://127.0.0.1:{port}"

    def write(self, count):
        posts = [{"id": n, "title": f"post {n}", "author": {"name": "é", "tags": ["a", n]}} for n in range(count)]
        self.file.write_text(json.dumps({"posts": posts, "profile": {"name": "one"}}))

    def test_arrays_filters_and_a_single_object(self):
        daemon = self.run_once({"sources": [
            {"name": "posts", "url": self.url + "/posts", "primary_key": "id", "write_mode": "upsert",
             "fields": {"id": "$.id", "title": "$.title", "author": "$.author.name", "tag": "$.author.tags[-1]"}},
            {"name": "page", "url": self.url + "/posts", "params": {"_page": 2, "_limit": 7, "_sort": "id"}},
            {"name": "some", "url": self.url + "/posts", "params": {"id": [3, 5]}},
            {"name": "profile", "url": self.url + "/profile"}]})
        self.assertEqual(daemon.sql("SELECT count(*), sum(tag), min(author) FROM posts"), [(200, 199 * 100, "é")])
        self.assertEqual(daemon.sql("SELECT min(id), max(id), count(*) FROM page"), [(7, 13, 7)])
        self.assertEqual(daemon.sql("SELECT id, author FROM some ORDER BY id"),
                         [(n, json.dumps({"name": "é", "tags": ["a", n]}, indent=2, ensure_ascii=False)
                           .replace("\n", "\n    ")) for n in (3, 5)])
        self.assertEqual(daemon.sql("SELECT name FROM profile"), [("one",)])

    def test_pages_by_link_page_number_and_offset(self):
        paged = {"link": ({"type": "link_header", "limit": 30, "limit_param": "_limit"}, {"_page": 1}, 7),
                 "page": ({"type": "page", "page_param": "_page", "limit": 50, "limit_param": "_limit"}, {}, 5),
                 "offset": ({"type": "offset", "offset_param": "_start", "limit": 60, "limit_param": "_limit"}, {}, 5)}
        daemon = self.run_once({"hosts": {"max_concurrent": 4}, "sources": [
            {"name": name, "url": self.url + "/posts", "pagination": pagination, "params": {"_sort": "id", **params},
             "fields": {"id": "$.id"}} for name, (pagination, params, _) in paged.items()]})
        for name, (_, _, pages) in paged.items():
            self.assertEqual(daemon.sql(f"SELECT count(*), count(DISTINCT id) FROM {name}"), [(200, 200)])
            self.assertEqual(daemon.sql("SELECT outcome, pages, inserted FROM _gatherd_runs WHERE source = ?", (name,)),
                             [("success", pages, 200)])

    def test_changes_arrive_and_what_is_the_same_writes_nothing(self):
        daemon = self.daemon({"sources": [{"name": "posts", "url": self.url + "/posts", "interval": "500ms",
                                           "primary_key": "id", "write_mode": "upsert", "timeout": "20s",
                                           "fields": {"id": "$.id", "title": "$.title"}}]})
        daemon.wait_for_sql("SELECT count(*) FROM posts", 200)
        self.write(210)
        daemon.wait_for_sql("SELECT count(*) FROM posts", 210, 30)
        time.sleep(1)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.sql("SELECT sum(inserted), sum(updated) FROM _gatherd_runs"), [(210, 0)])


if __name__ == "__main__":
    main()
