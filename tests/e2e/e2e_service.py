#!/usr/bin/env python3
"""e2e_service.py - what systemd, the journal and an administrator see of gatherd."""
import json
import os
import pathlib
import re
import subprocess
import time
import unittest

import harness
from counting_server import CountingServer
from notify_socket import NotifySocket

BINARY = pathlib.Path(harness.GATHERD).resolve()
BUILD = BINARY.parent
# Each takes ten seconds: one of a kind in the ordinary run.
THREADS = ("fetcher-1", "processor-0", "fetcher-0", "processor-1")[
    :4 if os.environ.get("GATHERD_FULL") == "1" else 2]
needs_preload = unittest.skipIf(harness.SANITIZED, "a sanitizer must be the first library")


def logfmt(line):
    """The pairs of a logfmt line, in order; AssertionError when it is none."""
    pairs = []
    rest = line
    while rest:
        found = re.match(r'([a-z_]+)=(?:([^\s"=\\]+)|"((?:[^"\\\x00-\x1f\x7f]|\\["\\nt]'
                         r'|\\x[0-9a-f]{2})*)")(?: |$)', rest)
        if found is None:
            raise AssertionError(f"not logfmt at {rest!r} in {line!r}")
        pairs.append((found.group(1), found.group(2) if found.group(2) is not None
                      else found.group(3)))
        rest = rest[found.end():]
    return pairs


class Service(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.server = CountingServer()
        self.addCleanup(self.server.stop)
        self.notify = NotifySocket(self.folder)
        self.addCleanup(self.notify.close)

    def source(self, name="a", kind="rows", **keys):
        return {"name": name, "url": f"{self.server.url}/{kind}/{name}", "interval": "100ms",
                **keys}

    def config(self, *sources, **keys):
        return {"fetchers": 2, "processors": 2, "shutdown_timeout": "5s", **keys,
                "sources": list(sources) or [self.source()]}

    def service(self, config=None, start=True, **env):
        return self.daemon(config or self.config(), start=start, env={**self.notify.env, **env})


class Notify(Service):
    def test_ready_comes_once_and_stopping_before_the_end(self):
        daemon = self.service()
        ready, _ = self.notify.wait_for("READY")
        self.notify.wait_for("STATUS")
        time.sleep(0.3)
        self.assertEqual(len(self.notify.all("READY")), 1)
        self.assertEqual(self.notify.all("STOPPING"), [])
        self.assertEqual(daemon.stop(), 0)
        stopping, message = self.notify.wait_for("STOPPING")
        self.assertEqual(message["STOPPING"], "1")
        self.assertGreater(stopping, ready)

    def test_there_is_no_ready_when_the_start_fails(self):
        daemon = self.service(self.config(database="/nonexistent/gatherd.db"), start=False)
        daemon.start(wait=False)
        self.assertEqual(daemon.process.wait(20 * harness.SLOW), 69, daemon.log())
        self.assertIn('msg="cannot start"', daemon.log())
        bad = self.service("sources: [{}]", start=False).start(wait=False)
        self.assertEqual(bad.process.wait(20 * harness.SLOW), 78)
        self.assertEqual(self.notify.messages, [])

    def test_the_status_says_what_it_does(self):
        self.service(self.config(self.source("a"), self.source("b", "status/404")))
        harness.wait_until(lambda: any(
            re.fullmatch(r"2 sources, 1 failing, \d+ held up, \d+ in flight, \d+ queued, [1-9]\d* runs,"
                         r" [1-9]\d* rows", message["STATUS"])
            for _, message in self.notify.all("STATUS")), 20, "a status with its counts")

    def test_the_watchdog_is_fed_at_half_its_time(self):
        self.service(WATCHDOG_USEC="2000000")
        self.notify.wait_for("WATCHDOG", 6, timeout=30)
        times = [when for when, _ in self.notify.all("WATCHDOG")]
        gaps = [later - sooner for sooner, later in zip(times, times[1:])]
        self.assertLess(max(gaps), 2 * harness.SLOW)
        self.assertGreater(sum(gaps) / len(gaps), 0.5)

    def test_the_watchdog_is_not_fed_when_it_is_another_process_s(self):
        self.service(WATCHDOG_USEC="1000000", WATCHDOG_PID="1")
        time.sleep(2)
        self.assertEqual(self.notify.all("WATCHDOG"), [])

    def test_without_a_socket_or_with_one_that_is_gone_it_runs_all_the_same(self):
        for env in ({"NOTIFY_SOCKET": str(self.folder / "gone")}, {"NOTIFY_SOCKET": ""},
                    {"NOTIFY_SOCKET": "relative"}):
            daemon = self.daemon(self.config(), env=env)
            daemon.wait_for_sql("SELECT count(*) > 2 FROM _gatherd_runs")
            self.assertEqual(daemon.stop(), 0)


@harness.needs_command("cc")
@needs_preload
class Hang(Service):
    def setUp(self):
        super().setUp()
        self.preload = self.folder / "hang.so"
        source = pathlib.Path(__file__).parent / "hang.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.preload, source, "-ldl", "-pthread"],
                       check=True)
        self.hang_file = self.folder / "hang"

    def preloaded(self, **env):
        return self.service(LD_PRELOAD=str(self.preload), HANG_FILE=str(self.hang_file), **env)

    def test_ready_waits_for_every_thread_to_run(self):
        for number in range(1, 5):  # two processors, two fetchers
            before = len(self.notify.all("READY"))
            daemon = self.service(start=False, LD_PRELOAD=str(self.preload),
                                  LATE_THREAD=str(number), LATE_MS="1500")
            began = time.monotonic()
            daemon.start(wait=False)
            ready, _ = self.notify.wait_for("READY", before + 1)
            self.assertGreater(ready - began, 1.5, f"thread {number}")
            self.assertEqual(daemon.stop(), 0)

    def test_a_thread_that_hangs_starves_the_watchdog(self):
        for name in THREADS:
            daemon = self.preloaded(WATCHDOG_USEC="2000000")
            fed = len(self.notify.all("WATCHDOG"))
            self.notify.wait_for("WATCHDOG", fed + 2)
            self.hang_file.write_text(name)
            daemon.wait_for_log("a thread hangs", timeout=30)
            fed = len(self.notify.all("WATCHDOG"))
            time.sleep(3)
            self.assertEqual(len(self.notify.all("WATCHDOG")), fed, name)
            self.assertIsNone(daemon.process.poll())  # to end it is systemd's part
            self.assertEqual(daemon.log().count("a thread hangs"), 1)
            # A thread that goes on after all is forgiven.
            self.hang_file.unlink()
            self.notify.wait_for("WATCHDOG", fed + 2)
            self.assertEqual(daemon.stop(), 0, daemon.log())


