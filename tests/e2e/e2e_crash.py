#!/usr/bin/env python3
"""e2e_crash.py - SIGKILL at random moments: nothing committed is lost, nothing is there twice.

Thirty sources are polled as often as gatherd allows, every 100 to 200 ms, in append and upsert
mode, so that a request ends every few milliseconds. After each kill a copy of
the database is looked at as a crash left it; then gatherd goes on with the database itself. What
was answered but not committed is answered again after the restart, as the same request: in the end
every answer that was ever given is in the tables exactly once.

GATHERD_SEED repeats a run; ./check --full kills 100 times.
"""
import contextlib
import os
import random
import shutil
import sqlite3
import time

import harness
from counting_server import CountingServer

KILLS = 100 if os.environ.get("GATHERD_FULL") == "1" else 15
ROWS = 3
APPEND = [f"append{i}" for i in range(18)]
UPSERT = [f"upsert{i}" for i in range(12)]

# Each statement finds what must not be: any row is a fault.
FAULTS = {
    "a run without its source, or a source whose counters are not its runs":
        """SELECT s.name, s.runs, count(r.id), s.failed_runs, sum(r.outcome = 'failed'),
                  s.rows_inserted, sum(r.inserted), s.rows_updated, sum(r.updated),
                  s.skipped_slots, sum(r.skipped_slots), s.last_run_id, max(r.id)
           FROM _gatherd_runs AS r LEFT JOIN _gatherd_sources AS s ON s.id = r.source_id
           GROUP BY r.source_id
           HAVING s.name IS NOT r.source OR s.runs <> count(r.id)
              OR s.failed_runs <> sum(r.outcome = 'failed')
              OR s.rows_inserted <> sum(r.inserted) OR s.rows_updated <> sum(r.updated)
              OR s.skipped_slots <> sum(r.skipped_slots) OR s.last_run_id <> max(r.id)""",
    "a source that says it ran, without runs":
        """SELECT name, runs FROM _gatherd_sources AS s
           WHERE runs > 0 AND NOT EXISTS (SELECT 1 FROM _gatherd_runs WHERE source_id = s.id)""",
    "a next due time that is not after the last run's slot, or far from it":
        """SELECT s.name, s.next_due_at, r.scheduled_at, r.finished_at
           FROM _gatherd_sources AS s JOIN _gatherd_runs AS r ON r.id = s.last_run_id
           WHERE NOT (s.next_due_at > r.scheduled_at
                  AND julianday(s.next_due_at) < julianday(r.finished_at) + 2.0 / 86400)""",
    "failures in a row that the runs do not show":
        """SELECT s.name, s.consecutive_failures FROM _gatherd_sources AS s
           WHERE s.consecutive_failures <> (
             SELECT count(*) FROM _gatherd_runs AS r WHERE r.source_id = s.id AND r.id > coalesce(
               (SELECT max(id) FROM _gatherd_runs AS g
                WHERE g.source_id = s.id AND g.outcome <> 'failed'), 0))""",
    "a successful run that does not account for its records":
        """SELECT id, source FROM _gatherd_runs
           WHERE outcome = 'success' AND records <> inserted + updated + unchanged""",
}

APPEND_FAULTS = {
    "a run whose rows are not as many as it says":
        """SELECT r.id, r.inserted, count(t._run_id) FROM _gatherd_runs AS r
           LEFT JOIN {table} AS t ON t._run_id = r.id
           WHERE r.source = '{table}' GROUP BY r.id
           HAVING count(t._run_id) <> r.inserted OR (r.outcome = 'success' AND r.inserted <> {rows})""",
    "a row without its run":
        """SELECT t._run_id FROM {table} AS t LEFT JOIN _gatherd_runs AS r ON r.id = t._run_id
           WHERE r.source IS NOT '{table}'""",
    "an answer that is there twice, in part, or mixed with another":
        """SELECT request, count(*), count(DISTINCT _run_id), count(DISTINCT id) FROM {table}
           GROUP BY request
           HAVING count(*) <> {rows} OR count(DISTINCT _run_id) <> 1 OR count(DISTINCT id) <> {rows}""",
}

UPSERT_FAULTS = {
    "a row that is not the last run's":
        """SELECT t.id, t._run_id, t.request FROM {table} AS t
           WHERE t._run_id <> (SELECT max(id) FROM _gatherd_runs
                               WHERE source = '{table}' AND inserted + updated > 0)""",
    "rows of more than one answer, or not all of them":
        """SELECT count(*), count(DISTINCT request) FROM {table}
           HAVING count(*) NOT IN (0, {rows}) OR count(DISTINCT request) > 1""",
}


