"""e2e_data.py - recorded responses of real APIs: every cell against Python's reading of the file.

The files and the counts come from the recordings' own README. nginx serves them, the real binary
polls them, and each table is compared with reading.py: names, types, rows, cells.
"""
import json
import os
import pathlib
import re
import shutil
import urllib.parse
from datetime import datetime, timezone

import e2e_formats_text
import e2e_formats_xml
import harness
import reading

TIME = r"____-__-__T__:__:__.___Z"  # LIKE: how gatherd writes times


class Set:
    """One file and what its records are: by JSONPath for gatherd, by steps and a condition for Python."""

    def __init__(self, path, records, steps, count, where=None, **source):
        self.path = path
        self.records = records
        self.steps = steps
        self.count = count
        self.where = where
        self.source = source
        self.name = source.pop("name", path.rsplit(".", 1)[0].replace("/", "-"))
        self.table = "".join(c if c.isalnum() else "_" for c in self.name)

    def configuration(self, base):
        config = {"name": self.name, "url": f"{base}/{self.path}", **self.source}
        if self.records is not None:
            config["records"] = self.records
        return config

    def read(self):
        body = (harness.DATA / self.path).read_bytes()
        if self.path.endswith(".ndjson"):
            return reading.lines(body)
        records = reading.select(reading.document(body), *self.steps)
        return [r for r in records if self.where is None or self.where(json.loads(r))]


SETS = [
    Set("usgs-earthquakes/all_week.geojson", "$.features[*]", ("features", "*"), 1707,
        primary_key="id", write_mode="upsert"),
    Set("nginx-plus-status/status.ndjson", None, (), 500, primary_key="timestamp"),
    *(Set(f"github-issues/page-{n}.json", None, ("*",), 3 if n < 5 else 1) for n in range(1, 6)),
    Set("github-issues/page-1.json", None, ("*",), 3, primary_key=["number", "id"],
        name="github-keyed"),
    Set("github-issues/recording.json", None, ("*",), 20),
    Set("github-issues/errors-recording.json", "$[*]", ("*",), 3),
    Set("cisa-kev/2025-05-05-5201160.json", "$.vulnerabilities", ("vulnerabilities", "*"), 1332),
    Set("cisa-kev/2025-08-21-c955f9c.json", "$.vulnerabilities", ("vulnerabilities", "*"), 1401),
    Set("cisa-kev/2025-08-25-eacf03e.json", "$.vulnerabilities", ("vulnerabilities", "*"), 1404),
    Set("gbif-species/page-1.json", "$.results", ("results", "*"), 1000, primary_key="key"),
    Set("gbif-species/page-2.json", "$['results'][*]", ("results", "*"), 51),
    Set("stripe/fixtures3.json", "$.resources.*", ("resources", "*"), 176),
    Set("coingecko/simple_price.json", "$.*", ("*",), 2),
    Set("coingecko/coins_list.json", None, ("*",), 41, primary_key="id"),
    Set("feeds/json_feed.json", "$.items[*]", ("items", "*"), 20),
    Set("feeds/json_feed.json", None, (), 1, name="feed-itself"),
    # GBFS: the index, a version 2 system, a version 3 system, GeoJSON inside.
    Set("gbfs/lillestrom/gbfs.json", "$.data.nb.feeds", ("data", "nb", "feeds", "*"), 6),
    Set("gbfs/lillestrom/station_information.json", "$.data.stations",
        ("data", "stations", "*"), 6),
    Set("gbfs/lillestrom/station_status.json", "$.data.stations[*]", ("data", "stations", "*"), 6,
        primary_key="station_id"),
    Set("gbfs/lillestrom/system_information.json", "$.data", ("data",), 1),
    Set("gbfs/lillestrom/system_pricing_plans.json", "$.data.plans", ("data", "plans", "*"), 2),
    Set("gbfs/lillestrom/vehicle_types.json", "$.data.vehicle_types",
        ("data", "vehicle_types", "*"), 1),
    Set("gbfs/almere/gbfs.json", "$.data.feeds", ("data", "feeds", "*"), 4),
    Set("gbfs/almere/vehicle_status.json", "$.data.vehicles", ("data", "vehicles", "*"), 6,
        primary_key="vehicle_id"),
    Set("gbfs/almere/vehicle_types.json", "$.data.vehicle_types", ("data", "vehicle_types", "*"), 1),
    Set("gbfs/almere/system_information.json", "$.data", ("data",), 1),
    Set("gbfs/tier-oslo/geofencing_zones.json", "$.data.geofencing_zones.features",
        ("data", "geofencing_zones", "features", "*"), 2),
    # Open-Meteo: parallel arrays, kept whole as one row, or one column of them as rows.
    *(Set(f"open-meteo/{name}.json", None, (), 1)
      for name in ("forecast", "forecast-past-nulls", "marine", "air-quality", "climate-daily",
                   "archive")),
    Set("open-meteo/forecast.json", "$.hourly", ("hourly",), 1, name="forecast-hourly"),
    Set("open-meteo/forecast.json", "$.hourly.time", ("hourly", "time", "*"), 168,
        name="forecast-times"),
    Set("open-meteo/marine.json", "$.daily.time[*]", ("daily", "time", "*"), 2, name="marine-days"),
    Set("open-meteo/geocoding-search.json", "$.results", ("results", "*"), 2),
    # Filters, beside Python's own reading of the condition.
    Set("usgs-earthquakes/all_week.geojson", "$.features[?@.properties.mag >= 5]", ("features", "*"),
        39, where=lambda r: (r["properties"]["mag"] or 0) >= 5, primary_key="id", name="strong"),
    Set("usgs-earthquakes/all_week.geojson",
        "$..features[?match(@.properties.place, '.*, (Alaska|Hawaii)') && @.properties.felt != null"
        " && @.properties.mag < 3]", ("features", "*"), 6,
        where=lambda r: re.fullmatch(".*, (Alaska|Hawaii)", r["properties"]["place"])
        and r["properties"]["felt"] is not None and r["properties"]["mag"] < 3, name="felt"),
    Set("cisa-kev/2025-08-25-eacf03e.json",
        '$.vulnerabilities[?@.knownRansomwareCampaignUse == "Known" && count(@.cwes[*]) > 1]',
        ("vulnerabilities", "*"), 20,
        where=lambda r: r["knownRansomwareCampaignUse"] == "Known" and len(r["cwes"]) > 1,
        name="ransomware"),
    Set("cisa-kev/2025-08-25-eacf03e.json",
        "$.vulnerabilities[?search(@.vendorProject, 'Microsoft') && @.dateAdded >= '2025-01-01']",
        ("vulnerabilities", "*"), 29,
        where=lambda r: "Microsoft" in r["vendorProject"] and r["dateAdded"] >= "2025-01-01",
        name="microsoft"),
    Set("stripe/fixtures3.json", "$.resources[?@.livemode == false && @.metadata && !@.metadata.*]",
        ("resources", "*"), 49,
        where=lambda r: r.get("livemode") is False and "metadata" in r and not r["metadata"],
        name="test-mode"),
    Set("gbfs/tier-oslo/geofencing_zones.json", "$..features",
        ("data", "geofencing_zones", "features", "*"), 2, name="zones-anywhere"),
]

