"""e2e_values.py - run-time values: what arrives at the server is exactly what was scheduled."""
import json
import re
import threading
from datetime import datetime, timedelta, timezone

import harness


def moment(text):
    """A time as gatherd writes it in the database."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def seconds(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def unix_ms(time):
    return (time - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)


class Recorder:
    """A server that keeps each request's target and headers, and answers by a list of statuses."""

    def __init__(self, case, statuses=(), location=None):
        self.lock = threading.Lock()
        self.seen = []
        self.statuses = list(statuses)
        self.location = location
        self.bodies = []
        self.base = case.python_server(self.answer)

    def answer(self, request):
        with self.lock:
            self.seen.append((request.path, dict(request.headers)))
            status = self.statuses.pop(0) if self.statuses else 200
            body = self.bodies.pop(0) if self.bodies else b'[{"n": 1}]'
        headers = {"Content-Type": "application/json"}
        if status == 307:
            headers["Location"] = self.location
        return status, headers, body

    def targets(self):
        with self.lock:
            return [path for path, _ in self.seen]


class Values(harness.TestCase):
    def source(self, **keys):
        return {"sources": [{"name": "s", "interval": "1h", **keys}]}

    def test_values_arrive_in_every_place_and_format(self):
        base = self.httpbin()
        daemon = self.run_once(self.source(
            url=base + "/anything/{scheduled_at:%Y/%m/%d %H}/x?day={scheduled_at:date}",
            params={"at": "{scheduled_at}", "from": ["{previous_scheduled_at:unix_ms}", "{{now}"],
                    "s": "{scheduled_at:unix}", "p": "{scheduled_at:%d.%m.%Y %T+%z & x=y}",
                    "n": 5},
            headers={"X-At": "since {scheduled_at:rfc3339}", "X-Now": "{now:unix_ms}",
                     "X-Braces": "query { a(first:10) { b } }"},
            records="$", fields={"args": {"path": "$.args", "type": "json"}, "url": "$.url",
                                 "headers": {"path": "$.headers", "type": "json"}}))
        args, url, headers = daemon.sql("SELECT args, url, headers FROM s")[0]
        args, headers = json.loads(args), json.loads(headers)
        at = moment(daemon.value("SELECT scheduled_at FROM _gatherd_runs"))
        started = moment(daemon.value("SELECT started_at FROM _gatherd_runs"))
        self.assertEqual(re.sub(r"%2F", "/", url.split("?")[0].replace("%20", " ")),
                         base + at.strftime("/anything/%Y/%m/%d %H/x"))
        self.assertEqual(args["day"], at.strftime("%Y-%m-%d"))
        self.assertEqual(args["at"], seconds(at))
        self.assertEqual(args["from"], [str(unix_ms(at - timedelta(hours=1))), "{now}"])
        self.assertEqual(args["s"], str(unix_ms(at) // 1000))
        self.assertEqual(args["p"], at.strftime("%d.%m.%Y %H:%M:%S++0000 & x=y"))
        self.assertEqual(args["n"], "5")
        self.assertEqual(headers["X-At"], "since " + seconds(at))
        self.assertEqual(headers["X-Now"], str(unix_ms(started)))
        self.assertEqual(headers["X-Braces"], "query { a(first:10) { b } }")

    def test_dates_and_patterns_are_told_in_the_time_zone_of_the_source(self):
        recorder = Recorder(self)
        daemon = self.run_once(self.source(
            url=recorder.base + "/{scheduled_at:date}", timezone="Pacific/Kiritimati",  # UTC+14
            params={"p": "{scheduled_at:%H:%M%z}", "u": "{scheduled_at}"}))
        at = moment(daemon.value("SELECT scheduled_at FROM _gatherd_runs"))
        there = at + timedelta(hours=14)
        self.assertEqual(recorder.targets(), [
            there.strftime("/%Y-%m-%d?p=%H%%3A%M%%2B1400&u=") + seconds(at).replace(":", "%3A")])

    def test_values_arrive_in_bodies_and_forms(self):
        base = self.httpbin()
        fields = {"json": {"path": "$.json", "type": "json"}, "data": "$.data",
                  "form": {"path": "$.form", "type": "json"}}
        common = {"url": base + "/anything", "interval": "1h", "records": "$", "fields": fields}
        daemon = self.run_once({"sources": [
            {"name": "mapping", **common,
             "body": {"query": "query($t: Int) { a(first: 10) { b } }", "{now}": "{{now}",
                      "variables": {"at": "{scheduled_at}", "d": ["{scheduled_at:%d \u00b7 %m}"]}}},
            {"name": "number", **common, "headers": {"Content-Type": "application/json"},
             "body": '{"since": {previous_scheduled_at:unix}}'},
            {"name": "plain", **common, "body": "at {scheduled_at:%H&%M}"},
            {"name": "form", **common, "form": {"at": "{scheduled_at:%H&%M=%S}", "b": [1, "{{"]}}]})
        at = dict(daemon.sql("SELECT source, scheduled_at FROM _gatherd_runs"))
        at = {source: moment(text) for source, text in at.items()}
        self.assertEqual(json.loads(daemon.value("SELECT json FROM mapping")),
                         {"query": "query($t: Int) { a(first: 10) { b } }", "{now}": "{now}",
                          "variables": {"at": seconds(at["mapping"]),
                                        "d": [at["mapping"].strftime("%d \u00b7 %m")]}})
        self.assertEqual(json.loads(daemon.value("SELECT json FROM number")),
                         {"since": unix_ms(at["number"]) // 1000 - 3600})
        self.assertEqual(daemon.value("SELECT data FROM plain"), at["plain"].strftime("at %H&%M"))
        self.assertEqual(json.loads(daemon.value("SELECT form FROM form")),
                         {"at": at["form"].strftime("%H&%M=%S"), "b": ["1", "{"]})

    def test_a_value_cannot_change_the_structure_of_a_url(self):
        recorder = Recorder(self)
        daemon = self.run_once(self.source(
            url=recorder.base + "/a/{scheduled_at:%Y/../?b=%d#&c}/d?e={scheduled_at:&f=%Y#g+ é}",
            params={"h": "{scheduled_at:%Y&i=j}"}))
        at = moment(daemon.value("SELECT scheduled_at FROM _gatherd_runs"))
        self.assertEqual(recorder.targets(), [at.strftime(
            "/a/%Y%%2F..%%2F%%3Fb%%3D%d%%23%%26c/d?e=%%26f%%3D%Y%%23g%%2B%%20%%C3%%A9"
            "&h=%Y%%26i%%3Dj")])

    def test_each_window_begins_where_the_last_success_ended_also_after_a_restart(self):
        recorder = Recorder(self, statuses=[200, 200, 500, 500, 200])
        config = {"sources": [{
            "name": "s", "interval": "500ms", "max_interval": "500ms", "retry": {"max_attempts": 1},
            "url": recorder.base + "/?from={previous_scheduled_at:unix_ms}&to={scheduled_at:unix_ms}"}]}
        daemon = self.daemon(config)
        daemon.wait_for_sql("SELECT runs >= 7 FROM _gatherd_sources")
        self.assertEqual(daemon.stop(), 0)
        before = len(recorder.targets())
        saved = unix_ms(moment(daemon.value("SELECT last_success_scheduled_at FROM _gatherd_sources")))
        recorded = daemon.value("SELECT max(scheduled_at) FROM _gatherd_runs WHERE outcome = 'success'")
        self.assertEqual(saved, unix_ms(moment(recorded)))
        daemon.start()
        harness.wait_until(lambda: len(recorder.targets()) > before + 1)
        daemon.stop()
        windows = [tuple(map(int, re.findall(r"\d+", t))) for t in recorder.targets()]
        self.assertEqual(windows[0][0], windows[0][1] - 500)
        outcomes = {unix_ms(moment(slot)): outcome
                    for slot, outcome in daemon.sql("SELECT scheduled_at, outcome FROM _gatherd_runs")}
        last = windows[0][0]
        for begin, end in windows:
            self.assertEqual(begin, last)
            if outcomes.get(end) == "success":
                last = end
        self.assertEqual(windows[before][0], saved)
        self.assertIn("failed", outcomes.values())

    def test_another_attempt_is_made_now_for_the_same_slot(self):
        recorder = Recorder(self, statuses=[503, 503])
        daemon = self.run_once(self.source(
            url=recorder.base + "/?at={scheduled_at:unix_ms}&now={now:unix_ms}",
            retry={"max_attempts": 3, "backoff_base": "200ms"}))
        seen = [re.findall(r"\d+", target) for target in recorder.targets()]
        self.assertEqual(len(seen), 3)
        self.assertEqual(len({at for at, _ in seen}), 1)
        self.assertEqual([now for _, now in seen], sorted(now for _, now in seen))
        self.assertLess(int(seen[0][1]), int(seen[2][1]))
        self.assertEqual(daemon.value("SELECT requests FROM _gatherd_runs"), 3)

    def test_a_redirect_keeps_what_was_rendered(self):
        recorder = Recorder(self, statuses=[307, 307], location="/next")
        self.run_once(self.source(url=recorder.base + "/", headers={"X-Now": "{now:%s%3N}"}))
        nows = [headers["X-Now"] for _, headers in recorder.seen]
        self.assertEqual(len(nows), 3)
        self.assertEqual(len(set(nows)), 1)

    def test_the_pages_of_a_run_share_what_was_rendered(self):
        recorder = Recorder(self, statuses=[200, 503, 200, 200])
        recorder.bodies = [b'[{"n": 1}]', b"", b'[{"n": 2}]', b"[]"]
        self.run_once(self.source(
            url=recorder.base + "/?now={now:unix_ms}&at={scheduled_at:unix_ms}",
            retry={"max_attempts": 2, "backoff_base": "50ms"},
            pagination={"type": "page", "page_param": "page"}))
        seen = [re.findall(r"=(\d+)", target) for target in recorder.targets()]
        self.assertEqual([page for _, _, page in seen], ["1", "2", "2", "3"])
        self.assertEqual(len({(now, at) for now, at, _ in seen}), 1)

    def test_what_was_rendered_into_a_query_is_written_nowhere(self):
        recorder = Recorder(self, statuses=[404])
        daemon = self.run_once(self.source(
            url=recorder.base + "/p/{now:%d}?key=s3cr3t{now:unix_ms}", retry={"max_attempts": 1}),
            status=1)
        [target] = recorder.targets()
        secret = re.search(r"s3cr3t\d+", target)[0]
        written = daemon.output + daemon.log()
        for file in daemon.folder.iterdir():
            if file != daemon.config_path:
                written += file.read_bytes().decode("latin-1")
        self.assertNotIn("s3cr3t", written)
        self.assertNotIn(secret[6:], written)
        self.assertEqual(daemon.value("SELECT url FROM _gatherd_sources"),
                         recorder.base + "/p/{now:%d}")

    def test_bad_templates_are_refused_with_their_place(self):
        config = self.folder / "bad.yaml"
        config.write_text("sources:\n"
                          "  - name: a\n"
                          "    url: https://{item.host}/\n"
                          "  - name: b\n"
                          "    url: https://example.org/{cursor}\n"
                          "    params: {since: \"{scheduled}\", until: '{now:%Q}'}\n"
                          "    headers: {X: 'a {previous_schedule_at}'}\n")
        result = self.gatherd("check", config)
        self.assertEqual(result.returncode, 78)
        places = re.findall(r"bad\.yaml:(\d+:\d+): error: (\S+):", result.stdout + result.stderr)
        self.assertEqual(places, [("3:18", "sources[0].url"), ("5:30", "sources[1].url"),
                                  ("6:22", "sources[1].params.since"),
                                  ("6:44", "sources[1].params.until"),
                                  ("7:21", "sources[1].headers.X")])
        self.assertIn("did you mean {previous_scheduled_at}?", result.stdout + result.stderr)

    def test_a_reload_with_a_bad_template_changes_nothing(self):
        recorder = Recorder(self)
        daemon = self.daemon(self.source(url=recorder.base + "/{scheduled_at:unix}", interval="500ms"))
        daemon.reload(self.source(url=recorder.base + "/{scheduled}", interval="500ms"))
        self.assertIn("{scheduled}", daemon.log())
        seen = len(recorder.targets())
        harness.wait_until(lambda: len(recorder.targets()) > seen + 1)
        self.assertTrue(all(re.fullmatch(r"/\d+", t) for t in recorder.targets()))


if __name__ == "__main__":
    harness.main()
