"""harness.py - what the end-to-end tests share: the real binary, real servers, the real database.

Python's standard library only. ctest sets GATHERD to the binary under test; GATHERD_SHARED may name
the folder with recorded responses and the faulty server (default: ../shared beside the checkout).
Every server binds to 127.0.0.1, takes a free port, and is stopped with the test that started it.
"""
import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GATHERD = os.environ.get("GATHERD", str(ROOT / "build/dev/gatherd"))
SHARED = pathlib.Path(os.environ.get("GATHERD_SHARED", ROOT.parent / "shared"))
DATA = SHARED / "data"
FAULTY_SERVER = SHARED / "tools" / "faulty_server.py"
PYTHON = "/usr/bin/python3"  # Debian's, which sees Debian's modules

# Sanitizers make everything slower; a bound on time is always generous, and longer there.
SLOW = float(os.environ.get("GATHERD_SLOW", "1"))

# Whether the binary has a sanitizer in it: its memory then says nothing about ours.
SANITIZED = any(mark in pathlib.Path(GATHERD).read_bytes()
                for mark in (b"__asan_init", b"__tsan_init")) if os.path.exists(GATHERD) else False

needs_data = unittest.skipUnless(DATA.is_dir(), f"{DATA} is not there")
needs_faulty_server = unittest.skipUnless(FAULTY_SERVER.is_file(), f"{FAULTY_SERVER} is not there")


def needs_command(name):
    return unittest.skipUnless(shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin"),
                               f"{name} is not installed")


# A mount namespace of its own: root's, or of a user namespace where those are allowed.
UNSHARE = ["unshare", "-m" if os.getuid() == 0 else "-rm"]


def can_replace_files():
    try:
        return subprocess.run(UNSHARE + ["mount", "--bind", "/etc/passwd", "/etc/resolv.conf"],
                              capture_output=True, timeout=20, check=False).returncode == 0
    except OSError:
        return False


def replacing(files):
    """A wrapper for Daemon in whose view the files (path -> path of the other) are replaced."""
    mounts = "".join(f"mount --bind '{other}' '{path}' && " for path, other in files.items())
    return UNSHARE + ["sh", "-c", mounts + 'exec "$@"', "sh"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, timeout=20, what="it to happen", pause=0.02):
    """The first true value of condition(); fails the test when `timeout` seconds pass before."""
    end = time.monotonic() + timeout * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout * SLOW:.0f} s for {what}")
        time.sleep(pause)


def wait_for_port(port, process, what):
    def answers():
        if process.poll() is not None:
            raise AssertionError(f"{what} ended with status {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return True
        return False
    wait_until(answers, 20, f"{what} to listen")


def http_get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read()


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers with what the function of TestCase.python_server() gives for a request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.function(self)
        if isinstance(answer, bytes):  # the whole answer, head and all
            self.wfile.write(answer)
            self.close_connection = True
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_PATCH = do_GET

    def log_message(self, *arguments):
        pass


class Answerer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # a client that went away


class Daemon:
    """`gatherd run` on a configuration in a folder of its own."""

    def __init__(self, folder, config, env=None, arguments=(), wrapper=()):
        self.folder = pathlib.Path(folder)
        self.config_path = self.folder / "gatherd.yaml"
        self.database = self.folder / "gatherd.db"
        self.log_path = self.folder / "gatherd.log"
        self.env = dict(os.environ, **(env or {}))
        self.arguments = list(arguments)
        self.wrapper = list(wrapper)
        self.process = None
        self.write_config(config)

    def write_config(self, config):
        """A dict is written as JSON, which is YAML but for surrogate escapes; a string as it is."""
        text = config if isinstance(config, str) else json.dumps(config, indent=1, ensure_ascii=False)
        self.config_path.write_text(text, encoding="utf-8")

    def start(self, wait=True):
        before = self.log().count("msg=ready")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.wrapper + [GATHERD, "run", "-c", str(self.config_path)] + self.arguments,
                stderr=log, stdout=log, env=self.env, cwd=self.folder)
        if wait:
            self.wait_for_log("msg=ready", count=before + 1)
        return self

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_for_log(self, text, timeout=20, count=1):
        def seen():
            if self.log().count(text) >= count:
                return True
            if self.process.poll() is not None:
                raise AssertionError(f"gatherd ended with status {self.process.returncode}:\n{self.log()}")
            return False
        wait_until(seen, timeout, f"{text!r} in the log:\n{self.log()}")

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, config=None):
        """SIGHUP, and waits until the log says what came of it."""
        if config is not None:
            self.write_config(config)
        before = self.log().count("reload")
        self.signal(signal.SIGHUP)
        wait_until(lambda: self.log().count("reload") > before, 20, "the reload")

    def stop(self, timeout=60):
        """SIGTERM; the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"gatherd did not stop within {timeout} s:\n{self.log()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def rss_kib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def sql(self, statement, parameters=()):
        """Rows of a statement, by a connection that can only read, as a user's would."""
        uri = f"file:{self.database}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
            return connection.execute(statement, parameters).fetchall()

    def value(self, statement, parameters=()):
        rows = self.sql(statement, parameters)
        return rows[0][0] if rows else None

    def wait_for_sql(self, statement, wanted=None, timeout=20):
        """Waits until the first value of the statement is true, or equals `wanted`."""
        def holds():
            try:
                value = self.value(statement)
            except sqlite3.OperationalError as e:  # not there yet
                if re.search("no such|unable to open|schema has changed", str(e)):
                    return False
                raise
            return value == wanted if wanted is not None else value
        try:
            return wait_until(holds, timeout, statement)
        except AssertionError as e:
            raise AssertionError(f"{e}\nlog:\n{self.log()[-4000:]}") from None


