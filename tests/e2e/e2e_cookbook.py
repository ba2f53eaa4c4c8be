#!/usr/bin/env python3
"""e2e_cookbook.py - the files of config/examples as they stand, each against a stand-in of its API."""
import json
import os
import time

import harness
import public_apis
from harness import TestCase, wait_until

EXAMPLES = harness.ROOT / "config" / "examples"
RUNS = "SELECT outcome, http_status, not_modified, pages, records, inserted, updated, unchanged FROM _gatherd_runs"


class Cookbook(TestCase):
    """One of the files in a folder of its own, with what its variables say."""

    def use(self, name, **env):
        self.env = env
        self.example = self.daemon((EXAMPLES / f"{name}.yaml").read_text(), start=False, env=env)

    def once(self, *sources, status=0):
        """`gatherd run --once`; the last run of each source named, or of all."""
        result = self.gatherd("run", "--once", *sources, "-c", self.example.config_path,
                              cwd=self.example.folder, env=self.env)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def last_run(self):
        return self.example.sql(RUNS + " ORDER BY id DESC LIMIT 1")[0]

    def count(self, table):
        return self.example.value(f"SELECT count(*) FROM {table}")

    def expect_failure(self, words, failures=1):
        self.assertIn(words, self.example.value("SELECT error FROM _gatherd_runs ORDER BY id DESC LIMIT 1"))
        self.assertEqual(self.example.value("SELECT max(consecutive_failures) FROM _gatherd_sources"), failures)

    def expect_no_secret(self, secret):
        """Not in the database, not in what was printed."""
        for path in self.example.folder.glob("gatherd.db*"):
            self.assertNotIn(secret.encode(), path.read_bytes(), path)
        self.assertNotIn(secret, self.gatherd("check", "--dump", self.example.config_path, env=self.env).stdout)


class EachFile(TestCase):
    VARIABLES = {name: "x" for name in ("GITHUB_TOKEN", "GITLAB_TOKEN", "SLACK_CHANNEL",
                                            "TENANT", "CLIENT_ID", "CLIENT_SECRET")}

    def test_each_is_a_configuration_as_it_stands(self):
        files = sorted(EXAMPLES.glob("*.yaml"))
        self.assertGreaterEqual(len(files), 8)
        for path in files:
            with self.subTest(path.name):
                result = self.gatherd("check", path, env=self.VARIABLES)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn("ok, ", result.stdout)

    def test_each_says_which_variable_it_wants(self):
        for path in sorted(EXAMPLES.glob("*.yaml")):
            for name in self.VARIABLES:
                if "${" + name + ":?" not in path.read_text():
                    continue
                with self.subTest(path.name):
                    result = self.gatherd("check", path, env={**self.VARIABLES, name: ""})
                    self.assertEqual(result.returncode, os.EX_CONFIG)
                    self.assertRegex(result.stderr, f"the environment variable {name} .*: \"")

    def test_the_readme_names_each(self):
        readme = (harness.ROOT / "README.md").read_text()
        for path in sorted(EXAMPLES.glob("*.yaml")):
            self.assertTrue(f"config/examples/{path.name}" in readme, path.name)


class Tides(Cookbook):
    def setUp(self):
        super().setUp()
        self.api = public_apis.Tides()
        self.use("tides", NOAA_API=self.python_server(self.api))

    def test_readings_are_moments_and_decimals_and_a_failed_gauge_is_null(self):
        self.once()
        self.assertEqual(
            self.example.sql("SELECT at, level_m, deviation_m, flags, quality FROM tides"),
            [("2026-07-02T08:00:00.000Z", "1.230", 0.003, "0,0,0,0", "p"),
             ("2026-07-02T08:06:00.000Z", None, None, "1,1,1,1", "p"),
             ("2026-07-02T08:12:00.000Z", "-0.020", 0.0, "0,0,0,0", "v")])
        self.once()
        self.assertEqual(self.last_run()[4:], (3, 0, 0, 3))

    def test_a_mistake_is_no_success(self):
        self.api.fault = lambda request: (200, {}, {"error": {"message": "No data was found."}})
        self.once(status=1)
        self.assertEqual(self.example.value("SELECT outcome FROM _gatherd_runs"), "failed")