# An answer without its records.
EMPTY = "open-meteo/geocoding-empty.json"


def key_value(value):
    """In a key, text that is an integer as one is written is that integer."""
    if isinstance(value, str) and re.fullmatch("0|-?[1-9][0-9]*", value) and -2**63 <= int(value) < 2**63:
        return int(value)
    return value


class RecordedTestCase(harness.TestCase):
    def check_table(self, daemon, table, records, key=()):
        """Columns, types and cells of `table` are those of the records, in their order."""
        names, rows = reading.table(records)
        rows = [tuple(key_value(value) if name in key else value for name, value in zip(names, row))
                for row in rows]
        columns = [(name, reading.column_type([row[i] for row in rows]))
                   for i, name in enumerate(names)]
        self.check_columns(daemon, table, columns, key)
        quoted = ", ".join(f'"{name}"' for name in names)
        self.check_cells(table, names, rows,
                         daemon.sql(f'SELECT {quoted} FROM "{table}" ORDER BY rowid'))

    def check_columns(self, daemon, table, columns, key=()):
        found = daemon.sql("SELECT name, type, pk FROM pragma_table_xinfo(?)", (table,))
        # INT in a key, so that SQLite does not make the column its rowid.
        wanted = [(name, "INT" if kind == "INTEGER" and name in key else kind,
                   key.index(name) + 1 if name in key else 0)
                  for name, kind in columns + [("_run_id", "INTEGER"), ("_fetched_at", "TEXT")]]
        self.assertEqual(found, wanted, table)
        self.assertEqual(daemon.value("SELECT strict FROM pragma_table_list WHERE name = ?",
                                      (table,)), 1, table)

    def check_cells(self, table, names, wanted, found):
        self.assertEqual(len(found), len(wanted), f"rows of {table}")
        for i, (wanted_row, found_row) in enumerate(zip(wanted, found)):
            for name, value, came in zip(names, wanted_row, found_row):
                # 1 == 1.0 == True in Python; the database tells them apart.
                if type(value) is not type(came) or value != came:
                    self.fail(f"{table}, row {i}, {name}: wanted {value!r}, found {came!r}")
                if isinstance(value, str) and value[:1] in ("[", "{"):
                    self.assertEqual(json.loads(came), json.loads(value))