class Log(Service):
    def test_every_line_is_logfmt_with_time_and_level(self):
        nasty = "<b>\n\t\"quoted\" = \\ \x1b[31m"
        self.server.text("html", nasty)
        daemon = self.service(self.config(self.source("a"), self.source("html", "text"),
                                          self.source("bad", "status/500",
                                                      url="http://127.0.0.1:1/")))
        daemon.wait_for_log("source is failing")
        daemon.reload("sources: [{name: \"x\\ny\", url: 'http://[', interval: \"5 \\e[31mparsecs\"}]")
        self.assertEqual(daemon.stop(), 0)
        lines = daemon.log_path.read_bytes().decode().splitlines()
        self.assertGreater(len(lines), 5)
        for line in lines:
            pairs = logfmt(line)
            self.assertEqual([key for key, _ in pairs[:3]], ["time", "level", "msg"])
            self.assertRegex(pairs[0][1], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(pairs[1][1], ("error", "warning", "info", "debug"))

    def test_the_journal_gets_priorities_in_place_of_time_and_level(self):
        daemon = self.service(self.config(self.source("b", "status/404")), start=False)
        daemon.log_path.touch()
        log = daemon.log_path.stat()
        daemon.env["JOURNAL_STREAM"] = f"{log.st_dev}:{log.st_ino}"
        daemon.start()
        daemon.wait_for_log("source is failing")
        daemon.reload("nonsense")
        self.assertEqual(daemon.stop(), 0)
        priorities = set()
        for line in daemon.log().splitlines():
            found = re.match(r"<([3467])>(?=msg=)", line)
            self.assertIsNotNone(found, line)
            priorities.add(found.group(1))
            keys = [key for key, _ in logfmt(line[3:])]
            self.assertNotIn("time", keys)
            self.assertNotIn("level", keys)
        self.assertEqual(priorities, {"3", "4", "6"})

    def test_a_stream_that_is_not_the_journal_gets_no_priorities(self):
        for stream in ("1:2", "nonsense", ""):
            daemon = self.service(JOURNAL_STREAM=stream)
            self.assertEqual(daemon.stop(), 0)
            self.assertTrue(all(line.startswith("time=") for line in daemon.log().splitlines()))

    def test_a_failing_source_says_so_once_and_when_it_is_well_again(self):
        self.server.text("a", "not json")
        daemon = self.service(self.config(self.source("a", "text", max_interval="100ms")))
        daemon.wait_for_sql("SELECT count(*) >= 15 FROM _gatherd_runs", timeout=30)
        self.assertEqual(daemon.log().count("source is failing"), 1, daemon.log())
        self.server.text("a", '[{"id": 1}]')
        daemon.wait_for_log("source is well again")
        runs = daemon.value("SELECT count(*) FROM _gatherd_runs")
        daemon.wait_for_sql(f"SELECT count(*) > {runs} + 10 FROM _gatherd_runs")
        self.assertEqual(daemon.log().count("source is well again"), 1)
        self.server.text("a", "not json again")
        daemon.wait_for_log("source is failing", count=2)
        failing = [dict(logfmt(line)) for line in daemon.log().splitlines() if "is failing" in line]
        self.assertEqual({(line["level"], line["source"], line["failure"]) for line in failing},
                         {("warning", "a", "decode")})


class Install(Service):
    def install(self):
        if not (BUILD / "CMakeCache.txt").exists():
            self.skipTest(f"{BUILD} is no build folder")
        root = self.folder / "root"
        subprocess.run(["cmake", "--install", BUILD], env=dict(os.environ, DESTDIR=str(root)),
                       check=True, capture_output=True)
        return root

    def cache(self, name, fallback=None):
        found = re.search(rf"^{name}:\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M)
        return found.group(1) if found and found.group(1) else fallback

    def systemd_folder(self, variable, fallback):
        asked = subprocess.run(["pkg-config", f"--variable={variable}", "systemd"],
                               capture_output=True, text=True, check=False)
        return asked.stdout.strip() or fallback

    def test_files_go_where_gnuinstalldirs_and_pkg_config_say(self):
        root = self.install()
        prefix = self.cache("CMAKE_INSTALL_PREFIX")
        data = f"{prefix}/{self.cache('CMAKE_INSTALL_DATAROOTDIR', 'share')}"
        documents = f"{data}/doc/gatherd"
        units = self.systemd_folder("systemdsystemunitdir", f"{prefix}/lib/systemd/system")
        users = self.systemd_folder("sysusersdir", f"{prefix}/lib/sysusers.d")
        program = f"{prefix}/{self.cache('CMAKE_INSTALL_BINDIR', 'bin')}/gatherd"
        wanted = {program, f"{units}/gatherd.service", f"{users}/gatherd.conf",
                  f"{documents}/README.md", f"{documents}/LICENSE",
                  f"{documents}/docs/configuration.md",
                  f"{documents}/examples/gatherd.yaml", f"{documents}/examples/github_issues.yaml",
                  f"{data}/gatherd/gatherd.schema.json"}
        there = {"/" + str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
        self.assertEqual(wanted - there, set())
        self.assertEqual({path for path in there - wanted
                          if not path.startswith((documents, data))}, set())

        unit = (root / units[1:] / "gatherd.service").read_text()
        self.assertIn(f"ExecStart={program} run --config %E/gatherd/gatherd.yaml", unit)
        self.assertIn(f"Documentation=file:{documents}/README.md", unit)
        self.assertNotIn("@", re.sub(r"@(system-service|privileged|resources)", "", unit))
        version = subprocess.run([root / program[1:], "version"], capture_output=True, text=True,
                                 check=True)
        self.assertIn("gatherd", version.stdout)
        json.loads((root / data[1:] / "gatherd/gatherd.schema.json").read_text())

    @harness.needs_command("cmake")
    def test_a_prefix_of_usr_gives_the_paths_of_a_package(self):
        build = self.folder / "build"
        subprocess.run(["cmake", "-G", "Ninja", "-S", harness.ROOT, "-B", build, "-DCMAKE_INSTALL_PREFIX=/usr",
                        "-DBUILD_TESTING=OFF"], check=True, capture_output=True)
        unit = (build / "systemd/gatherd.service").read_text()
        self.assertIn("ExecStart=/usr/bin/gatherd run --config %E/gatherd/gatherd.yaml", unit)
        self.assertIn("file:/usr/share/doc/gatherd/README.md", unit)

    def unit(self):
        """The unit with the binary under test, in a folder of its own."""
        text = (BUILD / "systemd/gatherd.service").read_text()
        path = self.folder / "gatherd.service"
        path.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={BINARY}", text, flags=re.M))
        return path

    @harness.needs_command("systemd-analyze")
    def test_systemd_finds_nothing_wrong_with_the_unit(self):
        done = subprocess.run(["systemd-analyze", "verify", self.unit()], capture_output=True,
                              text=True, check=False)
        said = [line for line in (done.stdout + done.stderr).splitlines() if "gatherd" in line]
        self.assertEqual((done.returncode, said), (0, []))

    @harness.needs_command("systemd-analyze")
    def test_the_unit_is_exposed_to_1_1_at_most(self):
        done = subprocess.run(["systemd-analyze", "security", "--no-pager", "--offline=true",
                               self.unit()], capture_output=True, text=True, check=False)
        found = re.search(r"Overall exposure level for gatherd\.service: (\d+\.\d+)", done.stdout)
        self.assertIsNotNone(found, done.stdout + done.stderr)
        self.assertLessEqual(float(found.group(1)), 1.1)

    def test_the_unit_asks_for_what_the_daemon_does(self):
        unit = self.unit().read_text()
        for line in ("Type=notify", "ExecReload=kill -HUP $MAINPID", "Restart=always",
                     "RestartPreventExitStatus=64 78", "WatchdogSec=60s", "UMask=0027"):
            self.assertIn(f"\n{line}\n", unit)


if __name__ == "__main__":
    harness.main()
