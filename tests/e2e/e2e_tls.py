"""TLS as the operator sets it: authorities, client certificates, names, versions, and their files."""
import json
import os
import re
import shutil
import ssl
import threading
import unittest.mock

from authority import Authority
from harness import Answerer, Answering, TestCase, free_port, main, needs_command

SECRET = "s3cr3t-of-the-key"


class Secure(TestCase):
    """nginx with one listener for each kind of certificate; it answers with what it knows of us."""

    ANSWER = ('default_type application/json; add_header Cache-Control no-store;'
              'location / { return 200 \'{"sni": "$ssl_server_name", "host": "$http_host", "version": "$ssl_protocol",'
              ' "client": "$ssl_client_s_dn", "protocol": "$server_protocol", "connection": $connection,'
              ' "reused": "$ssl_session_reused"}\'; }')

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder / "ca")
        self.ports = {}

    def server(self, kind, certificate, extra=""):
        self.ports[kind] = free_port()
        pem, key = certificate
        return (f"server {{ listen 127.0.0.1:{self.ports[kind]} ssl {'http2' if kind == 'http2' else ''};"
                f" ssl_certificate {pem}; ssl_certificate_key {key}; {extra} {self.ANSWER} }}")

    def start(self, *servers):
        self.nginx(self.folder, extra_http="ssl_session_cache shared:all:1m;" + "\n".join(servers))

    def source(self, kind, name=None, tls=None, **keys):
        return {"name": name or kind, "url": f"https://127.0.0.1:{self.ports[kind]}/",
                "tls": {"ca_file": str(self.authority.ca), **(tls or {})}, "retry": {"backoff_base": "10ms"}, **keys}

    def poll(self, *sources, status=0, env=None):
        daemon = self.run_once({"hosts": {"max_concurrent": 10}, "sources": list(sources)}, status=status, env=env)
        runs = daemon.sql("SELECT source, outcome, failure, http_status, requests, error FROM _gatherd_runs")
        return daemon, {run[0]: run[1:] for run in runs}

    def value(self, daemon, table, column):
        return daemon.value(f"SELECT {column} FROM {table}")


