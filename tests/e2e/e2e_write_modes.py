#!/usr/bin/env python3
"""e2e_write_modes.py - replace, history and on_missing with the real binary: three polls of a real
catalogue, and walks that are killed while others read."""
import json
import threading
import time
import unittest

import harness

POLLS = ("2025-05-05-5201160", "2025-08-21-c955f9c", "2025-08-25-eacf03e")


class Files:
    """One URL that gives one document after the other."""

    def __init__(self, documents):
        self.documents = documents
        self.now = 0

    def __call__(self, handler):
        body = self.documents[self.now]
        return 200, {"Content-Type": "application/json"}, body


@harness.needs_data
class History(harness.TestCase):
    """The three polls, and the last one over and over, read by another program's own rules."""

    @classmethod
    def setUpClass(cls):
        folder = harness.DATA / "cisa-kev"
        cls.bodies = [(folder / f"{name}.json").read_bytes() for name in POLLS]
        cls.polls = [{v["cveID"]: v for v in json.loads(body)["vulnerabilities"]}
                     for body in cls.bodies]

    def poll(self, daemon, number):
        self.server.now = number
        result = self.gatherd("run", "--once", "-c", daemon.config_path, cwd=daemon.folder,
                              env=daemon.env)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def start(self, max_shrink="5%"):
        """The example as it stands."""
        self.server = Files(self.bodies)
        example = (harness.ROOT / "config" / "examples" / "history.yaml").read_text()
        return self.daemon(example.replace("max_shrink: 5%", f"max_shrink: {max_shrink}"),
                           start=False, env={"CISA": self.python_server(self.server)})

    def versions(self):
        """What there should be: for each poll the records that are other than at the one before."""
        found, present = [], {}
        for number, poll in enumerate(self.polls):
            for key, record in poll.items():
                if present.get(key) != record:
                    changed = None if key not in present else sorted(
                        m for m in record if record[m] != present[key].get(m))
                    found.append((key, number, changed))
                    present[key] = record
        return found

    def test_three_polls_give_1404_rows_and_1431_versions(self):
        daemon = self.start()
        for number in range(3):
            self.poll(daemon, number)
        self.assertEqual(daemon.value("SELECT count(*) FROM kev"), 1404)
        self.assertEqual(daemon.value("SELECT count(*) FROM kev_history"), 1431)
        self.assertEqual(daemon.value("SELECT count(*) FROM kev_history WHERE _valid_to IS NULL"), 1404)
        times = [t for t, in daemon.sql("SELECT DISTINCT _fetched_at FROM kev_history ORDER BY 1")]
        self.assertEqual(len(times), 3)
        stored = [(key, times.index(at), None if changed is None else sorted(json.loads(changed)))
                  for key, at, changed in daemon.sql(
                      "SELECT cveID, _valid_from, _changed FROM kev_history")]
        self.assertEqual(sorted(stored, key=str), sorted(self.versions(), key=str))
        self.as_of(daemon, times)
        self.again(daemon)

    def as_of(self, daemon, times):
        """What was known at each poll comes back, cell by cell."""
        for at, poll in zip(times, self.polls):
            rows = daemon.sql("SELECT cveID, notes, knownRansomwareCampaignUse, cwes FROM kev_history"
                              " WHERE _valid_from <= ?1 AND coalesce(_valid_to, '9999') > ?1", (at,))
            self.assertEqual({r[0]: (r[1], r[2], json.loads(r[3])) for r in rows},
                             {k: (v["notes"], v["knownRansomwareCampaignUse"], v["cwes"])
                              for k, v in poll.items()})
        self.assertEqual(daemon.sql("SELECT cveID, notes, _run_id FROM kev ORDER BY 1"),
                         daemon.sql("SELECT cveID, notes, _run_id FROM kev_history"
                                    " WHERE _valid_to IS NULL ORDER BY 1"))

    def again(self, daemon):
        before = daemon.sql("SELECT rowid, * FROM kev"), daemon.sql("SELECT rowid, * FROM kev_history")
        self.poll(daemon, 2)
        after = daemon.sql("SELECT rowid, * FROM kev"), daemon.sql("SELECT rowid, * FROM kev_history")
        self.assertEqual(before, after)
        self.assertEqual(daemon.sql("SELECT inserted, updated, unchanged FROM _gatherd_runs"
                                    " ORDER BY id DESC LIMIT 1"), [(0, 0, 1404)])

    def test_back_and_forth_with_rows_that_go(self):
        """The catalogue lost nothing in those months, so it is read backwards, too."""
        daemon = self.start(max_shrink="10%")
        for number in (0, 2, 0, 2):
            self.poll(daemon, number)
        counts = [len(p) for p in self.polls]
        gone = counts[2] - counts[0]
        self.assertEqual(set(self.polls[0]) - set(self.polls[2]), set())
        self.assertEqual([r for r, in daemon.sql("SELECT deleted FROM _gatherd_runs ORDER BY id")],
                         [0, 0, gone, 0])
        self.assertEqual(daemon.value("SELECT count(*) FROM kev"), counts[2])
        self.assertEqual(daemon.value("SELECT count(*) FROM kev_history WHERE _valid_to IS NULL"),
                         counts[2])
        # Those that were gone have come back without a version before them to differ from.
        self.assertEqual(daemon.value("SELECT count(*) FROM (SELECT cveID FROM kev_history"
                                      " WHERE _changed IS NULL GROUP BY cveID HAVING count(*) = 2)"),
                         gone)