class Crash(harness.TestCase):
    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("GATHERD_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"GATHERD_SEED={seed}", flush=True)
        self.random = random.Random(seed)
        self.server = CountingServer()
        self.addCleanup(self.server.stop)

    def config(self):
        intervals = self.random.choices(range(100, 201), k=len(APPEND) + len(UPSERT))
        sources = [{"name": name, "url": f"{self.server.url}/rows/{name}",
                    "params": {"rows": str(ROWS), "delay_ms": str(self.random.randrange(0, 5))},
                    "interval": f"{interval}ms"}
                   for name, interval in zip(APPEND + UPSERT, intervals)]
        for source in sources:
            if source["name"] in UPSERT:
                source.update(primary_key="id", write_mode="upsert")
        return {"hosts": {"max_concurrent": 32}, "sources": sources}

    @contextlib.contextmanager
    def as_it_was_left(self):
        """A copy of the database without its shared memory, so that SQLite recovers it anew."""
        folder = self.folder / "copy"
        folder.mkdir()
        for name in ("gatherd.db", "gatherd.db-wal"):
            if (self.gatherd_folder / name).exists():
                shutil.copy(self.gatherd_folder / name, folder / name)
        connection = sqlite3.connect(folder / "gatherd.db")
        try:
            yield connection
        finally:
            connection.close()
            shutil.rmtree(folder)

    def find_faults(self, db):
        self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if "_gatherd_runs" not in tables:
            return tables
        checks = dict(FAULTS)
        for names, faults in ((APPEND, APPEND_FAULTS), (UPSERT, UPSERT_FAULTS)):
            checks.update({f"{table}: {what}": sql.format(table=table, rows=ROWS)
                           for table in names if table in tables for what, sql in faults.items()})
        for what, sql in checks.items():
            self.assertEqual(db.execute(sql).fetchall(), [], what)
        failed = db.execute("SELECT source, failure, error FROM _gatherd_runs"
                            " WHERE outcome <> 'success' LIMIT 5").fetchall()
        self.assertEqual(failed, [], "runs that failed")
        return tables

    def committed(self, db, tables):
        """The numbers of the answers that are in the append tables, by source."""
        return {name: {n for (n,) in db.execute(f"SELECT DISTINCT request FROM {name}")}
                if name in tables else set() for name in APPEND}

    def seen_by_a_reader(self, daemon):
        """What another program could read just before the kill: it must be there after it."""
        with contextlib.suppress(sqlite3.Error):
            return daemon.sql("SELECT count(*), coalesce(max(id), 0) FROM _gatherd_runs")[0]
        return (0, 0)

    def runs(self, db, tables):
        if "_gatherd_runs" not in tables:
            return (0, 0)
        return db.execute("SELECT count(*), coalesce(max(id), 0) FROM _gatherd_runs").fetchone()

    def test_killed_at_any_moment_it_has_every_answer_exactly_once(self):
        daemon = self.daemon(self.config(), start=False)
        self.gatherd_folder = daemon.folder
        lost = 0
        killed_before_ready = 0
        for kill in range(KILLS):
            ready = daemon.log().count("msg=ready")
            daemon.start(wait=False)
            # A start takes some 20 ms: every fourth kill is to meet one.
            time.sleep(self.random.uniform(0.0, 0.03 if kill % 4 == 0 else 0.7))
            seen = self.seen_by_a_reader(daemon)
            self.assertIsNone(daemon.process.poll(), daemon.log()[-3000:])
            daemon.kill()
            killed_before_ready += daemon.log().count("msg=ready") == ready
            with self.as_it_was_left() as db:
                tables = self.find_faults(db)
                left = self.runs(db, tables)
                self.assertGreaterEqual(left, seen, f"kill {kill}: a committed run is gone")
                for name, numbers in self.committed(db, tables).items():
                    missing = self.server.answered(name) - numbers - self.waiting(name)
                    lost += len(missing)
                    self.server.replay(name, sorted(missing))
        daemon.start()
        for name in APPEND:
            harness.wait_until(lambda name=name: not self.waiting(name), 30, "the replays")
        self.assertEqual(daemon.stop(), 0, daemon.log()[-3000:])
        with self.as_it_was_left() as db:
            tables = self.find_faults(db)
            for name, numbers in self.committed(db, tables).items():
                self.assertEqual(self.server.answered(name) - numbers, set(), f"{name}: lost")
                self.assertEqual(numbers - self.server.answered(name), set(), f"{name}: invented")
            count, last = self.runs(db, tables)
        print(f"{KILLS} kills, {killed_before_ready} of them before READY; {count} runs committed, "
              f"{lost} answers asked for again", flush=True)
        self.assertGreater(count, KILLS)

    def test_killed_while_it_makes_its_database_it_starts_all_the_same(self):
        for _ in range(max(8, KILLS // 3)):
            daemon = self.daemon(self.config(), start=False).start(wait=False)
            time.sleep(self.random.uniform(0.0, 0.04))
            daemon.kill()
            daemon.start()
            self.assertEqual(daemon.stop(), 0, daemon.log())
            self.assertEqual(daemon.sql("PRAGMA integrity_check"), [("ok",)])

    def waiting(self, name):
        """The numbers that the server will answer again."""
        with self.server._lock:
            return set(self.server._replays[name])


if __name__ == "__main__":
    harness.main()
