"""e2e_for_each.py - one source, many targets: rounds, items, their state, and what becomes of them."""
import collections
import json
import sqlite3
import threading
import time
import urllib.parse

import harness


class Shop:
    """/parents, and /children/ID with two rows each and an ETag; counts what was asked for."""

    def __init__(self, case, parents=()):
        self.lock = threading.Lock()
        self.parents = list(parents)
        self.asked = collections.Counter()
        self.conditional = collections.Counter()
        self.failing = set()
        self.pause = 0
        self.base = case.python_server(self.answer)

    def answer(self, request):
        path = request.path
        with self.lock:
            self.asked[path] += 1
            self.conditional[path] += "If-None-Match" in request.headers
            failing = path in self.failing
            parents = list(self.parents)
        if failing:
            return 404, {}, b"no such child"
        if path == "/parents":
            return 200, {"Content-Type": "application/json"}, json.dumps(
                [{"id": parent, "name": f"p{parent}"} for parent in parents]).encode()
        if self.pause:
            time.sleep(self.pause)
        if request.headers.get("If-None-Match") == '"1"':
            return 304, {"ETag": '"1"'}, b""
        return 200, {"Content-Type": "application/json", "ETag": '"1"'}, json.dumps(
            [{"n": n, "path": path} for n in (1, 2)]).encode()

    def total(self, prefix="/children/"):
        with self.lock:
            return sum(count for path, count in self.asked.items() if path.startswith(prefix))


