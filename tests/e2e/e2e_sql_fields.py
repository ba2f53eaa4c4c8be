"""e2e_sql_fields.py - fields and rows by SQL: a week of earthquakes against Python's reading.

nginx serves the recording, the real binary polls it once with sql fields, where and both in one
configuration, and every row is compared.
"""
import json

import harness

ALERT = "CASE WHEN magnitude >= 6 THEN 'high' ELSE 'low' END"
FIELDS = {
    "id": "$.id",
    "magnitude": {"path": "$.properties.mag", "type": "real"},
    "place": "$.properties.place",
    "time": {"path": "$.properties.time", "type": "timestamp", "unit": "ms"},
    "alert_level": {"sql": ALERT, "type": "text"},
    "region": {"sql": "trim(substr(place, instr(place, ',') + 1))"},
    "days": {"sql": "julianday(time) - julianday('2018-01-01')"},
    "label": {"sql": "alert_level || ': ' || place"},
}


@harness.unittest.skipUnless(harness.DATA.exists(), "the recorded responses are not here")
class SqlFields(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.nginx(harness.DATA)}/usgs-earthquakes/all_week.geojson"
        body = (harness.DATA / "usgs-earthquakes/all_week.geojson").read_text()
        self.quakes = [dict(q["properties"], id=q["id"]) for q in json.loads(body)["features"]]

    def source(self, name, **keys):
        return {"name": name, "url": self.url, "records": "$.features[*]", "primary_key": "id",
                **keys}

    def expected(self, wanted):
        for q in self.quakes:
            if not wanted(q):
                continue
            mag, place = q["mag"], q["place"]
            alert = "high" if mag is not None and mag >= 6 else "low"
            region = place[place.find(",") + 1:].strip(" ")
            yield (q["id"], None if mag is None else float(mag), place, alert, region,
                   f"{alert}: {place}")

    ROWS = "SELECT id, magnitude, place, alert_level, region, label FROM {} ORDER BY id"

    def test_rows_and_values_are_those_of_python(self):
        daemon = self.run_once({"sources": [
            self.source("all", fields=FIELDS),
            self.source("strong", fields=FIELDS, where="magnitude >= 4.5"),
            self.source("high", fields=FIELDS, where="alert_level = 'high'"),
            self.source("members", records="$.features[*].properties", primary_key="code",
                        where="mag >= 4.5 AND \"magType\" <> 'x' AND missing IS NULL"),
        ]})
        for table, wanted in (("all", lambda q: True),
                              ("strong", lambda q: q["mag"] is not None and q["mag"] >= 4.5),
                              ("high", lambda q: q["mag"] is not None and q["mag"] >= 6)):
            expected = sorted(self.expected(wanted))
            self.assertGreater(len(expected), 0)
            self.assertEqual([tuple(row) for row in daemon.sql(self.ROWS.format(f'"{table}"'))],
                             expected)
            self.assertEqual(
                daemon.sql(f"""SELECT records, inserted, filtered, rejected FROM _gatherd_runs
                               WHERE source = '{table}'"""),
                [(1707, len(expected), 1707 - len(expected), 0)])
        strong = [q for q in self.quakes if q["mag"] is not None and q["mag"] >= 4.5]
        self.assertEqual(daemon.sql("SELECT CAST(code AS TEXT), mag FROM members ORDER BY 1"),
                         sorted((q["code"], q["mag"]) for q in strong))
        self.assertIn("filtered", daemon.output.splitlines()[0])
        # What SQLite makes of the stored columns is what was calculated from the record.
        self.assertEqual(daemon.value(f"""SELECT count(*) FROM "all" WHERE alert_level IS NOT ({ALERT})
            OR days IS NOT julianday(time) - julianday('2018-01-01')"""), 0)

    def test_a_second_poll_of_the_same_data_changes_nothing(self):
        config = {"sources": [self.source("quakes", fields=FIELDS, where="magnitude >= 2.5",
                                          conditional=False)]}
        daemon = self.run_once(config)
        before = daemon.sql("SELECT * FROM quakes ORDER BY id")
        self.assertEqual(self.gatherd("run", "--once", "-c", daemon.config_path).returncode, 0)
        self.assertEqual(daemon.sql("SELECT * FROM quakes ORDER BY id"), before)
        first, second = daemon.sql("""SELECT inserted, updated, unchanged, filtered
                                      FROM _gatherd_runs ORDER BY id""")
        self.assertEqual(first, (len(before), 0, 0, 1707 - len(before)))
        self.assertEqual(second, (0, 0, len(before), 1707 - len(before)))


class Refusals(harness.TestCase):
    def test_check_names_the_place_and_nothing_starts(self):
        path = self.folder / "gatherd.yaml"
        path.write_text("sources:\n  - name: a\n    url: http://127.0.0.1:1/\n"
                        "    where: \"magnitud > 4\"\n    fields: {magnitude: $.mag}\n")
        wanted = (f"{path}:4:13: error: sources[0].where: there is no column magnitud; "
                  "did you mean \"magnitude\"?\n1 error in the configuration\n")
        for command in (("check", path), ("run", "--once", "-c", path)):
            result = self.gatherd(*command)
            self.assertEqual((result.returncode, result.stdout + result.stderr), (78, wanted))
        self.assertFalse((self.folder / "gatherd.db").exists())

    def test_a_record_that_cannot_be_calculated_is_kept_with_the_reason(self):
        body = json.dumps([{"a": '{"x": 1}'}, {"a": "{"}, {"a": "now"}]).encode()
        base = self.python_server(lambda handler: (200, {"Content-Type": "application/json"}, body))
        daemon = self.run_once({"sources": [{
            "name": "a", "url": base, "fields": {
                "a": "$.a",
                "t": {"sql": "datetime(a)"},
                "x": {"sql": "json_extract(nullif(a, 'now'), '$.x')", "type": "integer"}}}]},
            status=1)
        self.assertEqual(daemon.sql("SELECT x FROM a"), [(1,)])
        reasons = [row[0] for row in
                   daemon.sql("SELECT reason FROM _gatherd_dead_letters ORDER BY position")]
        self.assertEqual(reasons[0], 'column "x": malformed JSON')
        self.assertIn('column "t": the present time is no part of a record', reasons[1])
        self.assertIn("malformed JSON", daemon.output)


if __name__ == "__main__":
    harness.main()
