"""e2e_schema.py - gatherd schema: what a changed configuration would do to the tables, and doing it.

nginx serves the records, the real binary polls them, and what `schema diff` foretells is held against
what the next run or `schema apply` then does.
"""
import contextlib
import json
import sqlite3

import harness


@harness.needs_command("nginx")
class SchemaCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.folder / "served"
        self.root.mkdir()
        self.serve_records([{"id": 1, "mag": 2, "place": "x"}, {"id": 2, "mag": 2, "place": "y"}])
        self.base = self.nginx(self.root)

    def serve_records(self, records):
        (self.root / "data.json").write_text(json.dumps(records))

    def source(self, name="quakes", **keys):
        return {"name": name, "url": f"{self.base}/data.json", "conditional": False, **keys}

    def configured(self, *sources):
        daemon = self.daemon({"sources": list(sources)}, start=False)
        return daemon

    def command(self, daemon, *words, status=0):
        result = self.gatherd("schema", *words, "-c", daemon.config_path)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def diff(self, daemon, *sources):
        return self.command(daemon, "diff", *sources).stdout

    def poll(self, daemon):
        result = self.gatherd("run", "--once", "-c", daemon.config_path)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def types(self, daemon, table="quakes"):
        return dict(daemon.sql(f"SELECT name, type FROM pragma_table_info('{table}')"
                               " WHERE name NOT LIKE '\\_%' ESCAPE '\\'"))


class Diff(SchemaCase):
    FIELDS = {"id": "$.id", "mag": {"path": "$.mag", "type": "integer"}, "place": "$.place"}

    def test_before_the_first_run_it_shows_the_tables_to_come(self):
        daemon = self.configured(self.source(fields=self.FIELDS, primary_key="id"))
        shown = self.diff(daemon)
        self.assertIn('quakes: table "quakes"\n  create table "quakes"\n', shown)
        self.assertIn('"mag" INT', shown)
        self.assertFalse((self.folder / "gatherd.db").exists(), "diff only reads")

    def test_after_a_run_there_is_nothing_to_do(self):
        daemon = self.configured(self.source(fields=self.FIELDS, primary_key="id"))
        self.poll(daemon)
        self.assertEqual(self.diff(daemon), "The tables are as the configuration has them.\n")

    def test_it_foretells_what_the_next_run_does(self):
        daemon = self.configured(self.source(fields=self.FIELDS, primary_key="id"))
        self.poll(daemon)
        daemon.write_config({"sources": [self.source(
            fields={"id": "$.id", "mag": {"path": "$.mag", "type": "real"}, "depth": "$.depth",
                    "felt": {"path": "$.felt", "type": "integer"}}, primary_key="id")]})
        before = daemon.sql("SELECT * FROM _gatherd_schema_changes")
        self.assertEqual(
            self.diff(daemon),
            'quakes: table "quakes"\n'
            '  change column "mag" from INTEGER to ANY\n'
            '  add column "depth" (the type of its first values)\n'
            '  add column "felt" INTEGER\n'
            '  column "place" is filled by nothing any more; its values stay\n'
            "\nA table changes with the next rows of its source; `gatherd schema apply` does all of it"
            " now,\nin one transaction.\n")
        self.assertEqual(daemon.sql("SELECT * FROM _gatherd_schema_changes"), before)
        self.poll(daemon)
        self.assertEqual(self.types(daemon), {"id": "INT", "mag": "ANY", "place": "TEXT", "depth": "ANY",
                                              "felt": "INTEGER"})
        self.assertEqual(
            self.diff(daemon),
            'quakes: table "quakes"\n'
            '  column "place" is filled by nothing any more; its values stay\n'
            "\nThe tables are as the configuration has them.\n")

    def test_a_key_that_the_rows_do_not_allow_is_foretold_and_changes_nothing(self):
        daemon = self.configured(self.source(fields=self.FIELDS, primary_key="id"))
        self.poll(daemon)
        daemon.write_config({"sources": [self.source(fields=self.FIELDS, primary_key="mag")]})
        shown = self.diff(daemon)
        self.assertIn('  change the key from PRIMARY KEY ("id") to PRIMARY KEY ("mag")', shown)
        self.assertIn("  refused: 1 of 2 rows have equal or missing values in the key\n", shown)
        refusal = self.command(daemon, "apply", status=1).stderr
        self.assertIn("rows there have equal or missing values in it", refusal)
        self.assertEqual(self.diff(daemon), shown)

    def test_it_reads_while_the_daemon_runs_and_apply_leaves_the_tables_to_the_daemon(self):
        daemon = self.daemon({"sources": [self.source(fields=self.FIELDS, primary_key="id",
                                                      interval="1h")]})
        daemon.wait_for_sql("SELECT count(*) FROM quakes", 2)
        running = daemon.config_path.read_text()
        daemon.write_config({"sources": [self.source(fields={**self.FIELDS, "more": "$.more"},
                                                     primary_key="id", interval="1h")]})
        self.assertIn('add column "more"', self.diff(daemon))
        refusal = self.command(daemon, "apply", status=69).stderr
        self.assertIn("a daemon that runs changes its tables itself", refusal)
        daemon.config_path.write_text(running)
        daemon.stop()

    def test_what_people_added_to_the_database_is_no_hindrance(self):
        daemon = self.configured(self.source(fields=self.FIELDS, primary_key="id"))
        self.poll(daemon)
        with contextlib.closing(sqlite3.connect(daemon.database)) as db, db:
            db.create_function("mine", 1, lambda x: x)
            db.execute("CREATE VIRTUAL TABLE words USING fts5(place)")
            db.execute("CREATE INDEX by_place ON quakes (place)")
            db.execute("CREATE VIEW seen AS SELECT mine(id) FROM quakes")
            db.execute("CREATE TRIGGER t AFTER INSERT ON quakes BEGIN SELECT new.id; END")
        self.assertEqual(self.diff(daemon), "The tables are as the configuration has them.\n")

    def test_words_it_does_not_know_are_explained(self):
        daemon = self.configured(self.source())
        self.assertIn("say what to do: diff or apply", self.command(daemon, status=64).stderr)
        self.assertIn('unknown word "drop"', self.command(daemon, "drop", status=64).stderr)
        self.assertIn('no source is named "quake"', self.command(daemon, "diff", "quake", status=64).stderr)


