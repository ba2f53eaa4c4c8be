#!/usr/bin/env python3
"""e2e_incremental.py - a source that grows: only what is new is asked for, and nothing is missed."""
import datetime
import json
import urllib.parse

import harness
from harness import TestCase

UTC = datetime.timezone.utc


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Api:
    """Records with `id` and `updated_at`; ?since= (inclusive), ?until= (exclusive), ?after_id=."""

    def __init__(self):
        self.records = []
        self.queries = []

    def add(self, number, updated_at, **more):
        self.records = [r for r in self.records if r["id"] != number]
        self.records.append({"id": number, "updated_at": updated_at, **more})

    def __call__(self, request):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.path).query))
        self.queries.append(query)
        found = [r for r in self.records
                 if r["updated_at"] >= query.get("since", "")
                 and r["updated_at"] < query.get("until", "~")
                 and r["id"] >= int(query.get("after_id", 0))]
        return 200, {"Content-Type": "application/json"}, json.dumps(found).encode()


class Case(TestCase):
    """One configuration and one database for all runs of a test."""

    def source(self, api, incremental, **keys):
        url = self.python_server(api) + "/items"
        config = {"sources": [{"name": "items", "url": url, "incremental": incremental, **keys}]}
        return self.daemon(config, start=False)

    def once(self, daemon, status=0):
        result = self.gatherd("run", "--once", "-c", daemon.config_path, cwd=daemon.folder)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)


