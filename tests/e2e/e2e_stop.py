#!/usr/bin/env python3
"""e2e_stop.py - stopping in order loses nothing, in time, whatever signals come."""
import contextlib
import re
import signal
import sqlite3
import threading
import time

import harness
from counting_server import CountingServer

SOURCES = 30
MARGIN = 3  # seconds beyond shutdown_timeout that a busy machine may need


class Stop(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.server = CountingServer()
        self.addCleanup(self.server.stop)

    def config(self, hanging=0, shutdown_timeout="20s"):
        sources = [{"name": f"s{i}", "url": f"{self.server.url}/rows/s{i}", "interval": "100ms",
                    "params": {"delay_ms": str(i % 10 * 5)}} for i in range(SOURCES)]
        sources += [{"name": f"hang{i}", "url": f"{self.server.url}/hang/hang{i}",
                     "interval": "100ms", "timeout": "60s"} for i in range(hanging)]
        return {"hosts": {"max_concurrent": 100}, "shutdown_timeout": shutdown_timeout,
                "sources": sources}

    def under_load(self, **options):
        daemon = self.daemon(self.config(**options))
        harness.wait_until(lambda: self.server.arrived() > 10 * SOURCES, 30, "load")
        return daemon

    def hanging(self, count):
        harness.wait_until(lambda: sum(self.server.arrived(f"hang{i}") for i in range(count))
                           == count, 20, "the requests that hang")

    def check_all_committed(self, daemon):
        """Every request that was answered is one successful run, and its rows are there once."""
        committed = set()
        for i in range(SOURCES):
            rows = daemon.sql(f"SELECT request, count(*), count(DISTINCT _run_id) FROM s{i}"
                              " GROUP BY request")
            self.assertEqual({(count, runs) for _, count, runs in rows}, {(3, 1)})
            committed |= {request for request, _, _ in rows}
            runs = daemon.value("SELECT count(*) FROM _gatherd_runs WHERE source = ? AND"
                                " outcome = 'success'", (f"s{i}",))
            self.assertEqual(runs, len(rows))
        answered = self.server.answered()
        self.assertEqual(answered - committed, set(), "answered, but not committed")
        self.assertEqual(committed - answered, set(), "committed, but never answered")

    def stopped_line(self, daemon):
        found = re.search(r"msg=stopped (.*)", daemon.log())
        self.assertIsNotNone(found, daemon.log())
        return {key: int(value) for key, value in
                (pair.split("=") for pair in found.group(1).split())}

    def end(self, daemon, number, within):
        """Sends the signal; the exit status and how long it took."""
        began = time.monotonic()
        daemon.signal(number)
        status = daemon.process.wait((within + MARGIN) * harness.SLOW)
        return status, time.monotonic() - began

    def test_sigterm_under_load_commits_every_response(self):
        daemon = self.under_load()
        status, took = self.end(daemon, signal.SIGTERM, 20)
        self.assertEqual(status, 0, daemon.log())
        self.assertLess(took, 5 * harness.SLOW)
        self.check_all_committed(daemon)
        runs = daemon.value("SELECT count(*) FROM _gatherd_runs")
        totals = self.stopped_line(daemon)
        self.assertEqual(totals["runs"], runs)
        self.assertEqual(totals["requests"], runs)
        self.assertEqual(totals["rows"], 3 * runs)
        self.assertEqual((totals["failed"], totals["rejected"]), (0, 0))
        self.assertIn("signal=TERM", daemon.log())

    def test_after_a_stop_all_is_in_the_database_file_itself(self):
        """The final checkpoint: who copies the one file after a stop has everything."""
        daemon = self.under_load()
        self.assertEqual(self.end(daemon, signal.SIGTERM, 20)[0], 0)
        runs = daemon.value("SELECT count(*) FROM _gatherd_runs")
        copy = self.folder / "copy.db"
        copy.write_bytes(daemon.database.read_bytes())
        with contextlib.closing(sqlite3.connect(copy)) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM _gatherd_runs").fetchone(), (runs,))
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])

    def test_sigint_stops_in_the_same_order(self):
        daemon = self.under_load()
        status, _ = self.end(daemon, signal.SIGINT, 20)
        self.assertEqual(status, 0, daemon.log())
        self.check_all_committed(daemon)
        self.assertIn("signal=INT", daemon.log())

    def test_it_can_be_stopped_and_started_again_and_again(self):
        daemon = self.daemon(self.config(), start=False)
        for _ in range(5):
            daemon.start()
            self.assertEqual(self.end(daemon, signal.SIGTERM, 20)[0], 0, daemon.log())
        self.check_all_committed(daemon)

    def test_sigterm_during_the_start_stops_it_in_order(self):
        for delay_ms in (0, 5, 10, 20, 40):
            daemon = self.daemon(self.config(), start=False).start(wait=False)
            # Before main() has dealt with signals SIGTERM does what it does to any program.
            harness.wait_until(lambda d=daemon: self.ignores_sigpipe(d.process.pid), 10, "main()")
            time.sleep(delay_ms / 1000)
            status, _ = self.end(daemon, signal.SIGTERM, 20)
            self.assertEqual(status, 0, daemon.log())

    def ignores_sigpipe(self, pid):
        """What main() does last to signals (a blocked one looks open while it is waited for)."""
        with open(f"/proc/{pid}/status") as status:
            ignored = next(line for line in status if line.startswith("SigIgn:"))
        return int(ignored.split()[1], 16) >> (signal.SIGPIPE - 1) & 1

    def test_transfers_that_hang_get_the_shutdown_timeout_and_no_more(self):
        daemon = self.under_load(hanging=5, shutdown_timeout="2s")
        self.hanging(5)
        status, took = self.end(daemon, signal.SIGTERM, 2)
        self.assertEqual(status, 0, daemon.log())
        self.assertGreater(took, 1)
        self.assertLess(took, (2 + MARGIN) * harness.SLOW)
        self.check_all_committed(daemon)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs"
                                      " WHERE source LIKE 'hang%'"), 0)
        self.assertIn("requests given up", daemon.log())
        # What was given up was not made: it is due at once.
        daemon.start()
        harness.wait_until(lambda: self.server.arrived("hang0") == 2, 20, "the request again")

    def test_transfers_that_end_within_the_shutdown_timeout_are_committed(self):
        daemon = self.under_load(hanging=5)
        self.hanging(5)
        threading.Timer(1, self.server.release).start()
        status, took = self.end(daemon, signal.SIGTERM, 20)
        self.assertEqual(status, 0, daemon.log())
        self.assertLess(took, 10 * harness.SLOW)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs"
                                      " WHERE source LIKE 'hang%' AND outcome = 'success'"), 5)

    def test_a_shutdown_timeout_of_zero_gives_up_at_once(self):
        daemon = self.under_load(hanging=3, shutdown_timeout="0s")
        self.hanging(3)
        status, took = self.end(daemon, signal.SIGTERM, 0)
        self.assertLess(took, MARGIN * harness.SLOW)
        self.assertEqual(status, 0, daemon.log())

    def test_a_second_signal_ends_it_at_once(self):
        for second in (signal.SIGTERM, signal.SIGINT):
            daemon = self.daemon(self.config(hanging=2))
            harness.wait_until(lambda d=daemon: (d.value("SELECT count(*) FROM _gatherd_runs")
                                                 or 0) > SOURCES, 20, "runs")
            daemon.signal(signal.SIGTERM)
            daemon.wait_for_log("msg=stopping")
            time.sleep(0.3)
            runs = daemon.value("SELECT count(*) FROM _gatherd_runs")
            status, took = self.end(daemon, second, 2)
            self.assertEqual(status, -second, daemon.log())
            self.assertLess(took, 2 * harness.SLOW)
            self.assertGreaterEqual(daemon.value("SELECT count(*) FROM _gatherd_runs"), runs)
            self.assertEqual(daemon.sql("PRAGMA integrity_check"), [("ok",)])

    def test_a_storm_of_sighups_harms_nothing(self):
        daemon = self.under_load()
        for _ in range(300):
            daemon.signal(signal.SIGHUP)
            time.sleep(0.005)
        daemon.wait_for_log("configuration reloaded", count=2)
        before = self.server.arrived()
        harness.wait_until(lambda: self.server.arrived() > before + SOURCES, 20, "polling goes on")
        storm = threading.Thread(target=lambda: [daemon.signal(signal.SIGHUP) or time.sleep(0.002)
                                                 for _ in range(100)])
        storm.start()
        status, _ = self.end(daemon, signal.SIGTERM, 20)
        storm.join()
        self.assertEqual(status, 0, daemon.log()[-3000:])
        self.check_all_committed(daemon)

    def test_stray_signals_harm_nothing(self):
        daemon = self.under_load()
        for name in ("SIGPIPE", "SIGXFSZ", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCHLD", "SIGURG",
                     "SIGCONT"):
            daemon.signal(getattr(signal, name))
            before = self.server.arrived()
            harness.wait_until(lambda b=before: self.server.arrived() > b + SOURCES, 20,
                               f"polling after {name}")
            self.assertIsNone(daemon.process.poll(), name)
        self.assertEqual(self.end(daemon, signal.SIGTERM, 20)[0], 0)
        self.check_all_committed(daemon)

    def test_a_pause_by_sigstop_loses_nothing(self):
        daemon = self.under_load()
        daemon.signal(signal.SIGSTOP)
        time.sleep(2)
        daemon.signal(signal.SIGCONT)
        before = self.server.arrived()
        harness.wait_until(lambda: self.server.arrived() > before + SOURCES, 20, "polling again")
        self.assertEqual(self.end(daemon, signal.SIGTERM, 20)[0], 0)
        self.check_all_committed(daemon)


if __name__ == "__main__":
    harness.main()