@needs_command("nginx")
@needs_command("openssl")
class Verification(Secure):
    def test_each_bad_certificate_is_refused_at_once_and_told_apart(self):
        other = Authority(self.folder / "other", "another authority")
        self.start(self.server("good", self.authority.issue("good")),
                   self.server("expired", self.authority.issue("expired", expired=True)),
                   self.server("wrong", self.authority.issue("wrong", alt="DNS:other.example")),
                   self.server("itself", self.authority.self_signed("itself")),
                   self.server("foreign", other.issue("foreign")))
        _, runs = self.poll(*[self.source(kind) for kind in self.ports], status=1)
        self.assertEqual(runs.pop("good")[0], "success")
        expected = {"expired": "certificate has expired; whoever runs the server must renew it",
                    "wrong": "no alternative certificate subject name matches target host name '127.0.0.1';"
                             " if the server is the right one, say which name it has in tls: {server_name: ...}",
                    "itself": "self-signed certificate; to trust its authority, name it in tls: {ca_file: ...} or",
                    "foreign": "unable to get local issuer certificate; to trust its authority, name it in tls:"}
        for kind, words in expected.items():
            with self.subTest(kind):
                self.assertEqual(runs[kind][:4], ("failed", "tls", None, 1))
                self.assertRegex(runs[kind][4], "^the certificate of the server is refused: ")
                self.assertIn(words, runs[kind][4])

    def test_ca_file_takes_the_place_of_the_system_and_is_found_beside_the_configuration(self):
        self.start(self.server("good", self.authority.issue("good")))
        daemon = self.daemon({"sources": [self.source("good", tls={"ca_file": "certificates/ca.pem"}),
                                          {**self.source("good", "system"), "tls": {}}]}, start=False)
        (daemon.folder / "certificates").mkdir()
        shutil.copy(self.authority.ca, daemon.folder / "certificates")
        done = self.gatherd("run", "--once", "-c", daemon.config_path, cwd="/")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(daemon.sql("SELECT source, outcome, failure FROM _gatherd_runs ORDER BY source"),
                         [("good", "success", None), ("system", "failed", "tls")])

    def test_old_servers_are_refused_and_new_ones_can_be_asked_for(self):
        self.start(self.server("old", self.authority.issue("old"),
                               "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"),
                   self.server("usual", self.authority.issue("usual"), "ssl_protocols TLSv1.2;"),
                   self.server("new", self.authority.issue("new"), "ssl_protocols TLSv1.2 TLSv1.3;"))
        daemon, runs = self.poll(self.source("old"), self.source("usual"), self.source("new"),
                                 self.source("usual", "usual_13", {"min_version": "1.3"}),
                                 self.source("new", "new_13", {"min_version": 1.3}), status=1)
        self.assertEqual(self.value(daemon, "usual", "version"), "TLSv1.2")
        self.assertEqual(self.value(daemon, "new", "version"), "TLSv1.3")
        self.assertEqual(self.value(daemon, "new_13", "version"), "TLSv1.3")
        for name in ("old", "usual_13"):
            self.assertEqual(runs[name][:4], ("failed", "tls", None, 1))
            self.assertRegex(runs[name][4], "^the TLS handshake failed: .*; the server speaks no version of TLS from"
                                            " tls.min_version on$")

    def test_server_name_is_asked_for_and_verified_while_the_host_stays(self):
        port = free_port()
        servers = ""
        for name in ("one.example", "two.example"):
            pem, key = self.authority.issue(name, alt=f"DNS:{name}")
            servers += (f"server {{ listen 127.0.0.1:{port} ssl http2; server_name {name}; ssl_certificate {pem};"
                        f" ssl_certificate_key {key}; {self.ANSWER} }}")
        self.ports["names"] = port
        self.start(servers)
        daemon, runs = self.poll(
            self.source("names", "two", {"server_name": "two.example"}),
            self.source("names", "own_host", {"server_name": "two.example"}, headers={"Host": "one.example"}),
            self.source("names", "old_http", {"server_name": "two.example"}, http_version="1.1"),
            self.source("names", "wrong", {"server_name": "three.example"}),
            self.source("names", "none"), status=1)
        host = f"127.0.0.1:{port}"
        self.assertEqual(daemon.sql("SELECT sni, host, protocol FROM two"), [("two.example", host, "HTTP/2.0")])
        self.assertEqual(daemon.sql("SELECT sni, host, protocol FROM old_http"), [("two.example", host, "HTTP/1.1")])
        self.assertEqual(self.value(daemon, "own_host", "host"), "one.example")
        for name, target in (("wrong", "three.example"), ("none", "127.0.0.1")):
            self.assertEqual(runs[name][1], "tls")
            self.assertIn(f"'{target}'", runs[name][4])

    def test_skipping_verification_works_is_warned_of_and_spreads_to_no_other_source(self):
        self.start(self.server("itself", self.authority.self_signed("itself", alt="DNS:nobody.example")))
        config = {"hosts": {"max_concurrent": 10}, "sources": [
            self.source("itself", "trusting", {"insecure_skip_verify": True}, interval="50ms", timeout="10s"),
            self.source("itself", "careful", interval="50ms", timeout="10s", max_interval="50ms")]}
        daemon = self.daemon(config, start=False)
        warning = (r"gatherd.yaml:\d+:\d+: warning: sources\[0\].tls.insecure_skip_verify: whoever stands between here"
                   " and the server can read and change everything; name the server's authority in ca_file instead")
        checked = self.gatherd("check", daemon.config_path)
        self.assertEqual(checked.returncode, 0)
        self.assertRegex(checked.stderr, warning)
        self.assertIn(": ok, 2 sources", checked.stdout)
        daemon.start()
        self.assertRegex(daemon.log(), "level=warning msg=configuration warning=\".*" + warning)
        daemon.wait_for_sql("SELECT min(runs) >= 10 FROM _gatherd_sources", 1, 60)
        daemon.reload()
        self.assertEqual(len(re.findall(warning, daemon.log())), 2)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.sql("SELECT DISTINCT source, outcome, failure FROM _gatherd_runs ORDER BY source"),
                         [("careful", "failed", "tls"), ("trusting", "success", None)])


