"""e2e_exit_codes.py - why gatherd does not start, or ends: the status and the words that go with it.

1 work failed, 64 wrong usage, 69 something needed is not available, 74 input or output failed, 77 no
permission, 78 wrong configuration (sysexits.h). Service managers act on the status, people read the
words; each test asserts both, for `run` (a line of the log) and for `run --once`.
"""
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import unittest

import harness

as_root = unittest.skipUnless(os.getuid() == 0, "only root can become another user")


class ExitCase(harness.TestCase):
    """A folder with a configuration; its only source refuses connections at once."""

    SOURCE = {"name": "a", "url": "http://127.0.0.1:1/", "timeout": "1s"}

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.configure()
        self.database = self.folder / "gatherd.db"

    def configure(self, **more):
        (self.folder / "gatherd.yaml").write_text(json.dumps({"sources": [self.SOURCE], **more}))

    def make_database(self):
        """What a first run leaves behind."""
        self.assertEqual(self.gatherd("run", "--once").returncode, 1)  # the source refuses
        self.assertTrue(self.database.exists())

    def start(self, *words, wrapper=(), **options):
        return subprocess.run([*wrapper, harness.GATHERD, "run", *words], cwd=self.folder, text=True,
                              capture_output=True, timeout=60 * harness.SLOW, check=False, **options)

    def refuses(self, status, message, **options):
        """Both forms of run end with the status and say the message, and nothing else."""
        result = self.start(**options)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        self.assertEqual(result.stdout, "")
        [line] = result.stderr.splitlines()
        self.assertRegex(line, r'^(time=\S+ )?level=error msg="cannot start" error=')
        logged = line.split("error=", 2)[-1]
        self.assertEqual(logged.strip('"').replace('\\"', '"'), message)
        result = self.start("--once", **options)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        self.assertEqual((result.stdout, result.stderr), ("", f"gatherd: {message}\n"))


class Usage(ExitCase):
    def test_wrong_usage_is_64_before_anything_is_read(self):
        for words in (["--nonsense"], ["-c"], ["a"], ["--once", "b"]):
            result = self.start(*words)
            self.assertEqual(result.returncode, 64, result.stderr)
            self.assertTrue(result.stderr.startswith("gatherd run: "), result.stderr)
            self.assertTrue(result.stderr.endswith("Try `gatherd run --help`.\n"), result.stderr)
        self.assertFalse(self.database.exists())


class Unavailable(ExitCase):
    def test_a_second_gatherd_on_the_same_database_is_69_and_names_the_first(self):
        daemon = self.daemon({"sources": [self.SOURCE]})
        self.configure(database=str(daemon.database))
        self.refuses(69, f"{daemon.database} is in use by another gatherd (process"
                         f" {daemon.process.pid})")
        # By another name it is the same database ...
        os.symlink(daemon.database, self.folder / "link.db")
        os.symlink(daemon.folder, self.folder / "folder")
        for name in ("link.db", "folder/gatherd.db", f"folder/../{daemon.folder.name}/gatherd.db"):
            self.configure(database=name)
            self.refuses(69, f"{name} is in use by another gatherd (process {daemon.process.pid})")
        # ... and reading it is not using it.
        result = self.gatherd("query", "-d", daemon.database, "-f", "csv", "SELECT 1 AS a")
        self.assertEqual((result.returncode, result.stdout), (0, "a\n1\n"))
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.start("--once").returncode, 1)  # now it may

    def test_the_lock_of_a_killed_gatherd_is_free(self):
        daemon = self.daemon({"sources": [self.SOURCE]})
        daemon.kill()
        daemon.start()
        self.assertEqual(daemon.stop(), 0)

    def test_a_newer_database_is_69_and_left_as_it_is(self):
        self.make_database()
        with sqlite3.connect(self.database) as connection:
            [(version,)] = connection.execute("PRAGMA user_version")
            connection.execute("PRAGMA user_version = 999")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        before = self.database.read_bytes()
        self.refuses(69, "gatherd.db was written by a newer gatherd (database version 999, this program"
                         f" knows {version}); upgrade gatherd, or choose another path")
        self.assertEqual(self.database.read_bytes(), before)

    def test_a_database_of_another_program_is_69_and_left_as_it_is(self):
        with sqlite3.connect(self.database) as connection:
            connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.close()
        before = self.database.read_bytes()
        self.refuses(69, "gatherd.db is not a gatherd database (it holds tables of another program);"
                         " choose another path")
        self.assertEqual(self.database.read_bytes(), before)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["gatherd.db", "gatherd.yaml"])

    def test_a_file_that_is_no_database_is_69_and_left_as_it_is(self):
        self.database.write_text("notes, not rows\n" * 1000)
        self.refuses(69, "gatherd.db is not a SQLite database; choose another path")
        self.assertEqual(self.database.read_text(), "notes, not rows\n" * 1000)

    def test_a_folder_in_place_of_the_database_is_69(self):
        self.database.mkdir()
        self.refuses(69, "gatherd.db is a folder, not a database file; choose another path")

    def test_a_folder_that_is_not_there_is_69(self):
        self.configure(database="missing/gatherd.db")
        self.refuses(69, "missing/gatherd.db: folder missing: No such file or directory; create it, or"
                         " choose another path")

    def test_an_empty_file_becomes_the_database(self):
        self.database.touch()
        self.make_database()


