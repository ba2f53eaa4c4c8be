#!/usr/bin/env python3
"""e2e_reload.py - SIGHUP: what a new configuration changes, what it leaves alone, what it costs."""
import collections
import contextlib
import json
import os
import pathlib
import re
import sqlite3
import time

import harness
from counting_server import CountingServer
from notify_socket import NotifySocket

LOAD = 30  # sources of a load


class Reload(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.server = CountingServer()
        self.addCleanup(self.server.stop)

    def source(self, name, interval="100ms", kind="rows", **keys):
        return {"name": name, "url": f"{self.server.url}/{kind}/{name}", "interval": interval,
                **keys}

    def config(self, *sources, **keys):
        return {"hosts": {"max_concurrent": 100}, "shutdown_timeout": "10s", "fetchers": 1,
                "processors": 1, **keys, "sources": list(sources)}

    def load(self, **keys):
        return self.config(*(self.source(f"s{i}", params={"delay_ms": str(i % 7 * 3)})
                             for i in range(LOAD)), **keys)

    def runs(self, daemon, source):
        return daemon.value("SELECT count(*) FROM _gatherd_runs WHERE source = ?", (source,))

    def wait_for_requests(self, source, more):
        before = self.server.arrived(source)
        harness.wait_until(lambda: self.server.arrived(source) >= before + more, 20,
                           f"requests of {source}")

    def threads(self, daemon):
        names = collections.Counter()
        for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                names[(task / "comm").read_text().strip()] += 1
        return names

    def wait_for_threads(self, daemon, fetchers, processors):
        wanted = {f"fetcher-{i}" for i in range(fetchers)} | \
            {f"processor-{i}" for i in range(processors)}

        def there():
            names = {name: count for name, count in self.threads(daemon).items()
                     if name.startswith(("fetcher-", "processor-"))}
            return names == dict.fromkeys(wanted, 1)
        harness.wait_until(there, 20, f"threads {sorted(wanted)}; now {self.threads(daemon)}")


class Files(Reload):
    def test_a_bad_file_changes_nothing_and_is_reported_with_file_line_and_column(self):
        good = self.config(self.source("a"))
        daemon = self.daemon(good)
        text = json.dumps(good, indent=1).replace('"100ms"', '"10 parsecs"')
        text = text.replace('"fetchers": 1', '"fetchers": 4,\n "fetcherz": 4')
        daemon.reload(text)
        lines = text.splitlines()
        for needle, said in (("10 parsecs", '"10 parsecs" is not a duration'),
                             ("fetcherz", 'did you mean \\"fetchers\\"')):
            line = next(i for i, one in enumerate(lines, 1) if needle in one)
            found = re.search(rf'level=error msg=configuration error="{daemon.config_path}:'
                              rf'{line}:(\d+): error: (.*)"', daemon.log())
            self.assertIsNotNone(found, daemon.log())
            self.assertEqual(lines[line - 1][int(found.group(1)) - 1], '"')
            self.assertIn(said.replace('"10 parsecs"', '\\"10 parsecs\\"'), found.group(2))
        self.assertIn("reload refused; going on with the configuration as it was", daemon.log())
        self.assertIn("errors=2", daemon.log())
        self.wait_for_requests("a", 3)
        self.wait_for_threads(daemon, 1, 1)
        self.assertEqual(daemon.stop(), 0)

    def test_a_file_that_is_gone_or_empty_changes_nothing(self):
        good = self.config(self.source("a"))
        daemon = self.daemon(good)
        daemon.reload("")
        daemon.config_path.unlink()
        daemon.reload()
        self.assertEqual(daemon.log().count("reload refused"), 2)
        self.wait_for_requests("a", 3)
        daemon.reload(good)
        self.assertIn("configuration reloaded", daemon.log())
        self.wait_for_requests("a", 3)

    def test_another_database_is_said_each_time_and_the_first_one_stays(self):
        other = self.folder / "other.db"
        daemon = self.daemon(self.config(self.source("a")))
        for times in (1, 2):
            daemon.reload(self.config(self.source("a"), database=str(other)))
            self.assertEqual(daemon.log().count("the database cannot change while gatherd runs"),
                             times, daemon.log())
        self.assertIn(f"database={daemon.database} new={other}", daemon.log())
        before = self.runs(daemon, "a")
        harness.wait_until(lambda: self.runs(daemon, "a") > before + 3, 20, "runs")
        self.assertFalse(other.exists())
        # Back to the database that is in use: nothing to say.
        daemon.reload(self.config(self.source("a")))
        self.assertEqual(daemon.log().count("the database cannot change"), 2)
        # The other settings of a file that names another database count.
        daemon.reload(self.config(self.source("a"), self.source("b"), database=str(other)))
        harness.wait_until(lambda: self.runs(daemon, "b") > 0, 20, "the new source")

    def test_synchronous_cannot_change_and_that_is_said(self):
        daemon = self.daemon(self.config(self.source("a")))
        daemon.reload(self.config(self.source("a"), synchronous="normal"))
        self.assertIn("synchronous cannot change while gatherd runs", daemon.log())


class Sources(Reload):
    def test_an_unchanged_source_keeps_its_schedule_and_state(self):
        steady = self.source("steady", "1s")
        hourly = self.source("hourly", "1h")
        daemon = self.daemon(self.config(steady, hourly, self.source("other")))
        daemon.wait_for_sql("SELECT count(*) = 3 FROM _gatherd_sources WHERE runs > 0")
        before = daemon.sql("SELECT * FROM _gatherd_sources WHERE name = 'hourly'")
        for i in range(5):
            daemon.reload(self.config(steady, hourly, self.source("other", f"{i + 2}00ms"),
                                      fetchers=1 + i % 3))
            time.sleep(0.4)
        self.wait_for_requests("steady", 2)
        self.assertEqual(self.server.arrived("hourly"), 1)
        self.assertEqual(daemon.sql("SELECT * FROM _gatherd_sources WHERE name = 'hourly'"), before)
        slots = daemon.sql("SELECT scheduled_at, skipped_slots FROM _gatherd_runs"
                           " WHERE source = 'steady' ORDER BY id LIMIT -1 OFFSET 1")
        fractions = {slot[-4:] for slot, _ in slots}  # the first ran at once, the rest at slots
        self.assertEqual(len(fractions), 1, slots)
        self.assertEqual({skipped for _, skipped in slots}, {0})

    def test_a_source_in_backoff_keeps_its_failures(self):
        bad = self.source("bad", "100ms", "status/404")
        daemon = self.daemon(self.config(bad))
        daemon.wait_for_sql("SELECT consecutive_failures >= 3 FROM _gatherd_sources")
        for _ in range(3):
            daemon.reload(self.config(bad, self.source("a")))
        failures = daemon.value("SELECT consecutive_failures FROM _gatherd_sources"
                                " WHERE name = 'bad'")
        daemon.wait_for_sql("SELECT consecutive_failures FROM _gatherd_sources"
                            " WHERE name = 'bad'", failures + 1)

    def test_a_changed_source_is_changed_at_its_next_run(self):
        daemon = self.daemon(self.config(self.source("a", params={"rows": "2"})))
        daemon.wait_for_sql("SELECT count(*) > 2 FROM _gatherd_runs")
        daemon.reload(self.config(self.source("a", params={"rows": "5"})))
        at = daemon.value("SELECT max(id) FROM _gatherd_runs")
        daemon.wait_for_sql(f"SELECT count(*) > 2 FROM _gatherd_runs WHERE id > {at} + 1")
        self.assertEqual(daemon.sql(f"SELECT DISTINCT records FROM _gatherd_runs WHERE id <= {at}"),
                         [(2,)])
        self.assertEqual(daemon.sql("SELECT DISTINCT records FROM _gatherd_runs"
                                    f" WHERE id > {at} + 1"), [(5,)])

    def test_a_shorter_interval_counts_at_once_and_a_longer_one_from_the_next_run(self):
        daemon = self.daemon(self.config(self.source("a", "1h")))
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs", 1)
        daemon.reload(self.config(self.source("a", "200ms")))
        self.wait_for_requests("a", 3)
        daemon.reload(self.config(self.source("a", "1h")))
        time.sleep(1)
        before = self.server.arrived("a")
        time.sleep(1)
        self.assertEqual(self.server.arrived("a"), before)

    def test_a_removed_source_stops_and_a_new_one_begins(self):
        daemon = self.daemon(self.config(self.source("a"), self.source("b")))
        self.wait_for_requests("b", 2)
        daemon.reload(self.config(self.source("a"), self.source("c")))
        self.wait_for_requests("c", 2)
        time.sleep(0.3)
        before = self.server.arrived("b")
        self.wait_for_requests("a", 5)
        self.assertEqual(self.server.arrived("b"), before)
        # Its history stays, and it goes on from there when it comes back.
        runs = self.runs(daemon, "b")
        self.assertGreater(runs, 0)
        daemon.reload(self.config(self.source("b")))
        daemon.wait_for_sql("SELECT runs FROM _gatherd_sources WHERE name = 'b'", runs + 2)

    def test_a_disabled_source_stops(self):
        daemon = self.daemon(self.config(self.source("a"), self.source("b")))
        self.wait_for_requests("b", 2)
        daemon.reload(self.config(self.source("a"), self.source("b", enabled=False)))
        time.sleep(0.3)
        before = self.server.arrived("b")
        self.wait_for_requests("a", 5)
        self.assertEqual(self.server.arrived("b"), before)

    def test_a_run_under_way_ends_as_it_began(self):
        def config(table):
            return self.config(self.source("a", kind="hang", timeout="60s", table=table))
        daemon = self.daemon(config("old"))
        harness.wait_until(lambda: self.server.arrived() == 1, 20, "the request")
        daemon.reload(config("new"))
        self.server.release()
        daemon.wait_for_sql("SELECT count(*) >= 3 FROM _gatherd_runs WHERE outcome = 'success'")
        self.assertEqual(daemon.sql("SELECT DISTINCT request FROM old"), [(1,)])
        self.assertEqual(daemon.value("SELECT min(request) FROM new"), 2)


class Limits(Reload):
    def test_threads_follow(self):
        daemon = self.daemon(self.load())
        self.wait_for_threads(daemon, 1, 1)
        for fetchers, processors in ((4, 3), (2, 1), (8, 8), (1, 1)):
            daemon.reload(self.load(fetchers=fetchers, processors=processors))
            self.wait_for_threads(daemon, fetchers, processors)
            self.wait_for_requests("s0", 2)

    def test_max_in_flight_follows_and_requests_under_way_go_on(self):
        hanging = [self.source(f"h{i}", kind="hang", timeout="60s", interval="1h") for i in range(6)]

        def under_way():
            return sum(self.server.arrived(f"h{i}") for i in range(6))
        daemon = self.daemon(self.config(*hanging, max_in_flight=2))
        harness.wait_until(lambda: under_way() == 2, 20, "two requests")
        time.sleep(0.5)
        self.assertEqual(under_way(), 2)
        daemon.reload(self.config(*hanging, max_in_flight=10))
        harness.wait_until(lambda: under_way() == 6, 20, "the others")
        self.server.release()
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'", 6)
        self.assertEqual(under_way(), 6)
        self.wait_for_threads(daemon, 1, 1)

    def held(self, daemon):
        """How many answers are held while the database is locked, when no more come."""
        with contextlib.closing(sqlite3.connect(daemon.database, isolation_level=None)) as db:
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("BEGIN IMMEDIATE")
            done = daemon.value("SELECT count(*) FROM _gatherd_runs")

            def quiet():
                before = self.server.arrived()
                time.sleep(1)
                return self.server.arrived() == before
            harness.wait_until(quiet, 30, "polling to pause")
            held = len(self.server.answered()) - done
            db.execute("ROLLBACK")
        harness.wait_until(lambda: daemon.value("SELECT count(*) FROM _gatherd_runs")
                           > done + 2 * LOAD, 30, "polling again")
        return held

    def test_queue_limits_follow(self):
        daemon = self.daemon(self.load(queue={"max_items": 2}))
        self.wait_for_requests("s0", 5)
        self.assertLess(self.held(daemon), LOAD / 2)
        daemon.reload(self.load(queue={"max_items": 1000}))
        self.assertEqual(self.held(daemon), LOAD)  # each source has one run, so no more
        daemon.reload(self.load(queue={"max_items": 2}))
        self.assertLess(self.held(daemon), LOAD / 2)

    def test_politeness_follows(self):
        hanging = [self.source(f"h{i}", kind="hang", timeout="60s") for i in range(4)]
        config = self.config(*hanging)
        config["hosts"] = {"max_concurrent": 1}
        daemon = self.daemon(config)
        harness.wait_until(lambda: self.server.arrived() == 1, 20, "one request")
        time.sleep(0.5)
        self.assertEqual(self.server.arrived(), 1)
        config["hosts"] = {"max_concurrent": 3}
        daemon.reload(config)
        harness.wait_until(lambda: self.server.arrived() == 3, 20, "three requests")
        time.sleep(0.5)
        self.assertEqual(self.server.arrived(), 3)


class Service(Reload):
    def test_systemd_hears_reloading_with_the_time_and_then_ready(self):
        notify = NotifySocket(self.folder)
        self.addCleanup(notify.close)
        daemon = self.daemon(self.config(self.source("a")), env=notify.env)
        notify.wait_for("READY")
        for times, config in enumerate((self.config(self.source("b")), "sources: 17"), 1):
            before = time.monotonic_ns() // 1000
            daemon.reload(config)
            when, message = notify.wait_for("RELOADING", times)
            self.assertEqual(message["RELOADING"], "1")
            self.assertTrue(before <= int(message["MONOTONIC_USEC"]) <= when * 1e6, message)
            ready, _ = notify.wait_for("READY", times + 1)
            self.assertGreaterEqual(ready, when)


class Load(Reload):
    variants = [{"fetchers": 4, "processors": 3}, {"fetchers": 2, "processors": 1},
                {"max_in_flight": 7}, {"fetchers": 3, "max_in_flight": 300},
                {"queue": {"max_items": 5}}, {"batch": {"max_rows": 10}}, {}]

    def test_reloads_under_load_lose_no_response_and_repeat_no_request(self):
        daemon = self.daemon(self.load())
        self.wait_for_requests("s0", 5)
        for i in range(28):
            daemon.reload(self.load(**self.variants[i % len(self.variants)]))
            time.sleep(0.05)
        self.assertEqual(daemon.log().count("configuration reloaded"), 28, daemon.log()[-3000:])
        self.assertEqual(daemon.stop(), 0, daemon.log()[-3000:])
        committed = collections.Counter()
        for i in range(LOAD):
            committed.update(number for (number,) in daemon.sql(f"SELECT request FROM s{i}"))
        self.assertEqual(set(committed), self.server.answered())
        self.assertEqual(set(committed.values()), {3})
        self.assertEqual(self.server.arrived(), len(committed), "requests given up")
        self.assertEqual(daemon.sql("SELECT count(*), sum(requests) FROM _gatherd_runs"
                                    " WHERE outcome = 'success'"),
                         [(len(committed), len(committed))])

    def open_files(self, daemon):
        """All but sockets, whose number is that of the requests under way and kept connections."""
        names = []
        for fd in pathlib.Path(f"/proc/{daemon.process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                names.append(os.readlink(fd))
        return sorted(name for name in names if not name.startswith("socket:"))

    def reload_often(self, daemon, times):
        for i in range(times):
            daemon.reload(self.load(**self.variants[i % len(self.variants)]))
        daemon.reload(self.load())
        self.wait_for_threads(daemon, 1, 1)
        self.wait_for_requests("s0", 2)

    def test_fifty_reloads_leak_no_memory_threads_or_files(self):
        daemon = self.daemon(self.load())
        self.reload_often(daemon, 50)  # what is allocated once, by us and in SQLite, is there now
        time.sleep(1.5)  # ended threads are joined, and their files closed, at the next tick
        files, memory = self.open_files(daemon), daemon.rss_kib()
        self.reload_often(daemon, 50)
        threads = self.threads(daemon)
        harness.wait_until(lambda: self.open_files(daemon) == files, 20,
                           f"the files to be {files}; now {self.open_files(daemon)}")
        print(f"RSS {memory} KiB, after 50 reloads {daemon.rss_kib()} KiB; threads {dict(threads)}",
              flush=True)
        if not harness.SANITIZED:
            self.assertLess(daemon.rss_kib(), memory + 3 * 1024)
        self.assertEqual(daemon.stop(), 0, daemon.log()[-3000:])


if __name__ == "__main__":
    harness.main()
