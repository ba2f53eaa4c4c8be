"""Who a source is: basic, bearer, API keys, digest and AWS signatures, and where secrets lie."""
import base64
import hashlib
import hmac
import os
import re
import urllib.parse

from harness import TestCase, main, needs_command, wait_until


def source(name, url, **keys):
    return {"name": name, "url": url, "interval": "1h", **keys}


class Rig(TestCase):
    def outcomes(self, sources, **options):
        """Runs each source once: (failure, status, error) by its name."""
        ended = self.run_once({"sources": sources}, **options)
        rows = ended.sql("SELECT source, failure, http_status, error FROM _gatherd_runs")
        self.assertEqual(len(rows), len(sources))
        return {name: rest for name, *rest in rows}

    def recording_server(self, answer=None):
        """A server that notes (path, headers, body) of each request; its URL and the list."""
        seen = []

        def note(handler):
            seen.append((handler.path, handler.headers, handler.body))
            return answer(handler) if answer else (200, {"Content-Type": "application/json"}, b'{"id": 1}')
        return self.python_server(note), seen

    def secret_file(self, name, text, mode=0o600):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)


@needs_command("gunicorn")
class Httpbin(Rig):
    def test_each_type_is_let_in_and_a_wrong_password_is_not(self):
        base = self.httpbin()
        good = {"type": "basic", "username": "reader", "password": "sesame"}
        basic, digest = base + "/basic-auth/reader/sesame", base + "/digest-auth/auth/reader/sesame"
        outcomes = self.outcomes([
            source("basic", basic, auth=good),
            source("basic_wrong", basic, auth={**good, "password": "wrong"}),
            source("basic_none", basic),
            source("digest", digest, auth={**good, "type": "digest"}),
            source("digest_wrong", digest, auth={**good, "type": "digest", "password": "wrong"}),
            source("digest_sha", digest + "/SHA-256", auth={**good, "type": "digest"}),
            source("bearer", base + "/bearer", auth={"type": "bearer", "token": "abc"}),
            source("bearer_none", base + "/bearer"),
        ], status=1)
        for name in ("basic", "digest", "digest_sha", "bearer"):
            self.assertEqual(outcomes[name], [None, 200, None], name)
        for name in ("basic_wrong", "basic_none", "digest_wrong", "bearer_none"):
            self.assertEqual(outcomes[name], ["status", 401, "HTTP 401 Unauthorized"], name)

    def test_handles_that_have_answered_a_challenge_serve_other_users_and_hosts(self):
        one, two = self.httpbin(), self.httpbin()
        sources = []
        for n in range(12):
            url = (one, two)[n % 2] + f"/digest-auth/auth/user{n}/pass{n}"
            sources.append(source(f"s{n}", url, auth={"type": "digest", "username": f"user{n}", "password": f"pass{n}"}))
        sources += [source(f"plain{n}", one + "/get") for n in range(3)]
        for s in sources:
            s["interval"] = "200ms"
        daemon = self.daemon({"fetchers": 1, "max_in_flight": 3, "sources": sources})
        daemon.wait_for_sql("SELECT min(runs) >= 5 FROM _gatherd_sources", 1, 60)
        self.assertEqual(daemon.sql("SELECT DISTINCT failure, error FROM _gatherd_runs"), [(None, None)])
        self.assertEqual(daemon.sql("SELECT DISTINCT requests FROM _gatherd_runs WHERE source LIKE 's%'"), [(2,)])
        self.assertNotIn("Authorization", daemon.value("SELECT headers FROM plain0"))
        self.assertEqual(daemon.stop(), 0)


