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
            "\nA table changes with the next rows of its source; `gatherd schema apply`\n"
            "does all of it now, in one transaction.\n")
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

    def test_tables_of_children_are_foretold_as_they_are_made(self):
        self.serve_records([{"id": 1, "list": [{"v": 1, "deep": [7]}]}, {"id": 2}])
        fields = {"id": {"path": "$.id", "type": "integer"}}
        child = {"records": "$.list", "table": "lists", "fields": {"v": {"path": "$.v", "type": "real"}},
                 "children": [{"records": "$.deep"}]}
        daemon = self.configured(self.source(fields=fields, primary_key="id"))
        self.poll(daemon)
        daemon.write_config({"sources": [self.source(fields=fields, primary_key="id", children=[child])]})
        shown = self.diff(daemon)
        self.assertRegex(shown, '(?s)create table "lists" ?.*"_parent_id" INT.*"_index" INT.*"v" REAL')
        self.assertRegex(shown, '(?s)create table "lists_deep" ?.*"_parent_parent_id" INT')
        self.poll(daemon)
        self.assertEqual(self.diff(daemon), "The tables are as the configuration has them.\n")
        self.assertEqual(daemon.sql("SELECT _parent_parent_id, value FROM lists_deep"), [(1, 7)])
        child["children"][0]["fields"] = {"more": "$.more"}
        daemon.write_config({"sources": [self.source(fields=fields, primary_key="id", children=[child])]})
        self.assertIn('quakes: table "lists_deep"\n  add column "more"', self.diff(daemon))

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
        self.assertEqual(self.command(daemon, "apply", "a").stdout,
                         "The tables are as the configuration has them.\n")
        self.assertEqual(self.types(daemon, "a"), {"id": "INT", "new": "REAL"})
        self.assertEqual(daemon.sql("SELECT table_name, column_name, run_id FROM _gatherd_schema_changes"
                                    " WHERE change = 'add_column'"), [("a", "new", None)])

    def test_a_database_that_is_not_there_is_made(self):
        daemon = self.configured(self.source(fields={"id": {"path": "$.id", "type": "integer"}}))
        self.command(daemon, "apply")
        self.assertEqual(self.types(daemon), {"id": "INTEGER"})
        self.poll(daemon)
        self.assertEqual(daemon.sql("SELECT id FROM quakes"), [(1,), (2,)])


class Contract(SchemaCase):
    """Tables that hold {id, mag, place}, and then a record with another member or another type."""

    def polled(self, contract, records, status=0, **keys):
        daemon = self.configured(self.source(primary_key="id", schema_contract=contract, **keys))
        self.poll(daemon)
        self.serve_records(records)
        result = self.gatherd("run", "--once", "-c", daemon.config_path)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return daemon

    def rows(self, daemon):
        return daemon.sql("SELECT id, mag, place FROM quakes ORDER BY id")

    def reasons(self, daemon):
        return daemon.sql("SELECT kind, position, reason FROM _gatherd_dead_letters")

    OLD = [(1, 2, "x"), (2, 2, "y")]

    def test_freeze_fails_the_run_for_a_new_member_and_keeps_the_body(self):
        daemon = self.polled({"columns": "freeze"}, [{"id": 3, "mag": 1, "new": None},
                                                     {"id": 4, "new": 1}], status=1)
        self.assertEqual(self.rows(daemon), self.OLD)
        self.assertEqual(self.reasons(daemon), [(
            "body", None, 'table "quakes": the table has no column new, and schema_contract keeps its '
            "columns as they are (freeze); set it to evolve, or name the columns with fields")])

    def test_a_new_member_of_nulls_is_no_new_column(self):
        daemon = self.polled({"columns": "freeze"}, [{"id": 3, "mag": 1, "place": "z", "new": None}])
        self.assertEqual(self.rows(daemon), self.OLD + [(3, 1, "z")])

    def test_discard_row_rejects_the_records_with_a_new_member_alone(self):
        daemon = self.polled({"columns": "discard_row"}, [{"id": 3, "mag": 1, "place": "z"},
                                                          {"id": 4, "new": 1}], status=1)
        self.assertEqual(self.rows(daemon), self.OLD + [(3, 1, "z")])
        self.assertEqual(self.reasons(daemon), [(
            "record", 1, "the table has no column new, and schema_contract keeps its columns as they are")])
        self.assertNotIn("new", self.types(daemon))

    def test_discard_value_leaves_the_new_member_out_and_says_so_once(self):
        daemon = self.polled({"columns": "discard_value"}, [{"id": 3, "new": 1, "mag": 1, "place": "z"}])
        self.poll(daemon)
        self.assertEqual(self.rows(daemon), self.OLD + [(3, 1, "z")])
        self.assertNotIn("new", self.types(daemon))
        self.assertEqual(daemon.sql("SELECT column_name, change, new_value FROM _gatherd_schema_changes"
                                    " WHERE change = 'discard_value'"), [("new", "discard_value", None)])

    def test_types_freeze_discard_the_row_or_the_value(self):
        wrong = [{"id": 3, "mag": "strong", "place": "z"}, {"id": 4, "mag": 4, "place": "z"}]
        reason = 'column "mag" is INTEGER, and schema_contract keeps it from taking TEXT'
        cases = {
            "freeze": (1, [], "body", None, f'table "quakes": {reason} (freeze); set it to evolve, or name'
                       " the columns with fields"),
            "discard_row": (1, [(4, 4, "z")], "record", 0, reason),
            "discard_value": (0, [(3, None, "z"), (4, 4, "z")], None, None, None),
        }
        for contract, (status, rows, *letter) in cases.items():
            with self.subTest(contract):
                self.folder.joinpath("gatherd.db").unlink(missing_ok=True)
                self.serve_records([{"id": 1, "mag": 2, "place": "x"}, {"id": 2, "mag": 2, "place": "y"}])
                daemon = self.polled({"types": contract}, wrong, status)
                self.assertEqual(self.rows(daemon), self.OLD + rows)
                self.assertEqual(self.reasons(daemon), [tuple(letter)] if letter[0] else [])
                self.assertEqual(self.types(daemon)["mag"], "INTEGER")

    def test_declared_types_follow_the_contract_too(self):
        fields = {"id": "$.id", "mag": {"path": "$.mag", "type": "real"}, "place": "$.place"}
        wrong = [{"id": 3, "mag": "strong", "place": "z"}]
        daemon = self.polled({"types": "discard_value"}, wrong, fields=fields)
        self.assertEqual(self.rows(daemon), self.OLD + [(3, None, "z")])
        daemon.write_config({"sources": [self.source(primary_key="id", fields=fields,
                                                     schema_contract={"types": "freeze"})]})
        result = self.gatherd("run", "--once", "-c", daemon.config_path)
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertEqual(self.reasons(daemon), [(
            "body", None, 'record 1: column "mag": "strong" is not a real; schema_contract takes no other'
            " types (freeze)")])

    def test_a_key_and_a_table_that_is_not_there_yet_take_what_comes(self):
        frozen = {"columns": "freeze", "types": "freeze"}
        daemon = self.polled(frozen, [{"id": "3", "mag": 1, "place": None}])
        self.assertEqual(self.rows(daemon), self.OLD + [(3, 1, None)])


if __name__ == "__main__":
    harness.main()
