#!/usr/bin/env python3
"""e2e_systemd.py - the installed service under a real systemd, booted in a container.

Needs root, systemd-nspawn and debootstrap, and the script that boots systemd (systemd-boot/boot.sh
among the shared tools). Runs under ./check --full. The Debian tree is made once, under build/.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest
import zlib

import harness
from counting_server import CountingServer

BUILD = pathlib.Path(harness.GATHERD).resolve().parent
BOOT = harness.SHARED / "tools" / "systemd-boot" / "boot.sh"
TREES = harness.ROOT / "build"
DATABASE = "/var/lib/gatherd/gatherd.db"

# What every script begins with: installs what `cmake --install` gave, and some words to use.
PREAMBLE = f"""
set -u
tar -C /opt/probe/root -c . | tar -C / -x --keep-directory-symlink --no-overwrite-dir
mkdir -p /etc/gatherd && cp /opt/probe/gatherd.yaml /etc/gatherd/
systemd-sysusers
systemctl daemon-reload
property() {{ systemctl show gatherd --property "$1" --value; }}
say() {{ echo "$1=$2"; }}
until_true() {{ # COMMAND...; gives up after 30 s
    i=0
    while ! eval "$@"; do
        i=$((i + 1))
        [ $i -lt 300 ] || {{ echo "gave up: $*"; journalctl -u gatherd --no-pager | tail -20; exit 1; }}
        sleep 0.1
    done
}}
runs() {{ sqlite3 -readonly {DATABASE} "SELECT count(*) FROM _gatherd_runs" 2>/dev/null || echo 0; }}
"""


def missing():
    if os.environ.get("GATHERD_FULL") != "1":
        return "runs under ./check --full"
    if os.getuid() != 0:
        return "needs root"
    if not BOOT.is_file():
        return f"{BOOT} is not there"
    for name in ("systemd-nspawn", "debootstrap", "cc"):
        if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin"):
            return f"{name} is not installed"
    if harness.SANITIZED:
        return "the container has no sanitizer libraries"
    return None


def packages():
    """The Debian packages with the libraries that the binary is linked with, and sqlite3."""
    listed = subprocess.run(["objdump", "-p", harness.GATHERD], check=True, capture_output=True,
                            text=True).stdout
    libraries = re.findall(r"NEEDED +(\S+)", listed)
    found = subprocess.run(["dpkg-query", "-S", *(f"*/{name}" for name in libraries)], check=True,
                           capture_output=True, text=True).stdout
    names = {line.split(":")[0] for line in found.splitlines()}
    return sorted({name for name in names if not name.startswith("libc6")} | {"sqlite3"})


@unittest.skipIf(missing(), missing())
class Systemd(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        listed = ",".join(packages())
        cls.tree = TREES / f"systemd-tree-{zlib.crc32(listed.encode()):08x}"
        done = subprocess.run([BOOT, "prepare", cls.tree, listed], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            shutil.rmtree(cls.tree, ignore_errors=True)
            raise AssertionError(done.stdout[-2000:] + done.stderr[-2000:])

    def setUp(self):
        super().setUp()
        self.server = CountingServer()
        self.addCleanup(self.server.stop)
        self.probe = self.folder / "probe"
        self.probe.mkdir()
        subprocess.run(["cmake", "--install", BUILD], check=True, capture_output=True,
                       env=dict(os.environ, DESTDIR=str(self.probe / "root")))
        self.write_config({"database": DATABASE, "sources": [
            {"name": "a", "url": f"{self.server.url}/rows/a", "interval": "200ms"}]})

    def write_config(self, config):
        (self.probe / "gatherd.yaml").write_text(
            config if isinstance(config, str) else json.dumps(config))

    def boot(self, script):
        """Runs the script inside; the pairs that it said, and all that it printed."""
        (self.probe / "script").write_text(PREAMBLE + script)
        done = subprocess.run([BOOT, "run", self.tree, self.probe, "--", "sh", "/opt/probe/script"],
                              env=dict(os.environ, BOOT_NET="host"), capture_output=True,
                              text=True, errors="replace", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        pairs = (line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        return dict(pairs), done.stdout

    def test_start_status_reload_and_stop(self):
        said, out = self.boot("""
            systemctl start gatherd; say started $?
            say state $(property ActiveState)
            say user $(ps -o user= -p $(property MainPID))
            until_true '[ $(runs) -gt 5 ]'
            until_true 'systemctl status gatherd | grep -q "Status: \\"1 sources, 0 failing, .* rows\\""'
            say status "$(property StatusText)"
            say version "$(/usr/local/bin/gatherd version | head -1)"

            sed -i 's#rows/a#rows/b#' /etc/gatherd/gatherd.yaml
            systemctl reload gatherd; say reloaded $?
            until_true 'journalctl -u gatherd | grep -q "configuration reloaded"'
            say state_after_reload $(property ActiveState)
            echo nonsense >/etc/gatherd/gatherd.yaml
            systemctl reload gatherd
            until_true 'journalctl -u gatherd | grep -q "reload refused"'
            say state_after_bad_reload $(property ActiveState)
            before=$(runs)
            until_true '[ $(runs) -gt $((before + 5)) ]'

            systemctl stop gatherd; say stopped $?
            say result $(property Result)
            say status_at_end $(property ExecMainStatus)
            say integrity $(sqlite3 -readonly """ + DATABASE + """ "PRAGMA integrity_check")
            say runs $(runs)
            journalctl -u gatherd -o json --no-pager | sed 's/^/journal:/'
            """)
        self.assertEqual(
            {key: said.get(key) for key in ("started", "state", "user", "reloaded", "stopped",
                                            "state_after_reload", "state_after_bad_reload",
                                            "result", "status_at_end", "integrity")},
            {"started": "0", "state": "active", "user": "gatherd", "reloaded": "0",
             "stopped": "0", "state_after_reload": "active", "state_after_bad_reload": "active",
             "result": "success", "status_at_end": "0", "integrity": "ok"}, out)
        self.assertRegex(said["status"], r"^1 sources, 0 failing, \d+ held up, \d+ in flight, ")
        self.assertGreater(self.server.arrived("b"), 0)
        self.assertEqual(int(said["runs"]), len(self.server.answered()))
        self.check_journal(out)

    def check_journal(self, out):
        """Priorities are the journal's own, and no line carries its time or level again."""
        priorities = {}
        for line in out.splitlines():
            if not line.startswith("journal:"):
                continue
            entry = json.loads(line[len("journal:"):])
            if entry.get("_COMM") == "gatherd":
                self.assertRegex(entry["MESSAGE"], r"^msg=")
                self.assertNotRegex(entry["MESSAGE"], r"(^| )(time|level)=")
                priorities[entry["MESSAGE"].split()[0]] = entry["PRIORITY"]
        self.assertEqual(priorities.get("msg=ready"), "6", out)
        self.assertEqual(priorities.get("msg=configuration"), "3", out)  # a mistake in it

    def test_it_comes_back_after_kill_9_and_after_a_stray_sigterm(self):
        said, out = self.boot("""
            systemctl start gatherd
            until_true '[ $(runs) -gt 3 ]'
            kill -9 $(property MainPID)
            until_true '[ $(property NRestarts) = 1 ] && [ $(property ActiveState) = active ]'
            before=$(runs)
            until_true '[ $(runs) -gt $((before + 3)) ]'
            kill -TERM $(property MainPID)
            until_true '[ $(property NRestarts) = 2 ] && [ $(property ActiveState) = active ]'
            before=$(runs)
            until_true '[ $(runs) -gt $((before + 3)) ]'
            systemctl stop gatherd
            say integrity $(sqlite3 -readonly """ + DATABASE + """ "PRAGMA integrity_check")
            """)
        self.assertEqual(said.get("integrity"), "ok", out)

    def test_the_watchdog_restarts_it_when_a_thread_hangs(self):
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.probe / "hang.so",
                        pathlib.Path(__file__).parent / "hang.c", "-ldl", "-pthread"], check=True)
        said, out = self.boot("""
            mkdir -p /etc/systemd/system/gatherd.service.d /run/hang
            cat >/etc/systemd/system/gatherd.service.d/test.conf <<END
[Service]
WatchdogSec=2s
LimitCORE=0
Environment=LD_PRELOAD=/opt/probe/hang.so HANG_FILE=/run/hang/name
END
            systemctl daemon-reload
            systemctl start gatherd
            until_true '[ $(runs) -gt 3 ]'
            sleep 5
            say restarts_while_well $(property NRestarts)
            printf processor-0 >/run/hang/name
            until_true 'journalctl -u gatherd | grep -q "Watchdog timeout"'
            rm /run/hang/name
            until_true '[ $(property NRestarts) = 1 ] && [ $(property ActiveState) = active ]'
            before=$(runs)
            until_true '[ $(runs) -gt $((before + 3)) ]'
            say logged $(journalctl -u gatherd | grep -c 'a thread hangs')
            """)
        self.assertEqual((said.get("restarts_while_well"), said.get("logged")), ("0", "1"), out)

    def test_a_bad_configuration_is_not_tried_again(self):
        self.write_config("sources: [{name: a, url: 'ftp://example.org'}]")
        said, out = self.boot("""
            systemctl start gatherd; say started $?
            sleep 8
            say state $(property ActiveState)
            say result $(property Result)
            say status $(property ExecMainStatus)
            say restarts $(property NRestarts)
            journalctl -u gatherd --no-pager
            """)
        self.assertNotEqual(said["started"], "0")
        self.assertEqual((said["state"], said["result"], said["status"], said["restarts"]),
                         ("failed", "exit-code", "78", "0"), out)
        self.assertRegex(out, r"/etc/gatherd/gatherd\.yaml:1:\d+: error: sources\[0\]\.url: ")

    def test_the_group_can_read_the_database_and_others_cannot(self):
        said, out = self.boot(f"""
            useradd -M -G gatherd reader
            useradd -M stranger
            count() {{ # USER: by gatherd's own reader, and by SQLite's
                runuser -u "$1" -- /usr/local/bin/gatherd query \
                    "SELECT count(*) > 3 AS enough FROM _gatherd_runs" --format csv \
                    --database {DATABASE} 2>&1 | tail -1 | tr -d '\\r'
                runuser -u "$1" -- sqlite3 -readonly {DATABASE} \
                    "SELECT count(*) > 3 FROM _gatherd_runs" 2>&1 | tail -1
            }}
            systemctl start gatherd
            until_true '[ $(runs) -gt 5 ]'
            say reader_while_running "$(count reader | tr '\\n' ' ')"
            say stranger_while_running "$(count stranger | tr '\\n' ' ')"
            say writer "$(runuser -u reader -- sqlite3 {DATABASE} 'DELETE FROM a' 2>&1 | tr '\\n' ' ')"
            systemctl stop gatherd
            say reader_while_stopped "$(count reader | tr '\\n' ' ')"
            ls -l /var/lib/gatherd
            systemctl start gatherd; say started_again $?
            systemctl stop gatherd
            """)
        self.assertEqual(said["reader_while_running"], "1 1 ", out)
        self.assertEqual(said["reader_while_stopped"], "1 1 ", out)
        self.assertNotIn("1 1", said["stranger_while_running"])
        self.assertRegex(said["writer"], r"readonly|unable to open", out)
        self.assertEqual(said["started_again"], "0", out)


if __name__ == "__main__":
    harness.main()
