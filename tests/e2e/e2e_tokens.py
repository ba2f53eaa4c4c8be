"""Tokens that a request of their own brings: oauth2 and session."""
import base64
import json
import os
import re
import stat
import subprocess
import time
import unittest

from harness import ROOT, TestCase, free_port, main, wait_until
from token_server import TokenServer

FULL = os.environ.get("GATHERD_FULL") == "1"

OAUTH2 = {"type": "oauth2", "client_id": "the client", "client_secret": "s3cret/+"}
REFRESH = {"type": "oauth2", "grant": "refresh_token", "client_id": "c", "refresh_token": "first"}


def source(name, url, **keys):
    return {"name": name, "url": url, "interval": "1h", "retry": {"max_attempts": 1}, **keys}


class Rig(TestCase):
    def serve_tokens(self, **options):
        server = TokenServer(**options)
        return server, self.python_server(server)

    def outcomes(self, sources, **options):
        """Runs each source once: (failure, status, error) by its name."""
        ended = self.run_once({"sources": sources}, **options)
        self.last = ended
        rows = ended.sql("SELECT source, failure, http_status, error FROM _gatherd_runs")
        return {name: rest for name, *rest in rows}

    def saved(self, daemon):
        """The refresh tokens in the file beside the database."""
        path = daemon.database.with_name(daemon.database.name + "-tokens")
        return [json.loads(line)["refresh_token"] for line in path.read_text().splitlines()]


