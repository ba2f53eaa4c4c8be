"""No secret is written anywhere: every type of auth, in success and failure, then all is searched.

Each secret, and each token that a server gives, holds a mark. A daemon runs every type of auth
against servers that are well, refuse, redirect to another host, answer HTML, break off, are late,
and repeat what they were sent in their words. Then everything that gatherd wrote is searched for the
mark, as it is and in base64: its log at level debug, its messages to systemd, the database with its
-wal and -shm, what its commands print, and what it says when it dies by a signal. Only the file of
refresh tokens may hold one.
"""
import base64
import json
import os
import pathlib
import re
import signal
import stat
import threading
import time
import urllib.parse

from harness import SANITIZED, TestCase, main, wait_until
from notify_socket import NotifySocket

MARK = "zQ7kS3CR3Tx9v"

# In the query of each URL: no secret, but no log, error or table repeats a query either.
QUERY = "qW3ryM4rk8zz"

# What base64 makes of the mark wherever it begins in a group of three, without what its neighbours change.
ENCODED = [base64.b64encode(b"\0" * shift + MARK.encode())[4 if shift else 0:-4].decode() for shift in range(3)]

SCENES = ["good", "status401", "status403", "status500", "elsewhere", "back", "html", "late", "cut", "reset", "words"]
TOKEN_SCENES = ["good", "error", "html", "status500", "type", "late", "reset", "nothing", "once"]


def marked(name):
    return f"{MARK}-{name}"


class Servers:
    """The API by the first part of the path, the token endpoint by the second."""

    def __init__(self, test):
        self.received = []  # whatever came, to see that the marks were sent at all
        self.other_headers = set()  # names of those that came to the other host
        self.other = test.python_server(self.answer_other)
        self.api = test.python_server(self.answer)
        self.mutex = threading.Lock()
        self.refresh = 0

    def note(self, handler):
        """What the client sent, as a server that repeats everything about who asks would."""
        text = handler.path + " " + str(handler.headers).replace("\n", " ") + handler.body.decode()
        text = text.replace(QUERY, "")
        with self.mutex:
            self.received.append(text)
        return text

    def answer_other(self, handler):
        with self.mutex:
            self.other_headers.update(name.lower() for name in handler.headers)
        return 401, {"WWW-Authenticate": 'Digest realm="other", nonce="1", qop="auth"'}, b"who are you?"

    def answer(self, handler):
        sent = self.note(handler)
        scene = handler.path.split("?")[0].split("/")[1]
        if scene == "token":
            return self.token(handler, handler.path.split("/")[2], sent)
        if "/digest" in handler.path and "Authorization" not in handler.headers:
            return 401, {"WWW-Authenticate": 'Digest realm="here", nonce="1", qop="auth"'}, b""
        return getattr(self, "scene_" + scene)(handler, sent)

    def json(self, text='{"id": 1}'):
        return 200, {"Content-Type": "application/json"}, text.encode()

    def scene_good(self, handler, sent):
        return self.json()

    def scene_status401(self, handler, sent):
        return 401, {"WWW-Authenticate": "Bearer"}, sent.encode()

    def scene_status403(self, handler, sent):
        return 403, {}, sent.encode()

    def scene_status500(self, handler, sent):
        return 500, {}, sent.encode()

    def scene_elsewhere(self, handler, sent):
        return 302, {"Location": self.other + "/?" + urllib.parse.quote(sent)}, b""

    def scene_back(self, handler, sent):
        if handler.path.count("again"):
            return self.json()
        return 302, {"Location": "/back/again?" + urllib.parse.quote(sent[:500])}, b""

    def scene_html(self, handler, sent):
        return 200, {"Content-Type": "text/html"}, b"<html><title>Log in</title>"

    def scene_late(self, handler, sent):
        time.sleep(2)
        return self.json()

    def scene_cut(self, handler, sent):
        return f"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{sent}".encode()

    def scene_reset(self, handler, sent):
        return b""

    def scene_words(self, handler, sent):
        """Secrets where a server's own words stand."""
        word = "".join(re.findall(MARK + r"[\w-]*", sent)[:1]) or "none"
        return f"HTTP/1.1 418 {word}\r\nX-{word}: {word}\r\nRetry-After: {word}\r\nContent-Length: 0\r\n\r\n".encode()

    def token(self, handler, scene, sent):
        if scene == "error":
            return 400, {"Content-Type": "application/json"}, (
                '{"error": "invalid_grant %s", "error_description": %s}' % (
                    "".join(re.findall(MARK + r"[\w-]*", sent)[:1]), json.dumps("you sent " + sent))).encode()
        if scene == "html":
            return 200, {"Content-Type": "text/html; " + "".join(re.findall(MARK + r"[\w-]*", sent)[:1])}, sent.encode()
        if scene == "status500":
            return 500, {}, sent.encode()
        if scene == "type":
            return self.json('{"access_token": "%s", "token_type": "%s"}' % (marked("access"), marked("type")))
        if scene == "late":
            time.sleep(2)
        if scene == "reset":
            return b""
        if scene == "nothing":
            return self.json('{"token": {"%s": 1}}' % marked("access"))
        with self.mutex:
            self.refresh += 1
            number = self.refresh
        body = '{"access_token": "%s", "token": "%s", "token_type": "bearer", "expires_in": 1, "refresh_token": "%s"}' % (
            marked(f"access-{number}"), marked(f"session-{number}"), marked(f"refresh-{number}"))
        return 200, {"Content-Type": "application/json", "Set-Cookie": f"sid={marked(f'cookie-{number}')}; Path=/"}, body.encode()