class Incremental(Case):

    def test_each_run_asks_from_where_the_last_one_came_to(self):
        api = Api()
        api.add(1, "2026-01-01T00:00:00Z")
        api.add(2, "2026-01-02T00:00:00Z")
        daemon = self.source(api, {"cursor_path": "$.updated_at", "param": "since"},
                             primary_key="id")
        self.once(daemon)
        api.add(3, "2026-01-03T00:00:00Z")
        api.add(1, "2026-01-04T00:00:00Z")
        self.once(daemon)
        self.once(daemon)
        self.assertEqual(api.queries, [{}, {"since": "2026-01-02T00:00:00Z"},
                                       {"since": "2026-01-04T00:00:00Z"}])
        self.assertEqual(daemon.sql("SELECT id, updated_at FROM items ORDER BY id"),
                         [(1, "2026-01-04T00:00:00Z"), (2, "2026-01-02T00:00:00Z"),
                          (3, "2026-01-03T00:00:00Z")])

    def test_appended_rows_come_once_though_the_lower_bound_is_closed(self):
        api = Api()
        for number in (1, 2, 3):
            api.add(number, "2026-01-01T00:00:00Z")
        daemon = self.source(api, {"cursor_path": "$.updated_at", "param": "since"})
        self.once(daemon)
        api.add(4, "2026-01-01T00:00:00Z")  # late, with the cursor's own value
        self.once(daemon)
        api.add(5, "2026-01-05T00:00:00Z")
        self.once(daemon)
        self.once(daemon)
        self.assertEqual(daemon.sql("SELECT id FROM items ORDER BY id"),
                         [(n,) for n in range(1, 6)])
        self.assertEqual(daemon.sql("SELECT records, inserted, unchanged FROM _gatherd_runs"),
                         [(3, 3, 0), (4, 1, 3), (5, 1, 4), (1, 0, 1)])

    def test_records_of_one_time_are_told_apart_by_all_that_was_flattened(self):
        api = Api()
        api.add(1, "2026-01-01T00:00:00Z", place={"name": "a"})
        daemon = self.source(api, {"cursor_path": "$.updated_at", "param": "since"}, flatten="_")
        self.once(daemon)
        api.add(2, "2026-01-01T00:00:00Z", place={"name": "b"})
        self.once(daemon)
        self.once(daemon)
        self.assertEqual(daemon.sql("SELECT id, place_name FROM items"), [(1, "a"), (2, "b")])

    def test_the_position_is_that_of_numbers_where_they_are_numbers(self):
        api = Api()
        for number in (9, 10, 11):
            api.add(number, "x")
        daemon = self.source(api, {"cursor_path": "$.id", "param": "after_id",
                                   "initial_value": 10}, primary_key="id")
        self.once(daemon)
        api.add(100, "x")
        self.once(daemon)
        self.assertEqual(api.queries, [{"after_id": "10"}, {"after_id": "11"}])
        self.assertEqual(daemon.sql("SELECT id FROM items ORDER BY id"), [(10,), (11,), (100,)])

    def test_lookback_finds_what_came_late(self):
        api = Api()
        api.add(1, "2026-01-01T12:00:00Z")
        daemon = self.source(api, {"cursor_path": "$.updated_at", "param": "since",
                                   "lookback": "2h"}, primary_key="id")
        self.once(daemon)
        api.add(2, "2026-01-01T11:00:00Z")
        self.once(daemon)
        self.assertEqual(api.queries[1], {"since": "2026-01-01T10:00:00Z"})
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 2)

    def test_the_position_may_stand_anywhere_in_the_request(self):
        asked = []

        def answer(request):
            asked.append((request.path, request.headers["X-From"], json.loads(request.body)))
            return 200, {}, b'[{"id": 1, "t": "2026-01-01T00:00:00+01:00"}]'
        daemon = self.daemon({"sources": [{
            "name": "items", "url": self.python_server(answer) + "/since/{cursor}/{cursor_end}",
            "headers": {"X-From": "{cursor}"}, "body": {"from": "{cursor}"}, "primary_key": "id",
            "incremental": {"cursor_path": "$.t", "initial_value": "2020-01-01", "end": "2030-01-01T00:00:00Z"}}]},
            start=False)
        self.once(daemon)
        self.once(daemon)
        self.assertTrue(asked[0][0].startswith("/since/2020-01-01/"))
        self.assertTrue(asked[1][0].startswith("/since/2026-01-01T00%3A00%3A00%2B01%3A00/"))
        self.assertEqual(asked[1][1:], ("2026-01-01T00:00:00+01:00",
                                        {"from": "2026-01-01T00:00:00+01:00"}))

    def test_pages_move_the_position_at_the_end_or_one_by_one(self):
        def pages(fail_at):
            def answer(request):
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.path).query))
                page = int(query.get("page", 1))
                if page == fail_at:
                    return 404, {}, b"gone"
                first = max(int(query.get("after_id", 0)), 0) + 10 * (page - 1)
                rows = [{"id": n} for n in range(first, min(first + 10, 35))]
                return 200, {}, json.dumps(rows).encode()
            return self.python_server(answer) + "/items"
        for order, kept in (("none", None), ("asc", "19")):
            with self.subTest(order):
                source = {"name": "items", "url": pages(3), "primary_key": "id",
                          "pagination": {"type": "page"},
                          "incremental": {"cursor_path": "$.id", "param": "after_id",
                                          "row_order": order}}
                daemon = self.daemon({"sources": [source]}, start=False)
                self.once(daemon, status=1)
                self.assertEqual(daemon.value("SELECT max(cursor) FROM _gatherd_state"), kept)
                source["url"] = pages(99)
                daemon.write_config({"sources": [source]})
                self.once(daemon)
                self.assertEqual(daemon.value("SELECT max(cursor) FROM _gatherd_state"), "34")
                self.assertEqual(daemon.value("SELECT count(*) FROM items"), 35)

    def test_records_in_descending_order_end_at_what_is_known(self):
        asked = []

        def answer(request):
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.path).query))
            page = int(query.get("page", 1))
            asked.append(page)
            newest = 100 + 5 * (len(asked) > 11) - 10 * (page - 1)
            return 200, {}, json.dumps([{"id": n} for n in range(newest, max(newest - 10, 0), -1)]).encode()
        daemon = self.daemon({"sources": [{
            "name": "items", "url": self.python_server(answer) + "/items", "primary_key": "id",
            "pagination": {"type": "page"},
            "incremental": {"cursor_path": "$.id", "row_order": "desc"}}]}, start=False)
        self.once(daemon)
        self.assertEqual(asked, list(range(1, 12)))
        asked[:] = asked[:11]
        self.once(daemon)
        self.assertEqual(asked[11:], [1])
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 105)

    def test_steps_walk_to_the_present_through_empty_windows(self):
        api = Api()
        now = datetime.datetime.now(UTC)
        begin = (now - datetime.timedelta(days=10)).replace(microsecond=0)
        api.add(1, stamp(begin + datetime.timedelta(hours=1)))
        api.add(2, stamp(begin + datetime.timedelta(days=7, hours=1)))
        daemon = self.source(api, {"cursor_path": "$.updated_at", "param": "since",
                                   "end_param": "until", "step": "2d",
                                   "initial_value": stamp(begin)}, primary_key="id", interval="1h")
        daemon.start()
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'", 6)
        daemon.stop()
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 2)
        for i, query in enumerate(api.queries[:5]):
            self.assertEqual(query["since"], stamp(begin + datetime.timedelta(days=2 * i)))
            self.assertEqual(query["until"], stamp(begin + datetime.timedelta(days=2 * i + 2)))
        self.assertEqual(len(api.queries), 6)  # the last one ends now, and the next is an hour off

    def test_once_walks_all_steps_and_counts_them_together(self):
        api = Api()
        for day in range(1, 29):
            api.add(day, f"2026-01-{day:02}T00:00:00Z")
        daemon = self.source(api, {"cursor_path": "$.updated_at", "param": "since",
                                   "end_param": "until", "step": "7d",
                                   "initial_value": "2026-01-10T00:00:00Z",
                                   "end": "2026-02-01T00:00:00Z"}, primary_key="id")
        result = self.gatherd("run", "--once", "-c", daemon.config_path, cwd=daemon.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines()[2].split()[:5],
                         ["items", "success", "200", "19", "19"])
        self.assertEqual(len(api.queries), 4)

    def test_a_failed_run_moves_nothing(self):
        good = {"cursor_path": "$.updated_at", "param": "since"}
        broken = self.python_server(lambda request: (
            200, {}, b'[{"id": 1, "updated_at": "2026-05-05"}, {"id": 2}]'))
        config = {"sources": [{"name": "items", "url": broken, "incremental": good,
                               "primary_key": "id"}]}
        daemon = self.daemon(config, start=False)
        self.once(daemon, status=1)
        self.assertIn("record 2 has no position at $.updated_at",
                      daemon.value("SELECT error FROM _gatherd_runs"))
        self.assertEqual(daemon.value("SELECT failure FROM _gatherd_runs"), "records")
        config["sources"][0]["incremental"] = {**good, "on_missing": "include"}
        daemon.write_config(config)
        self.once(daemon)
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 2)
        config["sources"][0]["incremental"] = {**good, "on_missing": "skip"}
        config["sources"][0]["table"] = "kept"
        daemon.write_config(config)
        self.once(daemon)
        self.assertEqual(daemon.sql("SELECT id FROM kept"), [(1,)])

    def test_a_date_to_come_does_not_move_the_position(self):
        api = Api()
        api.add(1, "2026-01-01T00:00:00Z")
        api.add(2, "2999-01-01T00:00:00Z")
        daemon = self.source(api, {"cursor_path": "$.updated_at", "param": "since"},
                             primary_key="id")
        self.once(daemon)
        self.once(daemon)
        self.assertEqual(api.queries[1], {"since": "2026-01-01T00:00:00Z"})
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 2)

    def test_positions_of_two_kinds_are_an_error(self):
        api = Api()
        api.add(1, "2026-01-01T00:00:00Z")
        api.add(2, "soon")
        daemon = self.source(api, {"cursor_path": "$.updated_at", "param": "since"},
                             primary_key="id")
        self.once(daemon, status=1)
        self.assertIn('the position of record 2, "soon", does not compare',
                      daemon.value("SELECT error FROM _gatherd_runs"))

    def test_nothing_is_lost_when_the_process_is_killed(self):
        """What is asked for after a kill begins where the committed rows end."""
        api = Api()
        daemon = self.source(api, {"cursor_path": "$.id", "param": "after_id"}, interval="50ms")
        total = 0
        for _ in range(5):
            daemon.start()
            for _ in range(20):
                total += 1
                api.add(total, "x")
            daemon.wait_for_sql(f"SELECT count(*) > {total - 15} FROM items")
            daemon.kill()
        self.once(daemon)
        self.assertEqual(daemon.sql("SELECT id FROM items ORDER BY id"),
                         [(n,) for n in range(1, total + 1)])