class Oauth2(Rig):
    def test_client_credentials_go_into_the_header_or_the_body(self):
        server, base = self.serve_tokens()
        more = {"scopes": ["read:a", "b"], "audience": "https://api/?x", "token_params": {"resource": "r&s"}}
        outcomes = self.outcomes([
            source("header", base + "/data", auth={**OAUTH2, **more, "token_url": base + "/token"}),
            source("body", base + "/data", auth={**OAUTH2, "client_auth": "body", "token_url": base + "/token"}),
        ])
        self.assertEqual(outcomes, {"header": [None, 200, None], "body": [None, 200, None]})
        by_header = next(r for r in server.token_requests if "Authorization" in r[0])
        by_body = next(r for r in server.token_requests if "Authorization" not in r[0])
        self.assertEqual(base64.b64decode(by_header[0]["Authorization"].split()[1]), b"the%20client:s3cret%2F%2B")
        self.assertEqual(by_header[1], {"grant_type": "client_credentials", "scope": "read:a b",
                                        "audience": "https://api/?x", "resource": "r&s"})
        self.assertEqual(by_body[1], {"grant_type": "client_credentials", "client_id": "the client",
                                      "client_secret": "s3cret/+"})
        self.assertEqual({headers["Authorization"] for _, headers in server.data_requests},
                         {"Bearer access-1", "Bearer access-2"})
        self.assertEqual(self.last.sql("SELECT requests FROM _gatherd_runs"), [(2,), (2,)])

    def test_the_password_grant(self):
        server, base = self.serve_tokens()
        auth = {"type": "oauth2", "grant": "password", "username": "u", "password": "p", "token_url": base + "/token"}
        self.assertEqual(self.outcomes([source("a", base + "/data", auth=auth)]), {"a": [None, 200, None]})
        self.assertEqual(server.token_requests[0][1], {"grant_type": "password", "username": "u", "password": "p"})

    def test_twenty_sources_over_two_fetchers_ask_for_one_token(self):
        server, base = self.serve_tokens(delay=0.5)
        auth = {**OAUTH2, "token_url": base + "/token"}
        hosts = ["127.0.0.1", "localhost"]  # so that both fetchers have some
        port = base.rsplit(":", 1)[1]
        sources = [source(f"s{n}", f"http://{hosts[n % 2]}:{port}/data", auth=auth) for n in range(20)]
        daemon = self.daemon({"fetchers": 2, "hosts": {"max_concurrent": 20}, "sources": sources})
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'", 20)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(len(server.token_requests), 1)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs"), 20)
        self.assertEqual({headers["Authorization"] for _, headers in server.data_requests}, {"Bearer access-1"})

    def test_a_token_is_renewed_before_it_expires_and_nobody_is_refused(self):
        server, base = self.serve_tokens(lifetime=3)
        auth = {**OAUTH2, "token_url": base + "/token"}
        sources = [source(f"s{n}", base + "/data", auth=auth) | {"interval": "100ms"} for n in range(3)]
        daemon = self.daemon({"sources": sources})
        wait_until(lambda: len(server.tokens) >= 4)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs WHERE outcome <> 'success'"), 0)
        self.assertLess(len(server.token_requests), len(server.data_requests) / 3)

    def test_what_expires_in_may_be(self):
        for lifetime in (None, "3600", 3599.5, 0, -5, "soon", 1e300, [], True):
            with self.subTest(lifetime=lifetime):
                server, base = self.serve_tokens(lifetime=lifetime)
                auth = {**OAUTH2, "token_url": base + "/token"}
                daemon = self.daemon({"sources": [source("a", base + "/data", auth=auth) | {"interval": "50ms"}]})
                wait_until(lambda: len(server.data_requests) >= 3)
                self.assertEqual(daemon.stop(), 0)
                self.assertEqual(len(server.token_requests), 1)

    def test_a_401_brings_a_new_token_once(self):
        server, base = self.serve_tokens()
        auth = {**OAUTH2, "token_url": base + "/token"}
        daemon = self.daemon({"sources": [source("a", base + "/data", auth=auth) | {"interval": "100ms"}]})
        wait_until(lambda: server.data_requests)
        server.refused.add("access-1")
        wait_until(lambda: len(server.tokens) == 2)
        daemon.wait_for_sql("SELECT token FROM a ORDER BY rowid DESC LIMIT 1", "access-2")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs WHERE outcome <> 'success'"), 0)
        self.assertEqual(daemon.value("SELECT max(requests) FROM _gatherd_runs WHERE id > 1"), 3)

    def test_a_server_that_refuses_new_tokens_too_is_not_asked_for_more_and_more(self):
        server, base = self.serve_tokens()
        auth = {**OAUTH2, "token_url": base + "/token"}
        server.refuse_all = True
        sources = [source(f"s{n}", base + "/data", auth=auth) | {"interval": "50ms", "max_interval": "50ms"}
                   for n in range(10)]
        daemon = self.daemon({"sources": sources})
        wait_until(lambda: len(server.data_requests) > 100)
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(len(server.token_requests), 15)
        self.assertEqual(daemon.sql("SELECT DISTINCT failure, http_status, error FROM _gatherd_runs"),
                         [("status", 401, "HTTP 401 Unauthorized")])

    def test_a_rule_for_answers_can_ask_for_a_new_token(self):
        server, base = self.serve_tokens()

        def soft(handler):
            """Says 200 where it means 401."""
            status, headers, body = server(handler)
            return (200, headers, b'{"error": "session_expired"}') if status == 401 else (status, headers, body)
        base = self.python_server(soft)
        auth = {**OAUTH2, "token_url": base + "/token"}
        rules = [{"body_contains": "session_expired", "action": "refresh_token"}]
        daemon = self.daemon({"sources": [source("a", base + "/data", auth=auth, responses=rules) | {"interval": "100ms"}]})
        wait_until(lambda: server.data_requests)
        server.refused.add("access-1")
        daemon.wait_for_sql("SELECT token FROM a ORDER BY rowid DESC LIMIT 1", "access-2")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs WHERE outcome <> 'success'"), 0)

    def test_403_is_no_reason_for_a_new_token(self):
        server, base = self.serve_tokens()
        api = self.python_server(lambda handler: (403, {}, b"no"))
        outcomes = self.outcomes([source("a", api, auth={**OAUTH2, "token_url": base + "/token"})], status=1)
        self.assertEqual(outcomes["a"], ["status", 403, "HTTP 403 Forbidden"])
        self.assertEqual(len(server.token_requests), 1)

    def test_the_token_stays_with_the_origin(self):
        server, base = self.serve_tokens()
        seen = []

        def other(handler):
            seen.append(handler.headers)
            return 401, {}, b""
        other = self.python_server(other)
        api = self.python_server(lambda handler: (302, {"Location": other}, b""))
        outcomes = self.outcomes([source("a", api, auth={**OAUTH2, "token_url": base + "/token"})], status=1)
        self.assertEqual(outcomes["a"], ["status", 401, "HTTP 401 Unauthorized"])
        self.assertNotIn("Authorization", seen[0])
        self.assertEqual((len(seen), len(server.token_requests)), (1, 1))


