"""e2e_field_types.py - declared columns: what gatherd makes of values, against Python's reading.

Times by datetime, zoneinfo and email.utils, decimals by decimal, bytes by base64 and binascii.
"""
import base64
import email.utils
import json
import random
import re
import unittest
import xml.etree.ElementTree
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import harness

try:
    import zoneinfo
    HAS_ZONES = "Europe/Paris" in zoneinfo.available_timezones()
except ImportError:
    HAS_ZONES = False

UTC = timezone.utc
ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo",
         "Asia/Kolkata", "Africa/Casablanca", "Pacific/Apia"]


def written(moment, digits=3):
    """A time as gatherd writes it: as many digits behind the second as it has, in threes."""
    moment = moment.astimezone(UTC)
    if digits == 3 and moment.microsecond % 1000:
        digits = 6
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{moment.microsecond:06}"[:digits + 1] + "Z"


def around_changes(zone, first=2000, last=2037):
    """Local times, a quarter of an hour apart, around each change of the clocks of a zone."""
    offsets = [(day, datetime.combine(day, datetime.min.time(), UTC).astimezone(zone).utcoffset())
               for day in (date(first, 1, 1) + timedelta(days=n)
                           for n in range((date(last, 1, 1) - date(first, 1, 1)).days))]
    for (_, before), (day, after) in zip(offsets, offsets[1:]):
        if before != after:
            start = datetime.combine(day, datetime.min.time()) - timedelta(hours=26)
            yield from (start + timedelta(minutes=15 * n) for n in range(4 * 40))