@needs_command("nginx")
@needs_command("openssl")
class ClientCertificates(Secure):
    def setUp(self):
        super().setUp()
        self.start(self.server("mutual", self.authority.issue("mutual"),
                               f"ssl_client_certificate {self.authority.ca}; ssl_verify_client on;"))

    @staticmethod
    def tls(certificate, **more):
        return {"cert_file": str(certificate[0]), "key_file": str(certificate[1]), **more}

    def test_a_certificate_is_shown_with_its_key_beside_or_inside(self):
        one = self.authority.issue("one")
        both = self.folder / "both.pem"
        both.write_text(one[0].read_text() + one[1].read_text())
        both.chmod(0o600)
        daemon, runs = self.poll(self.source("mutual", "beside", self.tls(one)),
                                 self.source("mutual", "inside", {"cert_file": str(both)}),
                                 self.source("mutual", "none"), status=1)
        self.assertEqual(self.value(daemon, "beside", "client"), "CN=one")
        self.assertEqual(self.value(daemon, "inside", "client"), "CN=one")
        self.assertEqual(runs["none"], ("failed", "status", 400, 1, "HTTP 400 Bad Request"))

    def test_an_encrypted_key_is_opened_by_its_password_which_is_kept_nowhere(self):
        locked = self.authority.issue("locked", password=SECRET)
        password = self.folder / "password"
        password.write_text(SECRET + "\n")
        password.chmod(0o600)
        credentials = self.folder / "credentials"
        credentials.mkdir()
        (credentials / "key").write_text(SECRET)
        daemon, runs = self.poll(
            self.source("mutual", "variable", self.tls(locked, key_password="${KEY_PASSWORD}")),
            self.source("mutual", "file", self.tls(locked, key_password_file=str(password))),
            self.source("mutual", "credential", self.tls(locked, key_password={"credential": "key"})),
            self.source("mutual", "wrong", self.tls(locked, key_password="not" + SECRET)), status=1,
            env={"KEY_PASSWORD": SECRET, "CREDENTIALS_DIRECTORY": str(credentials)})
        for name in ("variable", "file", "credential"):
            self.assertEqual(self.value(daemon, name, "client"), "CN=locked", runs[name])
        self.assertEqual(runs["wrong"][:4], ("failed", "tls", None, 1))
        self.assertRegex(runs["wrong"][4], "^the client certificate cannot be used: .*; see tls: .*key_password$")
        self.assertNotIn(SECRET, daemon.output)
        for path in daemon.folder.glob("gatherd.db*"):
            self.assertNotIn(SECRET.encode(), path.read_bytes())
        dump = self.gatherd("check", "--dump", daemon.config_path, env={"KEY_PASSWORD": SECRET})
        self.assertEqual(dump.returncode, 0, dump.stderr)
        self.assertNotIn(SECRET, dump.stdout)
        self.assertIn("key_password_file: " + str(password), dump.stdout)

    def test_a_certificate_that_the_server_does_not_take(self):
        other = Authority(self.folder / "other", "another authority")
        one, two = self.authority.issue("one"), self.authority.issue("two")
        daemon, runs = self.poll(
            self.source("mutual", "foreign", self.tls(other.issue("foreign"))),
            self.source("mutual", "expired", self.tls(self.authority.issue("late", expired=True))),
            self.source("mutual", "mixed", self.tls((one[0], two[1]))), status=1)
        for name in ("foreign", "expired"):
            self.assertEqual(runs[name][1:4], ("status", 400, 1))
        self.assertEqual(runs["mixed"][1:4], ("tls", None, 1))
        self.assertRegex(runs["mixed"][4], "; see tls: ")

    def test_an_alert_of_the_server_is_explained(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, self.authority.issue("strict")))
        context.load_verify_locations(str(self.authority.ca))
        context.verify_mode = ssl.CERT_REQUIRED
        server = Answerer(("127.0.0.1", 0), Answering)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.function = lambda request: (200, {"Content-Type": "application/json"}, b"[]")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.ports["strict"] = server.server_address[1]
        other = Authority(self.folder / "other", "another authority")
        # With TLS 1.3 the alert may be lost when the connection is reset: then it is tried again.
        patient = {"retry": {"max_attempts": 50, "backoff_base": "10ms", "backoff_max": "10ms"}}
        _, runs = self.poll({**self.source("strict", "none"), **patient},
                            {**self.source("strict", "foreign", self.tls(other.issue("x"))), **patient},
                            self.source("strict", "good", self.tls(self.authority.issue("good"))), status=1)
        self.assertEqual(runs["good"][0], "success")
        self.assertEqual(runs["none"][1], "tls")
        self.assertRegex(runs["none"][4], "; the server wants a client certificate: name it in tls: ")
        self.assertEqual(runs["foreign"][1], "tls")
        self.assertRegex(runs["foreign"][4], "; the server does not know the authority of the client certificate")

    def test_sources_of_one_host_never_ride_on_each_others_certificate(self):
        names = ["one", "two", "three"]
        sources = [self.source("mutual", name, self.tls(self.authority.issue(name)), interval="50ms", timeout="20s",
                               write_mode="append") for name in names]
        sources.append(self.source("mutual", "nobody", interval="50ms", timeout="20s", max_interval="50ms"))
        daemon = self.daemon({"fetchers": 1, "hosts": {"max_concurrent": 10}, "sources": sources})
        daemon.wait_for_sql("SELECT min(runs) >= 20 FROM _gatherd_sources", 1, 60)
        self.assertEqual(daemon.stop(), 0)
        for name in names:
            self.assertEqual(daemon.sql(f"SELECT DISTINCT client FROM {name}"), [(f"CN={name}",)])
            connections, rows = daemon.sql(f"SELECT count(DISTINCT connection), count(*) FROM {name}")[0]
            self.assertLess(connections, rows)  # they are kept, each source's its own
        self.assertEqual(daemon.sql("SELECT DISTINCT outcome, http_status FROM _gatherd_runs WHERE source = 'nobody'"),
                         [("failed", 400)])

    def test_renewed_files_take_effect_with_the_next_request(self):
        shown = self.folder / "shown"
        shown.mkdir()
        for name in ("first", "second"):
            self.authority.issue(name)

        def show(name):  # as programs that renew certificates do: beside, then in its place
            for kind in ("key", "pem"):
                shutil.copy(self.authority.folder / f"{name}.{kind}", shown / f"new.{kind}")
                os.replace(shown / f"new.{kind}", shown / f"client.{kind}")

        shutil.copy(self.authority.ca, shown / "ca.pem")
        show("first")
        daemon = self.daemon({"sources": [self.source(
            "mutual", "renewed", {"ca_file": str(shown / "ca.pem"), "cert_file": str(shown / "client.pem"),
                                  "key_file": str(shown / "client.key")},
            interval="50ms", timeout="10s", max_interval="50ms", write_mode="append")]})
        daemon.wait_for_sql("SELECT count(*) >= 5 FROM renewed WHERE client = 'CN=first'", 1, 30)
        show("second")
        daemon.wait_for_sql("SELECT count(*) >= 5 FROM renewed WHERE client = 'CN=second'", 1, 30)
        last = daemon.value("SELECT max(_run_id) FROM renewed")
        other = Authority(self.folder / "other", "another authority")
        shutil.copy(other.ca, shown / "ca.pem")
        daemon.wait_for_sql("SELECT count(*) >= 2 FROM _gatherd_runs WHERE failure = 'tls'", 1, 30)
        os.unlink(shown / "ca.pem")
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE error LIKE 'tls.ca_file: %/ca.pem cannot be read:"
                            " No such file or directory'", timeout=30)
        shutil.copy(self.authority.ca, shown / "ca.pem")
        daemon.wait_for_sql(f"SELECT count(*) >= 5 FROM renewed WHERE _run_id > {last} + 2", 1, 30)
        self.assertEqual(daemon.stop(), 0)
        clients = [row[0] for row in daemon.sql("SELECT client FROM renewed ORDER BY _run_id")]
        self.assertEqual(clients, sorted(clients))  # first, then second, and never back
        self.assertLess(daemon.value("SELECT count(DISTINCT connection) FROM renewed"), len(clients))