class Failures(Rig):
    def fail(self, answer, **keys):
        """What a run says of a token endpoint that answers so."""
        server, base = self.serve_tokens()
        server.answer = answer
        self.host = base.split("//")[1]
        auth = {**OAUTH2, "token_url": base + "/token", **keys.pop("auth", {})}
        outcomes = self.outcomes([source("a", base + "/data", auth=auth, **keys)], status=1)
        self.assertEqual(server.data_requests, [])
        self.requests = len(server.token_requests)
        return outcomes["a"]

    def test_each_answer_that_is_no_token_has_its_words(self):
        JSON = {"Content-Type": "application/json"}
        cases = [
            ((400, JSON, b'{"error": "invalid_client"}'), "HTTP 400 Bad Request: invalid_client"),
            ((401, JSON, b'{"error": "invalid_client", "error_description": "no s3cret/+ here\\n\\u001b[31m"}'),
             r"HTTP 401 Unauthorized: invalid_client: no *** here\n\x1b[31m"),
            ((200, JSON, b'{"error": "bad_verification_code"}'), "HTTP 200 OK: bad_verification_code"),
            ((200, JSON, b'{"error": "' + b"x" * 1000 + b'"}'), "HTTP 200 OK: " + "x" * 160),
            ((200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>s3cret/+</html>"),
             "the answer is text/html; charset=utf-8, not JSON with a token"),
            ((503, {"Content-Type": "text/html"}, b"<html>busy"), "HTTP 503 Service Unavailable"),
            ((429, {"Retry-After": "1"}, b""), "HTTP 429 Too Many Requests"),
            ((200, JSON, b""), "the answer is empty"),
            ((200, JSON, b"{}"), "the answer has no access_token"),
            ((200, JSON, b'[1]'), "the answer has no access_token"),
            ((200, JSON, b'{"access_token": 5}'), "the answer has no access_token"),
            ((200, JSON, b'{"access_token": ""}'), "the answer has no access_token"),
            ((200, JSON, b'{"access_token": "a", "token_type": "mac"}'),
             "the answer has a token_type other than bearer, which is all that gatherd can send"),
            ((200, JSON, b'{"access_token": "a\\r\\nX-Evil: 1"}'),
             "the token in the answer holds characters that no token has"),
            ((302, {"Location": "/elsewhere"}, b""), "HTTP 302 Found"),
            ((200, JSON, b'{"access_token": "' + b"a" * (1 << 20) + b'"}'),
             "body larger than a token needs (1MiB)"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
             "the connection was closed before the whole answer had come: transfer closed with 98 bytes remaining to read"),
        ]
        for answer, words in cases:
            with self.subTest(words=words):
                self.assertEqual(self.fail(answer), ["auth", None, f"auth: token request to {self.host}: {words}"])
                self.assertEqual(self.requests, 1)

    def test_only_what_may_pass_is_tried_again(self):
        retry = {"max_attempts": 3, "backoff_base": "1s", "backoff_max": "3s"}
        self.fail((400, {"Content-Type": "application/json"}, b'{"error": "invalid_client"}'), retry=retry)
        self.assertEqual(self.last.value("SELECT requests FROM _gatherd_runs"), 1)
        self.fail((500, {}, b""), retry=retry)
        self.assertGreaterEqual(self.requests, 1)

    def test_an_endpoint_that_does_not_answer(self):
        server, base = self.serve_tokens(delay=3)
        auth = {**OAUTH2, "token_url": base + "/token"}
        nobody = f"http://127.0.0.1:{free_port()}/token"
        outcomes = self.outcomes([
            source("slow", base + "/data", auth=auth, timeout="500ms"),
            source("refused", base + "/data", auth={**auth, "token_url": nobody}),
            source("unknown", base + "/data", auth={**auth, "token_url": "http://nowhere.invalid/"}),
        ], status=1)
        self.assertEqual(outcomes["slow"][0], "auth")
        self.assertRegex(outcomes["slow"][2], r"^auth: token request to 127.0.0.1:\d+: timeout \(500ms\) passed before an answer came$")
        self.assertRegex(outcomes["refused"][2], r"^auth: token request to 127.0.0.1:\d+: Failed to connect to 127.0.0.1 port \d+")
        self.assertRegex(outcomes["unknown"][2], r"^auth: token request to nowhere.invalid:80: Could not resolve host: nowhere.invalid")
        self.assertEqual(server.data_requests, [])

    def test_a_hundred_sources_do_not_hammer_an_endpoint_that_fails(self):
        server, base = self.serve_tokens()
        server.answer = (500, {}, b"")
        auth = {**OAUTH2, "token_url": base + "/token"}
        sources = [source(f"s{n}", base + "/data", auth=auth) | {"interval": "100ms", "max_interval": "100ms"} for n in range(100)]
        daemon = self.daemon({"sources": sources})
        started = time.monotonic()
        daemon.wait_for_sql("SELECT min(failed_runs) >= 3 FROM _gatherd_sources", 1, 60)
        self.assertEqual(daemon.value("SELECT count(DISTINCT error) FROM _gatherd_runs"), 1)
        count, seconds = len(server.token_requests), time.monotonic() - started
        self.assertLess(count, 3 + seconds)  # 1 s, 2 s, 4 s between them
        server.answer = None
        daemon.wait_for_sql("SELECT min(consecutive_failures) = 0 AND max(consecutive_failures) = 0 FROM _gatherd_sources", 1, 60)
        self.assertEqual(daemon.stop(), 0)

    def test_an_early_renewal_that_fails_harms_nobody_while_the_token_is_good(self):
        server, base = self.serve_tokens(lifetime=20)  # renewed after 18 s
        auth = {**OAUTH2, "token_url": base + "/token"}
        daemon = self.daemon({"sources": [source("a", base + "/data", auth=auth) | {"interval": "200ms"}]})
        wait_until(lambda: server.data_requests)
        server.answer = (500, {}, b"")
        daemon.wait_for_log("a token cannot be renewed before it expires", 40)
        count = len(server.data_requests)
        wait_until(lambda: len(server.data_requests) >= count + 3)
        server.answer = None
        wait_until(lambda: len(server.tokens) >= 2, 40)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs WHERE outcome <> 'success'"), 0)

    def test_a_secret_that_cannot_be_read_is_said_and_read_again_when_it_is_there(self):
        server, base = self.serve_tokens()
        path = self.folder / "client-secret"
        auth = {"type": "oauth2", "client_id": "c", "client_secret_file": str(path), "token_url": base + "/token"}
        daemon = self.daemon({"sources": [source("a", base + "/data", auth=auth) | {"interval": "500ms", "max_interval": "500ms"}]})
        daemon.wait_for_sql("SELECT error FROM _gatherd_runs",
                            f"auth: the file with the secret, {path}, cannot be read: No such file or directory")
        path.write_text("s\n")
        path.chmod(0o600)
        daemon.wait_for_sql("SELECT count(*) > 0 FROM _gatherd_runs WHERE outcome = 'success'", 1, 40)
        self.assertEqual(daemon.stop(), 0)

    def test_stopping_while_some_get_a_token_and_others_wait(self):
        server, base = self.serve_tokens(delay=60)
        auth = {**OAUTH2, "token_url": base + "/token"}
        sources = [source(f"s{n}", base + "/data", auth=auth, timeout="1m") for n in range(10)]
        daemon = self.daemon({"shutdown_timeout": "1s", "hosts": {"max_concurrent": 10}, "sources": sources})
        wait_until(lambda: server.token_requests)
        started = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - started, 20)
        self.assertEqual(len(server.token_requests), 1)

    def test_who_waits_for_a_token_waits_no_longer_than_its_own_timeout(self):
        server, base = self.serve_tokens(delay=8)
        auth = {**OAUTH2, "token_url": base + "/token"}
        daemon = self.daemon({"hosts": {"max_concurrent": 10}, "sources": [
            source("patient", base + "/data", auth=auth, timeout="30s"),
            source("hasty", base + "/data", auth=auth, timeout="1s"),
        ]})
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs", 2, 40)
        outcomes = {name: (outcome, error) for name, outcome, error in
                    daemon.sql("SELECT source, outcome, error FROM _gatherd_runs")}
        self.assertEqual(outcomes["hasty"][0], "failed")
        self.assertRegex(outcomes["hasty"][1], "^auth: ")
        self.assertEqual(daemon.stop(), 0)