@harness.needs_data
@harness.needs_command("nginx")
class EverySet(RecordedTestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared_case = harness.TestCase()
        cls.shared_case.setUp()
        base = cls.shared_case.nginx(harness.DATA)
        cls.daemon_ran = cls.shared_case.run_once(
            {"sources": [s.configuration(base) for s in SETS]})

    @classmethod
    def tearDownClass(cls):
        cls.shared_case.doCleanups()

    def test_each_set_has_the_records_its_readme_counts(self):
        for s in SETS:
            with self.subTest(s.name):
                self.assertEqual(len(s.read()), s.count)
                self.assertEqual(self.daemon_ran.value(f'SELECT count(*) FROM "{s.table}"'),
                                 s.count)

    def test_each_cell_is_what_python_reads_in_the_same_file(self):
        for s in SETS:
            with self.subTest(s.name):
                key = s.source.get("primary_key", [])
                self.check_table(self.daemon_ran, s.table, s.read(),
                                 [key] if isinstance(key, str) else key)

    def test_each_run_is_recorded_as_a_success_with_its_counts(self):
        for s in SETS:
            with self.subTest(s.name):
                size = (harness.DATA / s.path).stat().st_size
                runs = self.daemon_ran.sql(
                    "SELECT outcome, failure, http_status, requests, bytes, records, inserted,"
                    " updated, unchanged, rejected, error FROM _gatherd_runs WHERE source = ?",
                    (s.name,))
                self.assertEqual(runs, [("success", None, 200, 1, size, s.count, s.count,
                                         0, 0, 0, None)])

    def test_each_row_says_which_run_brought_it_and_when(self):
        for s in SETS:
            with self.subTest(s.name):
                rows = self.daemon_ran.sql(
                    f'SELECT count(*), min(_run_id), max(_run_id), sum(_fetched_at LIKE ?)'
                    f' FROM "{s.table}"', (TIME,))
                run = self.daemon_ran.value("SELECT id FROM _gatherd_runs WHERE source = ?",
                                            (s.name,))
                self.assertEqual(rows, [(s.count, run, run, s.count)])

    def test_each_table_was_made_at_once_and_never_changed(self):
        changes = self.daemon_ran.sql("SELECT table_name, change FROM _gatherd_schema_changes"
                                      " WHERE change <> 'rename'")
        self.assertEqual(sorted(changes), sorted((s.table, "create_table") for s in SETS))

    def test_members_with_other_spellings_are_logged_with_their_columns(self):
        wanted = set()
        for s in SETS:
            for record in s.read():
                pairs = reading.children(record) if record[0] == "{" else [("value", "")]
                wanted |= {(s.table, member) for member, _ in pairs}
        rows = self.daemon_ran.sql("SELECT table_name, member, column_name FROM _gatherd_columns")
        self.assertEqual({(table, member) for table, member, _ in rows}, wanted)
        self.assertEqual(
            self.daemon_ran.sql("SELECT table_name, old_value, new_value FROM"
                                " _gatherd_schema_changes WHERE change = 'rename' ORDER BY 1, 2"),
            sorted(row for row in rows if row[1] != row[2]))

    def test_nothing_went_to_the_dead_letters_and_the_file_is_sound(self):
        self.assertEqual(self.daemon_ran.sql("SELECT * FROM _gatherd_dead_letters"), [])
        self.assertEqual(self.daemon_ran.sql("PRAGMA integrity_check"), [("ok",)])

    def test_the_table_printed_agrees_with_the_database(self):
        printed = {line.split()[0]: line.split()[1:] for line in
                   self.daemon_ran.output.splitlines()[1:] if line.strip()}
        for s in SETS:
            with self.subTest(s.name):
                self.assertEqual(printed[s.name][:4], ["success", "200", str(s.count), str(s.count)])


def milliseconds(value):
    """A Unix time in milliseconds as gatherd writes times, by integer arithmetic."""
    seconds, rest = divmod(value, 1000)
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:03d}Z"


