#!/usr/bin/env python3
"""e2e_verbose.py - `gatherd run --verbose`: what the log says of each run, attempt and reload."""
import json
import re

import harness

SECRET = "s3cr3t-in-a-query"


def fields(line):
    """The fields of a logfmt line by name."""
    return {key: json.loads(value) if value.startswith('"') else value
            for key, value in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line)}


class Verbose(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.failures = 0
        self.url = self.python_server(self.answer)

    def answer(self, request):
        if request.path.startswith("/flaky"):
            self.failures += 1
            if self.failures == 1:
                return 503, {}, b"not now"
        if request.path.startswith("/gone"):
            return 404, {}, b"nothing here"
        return 200, {"Content-Type": "application/json"}, b'[{"id": 1, "n": 1}, {"id": 2, "n": "x"}]'

    def source(self, name, **keys):
        return {"name": name, "url": f"{self.url}/{name}?token={SECRET}", "interval": "1h",
                "headers": {"X-Api-Key": SECRET}, "params": {"q": SECRET}, "primary_key": "id",
                **keys}

    def lines(self, daemon, message):
        return [fields(line) for line in daemon.log().splitlines()
                if f'msg="{message}"' in line and "level=debug" in line]

    def line_of(self, daemon, source, message="run committed"):
        line, = [line for line in self.lines(daemon, message) if line["source"] == source]
        return line

    def test_each_run_is_one_line_with_its_counts(self):
        daemon = self.daemon({"sources": [
            self.source("good"), self.source("gone"),
            self.source("half", fields={"id": "$.id", "n": {"path": "$.n", "type": "integer"}})]},
            arguments=["--verbose"])
        daemon.wait_for_log("run committed", count=3)
        daemon.stop()
        self.assertEqual(len(self.lines(daemon, "run committed")), 3)
        good = self.line_of(daemon, "good")
        self.assertLess(int(good.pop("ms")), 60000)
        del good["time"], good["level"], good["msg"]
        self.assertEqual(good, {"source": "good", "outcome": "success", "status": "200",
                                "requests": "1", "records": "2", "inserted": "2", "updated": "0",
                                "unchanged": "0", "deleted": "0", "marked": "0", "filtered": "0", "rejected": "0"})
        gone = self.line_of(daemon, "gone")
        self.assertEqual((gone["outcome"], gone["failure"], gone["status"], gone["records"]),
                         ("failed", "status", "404", "0"))
        half = self.line_of(daemon, "half")
        self.assertEqual((half["outcome"], half["inserted"], half["rejected"]), ("partial", "1", "1"))
        self.assertNotIn(SECRET, daemon.log())

    def test_a_request_that_is_tried_again_says_why_and_when(self):
        daemon = self.daemon({"sources": [
            self.source("flaky", retry={"backoff_base": "1ms", "backoff_max": "1ms"})]},
            arguments=["-v"])
        daemon.wait_for_log("run committed")
        daemon.stop()
        retry = self.line_of(daemon, "flaky", "request failed, to be tried again")
        self.assertEqual((retry["failure"], retry["status"], retry["attempt"]),
                         ("status", "503", "1"))
        self.assertIn("503", retry["error"])
        self.assertIn(retry["delay_ms"], ("0", "1"))
        self.assertEqual(self.line_of(daemon, "flaky")["requests"], "2")
        self.assertNotIn(SECRET, daemon.log())

    def test_a_reload_says_what_it_changes(self):
        daemon = self.daemon({"sources": [self.source("a"), self.source("b"), self.source("c")]},
                             arguments=["-v"])
        daemon.reload({"fetchers": 3, "sources": [
            self.source("b"), self.source("c", interval="2h"), self.source("d")]})
        daemon.wait_for_log("run committed", count=4)
        daemon.stop()
        for message, source in (("source removed", "a"), ("source changed", "c"),
                                ("source added", "d")):
            line, = self.lines(daemon, message)
            self.assertEqual(line["source"], source)
        setting, = self.lines(daemon, "setting changed")
        self.assertEqual((setting["key"], setting["old"], setting["new"]), ("fetchers", "2", "3"))
        self.assertNotIn(SECRET, daemon.log())

    def test_without_the_option_none_of_it_is_said(self):
        daemon = self.daemon({"sources": [self.source("good")]})
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs")
        daemon.reload({"sources": [self.source("good", interval="2h")]})
        daemon.stop()
        self.assertNotIn("level=debug", daemon.log())

    def test_with_once_the_table_says_it_and_the_log_does_not(self):
        daemon = self.daemon({"sources": [self.source("good"), self.source("flaky", retry={
            "backoff_base": "1ms"})]}, start=False)
        result = self.gatherd("run", "--once", "-v", "-c", daemon.config_path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("run committed", result.stderr)
        self.assertIn("request failed, to be tried again", result.stderr)


if __name__ == "__main__":
    harness.main()
