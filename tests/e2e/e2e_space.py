#!/usr/bin/env python3
"""e2e_space.py - no space, or the database locked: polling pauses, nothing is dropped, and it goes
on as soon as it can.

The full disk is a small tmpfs, which takes root to mount; those tests are skipped otherwise.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest

import harness
from counting_server import CountingServer

SOURCES = 20
QUEUE_ITEMS = 10
HELD = "the database is full or locked: holding responses"
AGAIN = "the database takes responses again"


def can_mount():
    if os.getuid() != 0 or not shutil.which("mount"):
        return False
    folder = harness.tempfile.mkdtemp()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder],
                              capture_output=True, check=False).returncode == 0
        if done:
            subprocess.run(["umount", folder], check=True)
        return done
    finally:
        os.rmdir(folder)


needs_mount = unittest.skipUnless(can_mount(), "mounting a tmpfs is not allowed here")


class Pause(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.server = CountingServer()
        self.addCleanup(self.server.stop)

    def config(self, **keys):
        return {"hosts": {"max_concurrent": 100}, "queue": {"max_items": QUEUE_ITEMS},
                "shutdown_timeout": "3s", **keys,
                "sources": [{"name": f"s{i}", "url": f"{self.server.url}/rows/s{i}",
                             "params": {"rows": "20"}, "interval": "100ms"}
                            for i in range(SOURCES)]}

    def committed(self, daemon):
        """The numbers of the answers in the tables; each is there once, whole, with its run."""
        committed = set()
        for i in range(SOURCES):
            rows = daemon.sql(f"SELECT request, count(*), count(DISTINCT _run_id) FROM s{i}"
                              " GROUP BY request")
            self.assertLessEqual({(count, runs) for _, count, runs in rows}, {(20, 1)})
            committed |= {request for request, _, _ in rows}
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs"), len(committed))
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs"
                                      " WHERE outcome <> 'success'"), 0)
        return committed

    def check_paused(self, daemon):
        """Requests stop soon; what was answered is held, and no more than the limits allow."""
        def quiet():
            before = self.server.arrived()
            time.sleep(1.5)
            return self.server.arrived() == before
        harness.wait_until(quiet, 30, "polling to pause")
        self.assertIsNone(daemon.process.poll(), daemon.log())
        held = len(self.server.answered()) - daemon.value("SELECT count(*) FROM _gatherd_runs")
        # Each source has one run, and each is held at most once.
        self.assertGreater(held, 0)
        self.assertLessEqual(held, SOURCES)

    def check_goes_on(self, daemon):
        daemon.wait_for_log(AGAIN)
        before = self.server.arrived()
        harness.wait_until(lambda: self.server.arrived() > before + 3 * SOURCES, 30, "polling")

    def check_nothing_lost(self, daemon):
        self.assertEqual(daemon.stop(), 0, daemon.log())
        self.check_all_there(daemon)

    def check_all_there(self, daemon):
        self.assertEqual(self.server.answered(), self.committed(daemon))
        self.assertEqual(daemon.sql("PRAGMA integrity_check"), [("ok",)])


class Locked(Pause):
    @contextlib.contextmanager
    def lock(self, daemon):
        with contextlib.closing(sqlite3.connect(daemon.database, isolation_level=None)) as db:
            # A checkpoint is the daemon's alone: see the manual on other programs that write.
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("BEGIN EXCLUSIVE")
            yield
            db.execute("ROLLBACK")

    def under_load(self):
        daemon = self.daemon(self.config())
        harness.wait_until(lambda: self.server.arrived() > 5 * SOURCES, 30, "load")
        return daemon

    def test_a_lock_of_ten_seconds_pauses_polling_and_drops_nothing(self):
        daemon = self.under_load()
        with self.lock(daemon):
            began = time.monotonic()
            daemon.wait_for_log(HELD)
            self.check_paused(daemon)
            time.sleep(max(0, began + 10 - time.monotonic()))
        self.check_goes_on(daemon)
        self.check_nothing_lost(daemon)

    def test_sigterm_while_it_is_locked_ends_in_time_and_says_why(self):
        daemon = self.under_load()
        with self.lock(daemon):
            daemon.wait_for_log(HELD)
            self.check_paused(daemon)
            before = daemon.value("SELECT count(*) FROM _gatherd_runs")
            began = time.monotonic()
            daemon.signal(signal.SIGTERM)
            self.assertEqual(daemon.process.wait(15 * harness.SLOW), 74, daemon.log())
            self.assertLess(time.monotonic() - began, 6 * harness.SLOW)
        self.assertIn("could not be committed before shutdown_timeout", daemon.log())
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs"), before)
        self.committed(daemon)

    def test_a_lock_that_ends_during_the_stop_loses_nothing(self):
        daemon = self.daemon(self.config(shutdown_timeout="30s"))
        harness.wait_until(lambda: self.server.arrived() > 5 * SOURCES, 30, "load")
        with self.lock(daemon):
            daemon.wait_for_log(HELD)
            daemon.signal(signal.SIGTERM)
            time.sleep(3)
            self.assertIsNone(daemon.process.poll())
        self.assertEqual(daemon.process.wait(30 * harness.SLOW), 0, daemon.log())
        self.check_all_there(daemon)

    def test_a_reload_while_it_is_locked_is_refused_and_works_after_it(self):
        daemon = self.under_load()
        with self.lock(daemon):
            daemon.wait_for_log(HELD)
            daemon.reload(self.config(fetchers=4))
            self.assertIn("reload failed; going on with the configuration as it was", daemon.log())
            self.assertIn("another program has the database locked", daemon.log())
        self.check_goes_on(daemon)
        daemon.reload()
        self.assertIn("configuration reloaded", daemon.log())
        self.check_nothing_lost(daemon)


@needs_mount
class Full(Pause):
    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", self.disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)
        self.filler = self.disk / "filler"

    def fill(self, but_for=0):
        """All that is left of the disk, but for so many bytes."""
        free = os.statvfs(self.disk)
        size = free.f_bavail * free.f_frsize - but_for
        with open(self.filler, "ab") as file:
            with contextlib.suppress(OSError):
                file.write(b"x" * max(0, size))

    def until_full(self, **keys):
        daemon = self.daemon(self.config(database=str(self.disk / "gatherd.db"), **keys))
        daemon.database = self.disk / "gatherd.db"
        harness.wait_until(lambda: self.server.arrived() > 5 * SOURCES, 30, "load")
        self.fill(but_for=200_000)
        daemon.wait_for_log(HELD)
        self.assertIn("no space left on the disk", daemon.log())
        return daemon

    def test_a_full_disk_pauses_polling_and_drops_nothing(self):
        daemon = self.until_full()
        self.check_paused(daemon)
        self.assertGreater(daemon.value("SELECT count(*) FROM _gatherd_runs"), 0)  # it can be read
        self.filler.unlink()
        self.check_goes_on(daemon)
        self.check_nothing_lost(daemon)

    @unittest.skipUnless(os.environ.get("GATHERD_FULL") == "1", "runs under ./check --full")
    def test_a_disk_that_stays_full_over_a_checkpoint_ends_nothing(self):
        daemon = self.until_full()
        self.fill()
        time.sleep(75)  # a checkpoint is due each minute
        self.assertIsNone(daemon.process.poll(), daemon.log())
        self.assertIn("checkpoint put off", daemon.log())
        self.filler.unlink()
        self.check_goes_on(daemon)
        self.check_nothing_lost(daemon)

    def test_space_that_comes_and_goes_drops_nothing(self):
        daemon = self.until_full()
        for times in range(2, 5):
            self.filler.unlink()
            daemon.wait_for_log(AGAIN, count=times - 1)
            self.fill()
            daemon.wait_for_log(HELD, count=times)
        self.filler.unlink()
        self.check_nothing_lost(daemon)

    def test_sigterm_while_it_is_full_ends_in_time_and_loses_nothing_recorded(self):
        daemon = self.until_full()
        self.check_paused(daemon)
        before = daemon.value("SELECT count(*) FROM _gatherd_runs")
        answered = self.server.answered()
        began = time.monotonic()
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.process.wait(15 * harness.SLOW), 74, daemon.log())
        self.assertLess(time.monotonic() - began, 6 * harness.SLOW)
        self.assertRegex(daemon.log(), r"[0-9]+ responses could not be committed before"
                                       r" shutdown_timeout")
        self.filler.unlink()
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs"), before)
        # What was not recorded is asked for again, and answered as before.
        for i in range(SOURCES):
            self.server.replay(f"s{i}", sorted(answered & self.server.answered(f"s{i}")
                                               - self.committed(daemon)))
        daemon.start()
        harness.wait_until(lambda: self.server.arrived() > len(answered) + 3 * SOURCES, 30, "load")
        self.check_nothing_lost(daemon)

    def test_a_start_on_a_full_disk_says_so(self):
        self.fill()
        daemon = self.daemon(self.config(database=str(self.disk / "gatherd.db")), start=False)
        daemon.start(wait=False)
        self.assertEqual(daemon.process.wait(20 * harness.SLOW), 74, daemon.log())
        self.assertRegex(daemon.log(), r'msg="cannot start".*[Nn]o space left')


class Second(Pause):
    def test_a_second_gatherd_on_the_same_database_is_refused_and_harms_nothing(self):
        daemon = self.daemon(self.config())
        harness.wait_until(lambda: self.server.arrived() > SOURCES, 30, "load")
        link = self.folder / "link.db"
        link.symlink_to(daemon.database)
        for path in (daemon.database, link, pathlib.Path(f"{daemon.folder}/./gatherd.db")):
            second = self.daemon(self.config(database=str(path)), start=False).start(wait=False)
            self.assertEqual(second.process.wait(20 * harness.SLOW), 69)
            self.assertIn(f"is in use by another gatherd (process {daemon.process.pid})",
                          second.log())
        once = self.gatherd("run", "--once", "-c", second.config_path)
        self.assertEqual(once.returncode, 69)
        self.assertIn("is in use by another gatherd", once.stderr)
        self.check_nothing_lost(daemon)
        # And it is free when the first is gone, however it went.
        daemon.start()
        daemon.kill()
        daemon.start()
        self.check_nothing_lost_but_for_the_kill(daemon)

    def check_nothing_lost_but_for_the_kill(self, daemon):
        self.assertEqual(daemon.stop(), 0, daemon.log())
        self.assertLessEqual(self.committed(daemon), self.server.answered())


if __name__ == "__main__":
    harness.main()