@needs_command("nginx")
class Nginx(Rig):
    def test_basic_and_keys_in_header_query_and_cookie(self):
        (self.folder / "a.json").write_text('{"id": 1}')
        hashed = "{SHA}" + base64.b64encode(hashlib.sha1(b"open sesame").digest()).decode()
        (self.folder / "users").write_text(f"reader:{hashed}\n")
        base = self.nginx(self.folder, f"""
            location /basic/ {{ alias {self.folder}/; auth_basic x; auth_basic_user_file {self.folder}/users; }}
            location /header/ {{ alias {self.folder}/; if ($http_x_api_key != "k y") {{ return 403; }} }}
            location /query/ {{ alias {self.folder}/; if ($arg_key != "a%26b") {{ return 403; }} }}
            location /cookie/ {{ alias {self.folder}/; if ($cookie_sid != "abc") {{ return 403; }} }}""")
        key = {"type": "api_key", "key": "k y", "name": "X-Api-Key"}
        outcomes = self.outcomes([
            source("basic", base + "/basic/a.json", auth={"type": "basic", "username": "reader", "password": "open sesame"}),
            source("basic_wrong", base + "/basic/a.json", auth={"type": "basic", "username": "reader"}),
            source("header", base + "/header/a.json", auth=key),
            source("header_wrong", base + "/header/a.json", auth={**key, "key": "other"}),
            source("query", base + "/query/a.json", auth={"type": "api_key", "key": "a&b", "in": "query", "name": "key"}),
            source("cookie", base + "/cookie/a.json", headers={"Cookie": "lang=en"},
                   auth={"type": "api_key", "key": "abc", "in": "cookie", "name": "sid"}),
        ], status=1)
        for name in ("basic", "header", "query", "cookie"):
            self.assertEqual(outcomes[name], [None, 200, None], name)
        self.assertEqual(outcomes["basic_wrong"], ["status", 401, "HTTP 401 Unauthorized"])
        self.assertEqual(outcomes["header_wrong"], ["status", 403, "HTTP 403 Forbidden"])


class Redirects(Rig):
    TYPES = {
        "basic": {"type": "basic", "username": "u-hunter", "password": "p-hunter"},
        "bearer": {"type": "bearer", "token": "t-hunter"},
        "header": {"type": "api_key", "key": "k-hunter", "name": "X-Key"},
        "query": {"type": "api_key", "key": "k-hunter", "in": "query", "name": "key"},
        "cookie": {"type": "api_key", "key": "k-hunter", "in": "cookie", "name": "sid"},
        "digest": {"type": "digest", "username": "u-hunter", "password": "p-hunter"},
        "aws": {"type": "aws_sigv4", "access_key_id": "AK-hunter", "secret_access_key": "s-hunter",
                "session_token": "st-hunter", "region": "r", "service": "s"},
    }
    CHALLENGE = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'}

    def test_another_origin_gets_nothing_of_it(self):
        def strange(handler):
            """Asks for a digest, as one who wants to see an answer would."""
            return 401, self.CHALLENGE, b""
        other, seen = self.recording_server(strange)
        base = self.python_server(lambda handler: (302, {"Location": other + handler.path.split("?")[0]}, b""))
        outcomes = self.outcomes([source(name, f"{base}/{name}", auth=auth) for name, auth in self.TYPES.items()], status=1)
        self.assertEqual(len(seen), len(self.TYPES))
        for path, headers, _ in seen:
            self.assertNotIn("hunter", path + str(headers))
            for header in ("Authorization", "X-Key", "Cookie", "X-Amz-Security-Token"):
                self.assertNotIn(header, headers)
        for name in self.TYPES:
            self.assertEqual(outcomes[name], ["status", 401, "HTTP 401 Unauthorized"])

    def test_the_same_origin_gets_it_again(self):
        def moved(handler):
            if handler.path.startswith("/old"):
                return 302, {"Location": "/new"}, b""
            return 200, {"Content-Type": "application/json"}, b'{"id": 1}'
        base, seen = self.recording_server(moved)
        self.outcomes([source(name, base + "/old", auth=self.TYPES[name]) for name in ("basic", "query", "cookie", "aws")])
        new = [(path, headers) for path, headers, _ in seen if path.startswith("/new")]
        self.assertEqual(len(new), 4)
        self.assertEqual(sum(path == "/new?key=k-hunter" for path, _ in new), 1)
        self.assertEqual(sum("Authorization" in headers for _, headers in new), 2)
        self.assertEqual(sum(headers.get("Cookie") == "sid=k-hunter" for _, headers in new), 1)