class GitHubIssues(Cookbook):
    def setUp(self):
        super().setUp()
        self.api = public_apis.GitHub()
        self.use("github_issues", GITHUB_API=self.python_server(self.api), GITHUB_TOKEN=self.api.token)

    def test_all_pages_and_then_what_changed(self):
        self.api.add_issues(range(1, 231))
        self.once()
        self.assertEqual(self.last_run(), ("success", 200, 0, 3, 230, 230, 0, 0))
        self.assertEqual(self.api.requests[0].params,
                         {"state": "all", "sort": "updated", "direction": "desc", "per_page": "100"})
        self.assertEqual([r.params.get("page") for r in self.api.requests], [None, "2", "3"])
        self.assertEqual(self.example.sql("SELECT title, state, author, name, comments, pull_request, created_at, "
                                          "updated_at, closed_at FROM issues JOIN issues_labels "
                                          "ON _parent_number = number WHERE number = 29"),
                         [("Issue 29", "open", "user1", "bug", 4, None, "2025-12-01T00:00:00.000Z",
                           "2026-01-02T12:00:00.000Z", None)])
        self.assertEqual(self.count("issues_labels"), 230)
        self.api.lists["issues"][0].update(state="closed", updated_at="2026-02-01T00:00:00Z",
                                           labels=[{"name": "ui", "color": "ededed"}], assignees=[{"login": "x"}])
        self.once()
        self.assertEqual(self.example.sql("SELECT name, color FROM issues_labels WHERE _parent_number = 1"),
                         [("ui", "ededed")])
        self.assertEqual(self.example.sql("SELECT _parent_number, login FROM issues_assignees"), [(1, "x")])
        self.assertEqual(self.example.sql("SELECT state, updated_at FROM issues WHERE number = 1"),
                         [("closed", "2026-02-01T00:00:00.000Z")])
        self.assertEqual(self.api.requests[-1].params["since"], "2026-01-28T12:00:00Z")
        self.assertEqual(self.last_run()[4:], (9, 0, 1, 8))  # those of the last moment come again
        self.assertEqual(self.count("issues"), 230)

    def test_nothing_new_is_a_304_that_costs_nothing(self):
        self.api.add_issues(range(1, 31))
        self.once()
        self.once()
        remaining = self.api.remaining
        self.once()
        self.assertEqual(self.api.requests[-1].params, self.api.requests[-2].params)
        self.assertEqual(self.last_run(), ("success", 304, 1, 1, 0, 0, 0, 0))
        self.assertEqual(self.api.remaining, remaining)
        self.assertEqual(self.count("issues"), 30)

    def test_a_wrong_token_fails_and_loses_nothing(self):
        self.api.add_issues(range(1, 131))
        self.once()
        self.env["GITHUB_TOKEN"] = "a wrong token"
        self.api.add_issues([131], "2026-03-01T00:00:00Z")
        printed = self.once(status=1)
        self.expect_failure("HTTP 401 Unauthorized")
        self.assertEqual(self.count("issues"), 130)
        self.assertNotIn("a wrong token", printed)
        self.expect_no_secret("a wrong token")
        self.env["GITHUB_TOKEN"] = self.api.token
        self.once()
        self.assertEqual(self.api.requests[-1].params["since"], "2026-01-28T12:00:00Z")
        self.assertEqual(self.count("issues"), 131)
        self.expect_no_secret(self.api.token)

    def test_the_last_100_requests_are_left_to_others(self):
        self.api.add_issues(range(1, 231))
        reset_at = self.api.renew_at(time.time() + 3, remaining=101)
        self.example.start()
        self.example.wait_for_sql("SELECT count(*) FROM issues", 230)
        self.assertEqual(self.example.stop(), 0)
        self.assertEqual([r.at >= reset_at for r in self.api.requests], [False, True, True])
        self.assertEqual(self.last_run()[:4], ("success", 200, 0, 3))