@harness.needs_data
@harness.needs_command("nginx")
class Fields(RecordedTestCase):
    def earthquakes(self, fields, **source):
        daemon = self.run_once({"sources": [
            {"name": "quakes", "records": "$.features[*]", "fields": fields,
             "url": f"{self.nginx(harness.DATA)}/usgs-earthquakes/all_week.geojson", **source}]})
        text = reading.document((harness.DATA / "usgs-earthquakes/all_week.geojson").read_bytes())
        return daemon, reading.select(text, "features", "*")

    def test_every_property_of_an_earthquake_can_be_a_column_and_keeps_its_value(self):
        text = reading.document((harness.DATA / "usgs-earthquakes/all_week.geojson").read_bytes())
        members = [name for name, _ in
                   reading.children(reading.select(text, "features", 0, "properties")[0])]
        daemon, records = self.earthquakes({name: f"$.properties.{name}" for name in members})
        properties = reading.select(text, "features", "*", "properties")
        self.assertEqual(len(records), 1707)
        self.check_table(daemon, "quakes", properties)
        # int in some records, float in others, null in others: kept as each came
        self.assertEqual(daemon.sql("SELECT DISTINCT typeof(gap) FROM quakes ORDER BY 1"),
                         [("integer",), ("null",), ("real",)])
        self.assertEqual(daemon.value("SELECT type FROM pragma_table_xinfo('quakes')"
                                      " WHERE name = 'gap'"), "ANY")

    def test_declared_types_hold_in_every_row(self):
        daemon, records = self.earthquakes({
            "id": "$.id",
            "mag": {"path": "$.properties.mag", "type": "real"},
            "sig": {"path": "$.properties.sig", "type": "integer"},
            "tsunami": {"path": "$.properties.tsunami", "type": "boolean"},
            "code": {"path": "$.properties.code", "type": "text"},
            "mag_text": {"path": "$.properties.mag", "type": "text"},
            "happened": {"path": "$.properties.time", "type": "timestamp", "unit": "ms"},
            "place": {"path": "$['properties']['place']", "type": "text"},
            "geometry": {"path": "$.geometry", "type": "json"},
            "longitude": {"path": "$.geometry.coordinates[0]", "type": "real"},
            "depth": {"path": "$.geometry.coordinates[-1]", "type": "real"},
            "flat": "$.geometry.coordinates[:2]",
            "nowhere": {"path": "$.properties.nowhere", "type": "text"},
        }, primary_key="id")
        names = ["id", "mag", "sig", "tsunami", "code", "mag_text", "happened", "place", "geometry",
                 "longitude", "depth", "flat", "nowhere"]
        wanted = []
        for record in records:
            raw = dict(reading.children(record))
            value = json.loads(record)
            p = value["properties"]
            mag = dict(reading.children(raw["properties"]))["mag"]
            coordinates = [c for _, c in reading.children(dict(
                reading.children(raw["geometry"]))["coordinates"])]
            wanted.append((
                value["id"], None if p["mag"] is None else float(p["mag"]), p["sig"], p["tsunami"],
                p["code"], None if mag == "null" else mag, milliseconds(p["time"]), p["place"],
                raw["geometry"], float(coordinates[0]), float(coordinates[-1]),
                "[" + ",".join(coordinates[:2]) + "]", None))
        found = daemon.sql(f"SELECT {', '.join(names)} FROM quakes ORDER BY rowid")
        self.check_cells("quakes", names, wanted, found)
        types = dict(daemon.sql("SELECT name, type FROM pragma_table_xinfo('quakes')"))
        self.assertEqual([types[name] for name in names],
                         ["TEXT", "REAL", "INTEGER", "INTEGER", "TEXT", "TEXT", "TEXT", "TEXT",
                          "TEXT", "REAL", "REAL", "TEXT", "TEXT"])

    def test_a_value_that_does_not_fit_its_type_takes_its_record_to_the_dead_letters(self):
        daemon = self.daemon({"sources": [
            {"name": "quakes", "records": "$.features[*]", "primary_key": "id",
             "fields": {"id": "$.id", "mag": {"path": "$.properties.mag", "type": "integer"}},
             "url": f"{self.nginx(harness.DATA)}/usgs-earthquakes/all_week.geojson"}]}, start=False)
        result = self.gatherd("run", "--once", "-c", daemon.config_path)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        body = (harness.DATA / "usgs-earthquakes/all_week.geojson").read_bytes()
        records = reading.select(reading.document(body), "features", "*")
        magnitudes = [json.loads(r)["properties"]["mag"] for r in records]
        whole = [m is None or float(m).is_integer() for m in magnitudes]
        self.assertEqual(daemon.value("SELECT count(*) FROM quakes"), sum(whole))
        letters = daemon.sql("SELECT kind, position, reason, content, content_type, table_name,"
                             " line, column FROM _gatherd_dead_letters ORDER BY position")
        self.assertEqual([row[:6] for row in letters], [
            ("record", i, f'column "mag": {magnitudes[i]} is not an integer', records[i],
             "application/json", "quakes") for i, fits in enumerate(whole) if not fits])
        text = body.decode()
        for _, position, _, content, _, _, line, column in letters:  # they say where it stood
            at = sum(len(l) + 1 for l in text.split("\n")[:line - 1]) + column - 1
            self.assertTrue(text.startswith(content, at), f"record {position}")
        runs = daemon.sql("SELECT outcome, failure, records, inserted, rejected FROM _gatherd_runs")
        self.assertEqual(runs, [("partial", None, 1707, sum(whole), 1707 - sum(whole))])