class Digest(Rig):
    def test_a_server_that_takes_each_challenge_once_and_never_calls_one_stale(self):
        """Over one handle: libcurl would answer the last challenge in advance, to whomever."""
        def answer(name):
            challenges, wrong = set(), []

            def answer(handler):
                header = handler.headers.get("Authorization")
                if header is not None:
                    fields = dict(re.findall(r'(\w+)="?([^",]+)', header))
                    first = hashlib.md5(f"{fields['username']}:{name}:p-{fields['username']}".encode()).hexdigest()
                    second = hashlib.md5(f"GET:{handler.path}".encode()).hexdigest()
                    joined = ":".join([first, fields["nonce"], fields["nc"], fields["cnonce"], fields["qop"], second])
                    if fields["nonce"] in challenges and hashlib.md5(joined.encode()).hexdigest() == fields["response"]:
                        challenges.remove(fields["nonce"])
                        return 200, {"Content-Type": "application/json"}, b'{"id": 1}'
                    wrong.append(header)
                challenges.add(os.urandom(8).hex())
                nonce = sorted(challenges)[-1]
                return 401, {"WWW-Authenticate": f'Digest realm="{name}", nonce="{nonce}", qop="auth"'}, b"no"
            return self.python_server(answer), wrong
        (one, wrong_one), (two, wrong_two) = answer("one"), answer("two")
        sources = [source(f"s{n}", (one, two)[n % 2] + f"/{n}", interval="100ms")
                   | {"auth": {"type": "digest", "username": f"u{n}", "password": f"p-u{n}"}} for n in range(4)]
        sources += [source(f"nobody{n}", (one, two)[n % 2] + "/x", interval="100ms", max_interval="100ms")
                    for n in range(2)]  # who is challenged, too, and does not answer
        daemon = self.daemon({"fetchers": 1, "max_in_flight": 1, "sources": sources})
        daemon.wait_for_sql("SELECT min(runs) >= 5 FROM _gatherd_sources", 1, 60)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.sql("SELECT DISTINCT failure, error, requests FROM _gatherd_runs WHERE source LIKE 's%'"),
                         [(None, None, 2)])
        self.assertEqual(wrong_one + wrong_two, [])


class Files(Rig):
    def test_a_file_that_changes_serves_the_next_request(self):
        path = self.secret_file("token", "first\n")
        base, seen = self.recording_server()
        daemon = self.daemon({"sources": [source("a", base, interval="100ms") | {"auth": {"type": "bearer", "token_file": path}}]})
        wait_until(lambda: seen)
        self.secret_file("new", "second\n")
        os.rename(self.folder / "new", path)
        wait_until(lambda: seen[-1][1]["Authorization"] == "Bearer second")
        self.assertEqual(seen[0][1]["Authorization"], "Bearer first")
        os.chmod(path, 0o644)
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE failure = 'auth'")
        self.assertEqual(daemon.value("SELECT error FROM _gatherd_runs WHERE failure = 'auth'"),
                         f"auth: {path} holds a secret and is open to others (mode 644); make it its "
                         "owner's alone: chmod 600")
        os.chmod(path, 0o600)
        count = len(seen)
        wait_until(lambda: len(seen) > count)
        self.assertEqual(daemon.stop(), 0)

    def test_each_thing_that_can_be_wrong_with_a_secret_has_its_words(self):
        base, seen = self.recording_server()
        files = {"missing": str(self.folder / "missing"), "empty": self.secret_file("empty", "\n"),
                 "two_lines": self.secret_file("two_lines", "hunter\nX-Other: 2"), "folder": str(self.folder / "token.d")}
        (self.folder / "token.d").mkdir()
        sources = [source(name, base, auth={"type": "bearer", "token_file": path}) for name, path in files.items()]
        sources.append(source("credential", base, auth={"type": "bearer", "token": {"credential": "api-token"}}))
        outcomes = self.outcomes(sources, status=1, env={"CREDENTIALS_DIRECTORY": ""})
        self.assertEqual(seen, [])
        expected = {
            "missing": f"auth: the file with the secret, {files['missing']}, cannot be read: No such file or directory",
            "empty": f"auth: {files['empty']} is empty; write the secret into it",
            "two_lines": "auth: the token holds a line break or another control character; write it on one line",
            "folder": f"auth: {files['folder']} is no regular file; name one that holds the secret",
            "credential": "auth: the credential api-token: there is no $CREDENTIALS_DIRECTORY; start gatherd by "
                          "systemd with LoadCredential=api-token:PATH",
        }
        for name, error in expected.items():
            self.assertEqual(outcomes[name], ["auth", None, error], name)

    def test_a_credential_of_systemd_is_read_whatever_its_mode_looks_like(self):
        (self.folder / "credentials").mkdir()
        path = self.secret_file("credentials/api-token", "from systemd\n", 0o440)
        base, seen = self.recording_server()
        self.outcomes([source("a", base, auth={"type": "bearer", "token": {"credential": "api-token"}})],
                      env={"CREDENTIALS_DIRECTORY": os.path.dirname(path)})
        self.assertEqual(seen[0][1]["Authorization"], "Bearer from systemd")

    def test_a_relative_path_starts_at_the_folder_of_the_configuration(self):
        base, seen = self.recording_server()
        daemon = self.daemon({"sources": [source("a", base, auth={"type": "bearer", "token_file": "my.token"})]}, start=False)
        (daemon.folder / "my.token").write_text("beside")
        (daemon.folder / "my.token").chmod(0o600)
        result = self.gatherd("run", "--once", "-c", daemon.config_path, cwd="/")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(seen[0][1]["Authorization"], "Bearer beside")