class Rotation(Rig):
    def test_a_refresh_token_that_serves_once_is_saved_before_it_is_needed(self):
        server, base = self.serve_tokens(lifetime=2)
        auth = {**REFRESH, "token_url": base + "/token"}
        sources = [source(f"s{n}", base + "/data", auth=auth) | {"interval": "100ms"} for n in range(5)]
        daemon = self.daemon({"sources": sources})
        wait_until(lambda: len(server.tokens) >= 3)
        path = daemon.database.with_name("gatherd.db-tokens")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.saved(daemon), [f"refresh-{len(server.tokens)}"])
        self.assertEqual(server.token_requests[0][1], {"grant_type": "refresh_token", "refresh_token": "first", "client_id": "c"})
        daemon.start()  # goes on with what it saved
        count = len(server.tokens)
        wait_until(lambda: any(headers["Authorization"] == f"Bearer access-{count + 2}" for _, headers in server.data_requests))
        daemon.kill()  # its refresh token is on the disk: it is being used
        daemon.start()
        count = len(server.tokens)
        wait_until(lambda: len(server.tokens) >= count + 2)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(server.reused, 0)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs WHERE outcome <> 'success'"), 0)

    def test_a_new_token_in_the_configuration_wins_over_the_saved_one(self):
        server, base = self.serve_tokens()
        path = self.folder / "refresh"
        path.write_text("first")
        path.chmod(0o600)
        auth = {"type": "oauth2", "grant": "refresh_token", "client_id": "c", "refresh_token_file": str(path),
                "token_url": base + "/token"}
        daemon = self.daemon({"sources": [source("a", base + "/data", auth=auth)]}, start=False)
        once = lambda: self.gatherd("run", "--once", "-c", daemon.config_path).returncode
        self.assertEqual((once(), once()), (0, 0))
        self.assertEqual([fields["refresh_token"] for _, fields in server.token_requests], ["first", "refresh-1"])
        server.refresh_tokens["second"] = 0
        path.write_text("second\n")
        self.assertEqual((once(), once()), (0, 0))
        self.assertEqual([fields["refresh_token"] for _, fields in server.token_requests][2:], ["second", "refresh-3"])
        self.assertEqual(self.saved(daemon), ["refresh-4"])

    def test_two_settings_keep_their_tokens_apart(self):
        server, base = self.serve_tokens()
        server.refresh_tokens["other"] = 0
        auth = {**REFRESH, "token_url": base + "/token"}
        daemon = self.run_once({"sources": [source("a", base + "/data", auth=auth),
                                            source("b", base + "/data", auth={**auth, "refresh_token": "other"})]})
        self.assertEqual(sorted(self.saved(daemon)), ["refresh-1", "refresh-2"])

    def test_a_server_that_keeps_its_refresh_token_leaves_no_file(self):
        server, base = self.serve_tokens(rotate=False)
        daemon = self.run_once({"sources": [source("a", base + "/data", auth={**REFRESH, "token_url": base + "/token"})]})
        self.assertFalse(daemon.database.with_name("gatherd.db-tokens").exists())

    def test_a_token_that_is_known_no_more_says_what_to_do(self):
        server, base = self.serve_tokens()
        auth = {**REFRESH, "refresh_token": "stolen-token", "token_url": base + "/token"}
        outcome = self.outcomes([source("a", base + "/data", auth=auth)], status=1)["a"]
        self.assertEqual(outcome, ["auth", None, f"auth: token request to {base[7:]}: HTTP 400 Bad Request: invalid_grant: *** "
                                   "is not known; log in anew and put the new refresh_token into the configuration"])

    def test_a_file_that_cannot_be_written_keeps_the_token_from_being_used_until_it_can(self):
        server, base = self.serve_tokens()
        auth = {**REFRESH, "token_url": base + "/token"}
        daemon = self.daemon({"sources": [source("a", base + "/data", auth=auth) | {"interval": "500ms", "max_interval": "500ms"}]}, start=False)
        blocked = daemon.database.with_name("gatherd.db-tokens.new")
        blocked.mkdir()
        daemon.start()
        daemon.wait_for_sql("SELECT error FROM _gatherd_runs",
                            f"auth: the file of refresh tokens, {daemon.database}-tokens, cannot be written: File exists")
        self.assertEqual(server.data_requests, [])
        blocked.rmdir()
        daemon.wait_for_sql("SELECT count(*) > 0 FROM _gatherd_runs WHERE outcome = 'success'", 1, 40)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(server.reused, 0)
        self.assertEqual([fields["refresh_token"] for _, fields in server.token_requests], ["first", "refresh-1"])
        self.assertEqual(self.saved(daemon), ["refresh-2"])

    def test_a_file_that_is_broken_or_open_is_not_passed_over(self):
        server, base = self.serve_tokens()
        auth = {**REFRESH, "token_url": base + "/token"}
        daemon = self.daemon({"sources": [source("a", base + "/data", auth=auth)]}, start=False)
        path = daemon.database.with_name("gatherd.db-tokens")
        errors = []
        for text, mode in (("{broken\n", 0o600), ("", 0o640)):
            path.write_text(text)
            path.chmod(mode)
            self.assertEqual(self.gatherd("run", "--once", "-c", daemon.config_path).returncode, 1)
            errors.append(daemon.value("SELECT error FROM _gatherd_runs ORDER BY id DESC"))
        self.assertRegex(errors[0], f"^auth: the file of refresh tokens, {path}, line 1, is not what gatherd wrote; mend it, or remove the file")
        self.assertRegex(errors[1], r"is open to others \(mode 640\); chmod 600 it")
        self.assertEqual(server.token_requests, [])