class Cursor(Cookbook):
    def setUp(self):
        super().setUp()
        self.api = public_apis.Slack()
        self.token_file = self.folder / "slack.token"
        self.give_token(self.api.token)
        self.use("cursor", SLACK_API=self.python_server(self.api) + "/api", SLACK_CHANNEL=self.api.channel,
                 SLACK_TOKEN_FILE=str(self.token_file))

    def give_token(self, token):
        self.token_file.write_text(token + "\n")
        self.token_file.chmod(0o600)

    def test_all_pages_and_then_what_is_new(self):
        self.api.add(450)
        self.once()
        self.assertEqual(self.last_run(), ("success", 200, 0, 3, 450, 450, 0, 0))
        self.assertEqual([sorted(r.params) for r in self.api.requests],
                         [["channel", "limit"]] + [["channel", "cursor", "limit"]] * 2)
        self.assertEqual(self.example.sql("SELECT user, text FROM messages WHERE ts = '1767225600.000000'"),
                         [("U0", "message 0 \u2603")])
        self.api.add(2000)
        self.once()
        self.api.add(3)
        self.api.messages[-5]["reply_count"] = 2
        self.api.messages[0]["reply_count"] = 2  # more than a day ago
        self.once()
        self.assertEqual(self.api.requests[-1].params["oldest"], "1767286140")  # less a day, and less than a second
        self.assertEqual(self.last_run()[4:7], (1444, 3, 1))
        self.assertEqual(self.example.sql("SELECT count(*), sum(reply_count) FROM messages"), [(2453, 2)])

    def test_an_error_with_status_200_is_a_failure(self):
        self.api.add(5)
        self.once()
        self.give_token("revoked")
        self.once(status=1)
        self.expect_failure("responses")
        self.give_token(self.api.token)  # as soon as the file has a good one
        self.api.add(1)
        self.once()
        self.assertEqual(self.count("messages"), 6)
        self.expect_no_secret(self.api.token)

    def test_a_token_that_others_may_read_is_refused(self):
        self.token_file.chmod(0o644)
        self.once(status=1)
        self.expect_failure("slack.token")
        self.assertEqual(self.api.requests, [])

    def test_too_many_requests_are_made_again_when_slack_says(self):
        self.api.add(5)
        self.api.fault = lambda request: (429, {"Retry-After": "1"}, {"ok": False, "error": "ratelimited"}) \
            if len(self.api.requests) == 1 else None
        self.once()
        self.assertEqual(self.count("messages"), 5)
        self.assertEqual(len(self.api.requests), 2)


class PageNumbers(Cookbook):
    def setUp(self):
        super().setUp()
        self.api = public_apis.WorldBank()
        self.use("page_numbers", WORLD_BANK_API=self.python_server(self.api))

    def test_all_pages_and_then_what_changed(self):
        year = time.gmtime().tm_year
        self.once()
        self.assertEqual(self.last_run(), ("success", 200, 0, 3, 2500, 2500, 0, 0))
        self.assertIn(self.api.requests[0].params["date"], (f"2015:{year}", f"2015:{year + 1}"))
        self.assertEqual([(r.params["page"], r.params["per_page"]) for r in self.api.requests],
                         [("1", "1000"), ("2", "1000"), ("3", "1000")])
        self.assertEqual(self.example.sql("SELECT country, year, population FROM population "
                                          "WHERE country_id IN ('C0', 'C7') AND year >= '2019'"),
                         [("Country 0", "2019", None), ("Country 7", "2019", 1000007)])
        self.api.population += 1
        self.once()
        self.assertEqual(self.last_run(), ("success", 200, 0, 3, 2500, 0, 2495, 5))

    def test_a_mistake_with_status_200_is_a_failure(self):
        self.once()
        good = self.example.config_path.read_text()
        self.example.write_config(good.replace("SP.POP.TOTL", "SP.POP.TOTAL"))
        self.once(status=1)
        self.expect_failure("responses")
        self.assertEqual(self.count("population"), 2500)

    def test_a_page_that_fails_is_the_runs_failure(self):
        def fault(request):
            return (503, {}, b"busy") if request.params["page"] == "2" else None
        self.api.fault = fault
        self.example.write_config(self.example.config_path.read_text() + "    retry: {max_attempts: 1}\n")
        self.once(status=1)
        self.expect_failure("page 2: HTTP 503")
        self.api.fault = None
        self.once()
        self.assertEqual(self.count("population"), 2500)