@harness.needs_data
@harness.needs_command("nginx")
class Polls(RecordedTestCase):
    """The same URL over time: what is new, what changed, what did not."""

    KEV = ("2025-05-05-5201160", "2025-08-21-c955f9c", "2025-08-25-eacf03e")

    def put(self, root, name):
        """Renames a copy over the served name, as one instant change."""
        shutil.copy(harness.DATA / "cisa-kev" / f"{name}.json", root / "next")
        os.rename(root / "next", root / "kev.json")

    def kev(self, name):
        text = reading.document((harness.DATA / "cisa-kev" / f"{name}.json").read_bytes())
        return reading.select(text, "vulnerabilities", "*")

    def source(self, root, **more):
        return {"name": "kev", "url": f"{self.nginx(root)}/kev.json", "records": "$.vulnerabilities",
                "primary_key": "cveID", "interval": "200ms", "run_on_start": True, **more}

    def root(self):
        root = pathlib.Path(self.folder) / "served"
        root.mkdir()
        return root

    def check_kev(self, daemon, records):
        names, rows = reading.table(records)
        key = names.index("cveID")
        quoted = ", ".join(f'"{name}"' for name in names)
        found = daemon.sql(f"SELECT {quoted} FROM kev ORDER BY cveID")
        self.check_cells("kev", names, sorted(rows, key=lambda row: row[key]), found)

    def test_three_polls_of_a_running_daemon_insert_update_and_leave_alone(self):
        root = self.root()
        self.put(root, self.KEV[0])
        daemon = self.daemon({"sources": [self.source(root, write_mode="upsert", conditional=False)]})
        for i, name in enumerate(self.KEV):
            before = daemon.value("SELECT max(id) FROM _gatherd_runs") or 0 if i else 0
            self.put(root, name)
            daemon.wait_for_sql(f"SELECT count(*) FROM kev", (1332, 1401, 1404)[i])
            # ... and it is polled again, so that unchanged data is sent, too
            daemon.wait_for_sql(f"SELECT count(*) >= 3 FROM _gatherd_runs WHERE id > {before + 1}")
            self.check_kev(daemon, self.kev(name))
        self.assertEqual(daemon.stop(), 0)
        runs = daemon.sql("SELECT inserted, updated, unchanged, rejected FROM _gatherd_runs"
                          " ORDER BY id")
        kept = [run for i, run in enumerate(runs) if i == 0 or run != runs[i - 1]]
        self.assertEqual(kept, [(1332, 0, 0, 0), (0, 0, 1332, 0), (69, 27, 1305, 0),
                                (0, 0, 1401, 0), (3, 0, 1401, 0), (0, 0, 1404, 0)])
        # A row carries the run that last changed it: who sends it again writes nothing.
        self.assertEqual(daemon.sql("SELECT count(*) FROM kev GROUP BY _run_id ORDER BY _run_id"),
                         [(1332 - 27,), (69 + 27,), (3,)])
        self.assertEqual(daemon.sql("SELECT change FROM _gatherd_schema_changes"),
                         [("create_table",)])
        totals = daemon.sql("SELECT runs, failed_runs, rows_inserted, rows_updated, last_error,"
                            " consecutive_failures FROM _gatherd_sources")
        self.assertEqual(totals, [(len(runs), 0, 1404, 27, None, 0)])

    def test_insert_only_keeps_the_first_of_each_key(self):
        root = self.root()
        daemon = self.daemon({"sources": [self.source(root, write_mode="insert_only")]}, start=False)
        for name in self.KEV:
            self.put(root, name)
            result = self.gatherd("run", "--once", "-c", daemon.config_path)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        first = {}
        for name in self.KEV:
            for record in self.kev(name):
                first.setdefault(json.loads(record)["cveID"], record)
        self.check_kev(daemon, first.values())
        self.assertEqual(
            daemon.sql("SELECT inserted, updated, unchanged FROM _gatherd_runs ORDER BY id"),
            [(1332, 0, 0), (69, 0, 1332), (3, 0, 1401)])

    def test_append_keeps_every_row_of_every_poll(self):
        root = self.root()
        source = self.source(root, write_mode="append")
        del source["primary_key"]
        daemon = self.daemon({"sources": [source]}, start=False)
        wanted = []
        for name in self.KEV:
            self.put(root, name)
            self.assertEqual(self.gatherd("run", "--once", "-c", daemon.config_path).returncode, 0)
            wanted += self.kev(name)
        self.check_table(daemon, "kev", wanted)
        self.assertEqual(daemon.value("SELECT count(*) FROM kev"), 1332 + 1401 + 1404)

    def test_the_compressed_body_of_nginx_becomes_the_same_rows(self):
        root = self.root()
        self.put(root, self.KEV[0])
        log = self.folder / "encodings.log"
        base = self.nginx(root, extra_http="log_format encoding '$sent_http_content_encoding';",
                          extra_server=f"access_log {log} encoding;")
        daemon = self.run_once({"sources": [
            {"name": "kev", "url": f"{base}/kev.json", "records": "$.vulnerabilities"}]})
        harness.wait_until(lambda: log.read_text() == "gzip\n", what="nginx to log gzip")
        self.check_table(daemon, "kev", self.kev(self.KEV[0]))
        self.assertEqual(daemon.value("SELECT bytes FROM _gatherd_runs"),
                         (root / "kev.json").stat().st_size)


