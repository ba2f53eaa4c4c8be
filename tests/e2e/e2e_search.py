"""e2e_search.py - what makes rows quick to find: indexes, full-text search, views.

nginx serves the records, the real binary polls them, and SQLite itself is asked what it would use.
"""
import contextlib
import json
import sqlite3

import harness

POSTS = [{"id": 1, "title": "On queues", "body": "first in, first out", "at": 5},
         {"id": 2, "title": "On stacks", "body": "last in, first out", "at": 4}]


@harness.needs_command("nginx")
class SearchCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.folder / "served"
        self.root.mkdir()
        self.base = self.nginx(self.root)

    def config(self, views=None, name="posts", **keys):
        source = {"name": name, "url": f"{self.base}/data.json", "conditional": False, **keys}
        return {"sources": [source], **({"views": views} if views else {})}

    def poll(self, records, config, daemon=None, status=0):
        (self.root / "data.json").write_text(json.dumps(records))
        daemon = daemon or self.daemon(config, start=False)
        daemon.write_config(config)
        result = self.gatherd("run", "--once", "-c", daemon.config_path)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        daemon.errors = result.stderr
        return daemon

    def changes(self, daemon):
        return daemon.sql("SELECT change, new_value FROM _gatherd_schema_changes WHERE change IN"
                          " ('create_index', 'drop_index', 'create_fts', 'drop_fts') ORDER BY id")

    def by_hand(self, daemon, *statements):
        with contextlib.closing(sqlite3.connect(daemon.database)) as db, db:
            for statement in statements:
                db.execute(statement)


class Indexes(SearchCase):
    def indexes(self, daemon, table="posts"):
        """{name: columns} of those that belong to no key."""
        names = [name for name, in daemon.sql(f"SELECT name FROM pragma_index_list('{table}')"
                                              " WHERE origin = 'c'")]
        return {name: [column for column, in daemon.sql(f"SELECT name FROM pragma_index_info('{name}')")]
                for name in names}

    def test_those_of_the_configuration_are_made_and_removed_with_it(self):
        daemon = self.poll(POSTS, self.config(primary_key="id", indexes=["title", ["at", "title"]]))
        self.assertEqual(self.indexes(daemon), {"_gatherd_posts(title)": ["title"],
                                                "_gatherd_posts(at,title)": ["at", "title"]})
        [plan] = daemon.sql("EXPLAIN QUERY PLAN SELECT * FROM posts WHERE title = 'x'")
        self.assertIn("_gatherd_posts(title)", plan[3])
        self.poll(POSTS, self.config(primary_key="id", indexes=[["at", "title"]]), daemon)
        self.assertEqual(list(self.indexes(daemon)), ["_gatherd_posts(at,title)"])
        self.assertEqual(self.changes(daemon)[-1], ("drop_index", "_gatherd_posts(title)"))

    def test_a_table_of_append_has_one_by_time(self):
        daemon = self.poll(POSTS, self.config())
        self.assertEqual(self.indexes(daemon), {"_gatherd_posts(_fetched_at)": ["_fetched_at"]})
        self.assertEqual(self.changes(daemon), [], "nobody asked for it")

    def test_a_column_that_comes_later_brings_its_index(self):
        config = self.config(primary_key="id", indexes=[["later"]])
        daemon = self.poll(POSTS, config)
        self.assertEqual(self.indexes(daemon), {})
        self.poll([{"id": 3, "later": 1}], config, daemon)
        self.assertEqual(self.indexes(daemon), {"_gatherd_posts(later)": ["later"]})

    def test_the_key_and_those_made_by_hand_serve_as_well_and_stay(self):
        daemon = self.poll(POSTS, self.config(primary_key=["id", "at"]))
        self.by_hand(daemon, "CREATE INDEX mine ON posts (title, body)", "CREATE INDEX other ON posts (at)")
        self.poll(POSTS, self.config(primary_key=["id", "at"], indexes=["id", "title", ["at", "body"]]), daemon)
        self.assertEqual(sorted(self.indexes(daemon)), ["_gatherd_posts(at,body)", "mine", "other"])

    def test_they_outlive_another_key_and_schema_diff_foretells_them(self):
        daemon = self.poll(POSTS, self.config(primary_key="id", indexes=["title"]))
        config = self.config(primary_key=["id", "at"], indexes=["title", "body"])
        daemon.write_config(config)
        diff = self.gatherd("schema", "diff", "-c", daemon.config_path).stdout
        self.assertIn('  create index _gatherd_posts(body)\n', diff)
        self.poll(POSTS, config, daemon)
        self.assertEqual(sorted(self.indexes(daemon)), ["_gatherd_posts(body)", "_gatherd_posts(title)"])