class Sessions(Rig):
    USER = {"username": "name", "password": 'pass "word"'}

    def test_a_login_by_json_form_or_basic_and_each_way_to_carry_the_token(self):
        server, base = self.serve_tokens()
        by_json = {"type": "session", **self.USER, "token_path": "$.data.token", "login": {
            "url": base + "/login", "username_param": "user.name", "password_param": "user.password", "body": {"user": {"tenant": "t"}}}}
        by_form = {"type": "session", **self.USER, "cookie": "sid", "login": {
            "url": base + "/login", "username_param": "login", "password_param": "password", "form": {}}}
        by_basic = {"type": "session", **self.USER, "token_path": "$", "in": "header", "name": "X-Session",
                    "login": {"url": base + "/basic-login"}}
        outcomes = self.outcomes([
            source("json", base + "/data", auth=by_json),
            source("prefix", base + "/data", auth={**by_json, "prefix": "Token "}),
            source("query", base + "/data?x=1", auth={**by_json, "in": "query", "name": "token"}),
            source("cookie", base + "/data", auth=by_form, headers={"Cookie": "a=b"}),
            source("basic", base + "/data", auth=by_basic),
        ])
        self.assertEqual(set(map(tuple, outcomes.values())), {(None, 200, None)})
        self.assertIn({"tenant": "t", "name": "name", "password": 'pass "word"'}, [user for _, user in server.token_requests])
        seen = {name: headers for path, headers in server.data_requests
                for name in ("Authorization", "X-Session", "Cookie") if name in headers}
        self.assertRegex(seen["Cookie"]["Cookie"], r"^a=b; sid=access-\d$")
        self.assertEqual(sum((h.get("Authorization") or "").startswith("Bearer ") for _, h in server.data_requests), 1)
        self.assertEqual(sum((h.get("Authorization") or "").startswith("Token ") for _, h in server.data_requests), 1)
        self.assertEqual(sum(bool(re.fullmatch(r"/data\?x=1&token=access-\d", p)) for p, _ in server.data_requests), 1)

    def test_a_session_is_renewed_after_its_lifetime_and_after_a_401(self):
        server, base = self.serve_tokens()
        auth = {"type": "session", **self.USER, "token_path": "$.data.token", "lifetime": "1s", "login": {
            "url": base + "/login", "username_param": "user.name", "password_param": "user.password"}}
        daemon = self.daemon({"sources": [source("a", base + "/data", auth=auth) | {"interval": "100ms"}]})
        wait_until(lambda: len(server.tokens) >= 3)
        # One that was never used yet would be refused at its first use, which fails the run.
        used = [headers.get("Authorization", "") for _, headers in list(server.data_requests)]
        count = len(server.tokens)
        server.refused.update(token for token in server.tokens if f"Bearer {token}" in used)
        self.assertTrue(server.refused)
        wait_until(lambda: len(server.tokens) > count)
        wait_until(lambda: len(server.data_requests) > 40)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs WHERE outcome <> 'success'"), 0)

    def test_a_login_that_fails_says_why_without_the_password(self):
        server, base = self.serve_tokens()
        login = {"url": base + "/login", "username_param": "user.name", "password_param": "user.password"}
        auth = {"type": "session", **self.USER, "token_path": "$.data.token", "login": login}
        outcomes = self.outcomes([
            source("wrong", base + "/data", auth={**auth, "password": "hunter2"}),
            source("path", base + "/data", auth={**auth, "token_path": "$.data"}),
            source("cookie", base + "/data", auth={"type": "session", **self.USER, "cookie": "other", "login": login}),
        ], status=1)
        host = base[7:]
        self.assertEqual(outcomes, {
            "wrong": ["auth", None, f"auth: login at {host}: HTTP 403 Forbidden: wrong: no: {{'***': '***', 'password': '***'}}"],
            "path": ["auth", None, f"auth: login at {host}: token_path $.data selects no text in the answer"],
            "cookie": ["auth", None, f"auth: login at {host}: the answer sets no cookie other"],
        })