@harness.needs_data
class Walks(RecordedTestCase):
    """The recorded pages, one after the other as that server led through them."""

    def pages(self, folder):
        lines = (harness.DATA / folder / "pages.tsv").read_text().splitlines()
        return [dict(zip(lines[0].split("\t"), line.split("\t"))) for line in lines[1:]]

    def body(self, folder, page):
        return (harness.DATA / folder / page["file"]).read_bytes()

    def test_issues_by_the_links_of_the_pages(self):
        pages = {page["request"]: page for page in self.pages("github-issues")}

        def answer(handler):
            page = pages[f"GET {handler.path}"]
            link = page["link"].replace("https://api.github.com", f"http://{handler.headers['Host']}")
            return 200, {"Content-Type": "application/json; charset=utf-8", "ETag": page["etag"],
                         "Link": link}, self.body("github-issues", page)

        first = next(iter(pages)).partition(" ")[2]
        daemon = self.run_once({"sources": [{"name": "issues", "url": self.python_server(answer) + first,
                                             "pagination": {"type": "link_header"}}]})
        records = [record for page in pages.values()
                   for record in reading.select(reading.document(self.body("github-issues", page)), "*")]
        self.assertEqual(len(records), 13)
        self.check_table(daemon, "issues", records)
        self.assertEqual(daemon.sql("SELECT pages, records, inserted FROM _gatherd_runs"), [(5, 13, 13)])

    def test_species_by_what_came_and_not_by_what_was_asked_for(self):
        bodies = {page["request"].partition("offset=")[2].partition("&")[0]: self.body("gbif-species", page)
                  for page in self.pages("gbif-species")}
        asked = []

        def answer(handler):
            asked.append(urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query)["offset"][0])
            return 200, {"Content-Type": "application/json"}, bodies[asked[-1]]

        daemon = self.run_once({"sources": [{
            "name": "species", "url": self.python_server(answer), "records": "$.results", "primary_key": "key",
            "pagination": {"type": "offset", "limit": 5000, "total_path": "$.count"}}]})
        self.assertEqual(asked, ["0", "1000"])
        records = [record for body in bodies.values()
                   for record in reading.select(reading.document(body), "results", "*")]
        self.assertEqual(len(records), 1051)
        names, rows = reading.table(records)
        quoted = ", ".join(f'"{name}"' for name in names)
        self.check_cells("species", names, rows, daemon.sql(f"SELECT {quoted} FROM species ORDER BY rowid"))


