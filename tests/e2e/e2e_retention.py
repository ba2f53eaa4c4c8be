#!/usr/bin/env python3
"""e2e_retention.py - rows that grow too old or too many go while polling goes on."""
import json
import sqlite3
import unittest

import harness

OLD = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-100 days')"


class Retention(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.polls = 0
        self.base = self.python_server(self.answer)

    def answer(self, handler):
        self.polls += 1
        records = [{"id": self.polls * 10 + i, "tags": [1, 2]} for i in range(3)]
        return 200, {"Content-Type": "application/json"}, json.dumps(records).encode()

    def test_bounds_hold_while_the_daemon_polls(self):
        source = {"name": "log", "url": self.base, "interval": "1s"}
        tags = {"exclude": ["tags"], "children": [{"records": "$.tags", "table": "tags"}]}
        keyed = {**source, **tags, "name": "keyed", "primary_key": "id"}
        daemon = self.daemon({"sources": [source, keyed]}, start=False)
        result = self.gatherd("run", "--once", "-c", daemon.config_path)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

        with sqlite3.connect(daemon.database) as db: # what a hundred days leave
            db.execute(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                           INSERT INTO log (id, _run_id, _fetched_at) SELECT -i, 1, {OLD} FROM n""")
            db.execute(f"UPDATE keyed SET _fetched_at = {OLD}")
            db.execute(f"UPDATE _gatherd_runs SET finished_at = {OLD}")
        db.close()
        last = daemon.value("SELECT max(id) FROM _gatherd_runs")
        bounds = {"retention": {"age": "90d"}}
        daemon.write_config({"retention": {"runs": {"age": "30d", "rows": 5}}, "sources": [
            {**source, "retention": {"rows": 10}}, {**keyed, **bounds}]})
        daemon.start()

        daemon.wait_for_sql("SELECT count(*) < 10 FROM log WHERE id < 0", 1)
        daemon.wait_for_sql(f"SELECT count(*) FROM keyed WHERE _fetched_at <= {OLD}", 0)
        daemon.wait_for_sql(f"SELECT count(*) FROM _gatherd_runs WHERE id <= {last}", 0)
        self.assertEqual(daemon.value("SELECT count(*) FROM tags WHERE _parent_id NOT IN (SELECT id FROM keyed)"), 0)
        self.assertGreater(daemon.value("SELECT count(*) FROM tags"), 0)
        polled = daemon.value("SELECT max(id) FROM _gatherd_runs")
        self.assertGreater(polled, last, "no id is given twice")
        daemon.wait_for_sql(f"SELECT max(id) > {polled} FROM _gatherd_runs", 1)
        daemon.wait_for_log("retention: rows deleted")
        daemon.stop()
        self.assertIn("table=log", daemon.log())
        self.assertEqual(daemon.value("PRAGMA integrity_check"), "ok")
        self.assertEqual(daemon.value("PRAGMA auto_vacuum"), 2)


if __name__ == "__main__":
    harness.main()