@needs_command("nginx")
@needs_command("openssl")
class HttpVersions(Secure):
    def test_versions_over_tls_and_without(self):
        self.start(self.server("http2", self.authority.issue("two")), self.server("http1", self.authority.issue("one")))
        plain = free_port()
        self.nginx(self.folder, extra_http=f"server {{ listen 127.0.0.1:{plain} http2; {self.ANSWER} }}")
        clear = {"url": f"http://127.0.0.1:{plain}/", "retry": {"max_attempts": 1}}
        daemon, runs = self.poll(
            self.source("http2", "auto"), self.source("http2", "one", http_version="1.1"),
            self.source("http2", "two", http_version=2), self.source("http1", "only_one"),
            self.source("http1", "refused", http_version="2"),
            {"name": "clear", "http_version": "2", **clear}, {"name": "clear_auto", **clear}, status=1)
        for name, version in {"auto": "2.0", "one": "1.1", "two": "2.0", "only_one": "1.1", "clear": "2.0"}.items():
            self.assertEqual(self.value(daemon, name, "protocol"), f"HTTP/{version}", runs[name])
        self.assertEqual(runs["refused"][1], "network")
        self.assertEqual(runs["refused"][4], "the server does not speak HTTP/2, which http_version asks for")
        self.assertEqual(runs["clear_auto"][1], "network")

    def test_versions_do_not_mix_on_kept_connections(self):
        self.start(self.server("http2", self.authority.issue("two")))
        daemon = self.daemon({"fetchers": 1, "hosts": {"max_concurrent": 10}, "sources": [
            self.source("http2", name, interval="50ms", timeout="20s", write_mode="append", http_version=version)
            for name, version in (("one", "1.1"), ("two", "2"), ("any", "auto"))]})
        daemon.wait_for_sql("SELECT min(runs) >= 20 FROM _gatherd_sources", 1, 60)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.sql("SELECT DISTINCT protocol FROM one"), [("HTTP/1.1",)])
        self.assertEqual(daemon.sql("SELECT DISTINCT protocol FROM two"), [("HTTP/2.0",)])
        self.assertEqual(daemon.sql("SELECT DISTINCT outcome FROM _gatherd_runs"), [("success",)])