class TestCase(unittest.TestCase):
    """A folder of its own for each test, and helpers that clean up after it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatherd-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def daemon(self, config, start=True, **options):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        daemon = Daemon(folder, config, **options)
        self.addCleanup(self._end, daemon)
        return daemon.start() if start else daemon

    @staticmethod
    def _end(daemon):
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()

    def gatherd(self, *arguments, cwd=None, env=None, timeout=60):
        """Runs a command to its end: the CompletedProcess with text."""
        return subprocess.run([GATHERD, *map(str, arguments)], cwd=cwd or self.folder,
                              env=dict(os.environ, **(env or {})), capture_output=True, text=True,
                              timeout=timeout * SLOW, check=False)

    def run_once(self, config, *sources, status=0, env=None):
        """`gatherd run --once` in a folder of its own: the Daemon (not running) to query."""
        daemon = self.daemon(config, start=False)
        result = self.gatherd("run", "--once", *sources, "-c", daemon.config_path, env=env,
                              cwd=daemon.folder)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        daemon.output = result.stdout
        return daemon

    def serve(self, command, port, what, **options):
        """Starts a server command, waits until the port answers, stops it after the test."""
        log = open(self.folder / f"{what}.log", "ab")
        self.addCleanup(log.close)
        process = subprocess.Popen(command, stdout=log, stderr=log, **options)
        self.addCleanup(self._stop_server, process)
        wait_for_port(port, process, what)
        return process

    @staticmethod
    def _stop_server(process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def nginx(self, root, extra_server="", extra_http="", workers=1):
        """nginx serving the folder `root`; its base URL."""
        port = free_port()
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (folder / "nginx.conf").write_text(f"""
            daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
            worker_processes {workers};
            {"user root;" if os.getuid() == 0 else ""}
            events {{ worker_connections 4096; }}
            http {{
              access_log off;
              client_body_temp_path {folder}/t; proxy_temp_path {folder}/t;
              fastcgi_temp_path {folder}/t; uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
              types {{ application/json json geojson; application/x-ndjson ndjson;
                       application/xml xml; text/csv csv; text/plain txt; text/html html; }}
              keepalive_requests 1000000;
              gzip on; gzip_min_length 256; gzip_types application/json application/x-ndjson;
              {extra_http}
              server {{ listen 127.0.0.1:{port} backlog=4096; root {root}; {extra_server} }}
            }}""")
        nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.serve([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], port, "nginx")
        return f"http://127.0.0.1:{port}"

    def python_server(self, function):
        """A server in this process. function(handler) gives bytes, or status, headers and body.

        The handler has the request: command, path, headers and body."""
        server = Answerer(("127.0.0.1", 0), Answering)
        server.function = function
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def httpbin(self):
        port = free_port()
        self.serve(["gunicorn", "-b", f"127.0.0.1:{port}", "-w", "1", "-k", "gthread",
                    "--threads", "8", "httpbin:app"], port, "httpbin")
        return f"http://127.0.0.1:{port}"

    def faulty_server(self, tls=False):
        """The server of faults; its ports by name ("http", and with tls "good", "expired", ...)."""
        ports = self.folder / "faulty-ports.json"
        command = [PYTHON, str(FAULTY_SERVER), "--port-file", str(ports), "--life", "900"]
        log = open(self.folder / "faulty.log", "ab")
        self.addCleanup(log.close)
        process = subprocess.Popen(command + (["--tls"] if tls else []), stdout=log, stderr=log)
        self.addCleanup(self._stop_server, process)
        wait_until(ports.exists, 20, "the faulty server")
        return json.loads(ports.read_text())


def main():
    """Runs the module's tests; exit status 77, ctest's skip, when all of them were skipped."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun > 0 and len(result.skipped) == result.testsRun:
        sys.exit(77)