class FieldTypes(harness.TestCase):
    def poll(self, bodies, sources, status=0):
        """One run of each source: {name: keys}, its body JSON of what `bodies` has for it."""
        base = self.python_server(lambda request: (
            200, {"Content-Type": "application/json"}, json.dumps(bodies[request.path[1:]]).encode()))
        return self.run_once({"sources": [
            {"name": name, "url": f"{base}/{name}", "records": "$[*]", **keys}
            for name, keys in sources.items()]}, status=status)

    def assert_column(self, daemon, table, column, expected):
        got = [value for value, in daemon.sql(f"SELECT {column} FROM {table} ORDER BY rowid")]
        self.assertEqual(len(got), len(expected))
        for at, (a, b) in enumerate(zip(got, expected)):
            self.assertEqual(a, b, f"{table}.{column}, row {at}")

    @harness.needs_data
    def test_recorded_times_and_decimals(self):
        quakes = json.loads((harness.DATA / "usgs-earthquakes/all_week.geojson").read_text())
        weather = json.loads((harness.DATA / "open-meteo/archive.json").read_text())
        rates = [{"day": day.get("time"), **cube.attrib}
                 for name in ("daily", "hist-90d")
                 for day in xml.etree.ElementTree.parse(
                     harness.DATA / f"ecb-rates/{name}.xml").getroot().iter() if day.get("time")
                 for cube in day]
        feed = xml.etree.ElementTree.fromstring(
            (harness.DATA / "feeds/TechCrunch.xml").read_bytes().strip())
        published = [item.text for item in feed.iter("pubDate")]
        daemon = self.poll(
            {"quakes": quakes["features"], "weather": weather["hourly"]["time"], "rates": rates,
             "feed": published},
            {"quakes": {"fields": {
                "time": {"path": "$.properties.time", "type": "timestamp", "unit": "ms"},
                "updated": {"path": "$.properties.updated", "type": "timestamp", "unit": "ms"},
                "tsunami": {"path": "$.properties.tsunami", "type": "boolean"}}},
             "weather": {"fields": {"at": {"path": "$", "type": "timestamp",
                                           "timezone": weather["timezone"]}}},
             "rates": {"fields": {
                 "day": {"path": "$.day", "type": "timestamp"}, "currency": "$.currency",
                 "rate": {"path": "$.rate", "type": "decimal", "required": True}}},
             "feed": {"fields": {"at": {"path": "$", "type": "timestamp"}}}})
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        for name in ("time", "updated"):
            self.assert_column(daemon, "quakes", name, [
                written(epoch + timedelta(milliseconds=quake["properties"][name]))
                for quake in quakes["features"]])
        self.assert_column(daemon, "quakes", "tsunami",
                           [quake["properties"]["tsunami"] for quake in quakes["features"]])
        offset = timedelta(seconds=weather["utc_offset_seconds"])
        self.assert_column(daemon, "weather", "at", [
            written(datetime.fromisoformat(time).replace(tzinfo=UTC) - offset)
            for time in weather["hourly"]["time"]])
        self.assertGreater(len(rates), 1000)
        self.assert_column(daemon, "rates", "rate", [rate["rate"] for rate in rates])
        self.assertEqual(daemon.sql("SELECT rate FROM rates WHERE currency = 'USD' AND day LIKE "
                                    "'2018-06-11%' ORDER BY rowid"), [("1.1790",), ("1.179",)])
        self.assertAlmostEqual(
            daemon.value("SELECT sum(CAST(rate AS REAL)) FROM rates"),
            float(sum(Decimal(rate["rate"]) for rate in rates)), 3)
        self.assert_column(daemon, "feed", "at", [
            written(email.utils.parsedate_to_datetime(time)) for time in published])

    @unittest.skipUnless(HAS_ZONES, "Python has no time zones")
    def test_local_times_of_every_hour_that_clocks_were_set(self):
        locals_of = {zone: list(around_changes(zoneinfo.ZoneInfo(zone))) for zone in ZONES}
        names = {zone: re.sub(r"\W", "_", zone) for zone in ZONES}
        daemon = self.poll(
            {names[zone]: [time.strftime("%Y-%m-%d %H:%M") for time in times]
             for zone, times in locals_of.items()},
            {names[zone]: {"fields": {
                "iso": {"path": "$", "type": "timestamp", "timezone": zone},
                "pattern": {"path": "$", "type": "timestamp", "timezone": zone,
                            "format": "%F %R"}}} for zone in ZONES})
        self.assertGreater(len(locals_of["Europe/Paris"]), 70 * 150)
        for zone, times in locals_of.items():
            expected = [written(time.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=0))
                        for time in times]
            self.assert_column(daemon, names[zone], "iso", expected)
            self.assert_column(daemon, names[zone], "pattern", expected)

    def test_one_moment_in_many_forms(self):
        numbers = random.Random(1)
        moments = [datetime(1000, 1, 1, tzinfo=UTC) + timedelta(
            seconds=numbers.randrange(283996800000), microseconds=numbers.randrange(1000000))
            for _ in range(3000)]
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        records, fields = [], {}
        for n, moment in enumerate(moments):
            micros = (moment - epoch) // timedelta(microseconds=1)
            zone = timezone(timedelta(minutes=15 * numbers.randrange(-48, 57)))
            there = moment.astimezone(zone) if 1001 < moment.year < 9999 else moment
            year, week, day = there.isocalendar()
            clock = there.strftime("%H:%M:%S.%f%z")
            records.append({
                "iso": there.isoformat(), "week": f"{year:04}-W{week:02}-{day}T{clock}",
                "ordinal": there.strftime(f"{there.year:04}-%jT{clock}"),
                "mail": email.utils.format_datetime(there),
                "pattern": there.strftime(f"%d.%m.{there.year:04} um %I:%M:%S.%f %p (%z)"),
                "micros": micros if n % 2 else str(micros),
                "seconds": str(Decimal(micros) / 1000000)})
        for name in records[0]:
            fields[name] = {"path": f"$.{name}", "type": "timestamp"}
        fields["pattern"]["format"] = "%d.%m.%Y um %I:%M:%S.%f %p (%z)"
        fields["micros"]["unit"] = "us"
        fields["seconds"]["unit"] = "s"
        daemon = self.poll({"t": records}, {"t": {"fields": fields}})
        for name in fields:
            digits = 6 if name == "micros" else 3
            whole = [moment.replace(microsecond=0) if name == "mail" else moment
                     for moment in moments]
            self.assert_column(daemon, "t", name, [written(moment, digits) for moment in whole])
        self.assertEqual(daemon.value("SELECT count(*) FROM t WHERE julianday(iso) IS NULL"), 0)

    def test_bytes_durations_defaults_and_what_is_rejected(self):
        numbers = random.Random(2)
        blobs = [numbers.randbytes(numbers.randrange(200)) for _ in range(300)]
        spans = [timedelta(seconds=numbers.randrange(10**7), milliseconds=numbers.randrange(1000))
                 for _ in blobs]
        records = [{"id": n, "a": base64.encodebytes(blob).decode(),
                    "b": base64.urlsafe_b64encode(blob).decode().rstrip("="), "c": blob.hex(),
                    "text": str(span), "millis": span // timedelta(milliseconds=1),
                    "iso": f"P{span.days}DT{span.seconds}.{span.microseconds:06}S"}
                   for n, (blob, span) in enumerate(zip(blobs, spans))]
        odd = [{"id": 1, "n": -999, "s": "", "flag": "Yes"}, {"id": 2}, {"n": 5}, {"id": "n/a"},
               {"id": 3, "n": -999.0, "s": "x", "flag": "maybe"}, {"id": 4, "n": 7, "s": "-999"}]
        daemon = self.poll({"t": records, "odd": odd, "members": odd}, {
            "t": {"fields": {
                "a": {"path": "$.a", "type": "blob"},
                "b": {"path": "$.b", "type": "blob", "encoding": "base64url"},
                "c": {"path": "$.c", "type": "blob", "encoding": "hex"},
                "text": {"path": "$.text", "type": "duration"},
                "millis": {"path": "$.millis", "type": "duration", "unit": "ms"},
                "iso": {"path": "$.iso", "type": "duration"}}},
            "odd": {"null_values": ["", -999, "n/a"], "fields": {
                "id": {"path": "$.id", "type": "integer", "required": True},
                "n": {"path": "$.n", "type": "integer", "default": 0},
                "s": {"path": "$.s", "type": "text", "null_values": []},
                "flag": {"path": "$.flag", "type": "boolean"}}},
            "members": {"null_values": ["", -999, "n/a"]}}, status=1)
        for name in "abc":
            self.assert_column(daemon, "t", name, blobs)
        for name in ("text", "millis", "iso"):
            self.assert_column(daemon, "t", name, [span.total_seconds() for span in spans])
        types = daemon.sql("SELECT name, type FROM pragma_table_info('t') WHERE name NOT LIKE '\\_%' "
                           "ESCAPE '\\'")
        self.assertEqual(dict(types), {"a": "BLOB", "b": "BLOB", "c": "BLOB", "text": "REAL",
                                       "millis": "REAL", "iso": "REAL"})
        self.assertEqual(daemon.sql("SELECT id, n, s, flag FROM odd ORDER BY id"),
                         [(1, 0, "", 1), (2, 0, None, None), (4, 7, "-999", None)])
        self.assertEqual([reason for reason, in daemon.sql(
            "SELECT reason FROM _gatherd_dead_letters WHERE source = 'odd' ORDER BY position")], [
                'column "id" is required, and the record has nothing at $.id',
                'column "id" is required, and "n/a" stands for none',
                'column "flag": "maybe" is not a boolean'])
        self.assertEqual(daemon.sql("SELECT id, n, s, flag FROM members ORDER BY rowid"), [
            (1, None, None, "Yes"), (2, None, None, None), (None, 5, None, None),
            (None, None, None, None), (3, None, "x", "maybe"), (4, 7, None, None)])

    def test_defaults_that_do_not_fit_never_start(self):
        config = self.folder / "bad.yaml"
        config.write_text("sources:\n- name: a\n  url: https://example.org/\n  fields:\n"
                          "    at: {path: $.at, type: timestamp, unit: ms, default: soon}\n"
                          "    n: {path: $.n, type: integer, unit: s}\n")
        result = self.gatherd("check", "-c", config)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("bad.yaml:5:58: error: sources[0].fields.at.default: \"soon\" is not a "
                      "timestamp that is known by itself", result.stdout + result.stderr)
        self.assertIn("bad.yaml:6:41: error: sources[0].fields.n.unit: only a timestamp and a "
                      "duration have a unit", result.stdout + result.stderr)


if __name__ == "__main__":
    harness.main()