def aws_signature(method, host, path, headers, body, secret, service):
    """The signature that a server makes of what it got; written from Amazon's description alone."""
    authorization = headers["Authorization"]
    fields = dict(part.strip().split("=", 1) for part in authorization.split(" ", 1)[1].split(","))
    _, date, region, name, ending = fields["Credential"].split("/")
    path, _, query = path.partition("?")
    quote = lambda text: urllib.parse.quote(text, safe="-._~")
    pairs = sorted((quote(k), quote(v)) for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
    once = urllib.parse.quote(urllib.parse.unquote(path), safe="-._~/")
    canonical = "\n".join([
        method, once if service == "s3" else urllib.parse.quote(path, safe="-._~/"),
        "&".join(f"{k}={v}" for k, v in pairs),
        *(f"{header}:{' '.join((host if header == 'host' else headers[header]).split())}"
          for header in fields["SignedHeaders"].split(";")),
        "", fields["SignedHeaders"], hashlib.sha256(body).hexdigest()])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["X-Amz-Date"], f"{date}/{region}/{name}/aws4_request",
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date, region, name, ending):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return fields["Signature"], hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


class Aws(Rig):
    def test_the_server_comes_to_the_same_signature(self):
        base, seen = self.recording_server()
        host = base.split("//")[1]
        auth = {"type": "aws_sigv4", "access_key_id": "AKID", "secret_access_key": "sEcrEt/+",
                "region": "eu-central-1", "service": "execute-api"}
        s3 = {**auth, "service": "s3"}
        self.outcomes([
            source("plain", base + "/", auth=auth),
            source("query", base + "/a%20b/c:d?z=1&y=%2F", params={"b": "x y&", "a": ["2", "1"], "ä": "ö"}, auth=auth),
            source("post", base + "/", auth=auth, body={"TableName": "t"}, headers={"X-Amz-Target": "DynamoDB.Scan  x"}),
            source("token", base + "/", auth={**auth, "session_token": "temporary"}),
            source("s3", base + "/key%20with:colon?prefix=a/b", auth=s3),
        ])
        self.assertEqual(len(seen), 5)
        for path, headers, body in seen:
            name = headers["Authorization"].split("/")[3]
            method = "POST" if body else "GET"
            sent, expected = aws_signature(method, host, path, headers, body, "sEcrEt/+", name)
            self.assertEqual(sent, expected, path)
            self.assertEqual(headers["X-Amz-Content-Sha256"], hashlib.sha256(body).hexdigest())
        self.assertEqual(sum("X-Amz-Security-Token" in headers for _, headers, _ in seen), 1)


if __name__ == "__main__":
    main()
