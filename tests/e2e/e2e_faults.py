"""Servers that misbehave: each fault ends as a recorded, explained failure and hurts no other source."""
import contextlib
import datetime
import json
import pathlib
import re
import subprocess
import threading
import time
import urllib.parse

from harness import (FAULTY_SERVER, PYTHON, SANITIZED, SLOW, TestCase, can_replace_files, http_get, main,
                     needs_command, needs_faulty_server, replacing)

MARK = "hunter2-MARK"  # stands in every query: no error, log or database may show it
SHORT = f"{int(1500 * SLOW)}ms"  # for what never answers
LONG = f"{int(15000 * SLOW)}ms"
MAX_RSS_KIB = 160 * 1024

LIMIT = r"body larger than max_body_size \(4MiB\)"
NOT_JSON = r"the body is not JSON: line 1, column %d: %s"
NOT_HTTP = "the answer is not HTTP: "
CLOSED = "the connection was closed before the whole answer had come: "
EMPTY = r"the body is empty, where JSON was expected"
NOTHING = r"records: \$\.items\[\*\] selects nothing; "
BROKEN_GZIP = "the compressed body cannot be decoded: "
HANDSHAKE = "the TLS handshake failed: "
REFUSED = "the certificate of the server is refused: "
CHUNK = "Illegal or missing hexadecimal sequence in chunked-encoding"


class Bad:
    """A fault that fails the run: its kind, its words, whether it is tried again, what is kept."""

    def __init__(self, failure, error, requests=1, body=False, position=None, status=None, **keys):
        self.failure, self.error, self.requests = failure, error, requests
        self.body, self.position, self.status, self.keys = body, position, status, keys


class Good:
    """A legal answer: the rows it makes, as a number or as (id, value, ...) by id."""

    def __init__(self, rows, requests=1, columns=None, rejected=0, **keys):
        self.rows, self.requests, self.columns = rows, requests, columns
        self.rejected, self.keys = rejected, keys


class Either:
    """Chance decides: success, or this failure."""

    def __init__(self, failure, error, **keys):
        self.failure, self.error, self.keys = failure, error, keys


def slow(error, **keys):
    return Bad("timeout", r"timeout \(%s\) passed %s" % (duration(SHORT), error), requests=3, timeout=SHORT, **keys)