class Apply(SchemaCase):
    def test_all_of_it_happens_or_nothing(self):
        good = {"fields": {"id": "$.id"}, "primary_key": "id"}
        daemon = self.configured(self.source("a", **good), self.source("b", **good))
        self.poll(daemon)
        with contextlib.closing(sqlite3.connect(daemon.database)) as db, db:
            db.execute("UPDATE b SET _run_id = 1")
        more = {"id": "$.id", "new": {"path": "$.new", "type": "real"}}
        keyed = {"fields": {**more, "other": "$.other"}, "primary_key": "other"}
        daemon.write_config({"sources": [self.source("a", fields=more, primary_key="id"),
                                         self.source("b", **keyed)]})
        self.assertIn("2 of 2 rows", self.diff(daemon, "b"))
        self.assertIn('source "b"', self.command(daemon, "apply", status=1).stderr)
        self.assertEqual(self.types(daemon, "a"), {"id": "INT"})
        self.command(daemon, "apply", "a")
        self.assertEqual(self.types(daemon, "a"), {"id": "INT", "new": "REAL"})
        self.assertEqual(daemon.sql("SELECT table_name, column_name, run_id FROM _gatherd_schema_changes"
                                    " WHERE change = 'add_column'"), [("a", "new", None)])

    def test_a_database_that_is_not_there_is_made(self):
        daemon = self.configured(self.source(fields={"id": {"path": "$.id", "type": "integer"}}))
        self.command(daemon, "apply")
        self.assertEqual(self.types(daemon), {"id": "INTEGER"})
        self.poll(daemon)
        self.assertEqual(daemon.sql("SELECT id FROM quakes"), [(1,), (2,)])


if __name__ == "__main__":
    harness.main()
