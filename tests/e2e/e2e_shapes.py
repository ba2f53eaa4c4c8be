"""e2e_shapes.py - records that are not objects of their columns: members keyed by name, parallel arrays,
arrays of arrays, nested objects, and what stands beside them.

nginx serves the recorded responses and some of our own, the real binary polls them all at once, and the
tables are held against Python's reading of the same files.
"""
import json

import harness

SHARED = harness.DATA
# Parts of files, and their rows.
METEO = {("forecast", "hourly"): 168, ("marine", "hourly"): 48, ("marine", "daily"): 2, ("air-quality", "hourly"): 48,
         ("archive", "hourly"): 24, ("archive", "daily"): 1, ("climate-daily", "daily"): 32,
         ("forecast-past-nulls", "daily"): 11}


class ShapesCase(harness.TestCase):
    def poll(self, sources, bodies=None, status=0):
        """Polls each source once; `bodies` are written first, beside the shared data."""
        root = self.folder / "served"
        root.mkdir()
        for name, body in (bodies or {}).items():
            (root / name).write_text(body if isinstance(body, str) else json.dumps(body))
        extra = f"location /shared/ {{ alias {SHARED}/; }}" if SHARED.is_dir() else ""
        base = self.nginx(root, extra_server=extra + """
            location /headed { add_header X-Total 17; add_header X-Part a; add_header X-Part b;
                               default_type application/json; return 200 '[{"id": 1}]'; }""")
        config = {"sources": [{"name": name, "url": f"{base}/{path}", **keys}
                              for name, (path, keys) in sources.items()]}
        daemon = self.daemon(config, start=False)
        result = self.gatherd("run", "--once", "-c", daemon.config_path)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        daemon.base = base
        return daemon

    def reasons(self, daemon):
        return daemon.sql("SELECT position, reason FROM _gatherd_dead_letters ORDER BY id")