@unittest.skipUnless(FULL, "needs npm: GATHERD_FULL=1")
class Oauth2MockServer(Rig):
    """A server that others wrote: oauth2-mock-server, from npm."""

    def test_it_gives_tokens_for_each_grant(self):
        folder = ROOT / "build/npm-oauth2"
        folder.mkdir(parents=True, exist_ok=True)
        program = folder / "node_modules/.bin/oauth2-mock-server"
        if not program.exists():
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "oauth2-mock-server@7"],
                           check=True, capture_output=True, timeout=300)
        port = free_port()
        self.serve([str(program), "-a", "127.0.0.1", "-p", str(port)], port, "oauth2-mock-server")
        seen = []

        def api(handler):
            seen.append(handler.headers["Authorization"])
            return 200, {"Content-Type": "application/json"}, b'{"id": 1}'
        base, token_url = self.python_server(api), f"http://127.0.0.1:{port}/token"
        outcomes = self.outcomes([
            source("credentials", base, auth={**OAUTH2, "token_url": token_url, "scopes": "urn:a urn:b"}),
            source("refresh", base, auth={**REFRESH, "token_url": token_url}),
            source("password", base, auth={"type": "oauth2", "grant": "password", "username": "u", "password": "p",
                                           "token_url": token_url}),
        ])
        self.assertEqual(set(map(tuple, outcomes.values())), {(None, 200, None)})
        for header in seen:
            claims = json.loads(base64.urlsafe_b64decode(header.split(".")[1] + "=="))
            self.assertEqual(claims["iss"], f"http://localhost:{port}")


if __name__ == "__main__":
    main()
