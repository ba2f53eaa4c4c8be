#!/usr/bin/env python3
"""e2e_children.py - lists inside of records as tables of their own, against Python's reading.

The recorded answers are those of real APIs: three polls of a catalogue whose entries have a list of
texts, and a map whose zones are lists of lists of points.
"""
import json
import threading
import unittest

import harness

KEV = sorted((harness.DATA / "cisa-kev").glob("*.json"))
ZONES = harness.DATA / "gbfs" / "tier-oslo" / "geofencing_zones.json"


def listed(document, key="cveID", member="cwes"):
    """(key, place, value) of each element of a list in each record."""
    return {(record[key], i, value) for record in document for i, value in enumerate(record[member])}


@unittest.skipUnless(KEV and ZONES.exists(), f"{harness.DATA} is not there")
class Recorded(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.body = b""
        self.base = self.python_server(lambda handler: (200, {"Content-Type": "application/json"}, self.body))

    def poll(self, daemon, body):
        self.body = body
        result = self.gatherd("run", "--once", "-c", daemon.config_path)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_a_list_follows_its_records_from_poll_to_poll(self):
        child = {"records": "$.cwes[*]", "table": "cwes"}
        daemon = self.daemon({"sources": [
            {"name": "kev", "url": self.base, "records": "$.vulnerabilities[*]", "primary_key": "cveID",
             "exclude": ["cwes"], "children": [child]},
            {"name": "by_name", "url": self.base, "records": "$.vulnerabilities[*]", "primary_key": "cveID",
             "fields": {"cveID": "$.cveID"},
             "children": [{**child, "table": "cwes_by_name", "primary_key": "cwe",
                           "fields": {"cwe": "$"}}]}]}, start=False)
        polls = [json.loads(path.read_text())["vulnerabilities"] for path in KEV]
        shorter = [{**record, "cwes": record["cwes"][1:]} if i % 100 == 0 else record
                   for i, record in enumerate(polls[-1])]
        known = {}
        for number, records in enumerate([*polls, shorter, shorter], 1):
            out = self.poll(daemon, json.dumps({"vulnerabilities": records}).encode())
            before, known = known, {**known, **{record["cveID"]: record for record in records}}
            with self.subTest(poll=number):
                wanted = listed(known.values())
                self.assertEqual(set(daemon.sql("SELECT _parent_cveID, _index, value FROM cwes")), wanted)
                self.assertEqual(daemon.value("SELECT count(*) FROM cwes"), len(wanted))
                self.assertEqual(set(daemon.sql("SELECT _parent_cveID, cwe FROM cwes_by_name")),
                                 {(key, cwe) for key, _, cwe in wanted})
                new = wanted - listed(before.values())
                runs = dict(daemon.sql("SELECT source, max(id) FROM _gatherd_runs GROUP BY source"))
                self.assertEqual(set(daemon.sql("SELECT _parent_cveID, _index, value FROM cwes WHERE _run_id = ?",
                                                (runs["kev"],))), new, "what did not change is as it was")
        self.assertRegex(out, r"(?m) child_rows$")
        self.assertEqual(daemon.sql("SELECT records, unchanged, child_rows FROM _gatherd_runs WHERE id = ?",
                                    (runs["kev"],)), [(1404, 1404, 0)])

    def test_lists_of_lists_become_tables_at_every_depth(self):
        daemon = self.daemon({"sources": [{
            "name": "zones", "url": self.base, "records": "$.data.geofencing_zones.features[*]",
            "fields": {"name": "$.properties.name"},
            "children": [
                {"records": "$.properties.rules", "children": [{"records": "$.vehicle_type_id", "table": "types"}]},
                {"records": "$.geometry.coordinates", "table": "polygons", "fields": {"rings": "$"}, "children": [
                    {"records": "$[*]", "table": "rings", "fields": {"points": "$"}, "children": [
                        {"records": "$[*]", "table": "points", "fields": {"lon": "$[0]", "lat": "$[1]"}}]}]}]}]},
            start=False)
        body = ZONES.read_bytes()
        self.poll(daemon, body)
        zones = json.loads(body)["data"]["geofencing_zones"]["features"]
        points = [(z, p, r, n, *point) for z, zone in enumerate(zones)
                  for p, polygon in enumerate(zone["geometry"]["coordinates"])
                  for r, ring in enumerate(polygon) for n, point in enumerate(ring)]
        self.assertEqual(len(points), 562)
        self.assertEqual(daemon.sql(
            "SELECT _parent_parent_parent_index, _parent_parent_index, _parent_index, _index, lon, lat"
            " FROM points ORDER BY 1, 2, 3, 4"), points)
        self.assertEqual(daemon.sql("SELECT zones._index, zones_rules._index, types._index, value FROM zones"
                                    " JOIN zones_rules USING (_run_id)"
                                    " JOIN types USING (_run_id)"
                                    " WHERE zones_rules._parent_index = zones._index AND"
                                    " types._parent_index = zones_rules._index AND"
                                    " types._parent_parent_index = zones._index ORDER BY 1, 2, 3"),
                         [(z, r, t, name) for z, zone in enumerate(zones)
                          for r, rule in enumerate(zone["properties"]["rules"])
                          for t, name in enumerate(rule["vehicle_type_id"])])


class Killed(harness.TestCase):
    """A run of many pages whose rows are appended, and SIGKILL in the middle of it."""

    PAGES = 6

    def setUp(self):
        super().setUp()
        self.waits_at = 4
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self.base = self.python_server(self.answer)

    def answer(self, handler):
        number = int(handler.path.partition("page=")[2] or 1)
        if number == self.waits_at:
            self.reached.set()
            self.go_on.wait(60)
        records = [{"id": 10 * number + i, "lines": [{"n": n} for n in range(i)]} for i in range(4)]
        following = f"{self.base}/?page={number + 1}" if number < self.PAGES else None
        return 200, {"Content-Type": "application/json"}, json.dumps({"data": records, "next": following}).encode()

    def test_what_it_had_appended_is_there_once_in_the_end(self):
        daemon = self.daemon({"sources": [{
            "name": "orders", "url": f"{self.base}/", "interval": "1h", "records": "$.data", "exclude": ["lines"],
            "timeout": "50s", "pagination": {"type": "next_url", "next_url_path": "$.next"},
            "children": [{"records": "$.lines[*]"}]}]})
        self.assertTrue(self.reached.wait(20 * harness.SLOW))
        daemon.wait_for_sql("SELECT pages = 3 FROM _gatherd_runs")
        self.assertEqual(daemon.value("SELECT count(*) FROM orders_lines"), 3 * 6)
        daemon.kill()
        self.waits_at = 0
        self.go_on.set()
        daemon.start()
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'", 1)
        self.assertEqual(daemon.sql("SELECT outcome, failure, inserted, child_rows FROM _gatherd_runs ORDER BY id"),
                         [("failed", "interrupted", 0, 0), ("success", None, 4 * self.PAGES, 6 * self.PAGES)])
        self.assertEqual(daemon.sql("SELECT id, orders_lines._index, n FROM orders JOIN orders_lines"
                                    " ON _parent_index = orders._index AND orders_lines._run_id = orders._run_id"
                                    " ORDER BY 1, 2"),
                         [(10 * page + i, n, n) for page in range(1, self.PAGES + 1) for i in range(4)
                          for n in range(i)])
        self.assertEqual(daemon.value("SELECT count(*) FROM orders_lines"), 6 * self.PAGES)
        daemon.stop()


if __name__ == "__main__":
    harness.main()