class Secrets(TestCase):
    def types(self, token):
        """Every type of auth with marked secrets; `token`: where tokens come from."""
        user = {"username": marked("user"), "password": marked("password")}
        client = {"type": "oauth2", "client_id": "c", "client_secret": marked("client"), "token_url": token}
        login = {"url": token, "username_param": "u", "password_param": "p"}
        return {
            "basic": {"type": "basic", **user},
            "bearer": {"type": "bearer", "token": marked("bearer")},
            "key": {"type": "api_key", "key": marked("key"), "name": "X-Key"},
            "keyquery": {"type": "api_key", "key": marked("key"), "name": "key", "in": "query"},
            "keycookie": {"type": "api_key", "key": marked("key"), "name": "key", "in": "cookie"},
            "digest": {"type": "digest", **user},
            "aws": {"type": "aws_sigv4", "access_key_id": marked("id"), "secret_access_key": marked("secret"),
                    "session_token": marked("session"), "region": "r", "service": "s"},
            "file": {"type": "bearer", "token_file": self.in_file("bearer")},
            "credential": {"type": "bearer", "token": {"credential": "api-token"}},
            "variable": {"type": "bearer", "token": "${MARKED_TOKEN}"},
            **self.token_types(client, user, login),
        }

    def token_types(self, client, user, login):
        return {
            "client": client,
            "clientbody": {**client, "client_auth": "body", "scopes": ["a"]},
            "refresh": {**client, "grant": "refresh_token", "refresh_token": marked("refresh")},
            "grant": {**client, "grant": "password", **user},
            "session": {"type": "session", **user, "token_path": "$.token", "login": login},
            "form": {"type": "session", **user, "cookie": "sid", "login": {**login, "form": {}}},
            "bybasic": {"type": "session", **user, "token_path": "$.token", "in": "query", "name": "token",
                        "login": {"url": login["url"]}},
        }

    def in_file(self, name):
        path = self.secrets / name
        path.write_text(marked(name) + "\n")
        path.chmod(0o600)
        return str(path)

    def setUp(self):
        super().setUp()
        self.secrets = self.folder / "secrets"  # what the operator wrote; not searched
        self.secrets.mkdir()
        self.in_file("api-token")
        self.servers = Servers(self)
        self.notify = NotifySocket(self.folder)
        self.addCleanup(self.notify.close)

    def sources(self):
        sources = []

        def add(name, url, auth):
            sources.append({"name": name, "url": url, "interval": "100ms", "max_interval": "200ms", "timeout": "800ms",
                            "retry": {"max_attempts": 2, "backoff_base": "10ms"}, "auth": auth})
        for scene in SCENES:
            for name, auth in self.types(f"{self.servers.api}/token/good/{scene}").items():
                add(f"{scene}-{name}", f"{self.servers.api}/{scene}/{name}?q={QUERY}", auth)
        for scene in TOKEN_SCENES[1:]:
            token = f"{self.servers.api}/token/{scene}"
            for name, auth in self.types(token).items():
                if auth["type"] in ("oauth2", "session"):
                    add(f"token-{scene}-{name}", f"{self.servers.api}/good/{name}", auth)
        return sources

    def search(self, what, text, marks=(MARK, QUERY, *ENCODED)):
        for mark in marks:
            place = text.find(mark)
            if place != -1:
                self.fail(f"{what} holds a secret: ...{text[max(0, place - 200):place + 60]!r}...")

    def search_folder(self, daemon):
        found = set()
        for path in sorted(pathlib.Path(daemon.folder).rglob("*")):
            if not path.is_file() or path == daemon.config_path:
                continue
            found.add(path.name)
            if path.name.endswith("-tokens"):
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
                continue
            self.search(str(path), path.read_bytes().decode("latin-1"))
        return found

    def search_commands(self, daemon):
        env = {"MARKED_TOKEN": marked("variable")}
        for arguments in (["check", "--dump"], ["check"],
                          ["query", "--format", "json", "SELECT * FROM _gatherd_runs"],
                          ["query", "--format", "json", "SELECT * FROM _gatherd_sources"],
                          ["query", "--format", "json", "SELECT * FROM _gatherd_dead_letters"]):
            result = self.gatherd(*arguments, *([] if arguments[0] == "query" else [daemon.config_path]),
                                  *(["-d", daemon.database] if arguments[0] == "query" else []), env=env)
            if result.returncode == 64 and arguments[0] == "query":
                result = self.gatherd("query", "-c", daemon.config_path, *arguments[1:], env=env)
            self.assertEqual(result.returncode, 0, f"{arguments}: {result.stderr}")
            marks = (MARK, *ENCODED) if arguments[0] == "check" else (MARK, QUERY, *ENCODED)  # a dump has the URL
            self.search(" ".join(arguments), result.stdout + result.stderr, marks)

    def start(self, config):
        env = {"MARKED_TOKEN": marked("variable"), "CREDENTIALS_DIRECTORY": str(self.secrets), **self.notify.env}
        return self.daemon(config, env=env, arguments=["--verbose"],
                           wrapper=["sh", "-c", 'ulimit -c 0; exec "$@"', "sh"])

    def test_no_mark_is_found_in_anything_that_was_written(self):
        config = {"hosts": {"max_concurrent": 200}, "shutdown_timeout": "2s", "sources": self.sources()}
        daemon = self.start(config)
        daemon.wait_for_sql("SELECT min(runs) >= 3 FROM _gatherd_sources", 1, 120)
        sent = "\n".join(self.servers.received)
        for name in ("bearer", "key", "id", "session", "client", "refresh", "api-token", "variable", "access-1", "cookie-"):
            self.assertIn(marked(name), sent + "".join(map(self.decode, re.findall(r"Basic (\S+)", sent))), name)
        self.assertEqual(self.servers.other_headers, {"host", "user-agent", "accept", "accept-encoding"})
        self.look_at_what_was_kept(daemon)
        self.reload_something_wrong(daemon, config)
        for number in (signal.SIGABRT, signal.SIGSEGV):
            daemon.signal(number)
            daemon.process.wait(30)
            self.assertIn(daemon.process.returncode, (1, 66, -number) if SANITIZED else (-number,))
            self.search_folder(daemon)
            daemon.start()
        wait_until(lambda: daemon.log().count("msg=ready") >= 3)
        self.assertEqual(daemon.stop(), 0)
        self.assertIn("gatherd.db-tokens", self.search_folder(daemon))
        self.search_commands(daemon)
        self.search("the messages to systemd", str(self.notify.messages))

    def decode(self, text):
        return base64.b64decode(text).decode()

    def look_at_what_was_kept(self, daemon):
        """While it runs, so that the -wal and -shm are there."""
        found = self.search_folder(daemon)
        self.assertLessEqual({"gatherd.db", "gatherd.db-wal", "gatherd.db-shm", "gatherd.log"}, found)
        kinds = {kind for (kind,) in daemon.sql("SELECT DISTINCT failure FROM _gatherd_runs")}
        self.assertLessEqual({None, "auth", "status", "decode", "timeout", "network"}, kinds)
        self.assertIn("level=debug", daemon.log())

    def reload_something_wrong(self, daemon, config):
        """Mistakes right beside secrets are reported, and the secrets are not."""
        wrong = [
            {"type": "bearer", "token": [marked("list")]},
            {"type": "bearer", "token": {marked("mapping"): None}},
            {"type": "bearer", "token": {"credential": "a", marked("mapping"): 1}},
            {"type": "basic", "username": marked("user"), "password": {"file": marked("file")}},
            {"type": "digest", "username": marked("user"), "pasword": marked("slip"), "password": marked("both"), "password_file": "x"},
            {"type": "oauth2", "token_url": f"https://{marked('user')}:{marked('pw')}@example.org/", "client_id": "c", "client_secret": marked("s")},
            marked("instead of a mapping"),
        ]
        sources = [{"name": f"s{n}", "url": "https://example.org/", "auth": auth} for n, auth in enumerate(wrong)]
        daemon.reload({"sources": sources})
        self.assertIn("reload", daemon.log())
        result = self.gatherd("check", daemon.config_path)
        self.assertEqual(result.returncode, 78)
        self.search("gatherd check", result.stdout + result.stderr)
        daemon.reload(config)


if __name__ == "__main__":
    main()
