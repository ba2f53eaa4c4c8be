"""Politeness: spacing, rate limits, quota headers, Retry-After, retries and rules for answers."""
import collections
import email.utils
import json
import threading
import time

from harness import TestCase, main, needs_command, needs_faulty_server, wait_until

ROWS = json.dumps([{"id": 1}]).encode()


class Recorder(TestCase):
    """A server that notes when each path was asked for, and answers as the test says."""

    def setUp(self):
        super().setUp()
        self.times = collections.defaultdict(list)  # path: monotonic seconds, as they came
        self.answers = {}  # path: a function of the number of the request (from 0), or an answer
        self.lock = threading.Lock()
        self.url = self.python_server(self.answer)
        self.host = self.url.split("//")[1]
        self.other_url = self.url.replace("127.0.0.1", "localhost")  # another host, the same server

    def answer(self, handler):
        with self.lock:
            self.times[handler.path].append(time.monotonic())
            number = len(self.times[handler.path]) - 1
        answer = self.answers.get(handler.path, (200, {}, ROWS))
        return answer(number) if callable(answer) else answer

    def all_times(self, *paths):
        with self.lock:
            return sorted(t for path in paths or self.times for t in self.times[path])

    def gaps(self, *paths):
        times = self.all_times(*paths)
        return [b - a for a, b in zip(times, times[1:])]

    def count(self, *paths):
        return len(self.all_times(*paths))

    def source(self, name, path=None, url=None, **keys):
        return {"name": name, "url": (url or self.url) + (path or f"/{name}"), "interval": "1h",
                "format": "json", **keys}

    def sources(self, count, **keys):
        return [self.source(f"s{n}", **keys) for n in range(count)]

    def wait_for_count(self, wanted, *paths, timeout=30):
        wait_until(lambda: self.count(*paths) >= wanted, timeout, f"{wanted} requests for {paths}")


class Spacing(Recorder):
    def test_a_host_is_left_its_spacing_and_another_is_not(self):
        spaced = self.sources(8)
        free = [self.source(f"f{n}", url=self.other_url) for n in range(8)]
        daemon = self.daemon({
            "hosts": {"max_concurrent": 10, "overrides": {"127.0.0.1": {"min_spacing": "300ms"}}},
            "sources": spaced + free})
        self.wait_for_count(16)
        self.assertEqual(daemon.stop(), 0)
        gaps = self.gaps(*(f"/s{n}" for n in range(8)))
        print("gaps", [f"{gap:.3f}" for gap in gaps], flush=True)
        self.assertGreaterEqual(min(gaps), 0.2)
        self.assertLess(sum(self.gaps(*(f"/f{n}" for n in range(8)))), sum(gaps))

    def test_an_override_of_the_port_goes_before_that_of_the_name(self):
        daemon = self.daemon({
            "hosts": {"max_concurrent": 10, "overrides": {
                "LocalHost": {"min_spacing": "1h"},
                self.other_url.split("//")[1]: {"min_spacing": "10ms"}}},
            "sources": [self.source(f"f{n}", url=self.other_url) for n in range(5)]})
        self.wait_for_count(5)
        self.assertEqual(daemon.stop(), 0)