@harness.needs_command("nginx")
class Recorded(ShapesCase):
    def setUp(self):
        super().setUp()
        if not SHARED.is_dir():
            self.skipTest("the recorded responses are not here")

    def test_parallel_arrays_keyed_members_and_what_stands_beside_them(self):
        sources = {f"{name}_{part}".replace("-", "_"): (f"shared/open-meteo/{name}.json", {"zip": f"$.{part}"})
                   for name, part in METEO}
        sources["local"] = ("shared/open-meteo/forecast.json", {
            "zip": "$.hourly", "primary_key": "time",
            "fields": {"time": "$.time", "temperature": "$.temperature_2m",
                       "offset": {"document": "$.utc_offset_seconds", "type": "integer"},
                       "url": {"request": "url"}, "status": {"request": "status"}}})
        sources["prices"] = ("shared/coingecko/simple_price.json", {"key_as": "coin", "primary_key": "coin"})
        sources["zones"] = ("shared/nginx-plus-status/status.ndjson", {
            "records": "$.server_zones", "key_as": "zone", "flatten": "__"})
        sources["upstreams"] = ("shared/nginx-plus-status/status.ndjson", {
            "records": "$.upstreams", "key_as": "name", "primary_key": ["at", "name"],
            "fields": {"at": {"document": "$.timestamp"}, "name": "$.name", "keepalive": "$.keepalive"},
            "children": [{"records": "$.peers", "table": "peers", "primary_key": "id"}]})
        sources["resources"] = ("shared/stripe/fixtures3.json", {
            "records": "$.resources", "key_as": "kind", "primary_key": "kind",
            "fields": {"kind": "$.kind", "id": "$.id"}})
        daemon = self.poll(sources)
        for (name, part), count in METEO.items():
            with self.subTest(name, part=part):
                self.check_zipped(daemon, name, part, count)
        self.assertEqual(daemon.sql("SELECT count(time), count(temperature_2m_max) FROM forecast_past_nulls_daily"),
                         [(11, 0)])
        self.check_local(daemon)
        self.check_keyed(daemon)

    def check_zipped(self, daemon, name, part, count):
        columns = json.loads((SHARED / "open-meteo" / f"{name}.json").read_text())[part]
        names = list(columns)
        quoted = ", ".join(f'"{column}"' for column in names)
        table = f"{name}_{part}".replace("-", "_")
        rows = daemon.sql(f"SELECT {quoted} FROM {table} ORDER BY rowid")
        self.assertEqual(len(rows), count)
        self.assertEqual(rows, list(zip(*(columns[column] for column in names))))

    def check_local(self, daemon):
        document = json.loads((SHARED / "open-meteo" / "forecast.json").read_text())
        url = f"{daemon.base}/shared/open-meteo/forecast.json"
        self.assertEqual(
            daemon.sql("SELECT * FROM (SELECT time, temperature, offset, url, status FROM local ORDER BY rowid)"),
            [(time, value, document["utc_offset_seconds"], url, 200) for time, value in
             zip(document["hourly"]["time"], document["hourly"]["temperature_2m"])])

    def check_keyed(self, daemon):
        prices = json.loads((SHARED / "coingecko" / "simple_price.json").read_text())
        self.assertEqual(daemon.sql("SELECT coin, usd, myr FROM prices ORDER BY rowid"),
                         [(coin, price["usd"], price["myr"]) for coin, price in prices.items()])
        lines = [json.loads(line) for line in
                 (SHARED / "nginx-plus-status" / "status.ndjson").read_text().splitlines()]
        self.assertEqual(daemon.sql('SELECT zone, responses__2xx, sent FROM zones ORDER BY rowid'),
                         [(name, zone["responses"]["2xx"], zone["sent"])
                          for line in lines for name, zone in line["server_zones"].items()])
        self.assertEqual(daemon.value("SELECT count(*) FROM zones"), 500 * 3)
        upstreams = [(line["timestamp"], name, upstream) for line in lines
                     for name, upstream in line["upstreams"].items()]
        self.assertEqual(daemon.sql("SELECT at, name, keepalive FROM upstreams ORDER BY rowid"),
                         [(at, name, upstream["keepalive"]) for at, name, upstream in upstreams])
        self.assertEqual(daemon.value("SELECT count(*) FROM upstreams"), 500 * 4)
        self.assertEqual(daemon.sql("SELECT _parent_at, _parent_name, id, server, received, selected FROM peers"
                                    " ORDER BY rowid"),
                         [(at, name, *(peer[member] for member in ("id", "server", "received", "selected")))
                          for at, name, upstream in upstreams for peer in upstream["peers"]])
        self.assertGreater(daemon.value("SELECT max(received) FROM peers"), 2**32)
        resources = json.loads((SHARED / "stripe" / "fixtures3.json").read_text())["resources"]
        self.assertEqual(len(resources), 176)
        self.assertEqual(daemon.sql("SELECT kind, id FROM resources ORDER BY rowid"),
                         [(kind, resource.get("id")) for kind, resource in resources.items()])
        self.assertEqual(daemon.value("SELECT count(id) FROM resources"), 158)