class OData(Cookbook):
    def setUp(self):
        super().setUp()
        self.api = public_apis.Northwind()
        self.use("odata", ODATA_SERVICE=self.python_server(self.api) + "/Northwind.svc")

    def test_all_pages_and_then_what_is_new(self):
        self.once()
        self.assertEqual(self.last_run(), ("success", 200, 0, 3, 450, 450, 0, 0))
        self.assertEqual(self.example.sql("SELECT CustomerID, OrderDate, ShippedDate, Freight FROM orders "
                                          "WHERE OrderID = 10249"),
                         [("CUST1", "1996-01-02T00:00:00.000Z", None, 32.38)])
        self.api.add(2)
        self.once()
        self.assertEqual(self.api.requests[0].params["$filter"], "OrderDate ge 1990-01-01T00:00:00Z")
        self.assertEqual(self.api.requests[-1].params["$filter"], "OrderDate ge 1997-05-02T00:00:00Z")
        self.assertEqual(self.count("orders"), 452)
        self.assertEqual(self.last_run()[3:], (1, 3, 2, 0, 1))

    def test_a_failure_on_the_way_loses_nothing(self):
        self.api.fault = lambda request: (500, {}, b"{}") if request.params.get("$skiptoken") == "400" else None
        self.example.write_config(self.example.config_path.read_text() + "    retry: {max_attempts: 1}\n")
        self.once(status=1)
        self.expect_failure("page 3: HTTP 500")
        self.assertEqual(self.count("orders"), 400)
        self.api.fault = None
        self.once()
        self.assertEqual(self.last_run()[3:6], (1, 51, 50))  # from where the second page ended
        self.assertEqual(self.count("orders"), 450)


class OAuth2(Cookbook):
    def setUp(self):
        super().setUp()
        self.api = public_apis.Graph()
        base = self.python_server(self.api)
        self.use("oauth2", GRAPH_LOGIN=base, GRAPH_API=base + "/v1.0", TENANT=self.api.tenant,
                 CLIENT_ID=self.api.client, CLIENT_SECRET=self.api.secret)

    def test_one_token_for_both_and_then_what_is_new(self):
        self.api.add_audits("2026-02-01T00:00:00.1234567Z", "2026-02-01T01:00:00Z")
        self.once()
        self.assertEqual(len(self.api.tokens), 1)
        self.assertEqual([self.count("users"), self.count("directory_audits")], [1200, 2])
        self.assertEqual(self.example.sql("SELECT pages FROM _gatherd_runs WHERE source = 'users'"), [(3,)])
        self.assertEqual(self.example.sql("SELECT at, activity, user, targets ->> '$[0].id' FROM directory_audits WHERE id = 'a0'"),
                         [("2026-02-01T00:00:00.123456700Z", "Update user", "u0@contoso.example", "u1")])
        self.api.add_audits("2026-02-01T00:50:00Z", "2026-02-01T02:00:00Z")  # one of them late
        self.once("directory_audits")
        self.assertEqual(self.api.requests[-1].params, {"$filter": "activityDateTime ge 2026-02-01T00:45:00Z"})
        self.assertEqual(self.last_run()[4:], (3, 2, 0, 1))
        self.expect_no_secret(self.api.secret)
        self.expect_no_secret(self.api.tokens[0])

    def test_a_token_that_was_revoked_is_renewed(self):
        def revoke(request):
            if "$skiptoken" in request.params and len(self.api.tokens) == 1:
                self.api.revoked.add(self.api.tokens[0])
        self.api.fault = revoke
        self.once("users")
        self.assertEqual(len(self.api.tokens), 2)
        self.assertEqual(self.count("users"), 1200)

    def test_a_wrong_secret_fails_and_loses_nothing(self):
        self.api.add_audits("2026-02-01T00:00:00Z")
        self.once()
        self.env["CLIENT_SECRET"] = "a wrong secret"
        self.api.add_audits("2026-02-02T00:00:00Z")
        printed = self.once(status=1)
        self.expect_failure("AADSTS7000215")
        self.assertEqual(self.example.sql("SELECT DISTINCT failure FROM _gatherd_runs WHERE outcome = 'failed'"), [("auth",)])
        self.assertNotIn("a wrong secret", printed)
        self.expect_no_secret("a wrong secret")
        self.env["CLIENT_SECRET"] = self.api.secret
        self.once()
        self.assertEqual([self.count("users"), self.count("directory_audits")], [1200, 2])