class RateLimit(Recorder):
    def test_sources_of_two_hosts_share_a_limit_and_others_are_free(self):
        limited = [self.source(f"s{n}", url=self.url if n % 2 else self.other_url, rate_limit="api")
                   for n in range(10)]
        daemon = self.daemon({
            "rate_limits": {"api": {"requests": 4, "per": "1s"}},
            "hosts": {"max_concurrent": 10},
            "sources": limited + [self.source(f"f{n}") for n in range(10)]})
        self.wait_for_count(20)
        self.assertEqual(daemon.stop(), 0)
        gaps = self.gaps(*(f"/s{n}" for n in range(10)))
        print("gaps", [f"{gap:.3f}" for gap in gaps], flush=True)
        self.assertGreaterEqual(min(gaps), 0.15)
        self.assertGreaterEqual(sum(gaps), 2.2)
        self.assertEqual(daemon.sql("SELECT DISTINCT outcome FROM _gatherd_runs"), [("success",)])

    def test_a_burst_comes_at_once_and_retries_count(self):
        self.answers["/s0"] = (503, {}, b"")
        daemon = self.daemon({
            "rate_limits": {"api": {"requests": 2, "per": "1s", "burst": 2}},
            "sources": self.sources(1, rate_limit="api", retry={
                "max_attempts": 6, "backoff_base": "1ms", "backoff_max": "1ms"})})
        self.wait_for_count(6)
        self.assertEqual(daemon.stop(), 0)
        gaps = self.gaps()
        print("gaps", [f"{gap:.3f}" for gap in gaps], flush=True)
        self.assertGreaterEqual(sum(gaps), 1.8)  # two at once, the others half a second apart
        self.assertEqual(daemon.value("SELECT requests FROM _gatherd_runs"), 6)

    def test_each_page_counts(self):
        for page in range(1, 6):
            self.answers[f"/s?page={page}"] = (200, {}, json.dumps([{"id": page}] if page < 5 else []).encode())
        daemon = self.run_once({
            "rate_limits": {"api": {"requests": 4, "per": "1s"}},
            "sources": [self.source("s", rate_limit="api", pagination={"type": "page", "page_param": "page"})]})
        self.assertEqual(daemon.sql("SELECT requests, records FROM _gatherd_runs"), [(5, 4)])
        self.assertGreaterEqual(min(self.gaps()), 0.15)
        self.assertGreaterEqual(sum(self.gaps()), 0.95)

    def test_run_once_takes_the_time_that_the_limit_asks_for(self):
        began = time.monotonic()
        daemon = self.run_once({
            "rate_limits": {"api": {"requests": 1, "per": "300ms"}},
            "sources": self.sources(5, rate_limit="api")})
        self.assertGreaterEqual(time.monotonic() - began, 1.1)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'"), 5)

    def test_a_long_line_is_said_once_and_a_reload_changes_the_rate_for_those_in_it(self):
        config = {"rate_limits": {"api": {"requests": 1, "per": "1h"}},
                  "sources": self.sources(6, rate_limit="api")}
        daemon = self.daemon(config)
        daemon.wait_for_log("msg=\"waiting for rate limit or spacing\"")
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs", 1)
        line = next(line for line in daemon.log().splitlines() if "waiting for rate limit" in line)
        self.assertRegex(line, "level=info .*held_up=rate_limit name=api sources=[2-5] until=")
        config["rate_limits"]["api"] = {"requests": 100, "per": "1s"}
        daemon.reload(config)
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs", 6)
        self.assertEqual(daemon.log().count("waiting for rate limit"), 1)
        self.assertEqual(daemon.stop(), 0)


@needs_command("nginx")
class StrictServer(TestCase):
    def test_who_keeps_the_rate_of_nginx_is_never_turned_away(self):
        access = self.folder / "access.log"
        (self.folder / "items.json").write_text(ROWS.decode())
        url = self.nginx(
            self.folder, f"access_log {access} status; location /items.json {{ limit_req zone=z; }}",
            "limit_req_zone $binary_remote_addr zone=z:1m rate=10r/s; log_format status '$status';")
        daemon = self.daemon({
            "rate_limits": {"nginx": {"requests": 4, "per": "1s"}}, "hosts": {"max_concurrent": 20},
            "sources": [{"name": f"s{n}", "url": url + "/items.json", "interval": "2s", "rate_limit": "nginx"}
                        for n in range(20)]})
        daemon.wait_for_sql("SELECT count(*) >= 40 FROM _gatherd_runs", 1, 60)
        shares = [runs for (runs,) in daemon.sql("SELECT runs FROM _gatherd_sources")]
        self.assertEqual(daemon.stop(), 0)
        statuses = collections.Counter(access.read_text().split())
        print(dict(statuses), "runs a source", min(shares), "to", max(shares), flush=True)
        self.assertLessEqual(set(statuses), {"200", "304"})
        self.assertLessEqual(max(shares) - min(shares), 2)


    def test_who_is_turned_away_with_503_waits_and_everyone_gets_through(self):
        (self.folder / "items.json").write_text(ROWS.decode())
        url = self.nginx(self.folder, "location /items.json { limit_req zone=z; }",
                         "limit_req_zone $binary_remote_addr zone=z:1m rate=5r/s;")
        daemon = self.daemon({"hosts": {"max_concurrent": 10}, "sources": [
            {"name": f"s{n}", "url": url + "/items.json", "interval": "2s",
             "responses": [{"status": 503, "body_contains": "nginx", "action": "rate_limited"}]}
            for n in range(6)]})
        daemon.wait_for_sql("SELECT count(DISTINCT source) FROM _gatherd_runs WHERE outcome = 'success'", 6, 60)
        self.assertGreater(daemon.value("SELECT sum(requests) - count(*) FROM _gatherd_runs"), 0)
        self.assertEqual(daemon.stop(), 0)