class State(Case):
    """gatherd state: shown, set and reset, while the daemon runs and while it does not."""

    def state(self, daemon, *words, status=0):
        result = self.gatherd("state", *words, "-c", daemon.config_path, cwd=daemon.folder)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def growing(self, **keys):
        api = Api()
        for day in range(1, 10):
            api.add(day, f"2026-01-0{day}T00:00:00Z")
        daemon = self.source(api, {"cursor_path": "$.updated_at", "param": "since"},
                             primary_key="id", **keys)
        return api, daemon

    def test_while_the_daemon_is_stopped(self):
        api, daemon = self.growing()
        self.assertIn("not there", self.state(daemon, "set", "items", "2026-01-05", status=69))
        self.once(daemon)
        self.assertIn("2026-01-09T00:00:00Z", self.state(daemon, "show", "items"))
        self.assertEqual(self.state(daemon, "set", "items", "2026-01-05"), "")
        self.once(daemon)
        self.assertEqual(api.queries[-1], {"since": "2026-01-05"})
        self.state(daemon, "reset", "items")
        self.assertNotIn("2026-01-09", self.state(daemon, "show").split("items")[1].split()[0])
        self.once(daemon)
        self.assertEqual(api.queries[-1], {})

    def test_while_the_daemon_runs(self):
        api, daemon = self.growing(interval="300ms")
        daemon.start()
        daemon.wait_for_sql("SELECT cursor FROM _gatherd_state", "2026-01-09T00:00:00Z")
        self.assertIn("2026-01-09T00:00:00Z", self.state(daemon, "show", "items"))
        for _ in range(5):  # whatever the run is doing at that moment
            api.queries.clear()
            self.state(daemon, "set", "items", "2026-01-03T00:00:00Z")
            harness.wait_until(lambda: {"since": "2026-01-03T00:00:00Z"} in api.queries,
                               what="a request from the new cursor")
        api.queries.clear()
        self.state(daemon, "reset", "items")
        harness.wait_until(lambda: {} in api.queries, what="a request for everything")
        daemon.stop()
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 9)

    def test_a_run_under_way_is_waited_for(self):
        api, daemon = self.growing(interval="1h")
        answer = Api.__call__

        def slow(request):
            harness.time.sleep(1)
            return answer(api, request)
        daemon.write_config({"sources": [{
            "name": "items", "url": self.python_server(slow) + "/items", "primary_key": "id",
            "incremental": {"cursor_path": "$.updated_at", "param": "since"}}]})
        daemon.start()
        self.state(daemon, "set", "items", "2026-01-03T00:00:00Z")
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 9)  # the run has ended
        self.assertEqual(daemon.value("SELECT cursor FROM _gatherd_state"), "2026-01-03T00:00:00Z")

    def test_what_makes_no_sense_is_refused(self):
        _, daemon = self.growing()
        config = {"sources": [
            {"name": "plain", "url": "http://127.0.0.1:1/", "interval": "1h"},
            {"name": "numbers", "url": "http://127.0.0.1:1/", "interval": "1h",
             "incremental": {"cursor_path": "$.id", "type": "number"}}]}
        daemon.write_config(config)
        for start in (False, True):
            if start:
                daemon.start()
            self.assertIn("no source is named", self.state(daemon, "set", "x", "1", status=64))
            self.assertIn("has no cursor", self.state(daemon, "set", "plain", "1", status=64))
            self.assertIn('"one" is no position',
                          self.state(daemon, "set", "numbers", "one", status=64))
            self.assertIn("show, set and reset", self.state(daemon, "put", "x", status=64))
            self.assertIn("set takes", self.state(daemon, "set", "x", status=64))

    def test_only_the_daemons_user_may_ask(self):
        _, daemon = self.growing(interval="1h")
        daemon.start()
        mode = (daemon.folder / "gatherd.db-control").stat().st_mode
        self.assertEqual(mode & 0o777, 0o600)
        daemon.stop()
        self.assertFalse((daemon.folder / "gatherd.db-control").exists())


