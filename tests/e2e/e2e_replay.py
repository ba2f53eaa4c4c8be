"""e2e_replay.py - a wrong mapping is corrected later, without asking the API again.

Dead letters and kept bodies through today's mapping, while the daemon runs and while it is stopped.
"""
import json
import os
import pty
import sqlite3
import subprocess

import harness
from harness import GATHERD, main, wait_until

TEMPERATURES = [{"id": 1, "t": "21.5", "place": "attic", "more": {"by": "A"}},
                {"id": 2, "t": "n/a", "place": "cellar", "more": {"by": "B"}},
                {"id": 3, "t": "19", "place": "yard", "more": {"by": "C"}}]


class Api:
    """Answers with a list that changes with each request, and counts them."""

    def __init__(self):
        self.requests = 0
        self.records = TEMPERATURES

    def __call__(self, request):
        self.requests += 1
        records = [dict(r, n=self.requests) for r in self.records]
        return 200, {"Content-Type": "application/json", "Set-Cookie": "session=hush-hush",
                     "X-Request": str(self.requests)}, json.dumps(records).encode()


class Replay(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.api = Api()
        self.url = self.python_server(self.api)

    def config(self, fields=None, **more):
        source = {"name": "temps", "url": self.url, "interval": "1h", "primary_key": "id",
                  "store_raw": "30d",
                  "fields": fields or {"id": "$.id", "t": {"path": "$.t", "type": "real"}}}
        source.update(more)
        return {"sources": [{k: v for k, v in source.items() if v is not None}]}

    def command(self, daemon, *words, status=0):
        result = self.gatherd(*words, "-c", daemon.config_path, cwd=daemon.folder)
        self.assertEqual(result.returncode, status, f"{words}: {result.stdout}{result.stderr}")
        return result.stdout + result.stderr

    def rows(self, daemon, sql="SELECT id, t, place FROM temps ORDER BY id"):
        return daemon.sql(sql)

    # --- The story: rejected, corrected, replayed. ---

    def test_records_that_a_wrong_type_refused_are_stored_once_it_is_corrected(self):
        daemon = self.run_once(self.config(), status=1)
        self.assertEqual(daemon.sql("SELECT id, t FROM temps ORDER BY id"), [(1, 21.5), (3, 19.0)])
        listed = self.command(daemon, "failed", "list", "--format", "json")
        letter, = json.loads(listed)
        self.assertEqual((letter["source"], letter["kind"], letter["record"], letter["line"],
                          letter["generation"], letter["times"]), ("temps", "record", 2, 1, 1, 1))
        self.assertEqual(letter["reason"], 'column "t": "n/a" is not a real')
        shown = self.command(daemon, "failed", "show", letter["id"])
        self.assertIn('"place": "cellar"', shown)
        self.assertIn("generation    1 (since ", shown)
        raw = self.command(daemon, "failed", "show", letter["id"], "--raw")
        self.assertEqual(json.loads(raw)["id"], 2)
        # Still wrong: it stays, and says so.
        said = self.command(daemon, "failed", "replay", letter["id"], status=1)
        self.assertIn("1 dead letter replayed: 0 stored, 1 stays", said)
        daemon.write_config(self.config({"id": "$.id", "t": "$.t", "place": "$.place"}))
        said = self.command(daemon, "failed", "replay", "--source", "temps")
        self.assertIn("1 dead letter replayed: 1 stored, 0 stay", said)
        self.assertEqual(daemon.sql("SELECT id, place, _run_id FROM temps WHERE id = 2"),
                         [(2, "cellar", 1)])
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_dead_letters"), 0)
        self.assertEqual(daemon.sql("SELECT generation FROM _gatherd_generations"), [(1,), (2,)])
        # The other rows get the new column from the kept body.
        self.assertEqual(self.rows(daemon), [(1, 21.5, None), (2, "n/a", "cellar"), (3, 19.0, None)])
        said = self.command(daemon, "replay", "temps", "--since", "1d")
        self.assertIn("1 body replayed into temps: 0 rows inserted, 2 updated, 1 unchanged", said)
        self.assertEqual(self.rows(daemon), [(1, "21.5", "attic"), (2, "n/a", "cellar"),
                                             (3, "19", "yard")])
        self.assertEqual(self.api.requests, 1)

    def test_bodies_go_into_the_dead_letters_whole_and_become_rows_when_the_mapping_fits(self):
        daemon = self.run_once(self.config(records="$.items[*]"), status=1)
        letter, = json.loads(self.command(daemon, "failed", "list", "--format", "json"))
        self.assertEqual((letter["kind"], letter["record"]), ("body", None))
        self.assertIn("failure       records", self.command(daemon, "failed", "show", letter["id"]))
        daemon.write_config(self.config({"id": "$.id", "t": "$.t", "place": "$.place"}))
        self.command(daemon, "failed", "replay", "--all")
        self.assertEqual(len(self.rows(daemon)), 3)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_raw"), 0)

    def test_letters_that_are_chosen_are_dropped_and_others_stay(self):
        self.api.records = [dict(r, id=i, t="bad") for i, r in enumerate(TEMPERATURES * 3)]
        daemon = self.run_once(self.config(), status=1)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_dead_letters"), 9)
        self.assertIn("say which", self.command(daemon, "failed", "drop", status=64))
        self.assertIn("say which", self.command(daemon, "failed", "replay", status=64))
        self.assertIn("2 dead letters dropped", self.command(daemon, "failed", "drop", "3", "5"))
        said = self.command(daemon, "failed", "drop", "3", "4", status=1)
        self.assertIn("1 dead letter dropped", said)
        self.assertIn("1 of those named is not there", said)
        self.assertIn("0 dead", self.command(daemon, "failed", "drop", "--before", "1h"))
        self.assertIn("0 dead", self.command(daemon, "failed", "drop", "--source", "other"))
        daemon.start()  # and the same while it runs
        self.assertIn("1 dead letter dropped", self.command(daemon, "failed", "drop", "1"))
        self.assertIn("5 dead letters dropped", self.command(daemon, "failed", "drop", "--source", "temps"))
        self.assertEqual(self.command(daemon, "failed", "list").count("bad"), 0)

    # --- Kept bodies. ---

    def test_a_running_daemon_replays_what_it_kept_by_the_mapping_it_has(self):
        daemon = self.daemon(self.config(interval="200ms"))
        daemon.wait_for_sql("SELECT count(*) >= 4 FROM _gatherd_raw")
        wrong = self.config({"id": "$.id", "t": "$.t", "by": "$.more.by"}, interval="1h")
        daemon.write_config(wrong)
        said = self.command(daemon, "replay", "temps", "--since", "1d", status=78)
        self.assertIn("reload it first", said)
        daemon.reload()
        # Dead letters too are the daemon's to write.
        said = self.command(daemon, "failed", "replay", "--all")
        self.assertRegex(said, r"\d+ dead letters replayed: \d+ stored, 0 stay")
        self.command(daemon, "replay", "temps", "--since", "1d")
        self.assertEqual([row[0] for row in self.rows(daemon, "SELECT \"by\" FROM temps ORDER BY id")],
                         ["A", "B", "C"])
        before = daemon.sql("SELECT * FROM temps ORDER BY id")
        said = self.command(daemon, "replay", "temps", "--since", "1d")
        self.assertIn("0 rows inserted, 0 updated", said)
        self.assertEqual(daemon.sql("SELECT * FROM temps ORDER BY id"), before)
        self.assertEqual(self.command(daemon, "replay", "temps", "--since", "1d", "--into", "old_")
                         .count("replayed into old_temps"), 1)
        self.assertEqual(daemon.value("SELECT count(*) FROM old_temps"), 3)
        runs = daemon.value("SELECT count(*) FROM _gatherd_runs")
        self.assertEqual(runs, daemon.value("SELECT count(DISTINCT id) FROM _gatherd_runs"))
        self.assertEqual(daemon.stop(), 0)
        self.assertIn('msg="replay begins"', daemon.log())
        self.assertIn('msg="replay ended"', daemon.log())

    def test_where_rows_are_appended_a_replay_replaces_them_exactly(self):
        config = self.config(primary_key=None)
        daemon = self.run_once(config, status=1)
        for _ in range(2):
            self.gatherd("run", "--once", "-c", daemon.config_path)
        self.assertEqual(daemon.value("SELECT count(*) FROM temps"), 6)
        daemon.write_config(self.config({"id": "$.id", "t": "$.t", "n": "$.n"}, primary_key=None))
        self.command(daemon, "failed", "replay", "--all")
        self.assertEqual(daemon.sql("SELECT count(*), count(n) FROM temps"), [(9, 3)])
        for _ in range(2):
            self.command(daemon, "replay", "temps", "--since", "1d")
            self.assertEqual(daemon.sql("SELECT id, t, n, _run_id FROM temps ORDER BY n, id"),
                             [(r["id"], r["t"], n, n) for n in (1, 2, 3) for r in TEMPERATURES])
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_dead_letters"), 0)
        fetched = daemon.sql("SELECT DISTINCT _fetched_at FROM temps ORDER BY 1")
        self.assertEqual(fetched, daemon.sql("SELECT fetched_at FROM _gatherd_raw ORDER BY 1"))
        # A mapping that finds nothing harms nothing.
        daemon.write_config(self.config(primary_key=None, records="$.wrong[*]"))
        said = self.command(daemon, "replay", "temps", "--since", "1d", status=1)
        self.assertIn("3 of them failed, and their rows are as they were", said)
        self.assertEqual(daemon.value("SELECT count(*) FROM temps"), 9)

    def test_older_bodies_do_not_take_rows_back_into_the_past(self):
        daemon = self.run_once(self.config({"id": "$.id", "n": "$.n"}))
        middle = self.later(daemon)
        self.gatherd("run", "--once", "-c", daemon.config_path)
        self.command(daemon, "replay", "temps", "--since", "1d", "--until", middle)
        self.assertEqual(daemon.sql("SELECT id, n, _run_id FROM temps ORDER BY id"),
                         [(1, 2, 2), (2, 2, 2), (3, 2, 2)])

    @staticmethod
    def later(daemon):
        """A moment after the newest body and before the next one."""
        import time
        time.sleep(0.05)
        now = daemon.value("SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')")
        time.sleep(0.05)
        return now

    def test_pages_of_a_run_stay_apart_and_children_come_along(self):
        def answer(request):
            page = int(request.path.partition("page=")[2] or 1)
            orders = [{"id": 10 * page + i, "lines": [{"sku": f"{page}-{i}-{k}", "q": k} for k in range(2)]}
                      for i in range(2)] if page < 4 else []
            return 200, {"Content-Type": "application/json"}, json.dumps({"orders": orders}).encode()
        source = {"name": "orders", "url": self.python_server(answer), "interval": "1h",
                  "store_raw": "1d", "records": "$.orders[*]", "pagination": {"type": "page"},
                  "fields": {"id": "$.id"},
                  "children": [{"records": "$.lines[*]", "table": "lines", "fields": {"sku": "$.sku"}}]}
        daemon = self.run_once({"sources": [source]})
        self.assertEqual(daemon.sql("SELECT count(*), count(DISTINCT fetched_at) FROM _gatherd_raw"),
                         [(4, 4)])
        before = (daemon.sql("SELECT * FROM orders ORDER BY id"),
                  daemon.sql("SELECT * FROM lines ORDER BY sku"))
        self.assertEqual((len(before[0]), len(before[1])), (6, 12))
        source["children"][0]["fields"]["quantity"] = "$.q"
        daemon.write_config({"sources": [source]})
        said = self.command(daemon, "replay", "orders", "--since", "1d")
        self.assertIn("4 bodies replayed into orders: 6 rows inserted", said)
        self.assertIn("12 rows of children inserted", said)
        self.assertEqual(daemon.sql("SELECT * FROM orders ORDER BY id"), before[0])
        after = daemon.sql("SELECT * FROM lines ORDER BY sku")
        self.assertEqual([row[:-1] for row in after], before[1])
        self.assertEqual([row[-1] for row in after], [0, 1] * 6)
        self.command(daemon, "replay", "orders", "--since", "1d", "--into", "copy")
        self.assertEqual(daemon.sql("SELECT count(*) FROM copy_lines"), [(12,)])

    # --- What may go wrong. ---

    def test_killed_in_the_middle_it_is_said_again_and_gives_the_same(self):
        self.api.records = [{"id": i, "t": "1", "place": "p" * 500} for i in range(300)]
        daemon = self.daemon(self.config(primary_key=None, interval="50ms"))
        daemon.wait_for_sql("SELECT count(*) >= 20 FROM _gatherd_raw")
        daemon.stop()
        bodies = daemon.value("SELECT count(*) FROM _gatherd_raw")
        daemon.write_config(self.config({"id": "$.id", "n": "$.n"}, primary_key=None))
        process = subprocess.Popen([GATHERD, "replay", "temps", "--since", "1d", "-c",
                                    str(daemon.config_path)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        try:
            wait_until(lambda: process.poll() is not None or self.has_some(daemon), 20, "a first step",
                       pause=0.001)
        finally:
            process.kill()
            process.communicate()
        self.assertEqual(daemon.value("SELECT count(*) FROM temps"), 300 * bodies)
        self.command(daemon, "replay", "temps", "--since", "1d")
        self.assertEqual(daemon.sql("SELECT count(*), count(n), count(DISTINCT id || '-' || n) FROM temps"),
                         [(300 * bodies,) * 3])
        self.assertEqual(daemon.value("PRAGMA integrity_check"), "ok")

    @staticmethod
    def has_some(daemon):
        try:
            return daemon.value("SELECT count(n) FROM temps") > 0
        except sqlite3.OperationalError:
            return False

    def test_a_damaged_body_is_said_and_the_others_are_replayed(self):
        daemon = self.run_once(self.config({"id": "$.id"}))
        self.gatherd("run", "--once", "-c", daemon.config_path)
        with sqlite3.connect(daemon.database) as connection:
            connection.execute("UPDATE _gatherd_raw SET content = substr(content, 1, 60) WHERE run_id = 1")
        connection.close()
        said = self.command(daemon, "replay", "temps", "--since", "1d", status=1)
        self.assertRegex(said, r"run 1 of 2.*: the body is damaged: ")
        self.assertIn("2 bodies replayed", said)
        self.assertIn("1 of them failed", said)

    def test_what_is_kept_holds_no_cookie_and_goes_when_its_time_is_over(self):
        daemon = self.run_once(self.config(store_raw="1ms"), status=1)
        database = sqlite3.connect(daemon.database)
        self.addCleanup(database.close)
        for table, in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            for row in database.execute(f'SELECT * FROM "{table}"'):
                self.assertNotIn("hush-hush", repr(row))
        self.assertEqual(daemon.value("SELECT head_bytes > 0 FROM _gatherd_raw"), 1)
        self.assertNotIn(b"hush-hush", daemon.database.read_bytes())
        daemon.start()  # tends the store at once
        daemon.wait_for_sql("SELECT count(*) = 0 FROM _gatherd_raw")

    def test_wrong_words_say_what_to_do(self):
        daemon = self.run_once(self.config(), status=1)
        for words, said in ((["replay", "temps"], "--since"),
                            (["replay", "nobody", "--since", "1d"], "no source is named"),
                            (["replay", "temps", "--since", "soon"], "is no time"),
                            (["failed", "list", "3"], "takes no ids"),
                            (["failed", "show", "x"], "is no id of a dead letter"),
                            (["failed", "list", "--all"], "does not take"),
                            (["failed", "eat"], "unknown word"),
                            (["failed", "replay", "1", "--all"], "not both"),
                            (["replay", "temps", "--since", "1d", "--into", "temps"], "is one of source"),
                            (["replay", "temps", "--since", "1d", "--into", "_gatherd_x"], "is reserved")):
            self.assertIn(said, self.command(daemon, *words, status=64), words)
        self.assertIn("there is no dead letter 99", self.command(daemon, "failed", "show", "99", status=1))

    def test_nothing_that_came_from_outside_reaches_the_terminal_as_a_command(self):
        self.api.records = [{"id": 1, "t": "\x1b[31mred\x07\u202e"}]
        daemon = self.run_once(self.config(), status=1)
        for words in (["failed", "show", "1"], ["failed", "show", "1", "--raw"], ["failed", "list"],
                      ["failed", "replay", "1"], ["replay", "temps", "--since", "1d"]):
            shown = self.on_terminal(daemon, words)
            self.assertNotIn(b"\x1b[31m", shown, words)
            self.assertNotIn(b"\x07", shown, words)
            self.assertNotIn("\u202e".encode(), shown, words)

    def on_terminal(self, daemon, words):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([GATHERD, *words, "-c", str(daemon.config_path)], stdin=theirs,
                                   stdout=theirs, stderr=theirs, cwd=daemon.folder)
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        process.wait()
        os.close(ours)
        return shown


if __name__ == "__main__":
    main()
