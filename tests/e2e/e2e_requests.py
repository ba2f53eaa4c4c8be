"""What is sent: methods, bodies and forms, against httpbin and a GraphQL server."""
import importlib.util
import json
import re
import unittest

from harness import TestCase, main, needs_command


@needs_command("gunicorn")
@unittest.skipUnless(importlib.util.find_spec("httpbin"), "python3-httpbin is not installed")
class Httpbin(TestCase):
    def setUp(self):
        super().setUp()
        self.url = self.httpbin()

    def poll(self, sources, status=0, env=None):
        daemon = self.run_once({"sources": [
            {"name": name, "url": self.url + "/anything", **keys} for name, keys in sources.items()]},
            status=status, env=env)
        runs = daemon.sql("SELECT source, outcome, failure, http_status, requests, error FROM _gatherd_runs")
        return daemon, {run[0]: run[1:] for run in runs}

    def seen(self, daemon, table):
        """What httpbin saw: method, Content-Type, and the body as text, form and JSON."""
        method, headers, data, form, parsed = daemon.sql(f'SELECT method, headers, data, form, "json" FROM {table}')[0]
        return method, json.loads(headers).get("Content-Type"), data, json.loads(form), parsed and json.loads(parsed)

    def test_methods(self):
        body = {"a": 1}
        daemon, _ = self.poll({"a_get": {}, "b_post": {"body": body}, "c_put": {"method": "PUT", "body": body},
                               "d_patch": {"method": "PATCH", "body": body}, "e_get": {"method": "GET", "body": body},
                               "f_post": {"method": "POST"}})
        self.assertEqual(self.seen(daemon, "a_get"), ("GET", None, "", {}, None))
        for table, method in {"b_post": "POST", "c_put": "PUT", "d_patch": "PATCH", "e_get": "GET"}.items():
            self.assertEqual(self.seen(daemon, table), (method, "application/json", '{"a":1}', {}, body))
        self.assertEqual(self.seen(daemon, "f_post"), ("POST", None, "", {}, None))

    def test_json_keeps_the_types_of_yaml(self):
        daemon = self.daemon(f"""
            sources:
              - name: typed
                url: {self.url}/anything
                body:
                  integer: 9007199254740993
                  real: 1.50
                  yes: true
                  no: false
                  nothing: null
                  text: "1"
                  unicode: "žluť 日本 😀 \\\" \\\\ \\n"
                  list: [1, [], {{}}]
                  variable: ${{LIMIT}}
                  quoted: "${{LIMIT}}"
            """, start=False)
        done = self.gatherd("run", "--once", "-c", daemon.config_path, cwd=daemon.folder, env={"LIMIT": "100"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        method, kind, data, _, parsed = self.seen(daemon, "typed")
        self.assertEqual((method, kind), ("POST", "application/json"))
        self.assertEqual(parsed, {"integer": 9007199254740993, "real": 1.5, "yes": True, "no": False, "nothing": None,
                                  "text": "1", "unicode": 'žluť 日本 😀 " \\ \n', "list": [1, [], {}],
                                  "variable": 100, "quoted": "100"})
        self.assertIn('"real":1.50,', data)

    def test_text_is_sent_as_it_is(self):
        daemon, _ = self.poll({
            "plain": {"body": "one {{two}\nžluť"},
            "own": {"body": "<a/>", "headers": {"content-type": "application/xml"}},
            "api": {"body": {"a": []}, "headers": {"Content-Type": "application/vnd.api+json"}}})
        self.assertEqual(self.seen(daemon, "plain")[:3], ("POST", "text/plain; charset=utf-8", "one {two}\nžluť"))
        self.assertEqual(self.seen(daemon, "own")[:3], ("POST", "application/xml", "<a/>"))
        self.assertEqual(self.seen(daemon, "api")[:3], ("POST", "application/vnd.api+json", '{"a":[]}'))

    def test_a_form_comes_through_whatever_it_holds(self):
        form = {"q": "a b&c=d+e%f", "unicode": "žluť 😀", "empty": "", "list": ["x", "y z"], "number": 5, "line": "a\nb"}
        daemon, _ = self.poll({"filled": {"form": form}, "put": {"form": {"a": "1"}, "method": "PUT"}})
        expected = {name: [str(v) for v in value] if isinstance(value, list) else str(value)
                    for name, value in form.items()}
        self.assertEqual(self.seen(daemon, "filled"),
                         ("POST", "application/x-www-form-urlencoded", "", expected, None))
        self.assertEqual(self.seen(daemon, "put")[:1] + self.seen(daemon, "put")[3:4], ("PUT", {"a": "1"}))

    def test_redirects_of_a_post(self):
        to = {"url": self.url + "/redirect-to", "body": {"a": 1}}
        daemon, runs = self.poll({
            "found": {**to, "params": {"url": "/anything", "status_code": 302}},
            "temporary": {**to, "params": {"url": "/anything", "status_code": 307}},
            "away": {**to, "params": {"url": self.url.replace("127.0.0.1", "localhost"), "status_code": 308}}}, status=1)
        self.assertEqual(self.seen(daemon, "found"), ("GET", None, "", {}, None))
        self.assertEqual(self.seen(daemon, "temporary"), ("POST", "application/json", '{"a":1}', {}, {"a": 1}))
        self.assertEqual(runs["away"], ("failed", "redirect", 308, 1,
                                        "redirect (308) of a request that is more than a GET to another origin refused"))

    def test_a_post_is_tried_again_as_a_get_is(self):
        _, runs = self.poll({"busy": {"url": self.url + "/status/503", "body": "x",
                                      "retry": {"backoff_base": "10ms"}}}, status=1)
        self.assertEqual(runs["busy"][1:4], ("status", 503, 3))


class GraphQl(TestCase):
    """A server of our own: it wants a POST of JSON with a query, and minds the types of variables."""

    def answer(self, request):
        asked = json.loads(request.body)
        if request.command != "POST" or request.headers["Content-Type"] != "application/json":
            return 415, {}, b"{}"
        limit = asked["variables"]["first"]
        if not isinstance(limit, int) or not re.search(r"query Repositories\(\$first: Int!\)", asked["query"]):
            return 200, {"Content-Type": "application/json"}, json.dumps(
                {"errors": [{"message": "Variable $first of type Int! was given a string."}]}).encode()
        nodes = [{"id": n, "name": f"r{n}", "stars": n * 10} for n in range(limit)]
        return 200, {"Content-Type": "application/json"}, json.dumps({"data": {"repositories": {"nodes": nodes}}}).encode()

    def test_a_query_with_variables(self):
        url = self.python_server(self.answer)
        daemon = self.run_once(f"""
            sources:
              - name: repositories
                url: {url}/graphql
                records: $.data.repositories.nodes[*]
                primary_key: id
                body:
                  query: |
                    query Repositories($first: Int!) {{
                      repositories(first: $first) {{ nodes {{ id name stars }} }}
                    }}
                  variables: {{first: 3}}
            """)
        self.assertEqual(daemon.sql("SELECT id, name, stars FROM repositories ORDER BY id"),
                         [(0, "r0", 0), (1, "r1", 10), (2, "r2", 20)])


if __name__ == "__main__":
    main()