@harness.needs_command("nginx")
class Odd(ShapesCase):
    def test_candles_and_a_row_of_another_length(self):
        candles = [[1, 2.5, "x"], [2, 3.5], [3, {"a": 1}, None]]
        daemon = self.poll({"candles": ("c.json", {"columns": ["t", "open", "note"], "primary_key": "t"})},
                           {"c.json": candles}, status=1)
        self.assertEqual(daemon.sql("SELECT t, open, note FROM candles"), [(1, 2.5, "x"), (3, '{"a": 1}', None)])
        self.assertEqual(self.reasons(daemon), [(1, "the record has 2 elements, and columns names 3")])

    def test_names_of_members_become_integers_in_a_key_and_clashes_are_explained(self):
        records = {"7": {"v": 1}, "8": 5, "9": {"id": 3, "v": 2}, "10": None}
        daemon = self.poll({"m": ("m.json", {"key_as": "id", "primary_key": "id"})}, {"m.json": records}, status=1)
        self.assertEqual(daemon.sql("SELECT id, typeof(id), v, value FROM m"),
                         [(7, "integer", 1, None), (8, "integer", None, 5)])
        self.assertEqual(self.reasons(daemon), [
            (2, 'the record has a member "id" of its own; choose another name in key_as'),
            (3, "the record is null")])

    def test_nested_objects_are_flattened_and_lists_stay(self):
        records = [{"id": 1, "user": {"login": "a", "site": {"admin": True}, "none": {}}, "tags": [{"x": 1}]},
                   {"id": 2, "user": None}, {"id": 3, "user": "plain"}]
        daemon = self.poll({"f": ("f.json", {"flatten": "__", "exclude": ["user__login"]})}, {"f.json": records})
        self.assertEqual(daemon.sql("SELECT id, user__site__admin, tags, user FROM f"),
                         [(1, 1, '[{"x": 1}]', None), (2, None, None, None), (3, None, None, "plain")])
        self.assertNotIn("user__login", [name for name, in daemon.sql("SELECT name FROM pragma_table_info('f')")])

    def test_arrays_that_do_not_go_together_fail_the_run(self):
        sources = {"uneven": ("u.json", {"zip": "$.h"}), "scalar": ("s.json", {"zip": "$.h"}),
                   "nothing": ("s.json", {"zip": "$.x"}), "noarrays": ("n.json", {"zip": "$.h"}),
                   "empty": ("e.json", {"zip": "$.h"})}
        daemon = self.poll(sources, {"u.json": {"h": {"t": [1, 2], "v": [1]}}, "s.json": {"h": 1},
                                     "n.json": {"h": {"a": 1}}, "e.json": {"h": {"t": [], "v": []}}}, status=1)
        self.assertEqual(dict(daemon.sql("SELECT source, error FROM _gatherd_runs")), {
            "uneven": "zip: in $.h t has 2 elements and v 1, so it is not known which belong together",
            "scalar": "zip: $.h selects no object of arrays", "nothing": "zip: $.x selects nothing",
            "noarrays": "zip: $.h selects an object without arrays", "empty": None})

    def test_lists_have_no_names(self):
        daemon = self.poll({"l": ("l.json", {"records": "$.l", "key_as": "k"})}, {"l.json": {"l": [1]}}, status=1)
        self.assertEqual(daemon.value("SELECT error FROM _gatherd_runs"),
                         "records: $.l selects an array of 1, where key_as needs an object whose members are the"
                         " records")

    def test_children_are_zipped_and_keyed_too(self):
        records = [{"id": 1, "zones": {"a": {"n": 1}, "b": {"n": 2}}, "series": {"t": [1, 2], "v": [3, 4]}},
                   {"id": 2, "series": None}, {"id": 3, "series": {"t": [1], "v": []}}]
        daemon = self.poll({"p": ("p.json", {"primary_key": "id", "children": [
            {"records": "$.zones", "key_as": "zone", "primary_key": "zone"}, {"zip": "$.series"}]})},
            {"p.json": records}, status=1)
        self.assertEqual(daemon.sql("SELECT _parent_id, zone, n FROM p_zones"), [(1, "a", 1), (1, "b", 2)])
        self.assertEqual(daemon.sql("SELECT _parent_id, _index, t, v FROM p_series"), [(1, 0, 1, 3), (1, 1, 2, 4)])
        self.assertEqual([reason for _, reason in self.reasons(daemon)],
                         ["zip: in $.series t has 1 elements and v 0, so it is not known which belong together"])

    def test_headers_and_facts_of_the_request_are_fields(self):
        daemon = self.poll({"h": ("headed?key=secret", {"fields": {
            "id": "$.id", "total": {"header": "x-total", "type": "integer"}, "part": {"header": "X-Part"},
            "none": {"header": "X-None", "default": "-"}, "page": {"request": "page"},
            "at": {"request": "scheduled_at", "type": "timestamp"}, "url": {"request": "url"}}})})
        [row] = daemon.sql("SELECT id, total, part, none, page, at = (SELECT scheduled_at FROM _gatherd_runs), url"
                           " FROM h")
        self.assertEqual(row, (1, 17, "a, b", "-", None, 1, f"{daemon.base}/headed"))

    def test_a_required_field_from_outside_says_what_is_missing(self):
        daemon = self.poll({"h": ("headed", {"fields": {
            "id": "$.id", "none": {"header": "X-None", "required": True}}})}, status=1)
        self.assertEqual(self.reasons(daemon), [(0, 'column "none" is required, and the answer has no header X-None')])


if __name__ == "__main__":
    harness.main()
