#!/usr/bin/env python3
"""e2e_clock.py - times on the wall clock: cron, time zones, align, what a start missed, and clocks that
are set while gatherd runs. The wall clock is libfaketime's; the other clock stays as it is."""
import calendar
import glob
import json
import os
import pathlib
import tempfile
import time
import unittest

import harness

LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
needs_faketime = unittest.skipIf(
    not LIBRARIES or harness.SANITIZED,
    "libfaketime does not go with a sanitizer" if LIBRARIES else "libfaketime is not installed")


def unix(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


class Clock:
    """A wall clock for one daemon, set by a file: so many seconds more than the real one."""

    def __init__(self, folder):
        handle, name = tempfile.mkstemp(dir=folder, prefix="clock-")
        os.close(handle)
        self.path = pathlib.Path(name)

    def set(self, text, later_s=0):
        self.path.write_text(f"{unix(text) + later_s - time.time():+.3f}\n")

    def env(self):
        return {"LD_PRELOAD": LIBRARIES[0], "FAKETIME_TIMESTAMP_FILE": str(self.path),
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1", "TZ": "UTC"}


class WallClock(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.url = self.python_server(
            lambda request: (200, {"Content-Type": "application/json"}, b'[{"n": 1}]'))

    def config(self, **keys):
        return {"fetchers": 2, "processors": 1,
                "sources": [{"name": "a", "url": self.url, **keys}]}

    def at(self, text, **keys):
        """A daemon that was ready ten minutes earlier, however slow the machine is."""
        clock = Clock(self.folder)
        clock.set(text, -600)
        daemon = self.daemon(self.config(**keys), env=clock.env())
        clock.set(text)
        return clock, daemon

    def scheduled(self, daemon):
        return [row[0] for row in daemon.sql("SELECT scheduled_at FROM _gatherd_runs ORDER BY id")]

    def wait_for_runs(self, daemon, count):
        daemon.wait_for_sql(f"SELECT count(*) >= {count} FROM _gatherd_runs", 1)
        return self.scheduled(daemon)


@needs_faketime
class Cron(WallClock):
    def test_a_cron_source_runs_at_its_time_and_not_before(self):
        clock, daemon = self.at("2026-06-01 11:59:57", cron="0 12 * * mon")
        self.assertEqual(self.scheduled(daemon), [])
        self.assertEqual(self.wait_for_runs(daemon, 1), ["2026-06-01T12:00:00.000Z"])
        started = daemon.value("SELECT started_at FROM _gatherd_runs")
        self.assertRegex(started, "^2026-06-01T12:0")
        self.assertEqual(daemon.value("SELECT next_due_at FROM _gatherd_sources"),
                         "2026-06-08T12:00:00.000Z")

    def test_a_time_in_the_skipped_hour_runs_at_the_jump(self):
        clock, daemon = self.at("2026-03-29 00:59:57", cron="30 2 * * *", timezone="Europe/Paris")
        self.assertEqual(self.wait_for_runs(daemon, 1), ["2026-03-29T01:00:00.000Z"])
        self.assertEqual(daemon.value("SELECT next_due_at FROM _gatherd_sources"),
                         "2026-03-30T00:30:00.000Z")

    def test_a_time_in_the_repeated_hour_runs_once(self):
        clock, daemon = self.at("2026-10-25 00:29:58", cron="30 2 * * *", timezone="Europe/Paris")
        self.assertEqual(self.wait_for_runs(daemon, 1), ["2026-10-25T00:30:00.000Z"])
        clock.set("2026-10-25 01:29:58")  # and again half past two
        time.sleep(5)
        self.assertEqual(len(self.scheduled(daemon)), 1)
        self.assertEqual(daemon.value("SELECT next_due_at FROM _gatherd_sources"),
                         "2026-10-26T01:30:00.000Z")

    def test_a_clock_set_forward_over_slots_runs_once(self):
        clock, daemon = self.at("2026-06-01 12:00:10", cron="0 * * * *")
        clock.set("2026-06-01 17:30:00")
        self.assertEqual(self.wait_for_runs(daemon, 1), ["2026-06-01T17:00:00.000Z"])
        time.sleep(3)
        self.assertEqual(len(self.scheduled(daemon)), 1)

    def test_a_clock_set_back_does_not_stop_a_source(self):
        clock, daemon = self.at("2026-06-01 11:59:58", cron="0 * * * *")
        self.wait_for_runs(daemon, 1)
        clock.set("2026-05-31 07:59:57")
        self.assertEqual(self.wait_for_runs(daemon, 2)[1], "2026-05-31T08:00:00.000Z")

    def test_a_disabled_cron_source_does_not_run(self):
        clock, daemon = self.at("2026-06-01 11:59:58", cron="* * * * *", enabled=False)
        time.sleep(4)
        self.assertEqual(self.scheduled(daemon), [])
        daemon.reload(self.config(cron="* * * * *"))
        clock.set("2026-06-01 12:09:58")
        self.assertTrue(self.wait_for_runs(daemon, 1)[0].startswith("2026-06-01T12:"))


@needs_faketime
class Missed(WallClock):
    def restart(self, daemon, clock, text):
        self.assertEqual(daemon.stop(), 0)
        clock.set(text)
        daemon.start()

    def test_one_run_makes_up_for_all_that_was_missed(self):
        clock, daemon = self.at("2026-06-01 05:59:58", cron="0 6 * * *")
        self.wait_for_runs(daemon, 1)
        self.restart(daemon, clock, "2026-06-09 09:00:00")
        self.assertEqual(self.wait_for_runs(daemon, 2)[1], "2026-06-09T06:00:00.000Z")
        self.assertEqual(daemon.value("SELECT next_due_at FROM _gatherd_sources"),
                         "2026-06-10T06:00:00.000Z")

    def test_with_skip_a_start_waits_for_the_next_slot(self):
        clock, daemon = self.at("2026-06-01 05:59:58", cron="0 6 * * *", missed="skip")
        self.wait_for_runs(daemon, 1)
        self.restart(daemon, clock, "2026-06-09 05:50:00")
        clock.set("2026-06-09 05:59:57")
        self.assertEqual(self.wait_for_runs(daemon, 2)[1], "2026-06-09T06:00:00.000Z")

    def test_a_slot_before_the_first_run_is_missed_too(self):
        clock, daemon = self.at("2026-06-01 05:00:00", cron="0 6 * * *")
        self.restart(daemon, clock, "2026-06-01 07:00:00")
        self.assertEqual(self.wait_for_runs(daemon, 1), ["2026-06-01T06:00:00.000Z"])

    def test_interval_sources_are_due_at_once_unless_told_to_skip(self):
        clock, daemon = self.at("2026-06-01 05:00:00", interval="12h")
        self.wait_for_runs(daemon, 1)
        self.restart(daemon, clock, "2026-06-05 05:00:00")
        self.wait_for_runs(daemon, 2)
        daemon.stop()
        daemon.write_config(self.config(interval="12h", missed="skip"))
        clock.set("2026-06-09 05:00:00")
        daemon.start()
        time.sleep(3)
        self.assertEqual(len(self.scheduled(daemon)), 2)


class Aligned(WallClock):
    def test_aligned_slots_are_whole_seconds_with_the_offset(self):
        daemon = self.daemon(self.config(interval="1s", align=True, offset="250ms",
                                         timezone="Europe/Paris"))
        slots = self.wait_for_runs(daemon, 5)[1:]  # the first is due at once
        for slot in slots:
            self.assertRegex(slot, r"\.250Z$")


class Refused(harness.TestCase):
    def check(self, text, env=None):
        path = self.folder / "gatherd.yaml"
        path.write_text(text)
        return self.gatherd("check", path, env=env)

    def test_impossible_times_and_unknown_zones_are_refused_with_their_place(self):
        result = self.check("sources:\n"
                            "  - name: a\n"
                            "    url: http://e.org/\n"
                            "    cron: 0 0 30 2 *\n"
                            "    timezone: Europe/Pari\n")
        self.assertEqual(result.returncode, 78)
        self.assertIn(":4:15: error: sources[0].cron: \"0 0 30 2 *\" is not a cron line: no day",
                      result.stderr + result.stdout)
        self.assertIn(":5:15: error: sources[0].timezone: \"Europe/Pari\" is not a time zone; did "
                      "you mean \"Europe/Paris\"?", result.stderr + result.stdout)

    def test_without_a_zone_database_utc_still_works(self):
        source = {"name": "a", "url": "http://e.org/", "cron": "@daily"}
        env = {"TZDIR": "/nonexistent"}
        self.assertEqual(self.check(json.dumps({"sources": [source]}), env).returncode, 0)
        source["timezone"] = "Asia/Tokyo"
        result = self.check(json.dumps({"sources": [source]}), env)
        self.assertEqual(result.returncode, 78)
        self.assertIn("install the package tzdata", result.stderr + result.stdout)


if __name__ == "__main__":
    harness.main()