class Quota(Recorder):
    def quota(self, left, reset, **headers):
        return 200, {"X-RateLimit-Remaining": left, "X-RateLimit-Reset": reset, **headers}, ROWS

    def polled(self, name, **keys):
        return self.source(name, interval="200ms", quota={}, **keys)

    def test_with_nothing_left_a_source_waits_for_the_reset_in_whatever_form(self):
        forms = {"delta": lambda: "3", "unix": lambda: str(int(time.time()) + 4),
                 "unix_ms": lambda: str(int(time.time() * 1000) + 3000), "duration": lambda: "3s",
                 "date": lambda: email.utils.formatdate(time.time() + 4, usegmt=True)}
        for name, form in forms.items():
            self.answers[f"/{name}"] = lambda number, form=form: self.quota("0", form())
        daemon = self.daemon({"hosts": {"max_concurrent": 10},
                              "sources": [self.polled(name) for name in forms]})
        for name in forms:
            self.wait_for_count(2, f"/{name}")
        self.assertEqual(daemon.stop(), 0)
        for name in forms:
            self.assertGreaterEqual(self.gaps(f"/{name}")[0], 2.5, name)
        self.assertEqual(daemon.sql("SELECT DISTINCT outcome FROM _gatherd_runs"), [("success",)])

    def test_a_missing_header_a_reset_in_the_past_and_what_is_left_are_no_limit(self):
        self.answers = {"/missing": (200, {"X-RateLimit-Remaining": "0"}, ROWS),
                        "/past": self.quota("0", str(int(time.time()) - 1000)),
                        "/left": self.quota("1", "3600"),
                        "/junk": self.quota("none", "3600")}
        daemon = self.daemon({"hosts": {"max_concurrent": 10},
                              "sources": [self.polled(path[1:]) for path in self.answers]})
        for path in self.answers:
            self.wait_for_count(5, path)
        self.assertEqual(daemon.stop(), 0)

    def test_the_sources_of_a_rate_limit_wait_together_and_a_year_is_a_day(self):
        self.answers["/a"] = lambda number: self.quota("5", str(366 * 86400))
        daemon = self.daemon({
            "rate_limits": {"api": {"requests": 1000, "per": "1s", "burst": 100}},
            "hosts": {"max_concurrent": 10},
            "sources": [{**self.polled("a", rate_limit="api"), "quota": {"reserve": 5}},
                        self.source("b", interval="200ms", rate_limit="api"),
                        self.source("c", interval="200ms")]})
        daemon.wait_for_log("waiting because the server asks for it")
        self.wait_for_count(1, "/a")
        before = self.count("/b")
        self.wait_for_count(self.count("/c") + 8, "/c")
        self.assertLessEqual(self.count("/b") - before, 2)  # those under way
        self.assertEqual(self.count("/a"), 1)
        line = next(line for line in daemon.log().splitlines() if "the server asks" in line)
        self.assertRegex(line, "level=info .*source=a held_up=rate_limit name=api until=")
        until = time.strptime(line.split("until=")[1][:19], "%Y-%m-%dT%H:%M:%S")
        self.assertLess(abs(time.mktime(until) - time.timezone - time.time() - 86400), 120)
        self.assertEqual(daemon.stop(), 0)