class GraphQL(Cookbook):
    def setUp(self):
        super().setUp()
        self.api = public_apis.GitHub()
        self.use("graphql", GITHUB_API=self.python_server(self.api), GITHUB_TOKEN=self.api.token)

    def test_all_pages_and_then_what_changed(self):
        self.api.add_issues(range(1, 121))
        self.once()
        self.assertEqual(self.last_run(), ("success", 200, 0, 3, 120, 120, 0, 0))
        variables = [json.loads(r.body)["variables"] for r in self.api.requests]
        self.assertEqual(variables[0], {"owner": "cli", "name": "cli", "first": 50})
        self.assertEqual([v.get("after") for v in variables], [None, "NTA=", "MTAw"])
        self.assertEqual(self.example.sql("SELECT state, draft, author, commits, updated_at FROM pull_requests "
                                          "WHERE number IN (10, 11) ORDER BY number"),
                         [("CLOSED", 0, None, 3, "2026-01-11T12:00:00.000Z"),
                          ("OPEN", 0, "user4", 3, "2026-01-12T12:00:00.000Z")])
        self.api.lists["issues"][6].update(title="better", updated_at="2026-02-01T00:00:00Z")
        self.once()
        self.assertEqual(self.last_run()[3:], (1, 50, 0, 1, 49))  # the first page has come to what is known
        self.assertEqual(self.example.value("SELECT title FROM pull_requests WHERE number = 7"), "better")

    def test_errors_with_status_200_are_a_failure(self):
        self.api.add_issues(range(1, 3))
        self.once()
        self.env["GITHUB_NAME"] = "gone"
        self.once(status=1)
        self.expect_failure("responses")
        self.assertEqual(self.count("pull_requests"), 2)

    def test_a_rate_limit_with_status_200_is_waited_for(self):
        self.api.add_issues(range(1, 3))
        limited = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
        self.api.fault = lambda request: (200, {"Retry-After": "1"}, limited) if len(self.api.requests) == 1 else None
        self.once()
        self.assertEqual(self.count("pull_requests"), 2)

    def test_a_wrong_token_fails(self):
        self.env["GITHUB_TOKEN"] = "a wrong token"
        self.once(status=1)
        self.expect_failure("HTTP 401 Unauthorized")
        self.expect_no_secret("a wrong token")


class ParentChild(Cookbook):
    def setUp(self):
        super().setUp()
        self.api = public_apis.GitLab()
        for project in self.api.pipelines:
            self.api.add(project, 1000 + project, "2026-01-01T00:00:00.000Z")
        self.use("parent_child", GITLAB_API=self.python_server(self.api) + "/api/v4", GITLAB_TOKEN=self.api.token)

    def items(self, condition):
        return self.example.sql("SELECT item, outcome, records, inserted, updated FROM _gatherd_runs "
                                f"WHERE item IS NOT NULL AND {condition} ORDER BY id")

    def test_each_project_has_its_pipelines_and_its_position(self):
        self.once()
        self.assertEqual([self.count("projects"), self.count("pipelines")], [130, 130])
        self.assertEqual(len(self.api.requests), 2 + 130)
        self.assertEqual(self.api.requests[0].params, {"simple": "true", "archived": "false", "per_page": "100",
                                                       "include_subgroups": "true", "order_by": "id"})
        self.api.add(105, 1105, "2026-02-01T00:00:00.000Z", "failed")
        self.api.add(105, 9001, "2026-02-02T00:00:00.000Z")
        self.once()
        self.assertEqual(self.items("inserted + updated > 0 AND id > 132"), [("105", "success", 2, 1, 1)])
        self.once()
        asked = {r.path: r.params.get("updated_after") for r in self.api.requests}
        self.assertEqual(asked["/api/v4/projects/105/pipelines"], "2026-02-02T00:00:00.000Z")
        self.assertEqual(asked["/api/v4/projects/106/pipelines"], "2026-01-01T00:00:00.000Z")
        self.assertEqual(self.example.sql("SELECT p.path_with_namespace, c.id, status FROM pipelines AS c "
                                          "JOIN projects AS p ON p.id = _item_id WHERE p.id = 105 ORDER BY c.id"),
                         [("inkscape/p105", 1105, "failed"), ("inkscape/p105", 9001, "success")])

    def test_a_project_that_is_forbidden_fails_alone(self):
        self.api.forbidden = {107}
        printed = self.once(status=1)
        self.assertIn("1 of 130 items failed; item 107: HTTP 403 Forbidden", printed)
        self.assertEqual(self.items("outcome <> 'success'"), [("107", "failed", 0, 0, 0)])
        self.assertEqual(self.count("pipelines"), 129)
        self.api.forbidden = set()
        self.once()
        self.assertEqual(self.count("pipelines"), 130)

    def test_a_wrong_token_fails_and_loses_nothing(self):
        self.once()
        self.env["GITLAB_TOKEN"] = "a wrong token"
        printed = self.once(status=1)
        self.assertIn("HTTP 401 Unauthorized", printed)
        self.assertNotIn("a wrong token", printed)
        self.expect_no_secret("a wrong token")
        self.assertEqual([self.count("projects"), self.count("pipelines")], [130, 130])
        self.env["GITLAB_TOKEN"] = self.api.token
        self.api.add(100, 9002, "2026-02-02T00:00:00.000Z")
        self.once()
        self.assertEqual(self.count("pipelines"), 131)