@as_root
@harness.needs_command("setpriv")
class Permission(ExitCase):
    """As a user without rights; the binary is copied to where that user can reach it."""

    NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

    def setUp(self):
        super().setUp()
        self.binary = self.folder / "gatherd"
        shutil.copy(harness.GATHERD, self.binary)
        self.binary.chmod(0o755)

    def start(self, *words, **options):
        return subprocess.run([*self.NOBODY, self.binary, "run", *words], cwd=self.folder, text=True,
                              capture_output=True, timeout=60, check=False, **options)

    def test_a_folder_that_may_not_be_written_is_77(self):
        self.refuses(77, f"{self.folder}/gatherd.db-lock: cannot open: Permission denied")
        self.assertFalse(self.database.exists())

    def test_a_database_that_may_not_be_written_is_77(self):
        self.make_database()
        self.refuses(77, f"{self.folder}/gatherd.db-lock: cannot open: Permission denied")
        os.chown(self.folder / "gatherd.db-lock", 65534, 65534)
        self.refuses(77, "gatherd.db: no permission to write")
        os.chown(self.database, 65534, 65534)  # the files beside it are still root's
        result = self.start("--once")
        self.assertEqual(result.returncode, 77, result.stderr)
        self.assertTrue(result.stderr.startswith("gatherd: gatherd.db: "), result.stderr)

    def test_a_configuration_that_may_not_be_read_is_78(self):
        (self.folder / "gatherd.yaml").chmod(0o600)
        for words in ([], ["--once"]):
            result = self.start(*words)
            self.assertEqual(result.returncode, 78)
            self.assertEqual(result.stderr, "gatherd.yaml: error: cannot read it: Permission denied\n"
                                            "1 error in the configuration\n")


class InputAndOutput(ExitCase):
    def test_a_damaged_database_is_74(self):
        self.make_database()
        with sqlite3.connect(self.database) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        with open(self.database, "r+b") as file:  # the page of the schema, behind the file's header
            file.seek(100)
            file.write(b"\xff" * 3996)
        self.refuses(74, "gatherd.db is damaged (database disk image is malformed); restore a backup, or"
                         " move the file away to start anew")

    def test_no_space_to_make_the_database_is_74(self):
        def little_space():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

        for words in ([], ["--once"]):
            result = self.start(*words, preexec_fn=little_space)
            self.assertEqual(result.returncode, 74, result.stdout + result.stderr)
            self.assertIn("gatherd.db: ", result.stderr)
            for file in self.folder.glob("gatherd.db*"):
                file.unlink()

    def test_standard_output_that_is_full_is_74(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([harness.GATHERD, "version"], stdout=full, stderr=subprocess.PIPE,
                                    timeout=60, check=False)
        self.assertEqual(result.returncode, 74)
        self.assertEqual(result.stderr, b"gatherd: standard output: No space left on device\n")


class Configuration(ExitCase):
    def test_a_wrong_configuration_is_78_and_nothing_is_made(self):
        (self.folder / "gatherd.yaml").write_text("sources:\n  - name: a\n    url: http://x/\n    foo: 1\n")
        for words in ([], ["--once"], ["--once", "a"]):
            result = self.start(*words)
            self.assertEqual(result.returncode, 78)
            self.assertEqual(result.stdout, "")
            self.assertRegex(result.stderr, r"^gatherd\.yaml:4:5: error: sources\[0\]\.foo: unknown key")
            self.assertTrue(result.stderr.endswith("\n1 error in the configuration\n"))
        self.assertEqual([p.name for p in self.folder.iterdir()], ["gatherd.yaml"])


class Success(ExitCase):
    def test_a_source_that_failed_makes_run_once_1_but_a_daemon_goes_on_and_ends_with_0(self):
        result = self.start("--once")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"(?m)^a +network ")
        self.assertRegex(result.stdout, r"(?m)^a: .*127\.0\.0\.1")
        for number in (signal.SIGTERM, signal.SIGINT):
            daemon = self.daemon({"sources": [self.SOURCE]})
            daemon.wait_for_log("source is failing")
            daemon.signal(number)  # once: a second signal ends it at once
            self.assertEqual(daemon.process.wait(60), 0)
            self.assertIn("msg=stopped", daemon.log())


if __name__ == "__main__":
    harness.main()