class ForEach(harness.TestCase):
    def pair(self, shop, **keys):
        return {"sources": [
            {"name": "parents", "url": shop.base + "/parents", "interval": "300ms",
             "primary_key": "id"},
            {"name": "children", "url": shop.base + "/children/{item.id}", "interval": "300ms",
             "for_each": {"source": "parents", "fields": ["id"]}, "primary_key": ["_item_id", "n"],
             "retry": {"max_attempts": 1}, **keys}]}

    def test_once_polls_the_parents_first_and_then_a_child_for_each(self):
        shop = Shop(self, range(1, 6))
        daemon = self.run_once(self.pair(shop))
        self.assertEqual(daemon.sql("SELECT _item_id, n, path FROM children ORDER BY 1, 2"),
                         [(i, n, f"/children/{i}") for i in range(1, 6) for n in (1, 2)])
        self.assertEqual(daemon.value("SELECT group_concat(type) FROM pragma_table_info('children')"
                                      " WHERE name = '_item_id'"), "INT")
        self.assertEqual(daemon.sql("SELECT items, item, outcome, requests FROM _gatherd_runs"
                                    " WHERE source = 'children' AND item IS NULL"),
                         [(5, None, "success", 0)])
        self.assertEqual(daemon.sql("SELECT item, inserted, outcome, requests FROM _gatherd_runs"
                                    " WHERE item IS NOT NULL ORDER BY item"),
                         [(str(i), 2, "success", 1) for i in range(1, 6)])

    def test_one_failing_item_fails_alone(self):
        shop = Shop(self, range(1, 6))
        shop.failing = {"/children/3"}
        daemon = self.run_once(self.pair(shop), status=1)
        self.assertIn("1 of 5 items failed; item 3: HTTP 404 Not Found", daemon.output)
        self.assertEqual(daemon.value("SELECT count(DISTINCT _item_id) FROM children"), 4)
        self.assertEqual(daemon.sql("SELECT item, outcome, failure, http_status FROM _gatherd_runs"
                                    " WHERE outcome <> 'success'"), [("3", "failed", "status", 404)])
        self.assertEqual(daemon.sql("SELECT item, consecutive_failures FROM _gatherd_state"
                                    " WHERE consecutive_failures > 0"), [("3", 1)])

    def test_items_come_and_go_with_their_parents_and_keep_their_state(self):
        shop = Shop(self, [1, 2])
        daemon = self.daemon(self.pair(shop))
        daemon.wait_for_sql("SELECT count(*) >= 4 FROM _gatherd_runs WHERE not_modified AND item"
                            " IS NOT NULL")
        with shop.lock:
            self.assertEqual(shop.conditional["/children/1"], shop.asked["/children/1"] - 1)
            shop.parents.append(3)
        daemon.wait_for_sql("SELECT count(*) = 2 FROM children WHERE _item_id = 3")
        self.assertEqual(daemon.stop(), 0)
        with shop.lock:
            shop.asked.clear()
            shop.conditional.clear()
        daemon.start()
        harness.wait_until(lambda: shop.asked["/children/3"] > 0, what="the child again")
        with shop.lock:
            self.assertEqual(shop.conditional["/children/3"], shop.asked["/children/3"])
        self.assertEqual(daemon.stop(), 0)

    def test_a_failing_item_is_said_once_and_when_it_is_over(self):
        shop = Shop(self, [1, 2, 3])
        shop.failing = {"/children/2", "/children/3"}
        daemon = self.daemon(self.pair(shop, max_interval="300ms"))
        daemon.wait_for_sql("SELECT count(*) >= 6 FROM _gatherd_runs WHERE outcome = 'failed'")
        self.assertEqual(daemon.log().count("an item is failing"), 1)
        shop.failing = set()
        daemon.wait_for_log("the items are well again")
        self.assertEqual(daemon.stop(), 0)

    def test_what_is_wrong_with_sql_fails_the_round_and_nothing_else(self):
        cases = {
            "SELEC id FROM parents": "for_each: near \"SELEC\": syntax error",
            "SELECT id FROM gone": "for_each: no such table: gone",
            "DELETE FROM parents RETURNING id": "for_each: sql changes the database",
            "SELECT id AS other FROM parents":
                "for_each: the request says {item.id}, and what the items have is other",
            "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT max(id) FROM n":
                "for_each: reading the items took longer than 300ms",
        }
        shop = Shop(self, [1])
        config = self.pair(shop)
        daemon = self.daemon(config)
        daemon.wait_for_sql("SELECT count(*) = 2 FROM children")  # what the statements speak of
        for i, sql in enumerate(cases):
            config["sources"].append({
                "name": f"bad{i}", "url": shop.base + "/children/{item.id}", "interval": "1h",
                "for_each": {"sql": sql, "timeout": "300ms"}})
        daemon.reload(config)
        daemon.wait_for_sql(f"SELECT count(*) = {len(cases)} FROM _gatherd_runs"
                            " WHERE source LIKE 'bad%'")
        for i, expected in enumerate(cases.values()):
            failure, error = daemon.sql("SELECT failure, error FROM _gatherd_runs WHERE source = ?",
                                        (f"bad{i}",))[0]
            self.assertEqual(failure, "items")
            self.assertIn(expected, error)
        daemon.wait_for_sql("SELECT count(*) = 2 FROM children")
        self.assertEqual(daemon.value("SELECT count(*) FROM parents"), 1)
        self.assertEqual(daemon.stop(), 0)

    def test_values_of_any_kind_arrive_whole(self):
        values = ["a/b", "a?b&c=d#e", "100%", "two words", 'quo"te', "Zürich 🐚", "x" * 8192, 7, 0.5,
                  True, "007", ".."]
        seen = set()

        def answer(request):
            seen.add(request.path)
            return 200, {"Content-Type": "application/json"}, b"[{}]"
        base = self.python_server(answer)
        daemon = self.run_once({"sources": [{
            "name": "s", "url": base + "/x", "params": {"v": "{item}"},
            "headers": {"X-Item": "{item}"}, "for_each": {"values": values + ["a/b", 7]}}]})
        arrived = {urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)["v"][0] for path in seen}
        self.assertEqual(arrived, {"true" if v is True else str(v) for v in values})
        self.assertEqual(len(seen), len(values))
        rows = {row[0] for row in daemon.sql("SELECT _item_value FROM s")}
        self.assertEqual(rows, {1 if v is True else v for v in values})

    def test_a_reload_with_other_items_begins_a_round_at_once(self):
        shop = Shop(self)
        shop.pause = 0.2
        config = {"sources": [{
            "name": "children", "url": shop.base + "/children/{item.id}", "interval": "1h",
            "for_each": {"values": [{"id": i} for i in range(20)]}}],
            "hosts": {"max_concurrent": 1}}
        daemon = self.daemon(config)
        harness.wait_until(lambda: shop.total() > 1, what="the first items")
        config["sources"][0]["for_each"]["values"] = [{"id": i} for i in (100, 101)]
        daemon.reload(config)
        daemon.wait_for_sql("SELECT count(*) = 2 FROM _gatherd_runs WHERE item IN ('100', '101')")
        self.assertLess(shop.total(), 20)
        self.assertEqual(daemon.stop(), 0)

    def test_a_kill_in_the_middle_of_a_round_leaves_nothing_twice_and_the_next_brings_the_rest(self):
        shop = Shop(self)
        shop.pause = 0.02
        items = 120
        config = {"sources": [{
            "name": "children", "url": shop.base + "/children/{item.id}", "interval": "1h",
            "conditional": True, "for_each": {"values": [{"id": i} for i in range(items)]}}]}
        daemon = self.daemon(config)
        daemon.wait_for_sql("SELECT count(*) >= 20 FROM _gatherd_runs WHERE item IS NOT NULL")
        daemon.kill()
        done = daemon.value("SELECT count(*) FROM _gatherd_runs WHERE item IS NOT NULL")
        self.assertLess(done, items)
        config["sources"][0]["run_on_start"] = True
        daemon.write_config(config)
        daemon.start()
        daemon.wait_for_sql(f"SELECT count(DISTINCT item) = {items} FROM _gatherd_runs",
                            timeout=60)
        daemon.wait_for_sql(f"SELECT count(*) >= {done + items} FROM _gatherd_runs"
                            " WHERE item IS NOT NULL", timeout=60)
        self.assertEqual(daemon.stop(), 0)
        with sqlite3.connect(daemon.database) as connection:
            self.assertEqual(connection.execute("PRAGMA integrity_check").fetchone()[0], "ok")
            self.assertEqual(connection.execute(
                "SELECT count(*), count(DISTINCT _item_id || ' ' || n), min(c) FROM (SELECT *,"
                " count(*) OVER (PARTITION BY _item_id, n) AS c FROM children)").fetchone(),
                (2 * items, 2 * items, 1))

    def test_each_item_has_a_cursor_of_its_own(self):
        asked = []

        def answer(request):
            url = urllib.parse.urlsplit(request.path)
            since = urllib.parse.parse_qs(url.query).get("since", ["0"])[0]
            asked.append((url.path, since))
            first = int(url.path.rsplit("/", 1)[1]) * 100
            return 200, {"Content-Type": "application/json"}, json.dumps(
                [{"at": first + n} for n in range(1, 4) if first + n >= int(since)]).encode()
        base = self.python_server(answer)
        config = {"sources": [{
            "name": "s", "url": base + "/x/{item}", "interval": "300ms", "primary_key": ["at"],
            "for_each": {"values": [1, 2]},
            "incremental": {"cursor_path": "$.at", "param": "since"}}]}
        daemon = self.daemon(config)
        daemon.wait_for_sql("SELECT count(*) >= 6 FROM _gatherd_runs WHERE item IS NOT NULL")
        self.assertEqual(daemon.sql("SELECT item, cursor FROM _gatherd_state ORDER BY item"),
                         [("1", "103"), ("2", "203")])
        self.assertIn(("/x/1", "103"), asked)
        self.assertIn(("/x/2", "203"), asked)
        asked.clear()
        self.assertEqual(self.gatherd("state", "reset", "s", "-c", daemon.config_path).returncode, 0)
        harness.wait_until(lambda: {("/x/1", "0"), ("/x/2", "0")} <= set(asked),
                           what="a round that asks for everything")
        daemon.wait_for_sql("SELECT count(cursor) = 2 FROM _gatherd_state")
        self.assertEqual(daemon.stop(), 0)
        asked.clear()
        daemon.start()
        harness.wait_until(lambda: len(asked) >= 2, what="the next round")
        self.assertTrue(all(since != "0" for _, since in asked), asked)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.gatherd("state", "reset", "s", "-c", daemon.config_path).returncode, 0)
        self.assertEqual(daemon.value("SELECT count(cursor) FROM _gatherd_state"), 0)

    def test_ten_thousand_items_stay_cheap(self):
        (self.folder / "www").mkdir()
        (self.folder / "www" / "x").write_text('[{"a": 1}]')
        base = self.nginx(self.folder / "www", workers=1)
        items = 10000
        config = {"sources": [{
            "name": "s", "url": base + "/x?id={item}", "interval": "1h", "run_on_start": True,
            "conditional": False, "for_each": {"values": list(range(items))}}],
            "hosts": {"max_concurrent": 20}}
        daemon = self.daemon(config)
        begun = time.monotonic()
        daemon.wait_for_sql(f"SELECT runs > {items} FROM _gatherd_sources", timeout=240)
        print(f"{items} items: {time.monotonic() - begun:.1f} s, {daemon.rss_kib() // 1024} MiB")
        if not harness.SANITIZED:
            self.assertLess(daemon.rss_kib(), 120 * 1024)
        self.assertEqual(daemon.value("SELECT count(DISTINCT _item_value) FROM s"), items)
        self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    harness.main()