@needs_faulty_server
class RetryAfter(Recorder):
    """A server that asks for patience, beside a source of the same host that is well."""

    def start(self, after, scope):
        ports = self.faulty_server()
        host = f"http://127.0.0.1:{ports['http']}"
        return self.daemon({
            "hosts": {"max_concurrent": 10}, "sources": [
                {"name": "refused", "url": f"{host}/429?after={after}", "interval": "1h",
                 "retry": {"max_attempts": 2, "backoff_base": "1ms", "backoff_max": "1ms", "scope": scope}},
                {"name": "well", "url": f"{host}/ok", "interval": "200ms", "format": "json"},
                self.source("elsewhere", interval="200ms")]})

    def runs(self, daemon, name):
        return daemon.value("SELECT runs FROM _gatherd_sources WHERE name = ?", (name,)) or 0

    def test_by_default_only_its_own_source_waits(self):
        daemon = self.start("31536000", "source")
        daemon.wait_for_sql("SELECT runs > 10 FROM _gatherd_sources WHERE name = 'well'", 1)
        due = daemon.value("SELECT (julianday(next_due_at) - julianday('now')) * 24 FROM _gatherd_sources"
                           " WHERE name = 'refused'")
        self.assertTrue(23.9 < due < 25.1, due)
        self.assertEqual(daemon.stop(), 0)

    def test_with_scope_host_the_whole_host_waits_and_goes_on(self):
        daemon = self.start("4", "host")
        wait_until(lambda: self.runs(daemon, "refused") == 1, 30, "the second attempt")
        self.assertEqual(daemon.value("SELECT requests FROM _gatherd_runs WHERE source = 'refused'"), 2)
        wait_until(lambda: self.runs(daemon, "well") > 20, 60, "the other source to go on")
        self.assertEqual(daemon.stop(), 0)
        gap = daemon.value(
            "SELECT max(gap) FROM (SELECT (julianday(started_at) - julianday(lag(started_at) OVER (ORDER BY"
            " started_at))) * 86400 AS gap FROM _gatherd_runs WHERE source = 'well')")
        print(f"the longest gap of the other source: {gap:.1f} s", flush=True)
        self.assertGreaterEqual(gap, 3)

    def test_a_year_for_the_host_is_a_day_and_other_hosts_go_on(self):
        daemon = self.start("31536000", "host")
        daemon.wait_for_log("held_up=host")
        elsewhere = self.count("/elsewhere")
        well = self.runs(daemon, "well")
        self.wait_for_count(elsewhere + 10, "/elsewhere")
        self.assertLessEqual(self.runs(daemon, "well") - well, 2)
        self.assertEqual(daemon.log().count("held_up=host"), 1)
        self.assertEqual(daemon.stop(), 0)


class Rules(Recorder):
    QUICK = {"max_attempts": 3, "backoff_base": "1ms", "backoff_max": "1ms"}

    def run_rules(self, *rules, status=0):
        daemon = self.run_once({"sources": [self.source("s", retry=self.QUICK, responses=list(rules))]},
                               status=status)
        return daemon.sql("SELECT outcome, failure, error, requests, records, http_status FROM _gatherd_runs")[0]

    def test_an_error_in_a_body_with_200_is_tried_again(self):
        self.answers["/s"] = lambda number: (200, {}, b'{"error": "busy"}' if number < 2 else ROWS)
        self.assertEqual(self.run_rules({"status": 200, "body_contains": '"error"', "action": "retry"}),
                         ("success", None, None, 3, 1, 200))

    def test_or_fails_at_once(self):
        self.answers["/s"] = (503, {}, b"no such account")
        self.assertEqual(
            self.run_rules({"body_contains": "account", "action": "fail"}, {"status": 503, "action": "ignore"},
                           status=1),
            ("failed", "status", "HTTP 503 Service Unavailable: a failure by responses[0]", 1, 0, 503))

    def test_or_is_a_success_without_rows(self):
        self.answers["/s"] = (404, {}, b"<html>nothing today")
        self.assertEqual(self.run_rules({"status": [404, "410-499"], "action": "ignore"}),
                         ("success", None, None, 1, 0, 404))

    def test_a_rate_limit_by_another_name_waits_as_after_a_429(self):
        self.answers["/s"] = lambda number: (403, {"Retry-After": "2"}, b"rate limit") if number == 0 else (
            200, {}, ROWS)
        self.assertEqual(
            self.run_rules({"status": 403, "body_contains": "rate limit", "action": "rate_limited"})[:4],
            ("success", None, None, 2))
        self.assertGreaterEqual(self.gaps()[0], 1.8)

    def test_a_redirect_can_be_a_failure(self):
        self.answers["/s"] = (302, {"Location": "/login"}, b"")
        self.assertEqual(self.run_rules({"status": 302, "action": "fail"}, status=1)[2],
                         "HTTP 302 Found: a failure by responses[0]")
        self.assertEqual(self.count("/login"), 0)


if __name__ == "__main__":
    main()