class Backfill(Case):
    """gatherd backfill: a range of the past, without touching the cursor."""

    STEP = {"cursor_path": "$.updated_at", "param": "since", "end_param": "until", "step": "1d"}

    def walk(self, daemon, *words, status=0):
        result = self.gatherd("backfill", *words, "-c", daemon.config_path, cwd=daemon.folder)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def past(self, **keys):
        """A source that begins this year, of an API that goes back further."""
        api = Api()
        for day in range(1, 10):
            api.add(day, f"2025-03-0{day}T12:00:00Z")
        begin = stamp(datetime.datetime.now(UTC) - datetime.timedelta(hours=6))
        daemon = self.source(api, {**self.STEP, "initial_value": begin}, primary_key="id", **keys)
        return api, daemon

    RANGE = ("items", "--from", "2025-03-02T00:00:00Z", "--to", "2025-03-05T06:00:00Z")

    def check_walk(self, api, daemon, said):
        """Four windows, the last one shorter; three records are in them."""
        asked = [q for q in api.queries if q.get("since", "").startswith("2025")]
        self.assertEqual(asked, [
            {"since": "2025-03-02T00:00:00Z", "until": "2025-03-03T00:00:00Z"},
            {"since": "2025-03-03T00:00:00Z", "until": "2025-03-04T00:00:00Z"},
            {"since": "2025-03-04T00:00:00Z", "until": "2025-03-05T00:00:00Z"},
            {"since": "2025-03-05T00:00:00Z", "until": "2025-03-05T06:00:00Z"}])
        self.assertEqual(daemon.sql("SELECT id FROM items ORDER BY id"), [(2,), (3,), (4,)])
        self.assertIn("2025-03-05T06:00:00Z: 4 runs, 3 rows inserted, 0 updated", said)

    def test_while_the_daemon_is_stopped(self):
        api, daemon = self.past()
        said = self.walk(daemon, *self.RANGE)
        self.check_walk(api, daemon, said)
        self.assertEqual(len(api.queries), 4)  # nothing but the range
        self.assertEqual(daemon.sql("SELECT cursor FROM _gatherd_state WHERE cursor NOT NULL"), [])
        self.assertIn("0 rows inserted", self.walk(daemon, *self.RANGE))

    def test_while_the_daemon_runs(self):
        api, daemon = self.past(interval="1h")
        daemon.start()
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'")
        cursor = daemon.sql("SELECT cursor FROM _gatherd_state")
        said = self.walk(daemon, *self.RANGE)
        self.check_walk(api, daemon, said)
        self.assertEqual(daemon.sql("SELECT cursor FROM _gatherd_state"), cursor)
        self.assertIn("backfill done", daemon.log())

    def test_the_sources_own_polls_go_on_between_the_steps(self):
        api, daemon = self.past(interval="100ms")
        daemon.start()
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'")
        self.walk(daemon, "items", "--from", "2024-01-01", "--to", "2024-04-10")
        first = next(i for i, q in enumerate(api.queries) if q["since"].startswith("2024"))
        last = max(i for i, q in enumerate(api.queries) if q["since"].startswith("2024"))
        between = [q for q in api.queries[first:last] if q["since"] > "2026"]
        self.assertGreater(len(between), 0)
        self.assertEqual(len(api.queries[first:last + 1]) - len(between), 100)

    def test_one_who_goes_ends_it(self):
        api, daemon = self.past(interval="1h")
        daemon.start()
        asking = harness.subprocess.Popen(
            [harness.GATHERD, "backfill", "items", "--from", "1990-01-01", "--to", "2025-01-01",
             "-c", str(daemon.config_path)], stdout=harness.subprocess.PIPE)
        asking.stdout.readline()
        asking.kill()
        asking.wait()
        asking.stdout.close()
        daemon.wait_for_log("backfill stopped")
        count = len(api.queries)
        harness.time.sleep(0.5)
        self.assertLess(len(api.queries), count + 2)
        said = self.walk(daemon, *self.RANGE)
        self.assertIn("2025-03-05T06:00:00Z", said)

    def test_what_makes_no_sense_is_refused(self):
        api, daemon = self.past()
        config = {"sources": [{"name": "plain", "url": "http://127.0.0.1:1/"},
                              {"name": "keyless", "url": "http://127.0.0.1:1/",
                               "incremental": {"cursor_path": "$.id", "type": "number"}}]}
        self.assertIn("is not before", self.walk(
            daemon, "items", "--from", "2025-01-02", "--to", "2025-01-01", status=64))
        daemon.write_config(config)
        self.assertIn("no source is named", self.walk(
            daemon, "x", "--from", "1", "--to", "2", status=64))
        self.assertIn("incremental", self.walk(
            daemon, "plain", "--from", "1", "--to", "2", status=64))
        self.assertIn("primary_key", self.walk(
            daemon, "keyless", "--from", "1", "--to", "2", status=64))
        self.assertIn("--from and --to", self.walk(daemon, "plain", "--from", "1", status=64))


if __name__ == "__main__":
    harness.main()