class FullText(SearchCase):
    def found(self, daemon, words):
        return [row for row, in daemon.sql(
            "SELECT p.id FROM posts_fts JOIN posts AS p ON p.rowid = posts_fts.rowid"
            " WHERE posts_fts MATCH ? ORDER BY p.id", (words,))]

    def check(self, daemon):
        self.by_hand(daemon, "INSERT INTO posts_fts (posts_fts, rank) VALUES ('integrity-check', 1)")

    def test_words_are_found_and_follow_each_change_of_the_rows(self):
        config = self.config(primary_key="id", fts=["title", "body"])
        daemon = self.poll(POSTS, config)
        self.assertEqual(self.found(daemon, "first"), [1, 2])
        self.assertEqual(self.found(daemon, "body: last"), [2])
        self.poll([{**POSTS[1], "body": "none"}, {"id": 3, "title": "On first things"}], config, daemon)
        self.assertEqual(self.found(daemon, "first"), [1, 3])
        self.assertEqual(self.found(daemon, "last"), [])
        run = daemon.sql("SELECT inserted, updated, unchanged FROM _gatherd_runs ORDER BY id DESC LIMIT 1")
        self.assertEqual(run, [(1, 1, 0)], "the triggers do not count")
        self.by_hand(daemon, "DELETE FROM posts WHERE id = 1")
        self.assertEqual(self.found(daemon, "first"), [3])
        self.check(daemon)

    def test_other_columns_and_another_key_read_the_rows_anew(self):
        daemon = self.poll(POSTS, self.config(primary_key="id", fts="title"))
        self.assertEqual(self.found(daemon, "first"), [])
        self.poll(POSTS, self.config(primary_key=["at", "id"], fts=["title", "body"]), daemon)
        self.assertEqual(self.found(daemon, "first"), [1, 2])
        self.check(daemon)
        self.poll(POSTS, self.config(primary_key=["at", "id"]), daemon)
        self.assertEqual(daemon.sql("SELECT name FROM sqlite_schema WHERE name LIKE '%fts%'"), [])
        self.assertEqual([change for change, _ in self.changes(daemon)],
                         ["create_fts", "drop_fts", "create_fts", "drop_fts"])

    def test_a_column_that_widens_stays_searchable(self):
        config = self.config(primary_key="id", fts=["title"])
        daemon = self.poll([{"id": 1, "title": 5.0}], config)
        self.poll([{"id": 2, "title": "five"}, {"id": 1, "title": 6.0}], config, daemon)
        self.assertEqual(self.found(daemon, "five"), [2])
        self.check(daemon)

    def test_a_table_of_that_name_that_is_not_ours_fails_the_run_and_stays(self):
        daemon = self.poll(POSTS, self.config(primary_key="id"))
        self.by_hand(daemon, "CREATE TABLE posts_fts (mine)")
        self.poll(POSTS, self.config(primary_key="id", fts="title"), daemon, status=1)
        self.assertEqual(daemon.sql("SELECT failure, error FROM _gatherd_runs ORDER BY id DESC LIMIT 1"), [(
            "store", '"posts_fts" is there and was not made by gatherd, so full-text search of "posts" has'
            " no place; rename it, or remove fts")])
        self.assertEqual(daemon.sql("SELECT name FROM pragma_table_info('posts_fts')"), [("mine",)])


class Views(SearchCase):
    def test_they_are_made_changed_and_removed_with_the_configuration(self):
        views = {"late": "SELECT id FROM posts WHERE at > 4", "all": "SELECT count(*) AS n FROM posts;"}
        daemon = self.poll(POSTS, self.config(views, primary_key="id"))
        self.assertEqual(daemon.sql('SELECT * FROM late, "all"'), [(1, 2)])
        self.poll(POSTS, self.config({"late": "SELECT id FROM posts WHERE at < 5"}, primary_key="id"), daemon)
        self.assertEqual(daemon.sql("SELECT * FROM late"), [(2,)])
        self.assertEqual(daemon.sql("SELECT name FROM sqlite_schema WHERE type = 'view'"), [("late",)])
        self.assertEqual(daemon.sql("SELECT change, table_name FROM _gatherd_schema_changes WHERE change LIKE"
                                    " '%view' ORDER BY id"),
                         [("create_view", "late"), ("create_view", "all"), ("drop_view", "all"),
                          ("drop_view", "late"), ("create_view", "late")])

    def test_one_dropped_by_hand_comes_back_and_one_made_by_hand_is_in_the_way(self):
        config = self.config({"late": "SELECT 1"}, primary_key="id")
        daemon = self.poll(POSTS, config)
        self.by_hand(daemon, "DROP VIEW late", "CREATE VIEW mine AS SELECT 2")
        self.poll(POSTS, config, daemon)
        self.assertEqual(daemon.sql("SELECT * FROM late"), [(1,)])
        self.poll(POSTS, self.config({"MINE": "SELECT 3"}), daemon, status=69)
        self.assertIn('view "MINE": the database has a table or view of that name', daemon.errors)
        self.assertEqual(daemon.sql("SELECT * FROM mine"), [(2,)])


if __name__ == "__main__":
    harness.main()