@harness.needs_data
class AllOfThem(harness.TestCase):
    def test_every_recorded_file_is_in_a_list_that_is_polled_and_compared(self):
        polled = {s.path for s in SETS} | {EMPTY, e2e_formats_xml.METRICS} | set(e2e_formats_xml.DOCUMENTS)
        polled |= {path for path, _ in e2e_formats_text.TABLES.values()}
        there = {path.relative_to(harness.DATA).as_posix() for path in harness.DATA.rglob("*")
                 if path.is_file() and path.suffix not in (".md", ".tsv")}  # those tell of the recordings
        self.assertEqual(there, polled)


@harness.needs_data
@harness.needs_command("nginx")
class NotWhatWasConfigured(RecordedTestCase):
    def test_an_answer_without_the_records_is_a_failed_run_whose_body_is_kept(self):
        base = self.nginx(harness.DATA)
        daemon = self.run_once({"sources": [
            {"name": "empty", "url": f"{base}/{EMPTY}",
             "records": "$.results"},
            {"name": "none", "url": f"{base}/{EMPTY}", "records": "$.results", "on_no_records": "accept"},
            {"name": "good", "url": f"{base}/open-meteo/geocoding-search.json",
             "records": "$.results"}]}, status=1)
        body = (harness.DATA / EMPTY).read_text()
        reason = "records: $.results selects nothing; the document is an object with generationtime_ms"
        self.assertEqual(
            daemon.sql("SELECT outcome, failure, http_status, records, inserted, rejected, error"
                       " FROM _gatherd_runs WHERE source = 'empty'"),
            [("failed", "records", 200, 0, 0, 0, reason)])
        self.assertEqual(
            daemon.sql("SELECT source, kind, reason, content, content_type, bytes, occurrences"
                       " FROM _gatherd_dead_letters"),
            [("empty", "body", reason, body, "application/json", len(body), 1)])
        self.assertEqual(daemon.sql("SELECT name FROM sqlite_schema WHERE name = 'empty'"), [])
        self.assertEqual(daemon.value("SELECT count(*) FROM good"), 2)  # it harmed nobody else
        self.assertEqual(daemon.sql("SELECT outcome, records FROM _gatherd_runs WHERE source = 'none'"),
                         [("success", 0)])
        self.assertIn(reason, daemon.output)

    def test_files_of_other_formats_are_kept_whole_with_the_reason(self):
        base = self.nginx(harness.DATA)
        paths = {"xml": "ecb-rates/daily.xml", "rss": "feeds/TechCrunch.xml",
                 "csv": "csv/seattle-weather.csv", "text": "prometheus-text/node-exporter.txt",
                 "lines": "nginx-plus-status/status.ndjson"}
        daemon = self.run_once({"sources": [
            {"name": name, "url": f"{base}/{path}", "format": "json"}
            for name, path in paths.items()]}, status=1)
        for name, path in paths.items():
            with self.subTest(name):
                letters = daemon.sql("SELECT kind, bytes, CAST(content AS BLOB), line, column,"
                                     " reason FROM _gatherd_dead_letters WHERE source = ?", (name,))
                body = (harness.DATA / path).read_bytes()
                self.assertEqual([row[:3] for row in letters], [("body", len(body), body)])
                error = daemon.value("SELECT error FROM _gatherd_runs WHERE source = ?"
                                     " AND outcome = 'failed' AND failure = 'decode'", (name,))
                self.assertEqual(error, letters[0][5])
        # The first line of NDJSON is a document; what follows is not part of it.
        self.assertEqual(daemon.sql("SELECT line, column FROM _gatherd_dead_letters"
                                    " WHERE source = 'lines'"), [(2, 1)])


if __name__ == "__main__":
    harness.main()