class Pages:
    """An endless set of pages by number: `sets` of ids, each cut into pages, one set a walk."""

    def __init__(self, per_page=50):
        self.per_page = per_page
        self.ids = []
        self.hold = threading.Event()  # cleared: pages from the second on wait
        self.hold.set()
        self.waiting = threading.Event()

    def __call__(self, handler):
        page = int(handler.path.split("page=")[1])
        if page > 1 and not self.hold.is_set():
            self.waiting.set()
            self.hold.wait(60)
        start = (page - 1) * self.per_page
        items = [{"id": i, "set": self.ids[0]} for i in self.ids[start:start + self.per_page]]
        return 200, {"Content-Type": "application/json"}, json.dumps(items).encode()


class Replace(harness.TestCase):
    def source(self, base, **more):
        return {"name": "items", "url": base, "interval": "50ms", "write_mode": "replace",
                "pagination": {"type": "page"}, "max_shrink": "50%", **more}

    def test_readers_see_whole_sets_while_walks_are_killed(self):
        server = Pages()
        base = self.python_server(server)
        server.ids = list(range(1000, 1200))
        daemon = self.daemon({"sources": [self.source(base, primary_key="id"),
                                          self.source(base, name="keyless")]})
        daemon.wait_for_sql("SELECT count(*) FROM items", 200)
        daemon.wait_for_sql("SELECT count(*) FROM keyless", 200)
        seen, stop = set(), threading.Event()

        def read():
            while not stop.is_set():
                for table in ("items", "keyless"):
                    seen.add((table, *daemon.sql(
                        f"SELECT count(*), count(DISTINCT \"set\"), min(\"set\") FROM {table}")[0]))
                time.sleep(0.002)
        reader = threading.Thread(target=read)
        reader.start()
        try:
            for first in (2000, 3000):
                server.hold.clear()
                server.waiting.clear()
                server.ids = list(range(first, first + 200 - first // 100))
                self.assertTrue(server.waiting.wait(30 * harness.SLOW))
                before = daemon.value("SELECT max(id) FROM _gatherd_runs")
                daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'unfinished'"
                                    " AND records > 0")
                daemon.kill()
                server.hold.set()
                daemon.start()
                self.assertEqual(daemon.value(f"SELECT failure FROM _gatherd_runs WHERE id = {before}"),
                                 "interrupted")
                for table in ("items", "keyless"):
                    daemon.wait_for_sql(f"SELECT min(id) FROM {table}", first)
        finally:
            stop.set()
            reader.join()
        # A walk may begin while the set changes: the server then mixes two, and that is the set.
        for table, count, sets, lowest in seen:
            self.assertIn(count, range(170, 201), (table, count))
            self.assertLessEqual(sets, 2)
            self.assertIn(lowest, (1000, 2000, 3000))
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.sql("SELECT name FROM sqlite_schema WHERE name LIKE '%spool%'"
                                    " OR name LIKE '%seen%'"), [])

    def test_a_set_that_shrinks_too_much_fails_and_is_shown(self):
        documents = [[{"id": i} for i in range(10)], [{"id": 1}], [], [{"id": i} for i in range(7)]]
        server = Files([json.dumps(d).encode() for d in documents])
        base = self.python_server(server)
        daemon = self.daemon({"sources": [{"name": "items", "url": base, "primary_key": "id",
                                           "write_mode": "replace"}]}, start=False)
        for number, status in enumerate((0, 1, 1, 0)):
            server.now = number
            result = self.gatherd("run", "--once", "-c", daemon.config_path, cwd=daemon.folder)
            self.assertEqual(result.returncode, status, result.stdout + result.stderr)
            if number == 1:
                self.assertIn("shrink", result.stdout)
                self.assertIn('1 records came where table "items" has 10', result.stdout)
        self.assertEqual(daemon.sql("SELECT outcome, failure, deleted FROM _gatherd_runs"),
                         [("success", None, 0), ("failed", "shrink", 0), ("failed", "shrink", 0),
                          ("success", None, 3)])
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 7)
        self.assertIn("deleted", result.stdout)
        self.assertRegex(result.stdout, r"items +│? *success|items.*success")


class Missing(harness.TestCase):
    def test_marks_come_and_go_and_each_item_has_its_own(self):
        present = {"a": [1, 2, 3], "b": [1, 2]}

        def answer(handler):
            name = handler.path.strip("/")
            return 200, {"Content-Type": "application/json"}, json.dumps(
                [{"id": i} for i in present[name]]).encode()
        base = self.python_server(answer)
        source = {"name": "rows", "url": base + "/{item}", "for_each": {"values": ["a", "b"]},
                  "primary_key": ["_item_value", "id"], "on_missing": "mark"}
        daemon = self.run_once({"sources": [source]})
        marks = "SELECT _item_value || id FROM rows WHERE _missing_since IS NOT NULL ORDER BY 1"

        def poll():
            result = self.gatherd("run", "--once", "-c", daemon.config_path, cwd=daemon.folder)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            return [name for name, in daemon.sql(marks)]
        present["a"] = [2]
        self.assertEqual(poll(), ["a1", "a3"])
        present["a"], present["b"] = [1, 2], [2]
        self.assertEqual(poll(), ["a3", "b1"])
        self.assertEqual(daemon.value("SELECT sum(marked) FROM _gatherd_runs"), 3)
        self.assertEqual(daemon.value("SELECT count(*) FROM rows"), 5)


if __name__ == "__main__":
    harness.main()