class Checking(TestCase):
    """What `gatherd check` says of files."""

    def check(self, tls):
        path = self.folder / "gatherd.yaml"
        path.write_text(json.dumps({"sources": [{"name": "a", "url": "https://example.org/", "tls": tls}]}))
        done = self.gatherd("check", "gatherd.yaml")
        return done.returncode, done.stderr

    def test_files_are_looked_at(self):
        (self.folder / "text").write_text("not a certificate")
        (self.folder / "folder").mkdir()
        for name, words in {"missing": "cannot be read: No such file or directory; mend it",
                            "folder": "cannot be read: Is a directory; mend it",
                            "text": "holds no CERTIFICATE in the form PEM; name a file that does"}.items():
            for key in ("ca_file", "cert_file"):
                status, said = self.check({key: name})
                self.assertEqual(status, 78)
                self.assertRegex(said, rf"gatherd.yaml:1:\d+: error: sources\[0\].tls.{key}: {words}\n")

    @needs_command("openssl")
    def test_keys_are_looked_at(self):
        authority = Authority(self.folder)
        authority.issue("open")
        authority.issue("locked", password=SECRET)
        (self.folder / "open.key").chmod(0o644)
        self.assertEqual(self.check({"cert_file": "open.pem", "key_file": "open.key"}),
                         (0, unittest.mock.ANY))
        self.assertIn("warning: sources[0].tls.key_file: holds a private key that everybody may read; chmod o= it",
                      self.check({"cert_file": "open.pem", "key_file": "open.key"})[1])
        self.assertIn("cert_file: holds no private key; add key_file, which does", self.check({"cert_file": "open.pem"})[1])
        self.assertIn("key_file: holds no PRIVATE KEY in the form PEM",
                      self.check({"cert_file": "open.pem", "key_file": "open.pem"})[1])
        self.assertIn("key_file: the private key is encrypted; add key_password or key_password_file",
                      self.check({"cert_file": "locked.pem", "key_file": "locked.key"})[1])


if __name__ == "__main__":
    main()