def duration(text):
    """The text as the daemon writes it: 1500ms -> 1s500ms."""
    ms = int(text[:-2])
    return "".join(f"{n}{unit}" for n, unit in ((ms // 60000, "m"), (ms // 1000 % 60, "s"), (ms % 1000, "ms")) if n)


def network(error, **keys):
    return Bad("network", error, requests=3, **keys)


def decode(error, **keys):
    return Bad("decode", error, body=True, status=200, **keys)


def broken(column, error):
    return decode(NOT_JSON % (column, error), position=(1, column))


def big(**keys):
    return Bad("limit", LIMIT, status=200, **keys)


THREE = 3  # the rows of /ok
HEAD = {"records": None, "fields": {"method": "$.method"}}  # of /echo, whose target holds the mark

FAULTS = {
    # correct answers
    "/ok": Good(THREE),
    "/ok-chunked": Good(THREE),
    "/etag": Good(THREE, conditional=False),
    "/pages": Good(2),
    "/pages-loop": Good(THREE),
    "/seq": Good(10),
    "/drain": Good(None),
    "/echo": Good(1, **HEAD),
    "/auth": Bad("status", "HTTP 401 Unauthorized", body=True, status=401),
    # slow and silent
    "/delay": Good(THREE),
    "/hang": slow("before an answer came"),
    "/hang-random": Either("timeout", r"timeout \(.*\) passed before an answer came", timeout=SHORT),
    "/slow-headers": slow("while the answer came"),
    "/slow-body": slow(r"while the answer came; \d+ bytes of its body had come", status=200),
    "/stall-body": slow("while the answer came; 1943 bytes of its body had come", status=200),
    "/stall-chunk": slow("while the answer came; 10 bytes of its body had come", status=200),
    # cut and reset
    "/close": network("the connection was closed without an answer: Empty reply from server"),
    "/reset": network("Recv failure: Connection reset by peer|Failure when receiving data from the peer"),
    "/reset-body": network("Recv failure: Connection reset by peer", status=200),
    "/truncated": network(CLOSED + "transfer closed with 500 bytes remaining to read", status=200),
    "/truncated-json": broken(217, "the body ends inside a string"),
    "/no-length": Good(THREE),
    "/chunk-truncated": network(CLOSED + "transfer closed with outstanding read data remaining", status=200),
    "/chunk-bad": network(CHUNK, status=200),
    "/chunk-huge-size": network(CHUNK, status=200),
    # wrong lengths and heads
    "/short-length": broken(197, "the body ends inside an object"),
    "/bad-length": network("the answer is not valid HTTP: Invalid Content-Length: value", status=200),
    "/negative-length": network("the answer is not valid HTTP: Invalid Content-Length: value", status=200),
    "/two-lengths": network("the answer has two Content-Length headers that disagree", status=200),
    "/huge-length": big(),
    "/length-and-chunked": network("the answer has both Content-Length and Transfer-Encoding: chunked", status=200),
    "/empty": Bad("decode", EMPTY, status=200),
    "/204": Good(0),
    "/garbage": network(NOT_HTTP + "Received HTTP/0.9 when not allowed"),
    "/http09": network(NOT_HTTP + "Received HTTP/0.9 when not allowed"),
    "/bad-status": network(NOT_HTTP + "Unsupported HTTP version in response"),
    "/header-huge": Bad("limit", "a header is too large", status=200),
    "/headers-endless": Bad("limit", "headers larger than 256 KiB", status=200),
    "/header-bad": network("the answer is not valid HTTP: Nul byte in header", status=200),
    "/informational": Good(THREE),
    "/stray": Good(THREE),
    "/keepalive-close": Good(THREE),
    # endless and huge
    "/endless": big(),
    "/chunk-endless": big(),
    "/huge": big(),
    "/many?n=20000": Good(20000),
    "/many?n=100000": big(),
    # status codes
    "/status": Bad("status", "HTTP 500 Internal Server Error", 3, True, status=500),
    "/status?code=299": Bad("records", NOTHING + "the document is an object with error", body=True, status=299),
    "/status?code=600": Bad("status", "HTTP 600", body=True, status=600),
    "/429": Bad("status", "HTTP 429 Too Many Requests", 3, True, status=429),
    "/503-date": Bad("status", "HTTP 503 Service Unavailable", 3, True, status=503),
    "/burst": Either("status", "HTTP 500 Internal Server Error"),
    "/flaky": Either("status", "HTTP 500 Internal Server Error"),
    "/rate": Either("status", "HTTP 429 Too Many Requests"),
    "/html": decode("the body is an HTML page, not JSON; check url and headers", position=(1, 1)),
    "/error-200": Bad("records", NOTHING + "the document is an object with status, error", body=True, status=200),
    # redirects
    "/redirect": Good(THREE, requests=4),
    "/redirect-loop": Bad("redirect", r"more redirects than max_redirects \(5\)", 6, status=302),
    "/redirect-grow": Bad("redirect", r"more redirects than max_redirects \(5\)", 6, status=302),
    "/redirect-file": Bad("redirect", "redirect to a file address refused", status=302),
    "/redirect-scheme": Bad("redirect", "redirect to a gopher address refused", status=302),
    "/redirect-local": Good(1, requests=2, **HEAD),
    "/redirect-host": Good(1, requests=2, **HEAD),
    "/redirect-userinfo": Bad("redirect", "redirect to an address with a user name refused", status=302),
    "/redirect-nowhere": Bad("redirect", "redirect without a Location", status=302),
    # content codings
    "/gzip": Good(THREE),
    "/gzip-bomb?mib=64": big(),
    "/gzip-twice?mib=64": big(),
    "/gzip-truncated": network(BROKEN_GZIP + "it is cut off", status=200),
    "/gzip-corrupt": network(BROKEN_GZIP + ".*incorrect data check", status=200),
    "/gzip-lie": network(BROKEN_GZIP + ".*incorrect header check", status=200),
    "/gzip-hidden": Good(THREE),  # a .json.gz served as a file
    "/encoding-unknown": network(BROKEN_GZIP + "its Content-Encoding is not known here; known are gzip, .*", status=200),
    # JSON that hurts
    "/json-bad": broken(1, "'items' is not a JSON value; text stands in double quotes"),
    "/json-trailing": broken(13, "a second document; one document a line is the format ndjson"),
    "/json-comma": broken(2, "a single quote: JSON strings stand in double quotes"),
    "/json-dupkeys": Good([(2, 9)], columns="id, value"),
    "/json-nan": broken(27, "'NaN' is not JSON: a number must be finite"),
    "/json-numbers": Good([
        (9007199254740993, "1e400"), (9223372036854775807, "1e-400"), ("9223372036854775808", -0.0),
        ("18446744073709551616", 0.1), ("-9223372036854775809", "123456789012345678901234567890")],
        columns="id, value"),
    "/json-digits": Good([("9" * 100000,)], columns="id"),
    "/json-utf8": broken(27, "byte 0xff is not UTF-8, which JSON must be"),
    "/json-overlong": broken(27, "byte 0xc0 is not UTF-8, which JSON must be"),
    "/json-surrogate": broken(27, r"\\ud800 is half of a surrogate pair, which is no character"),
    "/json-nul": Good([("a\0b", 1)], columns="name, k_y"),
    "/json-rawnul": broken(28, r"byte 0x00 in a string, where it is written \\u0000"),
    "/json-bom": Good(0),
    "/json-utf16": Good(0),
    "/json-spaces": decode(EMPTY),
    "/json-scalar": Bad("records", NOTHING + "the document is a string", body=True, status=200),
    "/json-null": Bad("records", NOTHING + "the document is null", body=True, status=200),
    "/json-shape": Good([(1,)], columns="value"),
    "/json-mixed": Good([(1, 1), (2, "x"), (3, None), (4, "[1]"), (5, '{"a":1}')], columns="id, value"),
    "/json-missing": Good(4, rejected=1),
    "/json-dupids": Good([(1, 1), (1, 1), (1, 2)], columns="id, value"),
    "/json-sql": Good([(1, "'); DROP TABLE items;--"), (2, "\"\"' OR 1=1 --")], columns="id, name"),
    "/json-log": Good([(1,)], columns="id"),
    "/json-times": Good(9),
    "/json-truncated": broken(217, "the body ends inside a string"),
    "/json-deep": broken(513, "nested deeper than 512 levels"),
    "/json-deep?kind=object": broken(2561, "nested deeper than 512 levels"),
    "/json-wide": Good(0, rejected=1),
    "/json-string?mib=3": Good(1),
    "/json-string": big(),
}

TLS_FAULTS = {
    "good": Bad("tls", REFUSED + ".*unable to get local issuer certificate; to trust its authority, name it"),
    "selfsigned": Bad("tls", REFUSED + ".*self-signed certificate; to trust its authority, name it"),
    "wronghost": Bad("tls", REFUSED),
    "expired": Bad("tls", REFUSED),
    "plain": Bad("tls", HANDSHAKE + ".*wrong version number; the server does not speak TLS there", 3),
    "silent": slow("while connecting, TLS handshake included"),
    "cut": Bad("tls", HANDSHAKE, 3),
}


def listed_paths():
    output = subprocess.run([PYTHON, str(FAULTY_SERVER), "--list"], capture_output=True, text=True, check=True).stdout
    words = [line.split()[0] for line in output.splitlines() if line.strip()]
    return [word for word in words if word.startswith("/") and not word.startswith("/_")]


def with_mark(url):
    return f"{url}{'&' if '?' in url else '?'}token={MARK}"


class RssWatch:
    """Samples the memory of a daemon until the block ends."""

    def __init__(self, daemon):
        self.daemon, self.peak_kib, self.over = daemon, 0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.sample)
        self.thread.start()
        return self

    def sample(self):
        while not self.over.wait(0.02):
            with contextlib.suppress(OSError):
                self.peak_kib = max(self.peak_kib, self.daemon.rss_kib())

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Checks(TestCase):
    """What holds after any trouble."""

    def assert_log_is_clean(self, daemon):
        data = daemon.log_path.read_bytes()
        self.assertIsNone(re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", data), "control characters in the log")
        text = data.decode("utf-8")  # strict
        self.assertIsNone(re.search("[\u0080-\u009f\u200e\u200f\u202a-\u202e]", text))

    def assert_nothing_shows_the_mark(self, daemon):
        self.assertNotIn(MARK, daemon.log())
        for path in daemon.folder.glob("gatherd.db*"):
            self.assertNotIn(MARK.encode(), path.read_bytes(), path.name)

    def assert_errors_are_clean(self, daemon):
        errors = [row[0] for row in daemon.sql("SELECT error FROM _gatherd_runs WHERE error IS NOT NULL"
                                               " UNION SELECT reason FROM _gatherd_dead_letters"
                                               " UNION SELECT last_error FROM _gatherd_sources"
                                               " WHERE last_error IS NOT NULL")]
        for error in errors:
            self.assertTrue(error.isprintable(), ascii(error))
            self.assertNotRegex(error, r"\w\?\w+=")


@needs_faulty_server
class EveryFault(Checks):
    def setUp(self):
        super().setUp()
        self.ports = self.faulty_server(tls=True)
        self.cases = {}  # name of the source -> what is expected of it

    def sources(self):
        for number, (target, expected) in enumerate(FAULTS.items()):
            yield self.source(f"f{number}", f"http://127.0.0.1:{self.ports['http']}{target}", target, expected)
        for kind, expected in TLS_FAULTS.items():
            yield self.source(f"tls-{kind}", f"https://127.0.0.1:{self.ports['tls'][kind]}/ok", kind, expected)

    def source(self, name, url, target, expected):
        self.cases[name] = (target, expected)
        source = {"name": name, "url": with_mark(url), "table": "t_" + name.replace("-", "_"),
                  "interval": "5s", "max_interval": "5s", "timeout": LONG, "connect_timeout": LONG,
                  "records": "$.items[*]"}
        source.update(expected.keys)
        if source["timeout"] == SHORT:
            source["connect_timeout"] = SHORT
        return {key: value for key, value in source.items() if value is not None}

    def test_the_table_here_knows_every_fault_of_the_server(self):
        self.assertEqual(set(listed_paths()), {target.split("?")[0] for target in FAULTS})

    @needs_command("nginx")
    def test_every_fault_is_recorded_and_explained_while_a_healthy_source_keeps_its_rhythm(self):
        (self.folder / "healthy.json").write_text('[{"id": 1}, {"id": 2}]')
        healthy = {"name": "healthy", "url": self.nginx(self.folder) + "/healthy.json", "interval": "250ms"}
        daemon = self.daemon({
            "shutdown_timeout": "3s", "hosts": {"max_concurrent": 500}, "queue": {"max_bytes": "16MiB"},
            "defaults": {"max_body_size": "4MiB"}, "sources": [healthy, *self.sources()]})
        with RssWatch(daemon) as watch:
            started = time.monotonic()
            daemon.wait_for_sql("SELECT count(*) FROM _gatherd_sources WHERE runs >= 2", len(self.cases) + 1, 120)
            window = time.monotonic() - started
        before = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - before, 3 + 5 * SLOW)
        polled = daemon.value("SELECT count(*) FROM _gatherd_runs WHERE source = 'healthy' AND outcome = 'success'")
        print(f"{len(self.cases)} faults in {window:.1f} s, peak memory {watch.peak_kib // 1024} MiB,"
              f" healthy: {polled} of {window * 4:.0f} slots", flush=True)
        if not SANITIZED:
            self.assertLess(watch.peak_kib, MAX_RSS_KIB)
            self.assertGreaterEqual(polled, 0.95 * window * 4 - 1)
        for name, (target, expected) in self.cases.items():
            with self.subTest(fault=target):
                self.check(daemon, name, expected)
        self.assert_log_is_clean(daemon)
        self.assert_errors_are_clean(daemon)
        self.assert_nothing_shows_the_mark(daemon)
        self.assertEqual(daemon.sql("SELECT id FROM healthy GROUP BY id"), [(1,), (2,)])

    def check(self, daemon, name, expected):
        runs = daemon.sql("SELECT outcome, failure, error, requests, http_status, total_ms, inserted, rejected"
                          " FROM _gatherd_runs WHERE source = ?", (name,))
        self.assertGreaterEqual(len(runs), 2)
        limit_ms = int(expected.keys.get("timeout", LONG)[:-2])
        for outcome, failure, error, requests, status, total_ms, inserted, rejected in runs:
            self.assertLessEqual(total_ms or 0, limit_ms + 1000 * SLOW)
            if isinstance(expected, Good):
                self.assertIsNone(failure, error)
                self.assertEqual((requests, rejected), (expected.requests, expected.rejected))
                self.assertEqual(outcome, "partial" if expected.rejected else "success")
            elif isinstance(expected, Either) and failure is None:
                self.assertEqual(inserted, THREE)
            else:
                self.assertEqual(failure, expected.failure, error)
                self.assertRegex(error, "^" + expected.error)
                self.assertEqual(inserted, 0)
            if isinstance(expected, Bad):
                self.assertEqual((requests, status), (expected.requests, expected.status))
        self.check_rows(daemon, name, expected, sum(run[6] for run in runs), len(runs))
        self.check_letters(daemon, name, expected, len(runs))

    def check_rows(self, daemon, name, expected, inserted, runs):
        table = "t_" + name.replace("-", "_")
        there = daemon.value("SELECT count(*) FROM sqlite_schema WHERE name = ?", (table,))
        rows = daemon.value(f"SELECT count(*) FROM {table}") if there else 0
        self.assertEqual(rows, inserted)
        if isinstance(expected, Bad):
            self.assertEqual(rows, 0, "rows of a failed answer")
        if not isinstance(expected, Good) or expected.rows is None:
            return
        if isinstance(expected.rows, int):
            self.assertEqual(rows, expected.rows * runs)
            return
        first = daemon.value(f"SELECT min(_run_id) FROM {table}")
        self.assertEqual(daemon.sql(f"SELECT {expected.columns} FROM {table} WHERE _run_id = ? ORDER BY rowid",
                                    (first,)), expected.rows)

    def check_letters(self, daemon, name, expected, runs):
        letters = daemon.sql("SELECT kind, reason, line, column, bytes, length(CAST(content AS BLOB)), occurrences"
                             " FROM _gatherd_dead_letters WHERE source = ?", (name,))
        if isinstance(expected, Either):
            return
        if isinstance(expected, Good):
            self.assertEqual(sum(letter[6] for letter in letters), expected.rejected * runs)
            return
        if not expected.body:
            self.assertEqual(letters, [])
            return
        self.assertEqual(len(letters), 1)
        kind, reason, line, column, size, kept, occurrences = letters[0]
        self.assertEqual((kind, occurrences), ("body", runs))
        self.assertRegex(reason, "^" + expected.error)
        self.assertEqual(size, kept)
        self.assertGreater(size, 0)
        if expected.position:
            self.assertEqual((line, column), expected.position)


def milliseconds(text):
    """A time of the database as Unix time."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


@needs_faulty_server
class Retries(Checks):
    def setUp(self):
        super().setUp()
        self.url = f"http://127.0.0.1:{self.faulty_server()['http']}"

    def once(self, sources, **keys):
        """Each target once, all at the same time; what the database says of each, by name."""
        daemon = self.run_once({"hosts": {"max_concurrent": 100}, "defaults": keys, "sources": [
            {"name": name, "url": self.url + target, "interval": "10s", "records": "$.items[*]"}
            for name, target in sources.items()]}, status=1)
        rows = daemon.sql("SELECT s.name, r.requests, r.finished_at, s.next_due_at, s.consecutive_failures"
                          " FROM _gatherd_sources s JOIN _gatherd_runs r ON r.source_id = s.id")
        self.assertEqual(len(rows), len(sources))
        return {row[0]: row[1:] for row in rows}

    def times(self, target):
        """When the server was asked for the target, in seconds."""
        return [entry["t"] for entry in json.loads(http_get(self.url + "/_log")) if entry["target"] == target]

    def gaps(self, target):
        times = self.times(target)
        return [b - a for a, b in zip(times, times[1:])]

    def test_statuses_that_may_pass_are_tried_three_times_and_others_once(self):
        codes = {"s400": 1, "s401": 1, "s403": 1, "s404": 1, "s410": 1, "s408": 3, "s429": 3, "s500": 3, "s501": 3,
                 "s502": 3, "s503": 3, "s504": 3, "s599": 3}
        runs = self.once({name: f"/status?code={name[1:]}" for name in codes})
        for name, requests in codes.items():
            with self.subTest(status=name):
                self.assertEqual(runs[name][0], requests)
                self.assertEqual(len(self.times(f"/status?code={name[1:]}")), requests)
                self.assertEqual(runs[name][3], 1)

    def test_a_server_that_drops_requests_gets_no_more_of_them_than_are_counted(self):
        kept = {f"kept{n}": f"/ok?n={n}" for n in range(2, 9)}  # connections that could be used again
        runs = self.once({**kept, "close": "/close?a=1", "reset": "/reset?a=1"})
        for name in ("close", "reset"):
            self.assertEqual(runs[name][0], 3)
            # libcurl may send the first anew where it went over a kept connection.
            self.assertIn(len(self.times(f"/{name}?a=1")), (3, 4))

    def test_what_the_server_asks_for_is_waited_for_within_the_run_up_to_a_minute(self):
        targets = {"seconds": "/429?after=2", "fraction": "/429?after=1.5", "date": "/503-date?in=3",
                   "past": "/503-date?in=-100", "negative": "/429?after=-5", "junk": "/429?after=soon",
                   "empty": "/429?after="}
        runs = self.once(targets)
        for name in targets:
            self.assertEqual(runs[name][0], 3, name)
        for gap in self.gaps("/429?after=2") + self.gaps("/429?after=1.5"):
            self.assertGreaterEqual(gap, 1.95)
        for gap in self.gaps("/503-date?in=3"):  # a date has whole seconds
            self.assertGreaterEqual(gap, 1.95)

    def test_more_than_a_minute_postpones_the_next_run_by_a_day_at_most(self):
        day = 24 * 3600
        asked = {"/429?after=90": 90, "/503-date?in=7200": 7199, "/429?after=31536000": day,
                 "/429?after=99999999999999999999": day}
        runs = self.once({f"s{number}": target for number, target in enumerate(asked)})
        for number, (target, seconds) in enumerate(asked.items()):
            requests, finished, due, _ = runs[f"s{number}"]
            with self.subTest(target=target):
                self.assertEqual(requests, 1)
                self.assertEqual(len(self.times(target)), 1)
                wait = (milliseconds(due) - milliseconds(finished)) / 1000
                self.assertGreaterEqual(wait, seconds - 1)
                self.assertLess(wait, seconds + 20 + 5 * SLOW)  # then its next slot

    def test_a_failing_source_doubles_its_interval_and_returns_at_the_first_success(self):
        daemon = self.daemon({"sources": [{
            "name": "burst", "url": self.url + "/burst?fail=9&ok=100", "interval": "1s", "max_interval": "4s",
            "records": "$.items[*]"}]})
        daemon.wait_for_sql("SELECT sum(outcome = 'success') >= 4 FROM _gatherd_runs", 1, 90)
        self.assertEqual(daemon.stop(), 0)
        runs = daemon.sql("SELECT outcome, requests, scheduled_at, finished_at, error FROM _gatherd_runs ORDER BY id")
        self.assertEqual([run[0] for run in runs[:6]], ["failed"] * 3 + ["success"] * 3)
        self.assertEqual([run[1] for run in runs[:6]], [3] * 3 + [1] * 3)
        for number, interval in enumerate([2, 4, 4]):
            gap = (milliseconds(runs[number + 1][2]) - milliseconds(runs[number][3])) / 1000
            self.assertGreater(gap, interval - 1.1, f"after {number + 1} failed runs")
            self.assertLessEqual(gap, interval + 0.1, f"after {number + 1} failed runs")
        for number in (4, 5):
            gap = (milliseconds(runs[number][2]) - milliseconds(runs[number - 1][2])) / 1000
            self.assertAlmostEqual(gap, 1, delta=0.1 if SLOW == 1 else 10)
        self.assertEqual(daemon.log().count('msg="source is failing"'), 1)
        self.assertEqual(daemon.log().count('msg="source is well again"'), 1)
        self.assertEqual(daemon.sql("SELECT consecutive_failures, failed_runs, last_error FROM _gatherd_sources"),
                         [(0, 3, "HTTP 500 Internal Server Error")])


class Politeness(Checks):
    def test_a_host_gets_no_more_requests_at_once_than_allowed(self):
        lock, now, peak = threading.Lock(), [0], [0]

        def answer(_):
            with lock:
                now[0] += 1
                peak[0] = max(peak[0], now[0])
            time.sleep(0.2)
            with lock:
                now[0] -= 1
            return 200, {"Content-Type": "application/json"}, b'{"id": 1}'

        url = self.python_server(answer)
        config = {"hosts": {"max_concurrent": 3}, "fetchers": 4,
                  "sources": [{"name": f"s{n}", "url": f"{url}/{n}"} for n in range(24)]}
        daemon = self.run_once(config)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'"), 24)
        self.assertEqual(peak[0], 3)

    def test_a_source_that_is_told_to_slow_down_does_while_others_go_on(self):
        lock, seen = threading.Lock(), []

        def answer(request):
            with lock:
                now = time.monotonic()
                lately = [t for t, _, status in seen if now - t < 1 and status == 200]
                status = 200 if len(lately) < 5 else 429
                seen.append((now, request.path, status))
            return status, {"Content-Type": "application/json", "Retry-After": "1"}, b'{"id": 1}'

        url = self.python_server(answer)
        daemon = self.daemon({"sources": [{"name": f"s{n}", "url": f"{url}/{n}", "interval": "1s"} for n in range(8)]})
        time.sleep(8)
        daemon.wait_for_sql("SELECT count(DISTINCT source) FROM _gatherd_runs WHERE outcome = 'success'", 8,
                            timeout=60)
        self.assertEqual(daemon.stop(), 0)
        refused = 0
        for path in {path for _, path, _ in seen}:
            mine = [(t, status) for t, p, status in seen if p == path]
            for (t, status), (following, _) in zip(mine, mine[1:]):
                refused += status == 429
                if status == 429:
                    self.assertGreaterEqual(following - t, 0.98, path)
        self.assertGreater(refused, 0)
        # A run that waited for another attempt when the daemon stopped is not on record.
        self.assertIn(len(seen) - daemon.value("SELECT sum(requests) FROM _gatherd_runs"), range(17))


@needs_faulty_server
class Redirects(Checks):
    def setUp(self):
        super().setUp()
        self.port = self.faulty_server()["http"]
        self.url = f"http://127.0.0.1:{self.port}"

    def once(self, target, status=0, **keys):
        source = {"name": "r", "url": self.url + target, **keys}
        daemon = self.run_once({"sources": [source]}, status=status)
        return daemon, daemon.sql("SELECT requests, http_status, error FROM _gatherd_runs")[0]

    def test_each_kind_of_redirect_is_followed(self):
        for code in (301, 302, 303, 307, 308):
            with self.subTest(code=code):
                daemon, run = self.once(f"/redirect?n=2&code={code}", records="$.items[*]")
                self.assertEqual(run, (3, 200, None))
                self.assertEqual(daemon.value("SELECT count(*) FROM r"), THREE)

    def test_other_statuses_of_their_hundred_are_not(self):
        for code in (300, 304, 305):
            _, run = self.once(f"/redirect?n=2&code={code}", status=1)
            self.assertEqual(run[:2], (1, code))

    def test_max_redirects_is_the_most(self):
        _, run = self.once("/redirect?n=5", records="$.items[*]")
        self.assertEqual(run, (6, 200, None))
        _, run = self.once("/redirect?n=6", status=1)
        self.assertEqual(run, (6, 302, "more redirects than max_redirects (5)"))
        _, run = self.once("/redirect?n=1", status=1, max_redirects=0)
        self.assertEqual(run, (1, 302, "more redirects than max_redirects (0)"))
        _, run = self.once("/redirect?n=9", records="$.items[*]", max_redirects=9)
        self.assertEqual(run, (10, 200, None))

    def test_headers_stay_with_their_origin(self):
        headers = {"X-Api-Key": "hunter2", "Authorization": "Bearer hunter2", "Cookie": "s=hunter2"}
        daemon, run = self.once("/redirect-host", headers=headers)
        self.assertEqual(run, (2, 200, None))
        self.assertNotIn("hunter2", daemon.value("SELECT headers FROM r"))
        self.assertIn("gatherd/", daemon.value("SELECT headers FROM r"))
        asked = json.loads(http_get(self.url + "/_log"))
        self.assertEqual([json.dumps(entry["headers"]).count("hunter2") for entry in asked[:2]], [3, 0])

    def test_headers_go_along_within_the_origin(self):
        self.once("/redirect?n=2", records="$.items[*]", headers={"X-Api-Key": "hunter2"})
        asked = json.loads(http_get(self.url + "/_log"))
        self.assertEqual([dict(entry["headers"]).get("X-Api-Key") for entry in asked[:3]], ["hunter2"] * 3)

    def test_a_private_source_may_be_redirected_to_a_private_address_in_any_spelling(self):
        for form in range(7):
            with self.subTest(form=form):
                _, run = self.once(f"/redirect-local?form={form}")
                self.assertEqual(run, (2, 200, None))

    def test_no_other_scheme_is_followed_and_no_address_is_told(self):
        for to in ("gopher://127.0.0.1:1/x", "ftp://h/x", "file:///etc/passwd", "javascript:alert(1)",
                   "data:text/plain,x", "dict://h/x", "http://", "//", "http://h:99999/"):
            with self.subTest(to=to):
                target = "/redirect-scheme?to=" + urllib.parse.quote(to + "?token=" + MARK, safe="")
                daemon, run = self.once(target, status=1)
                self.assertEqual(run[:2], (1, 302))
                self.assertRegex(run[2], "^(redirect to |the Location of the redirect is no URL)")
                self.assert_nothing_shows_the_mark(daemon)


@needs_faulty_server
@needs_command("unshare")
class TrustedAuthority(Checks):
    """The faulty server's authority is among the system's: what is wrong then is the certificate."""

    AUTHORITIES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")

    def setUp(self):
        super().setUp()
        if not self.AUTHORITIES.is_file() or not can_replace_files():
            self.skipTest("cannot add an authority for a process: no mount namespace of its own")
        self.ports = self.faulty_server(tls=True)
        bundle = self.folder / "bundle.crt"
        bundle.write_text(self.AUTHORITIES.read_text() + pathlib.Path(self.ports["ca"]).read_text())
        self.wrapper = replacing({self.AUTHORITIES: bundle})

    def poll(self, urls):
        """What became of each URL at its first poll, by its name."""
        daemon = self.daemon({"hosts": {"max_concurrent": 20}, "sources": [
            {"name": name, "url": url, "records": "$.items[*]", "interval": "1h", "timeout": "20s"}
            for name, url in urls.items()]}, wrapper=self.wrapper)
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs", len(urls), 60)
        self.assertEqual(daemon.stop(), 0)
        runs = daemon.sql("SELECT source, failure, requests, records, error FROM _gatherd_runs")
        return {run[0]: run[1:] for run in runs}

    def https(self, kind, target="/ok"):
        return f"https://127.0.0.1:{self.ports['tls'][kind]}{target}"

    def test_a_certificate_is_accepted_only_for_its_host_its_time_and_from_its_authority(self):
        runs = self.poll({kind: self.https(kind) for kind in ("good", "wronghost", "expired", "selfsigned")})
        self.assertEqual(runs["good"], (None, 1, THREE, None))
        for kind, words in (("wronghost", "no alternative certificate subject name matches target host name"
                                          " '127.0.0.1'"),
                            ("expired", "certificate has expired"), ("selfsigned", "self-signed certificate")):
            failure, requests, _, error = runs[kind]
            self.assertEqual((failure, requests), ("tls", 1))
            self.assertRegex(error, f"^{REFUSED}SSL.*: {words}")

    def test_faults_behind_tls_are_told_as_without(self):
        targets = ("/truncated", "/reset-body", "/chunk-truncated", "/gzip", "/close")
        runs = self.poll({target[1:]: self.https("good", target) for target in targets})
        self.assertEqual(runs["gzip"], (None, 1, THREE, None))
        self.assertEqual(runs["truncated"][:2], ("network", 3))
        self.assertRegex(runs["chunk-truncated"][3], "^" + CLOSED)
        self.assertEqual(runs["reset-body"][:2], ("network", 3))
        self.assertEqual(runs["close"][:2], ("network", 3))

    def test_a_redirect_from_https_to_http_is_refused(self):
        to = urllib.parse.quote(f"http://127.0.0.1:{self.ports['http']}/ok?token={MARK}", safe="")
        back = urllib.parse.quote(self.https("good"), safe="")
        runs = self.poll({"down": self.https("good", "/redirect-scheme?to=" + to),
                          "up": f"http://127.0.0.1:{self.ports['http']}/redirect-scheme?to={back}"})
        self.assertEqual(runs["down"], ("redirect", 1, 0, "redirect from https to http refused"))
        self.assertEqual(runs["up"], (None, 2, THREE, None))


class HostileText(Checks):
    """What an API says about itself ends up in errors and logs: nothing of it may act there."""

    HEAD = b"HTTP/1.1 200 \x1b[2JOK\xff\r\nContent-Type: %s\r\nX-\x1b: \x1b]0;title\x07\r\nContent-Length: %d\r\n\r\n"
    CASES = {
        "type": (b"application/json\x1b[2J\xff\xc2\x9b", b'{"error":1}'),
        "charset": (b"application/json; charset=\x1b[31mlatin\xff1", b'{"items":[]}'),
        "members": (b"application/json", b'{"\\u001b[2J\\u009b\\n\\u202eevil":1,"\\u0000":2}'),
        "raw": (b"application/json", '{"\u009b[2J\u202e":1}'.encode()),
        "character": (b"application/json", "[\u009b2J]".encode()),
        "word": (b"application/json", b"[nope\x1b[2J]"),
        "page": (b"text/html\x1b[2J", b'{"items":1}'),
    }

    def test_nothing_of_an_answer_acts_on_a_terminal_or_breaks_a_reader(self):
        def answer(request):
            kind, body = self.CASES[request.path.strip("/")]
            return self.HEAD % (kind, len(body)) + body

        url = self.python_server(answer)
        config = {"hosts": {"max_concurrent": 20},
                  "sources": [{"name": name, "url": f"{url}/{name}", "records": "$.items[*]", "interval": "100ms"}
                              for name in self.CASES]}
        daemon = self.run_once(config, status=1)
        self.assertRegex(daemon.output, r"^[\x20-\x7e\n]+$")
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'failed'"),
                         len(self.CASES))
        for table in ("_gatherd_runs", "_gatherd_dead_letters", "_gatherd_sources"):
            for row in daemon.sql(f"SELECT * FROM {table}"):  # text that is no UTF-8 would raise
                for value in row[1:]:
                    if isinstance(value, str) and value not in self.contents():
                        for line in value.splitlines():  # of `head`, a line each header
                            self.assertTrue(line.isprintable(), ascii(value))
        daemon.start()
        daemon.wait_for_sql("SELECT min(runs) >= 3 FROM _gatherd_sources", 1)
        self.assertEqual(daemon.stop(), 0)
        self.assert_log_is_clean(daemon)
        self.assert_errors_are_clean(daemon)

    def contents(self):
        """The bodies themselves are kept as they came."""
        return [body.decode("utf-8", "replace") for _, body in self.CASES.values()]


if __name__ == "__main__":
    main()
