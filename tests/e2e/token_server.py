"""token_server.py - a token endpoint, a login and an API that take nothing but their tokens.

Odd on purpose where a test says so: tokens of any lifetime, refresh tokens that serve once, answers
that are late, broken or HTML. It notes each request, so that a test can count them.
"""
import base64
import json
import threading
import time
import urllib.parse


class TokenServer:
    """A function for TestCase.python_server(): /token, /login, /basic-login and /data."""

    def __init__(self, lifetime=3600, rotate=True, delay=0.0):
        self.mutex = threading.Lock()
        self.lifetime = lifetime      # goes into expires_in as it is; None: it is left out
        self.rotate = rotate          # each refresh token serves once
        self.delay = delay            # seconds that an answer of /token takes
        self.answer = None            # what /token says instead: (status, headers, body)
        self.refused = set()          # tokens that /data does not take any more
        self.refuse_all = False       # /data takes none at all
        self.refresh_tokens = {"first": 0}  # those that serve, and how often each has served
        self.reused = 0               # refresh tokens that came twice
        self.tokens = []              # all that were given
        self.token_requests = []      # (headers, fields) of each
        self.data_requests = []       # (path, headers) of each

    def __call__(self, handler):
        path = urllib.parse.urlsplit(handler.path).path
        return {"/token": self.token, "/login": self.login, "/basic-login": self.basic_login}.get(path, self.data)(handler)

    def json(self, status, value, **headers):
        return status, {"Content-Type": "application/json", **headers}, json.dumps(value).encode()

    def new_token(self):
        self.tokens.append(f"access-{len(self.tokens) + 1}")
        return self.tokens[-1]

    def token(self, handler):
        fields = dict(urllib.parse.parse_qsl(handler.body.decode()))
        with self.mutex:
            self.token_requests.append((handler.headers, fields))
            answer = self.answer
        time.sleep(self.delay)
        if answer is not None:
            return answer() if callable(answer) else answer
        with self.mutex:
            result = {"access_token": self.new_token(), "token_type": "Bearer"}
            if self.lifetime is not None:
                result["expires_in"] = self.lifetime
            if fields["grant_type"] == "refresh_token":
                given = fields["refresh_token"]
                if given not in self.refresh_tokens or (self.rotate and self.refresh_tokens[given] > 0):
                    self.reused += given in self.refresh_tokens
                    self.tokens.pop()
                    return self.json(400, {"error": "invalid_grant", "error_description": f"{given} is not known"})
                self.refresh_tokens[given] += 1
                if self.rotate:
                    result["refresh_token"] = f"refresh-{len(self.tokens)}"
                    self.refresh_tokens[result["refresh_token"]] = 0
            return self.json(200, result)

    def login(self, handler):
        """Takes JSON {"user": {"name", "password"}} or a form; a cookie, and a token in the body."""
        with self.mutex:
            if handler.headers["Content-Type"] == "application/json":
                user = json.loads(handler.body)["user"]
            else:
                user = dict(urllib.parse.parse_qsl(handler.body.decode()))
            self.token_requests.append((handler.headers, user))
            if user.get("password") != 'pass "word"':
                return self.json(403, {"error": "wrong", "error_description": f"no: {user}"})
            token = self.new_token()
            if "name" not in user:
                return 302, {"Location": "/home", "Set-Cookie": f"sid={token}; Path=/; HttpOnly"}, b"<html>"
            return self.json(200, {"data": {"token": token}})

    def basic_login(self, handler):
        with self.mutex:
            self.token_requests.append((handler.headers, {}))
            if handler.headers["Authorization"] != "Basic " + base64.b64encode(b'name:pass "word"').decode():
                return self.json(401, {})
            return self.json(201, self.new_token())

    def data(self, handler):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(handler.path).query))
        cookie = (handler.headers["Cookie"] or "").rpartition("sid=")[2]
        header = (handler.headers["Authorization"] or "").rpartition(" ")[2]
        token = query.get("token") or header or handler.headers["X-Session"] or cookie
        with self.mutex:
            self.data_requests.append((handler.path, handler.headers))
            if token not in self.tokens or token in self.refused or self.refuse_all:
                return self.json(401, {"error": "invalid_token"}, **{"WWW-Authenticate": "Bearer"})
            return self.json(200, {"id": 1, "token": token})