class RateLimits(Cookbook):
    def setUp(self):
        super().setUp()
        self.api = public_apis.GitHub()
        self.api.lists["releases"] = [{"id": n, "tag_name": f"v{n}", "name": None,
                                       "published_at": "2026-01-01T00:00:00Z"} for n in range(30)]
        self.api.lists["actions/runs"] = [{"id": n, "name": "Tests", "status": "completed", "conclusion": "success",
                                           "run_attempt": 1, "updated_at": "2026-01-01T00:00:00Z"} for n in range(350)]
        self.api.other_lists["releases"] = [{"id": 900, "tag_name": "curl-8", "name": "8", "published_at": None}]
        self.use("rate_limits", GITHUB_API=self.python_server(self.api), GITHUB_TOKEN=self.api.token)

    def test_one_limit_for_all_and_304_for_what_did_not_change(self):
        self.once()
        self.assertEqual([self.count(t) for t in ("releases", "workflow_runs", "stars")], [31, 200, 2])
        remaining = self.api.remaining
        self.once()
        self.assertEqual(self.example.sql(
            "SELECT source, http_status, count(*), sum(inserted) FROM _gatherd_runs WHERE item IS NOT NULL AND id > 9 "
            "GROUP BY 1, 2 ORDER BY 1, 2"),
            [("releases", 304, 2, 0), ("stars", 200, 2, 2), ("workflow_runs", 200, 1, 0), ("workflow_runs", 304, 1, 0)])
        self.assertEqual(self.api.remaining, remaining - 4)  # two pages of runs, and the stars
        self.assertEqual(self.example.sql("SELECT DISTINCT _item_owner, _item_name, stars FROM stars ORDER BY 1"),
                         [("cli", "cli", 1000), ("curl", "curl", 1000)])

    def test_a_secondary_limit_is_waited_for(self):
        words = {"message": "You have exceeded a secondary rate limit."}
        self.api.fault = lambda request: (403, {"Retry-After": "1"}, words) if len(self.api.requests) == 1 else None
        self.once()
        self.assertEqual([self.count(t) for t in ("releases", "workflow_runs", "stars")], [31, 200, 2])

    def test_a_403_without_those_words_fails(self):
        self.api.fault = lambda request: (403, {}, {"message": "Resource not accessible"}) \
            if request.path == "/repos/cli/cli/releases" else None
        self.assertIn("releases: 1 of 2 items failed", self.once(status=1))
        self.assertEqual(self.example.sql("SELECT source, error FROM _gatherd_runs WHERE outcome = 'failed'"),
                         [("releases", "HTTP 403 Forbidden")])
        self.assertEqual(self.count("releases"), 1)
        self.assertEqual(self.count("workflow_runs"), 200)

    def test_the_last_250_requests_are_left_to_others(self):
        reset_at = self.api.renew_at(time.time() + 4, remaining=250)
        self.example.start()
        self.example.wait_for_sql("SELECT count(*) FROM workflow_runs", 200)
        self.assertEqual(self.example.stop(), 0)
        early = [r for r in self.api.requests if r.at < reset_at]
        self.assertLessEqual(len(early), 2)  # those that were under way at once: hosts.max_concurrent
        self.assertGreater(len(self.api.requests), len(early))


if __name__ == "__main__":
    harness.main()
