#!/usr/bin/env python3
"""e2e_unchanged.py - what is not fetched, read or asked for again, because nothing changed."""
import collections
import contextlib
import json
import os
import sqlite3
import threading
import time
import urllib.parse

import harness
from harness import TestCase, needs_command, needs_faulty_server

RUNS = "SELECT outcome, http_status, not_modified, records, inserted, updated, unchanged FROM _gatherd_runs"
JSON = "application/json"


def source(url, **keys):
    return {"name": "s", "url": url, "primary_key": "id", **keys}


def full(**counts):
    """What _gatherd_runs says of a run that read its answer."""
    counts = {"records": 1, "inserted": 0, "updated": 0, "unchanged": 0, **counts}
    return ("success", 200, 0, *counts.values())


def skipped(status):
    return ("success", status, 1, 0, 0, 0, 0)


class Again(TestCase):
    """The same folder and database again and again: `gatherd run --once`."""

    def start(self, config):
        self.once = self.daemon(config, start=False)
        self.again()

    def again(self, config=None, status=0):
        if config is not None:
            self.once.write_config(config)
        result = self.gatherd("run", "--once", "-c", self.once.config_path, cwd=self.once.folder)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout

    def runs(self):
        return self.once.sql(RUNS)

    def last_run(self):
        return self.runs()[-1]

    def execute(self, statement):
        with contextlib.closing(sqlite3.connect(self.once.database, timeout=10)) as connection, connection:
            connection.execute(statement)


class Answers:
    """A server's side: what it answers now, and which conditions it was asked with."""

    def __init__(self, **headers):
        self.lock = threading.Lock()
        self.asked = []
        self.status = 200
        self.value = 1
        self.headers = headers

    def __call__(self, request):
        with self.lock:
            condition = request.headers.get("If-None-Match")
            self.asked.append((condition, request.headers.get("If-Modified-Since")))
            if self.status != 200:
                return self.status, {}, b"" if self.status == 304 else b"[]"
            if condition is not None and condition == self.headers.get("ETag"):
                return 304, {}, b""
            return 200, {"Content-Type": JSON, **self.headers}, json.dumps([{"id": 1, "v": self.value}]).encode()


class RespectCache(TestCase):
    """How far away the next run is after one, by what the server says of freshness."""

    def seconds_to_next(self, url, **keys):
        keys = {"interval": "10s", "max_interval": "1h", "respect_cache": True, **keys}
        daemon = self.run_once({"sources": [source(url, **keys)]})
        return daemon.value("SELECT (julianday(next_due_at) - julianday(last_run_at)) * 86400"
                            " FROM _gatherd_sources")

    def assert_next(self, seconds, url, **keys):
        """The next run is at the first slot from then on; slots are 10 s apart."""
        found = self.seconds_to_next(url, **keys)
        self.assertGreater(found, seconds - 5)
        self.assertLess(found, seconds + 11)

    @needs_command("nginx")
    def test_expires_of_nginx(self):
        (self.folder / "items.json").write_text('[{"id": 1}]')
        url = self.nginx(self.folder, """
            location /ten/ { alias %(root)s/; expires 10m; }
            location /day/ { alias %(root)s/; expires 1d; }
            location /epoch/ { alias %(root)s/; expires epoch; }
            location /off/ { alias %(root)s/; expires off; }
            location /private/ { alias %(root)s/; add_header Cache-Control "private, max-age=300"; }
            """ % {"root": self.folder})
        self.assert_next(600, url + "/ten/items.json")
        self.assert_next(3600, url + "/day/items.json")  # max_interval
        self.assert_next(300, url + "/private/items.json")
        self.assert_next(0, url + "/epoch/items.json")
        self.assert_next(0, url + "/off/items.json")
        self.assert_next(0, url + "/ten/items.json", respect_cache=False)

    def answering(self, headers):
        return self.python_server(lambda request: (200, {"Content-Type": "application/json", **headers},
                                                   b'[{"id": 1}]'))

    def test_expires_without_cache_control(self):
        self.assert_next(0, self.answering({"Expires": "0"}))
        self.assert_next(0, self.answering({"Expires": "Thu, 01 Jan 1970 00:00:00 GMT"}))
        self.assert_next(3600, self.answering({"Expires": "Fri, 31 Dec 9999 23:59:59 GMT"}))

    def test_the_age_of_the_answer_counts(self):
        self.assert_next(200, self.answering({"Cache-Control": "max-age=600", "Age": "400"}))

    def test_no_store_goes_before_max_age(self):
        self.assert_next(0, self.answering({"Cache-Control": "max-age=600, no-store"}))


@needs_command("nginx")
class Nginx(Again):
    """Files, with nginx's own ETag, Last-Modified and 304."""

    def setUp(self):
        super().setUp()
        self.access = self.folder / "access.log"
        self.file = self.folder / "items.json"
        self.began = int(time.time()) - 100  # a file of this second would not be trusted
        self.write(1)
        self.url = self.nginx(self.folder, f"access_log {self.access} seen;", "log_format seen '$status';") \
            + "/items.json"

    def write(self, value, text=""):
        new = self.folder / "new.json"
        new.write_text(json.dumps([{"id": 1, "v": value, "text": text}]))
        os.utime(new, (self.began + value, self.began + value))
        os.rename(new, self.file)  # as one change

    def statuses(self):
        return self.access.read_text().split()

    def test_a_second_run_costs_a_304(self):
        self.start({"sources": [source(self.url)]})
        self.assertIn("not modified", self.again())
        self.assertEqual(self.runs(), [full(inserted=1), skipped(304)])
        self.assertEqual(self.statuses(), ["200", "304"])
        self.assertEqual(self.once.value("SELECT bytes FROM _gatherd_runs WHERE id = 2"), 0)

    def test_a_file_that_changed_is_read(self):
        self.start({"sources": [source(self.url)]})
        self.write(2)
        self.again()
        self.again()
        self.assertEqual(self.runs(), [full(inserted=1), full(updated=1), skipped(304)])
        self.assertEqual(self.once.sql("SELECT v FROM s"), [(2,)])

    def test_the_weak_tag_of_a_compressed_file_is_sent_back(self):
        self.write(1, "x" * 5000)
        self.start({"sources": [source(self.url)]})
        self.assertRegex(self.once.value("SELECT etag FROM _gatherd_state"), '^W/"')
        self.again()
        self.assertEqual(self.last_run(), skipped(304))

    def test_conditional_false_asks_for_the_whole(self):
        self.start({"sources": [source(self.url, conditional=False)]})
        self.again()
        self.assertEqual(self.runs(), [full(inserted=1), full(unchanged=1)])
        self.assertEqual(self.statuses(), ["200", "200"])
        self.assertEqual(self.once.sql("SELECT * FROM _gatherd_state"), [])

    def test_a_daemon_sees_each_change_and_little_else(self):
        daemon = self.daemon({"sources": [source(self.url, interval="100ms")]})
        for value in (1, 2, 3):
            self.write(value)
            daemon.wait_for_sql("SELECT v FROM s", value)
            count = daemon.value("SELECT count(*) FROM _gatherd_runs")
            daemon.wait_for_sql(f"SELECT count(*) >= {count + 5} FROM _gatherd_runs", 1)
        self.assertEqual(daemon.stop(), 0)
        statuses = collections.Counter(self.statuses())
        print(dict(statuses), flush=True)
        self.assertEqual(statuses["200"], 3)
        self.assertGreaterEqual(statuses["304"], 12)
        daemon.start()  # what was saved serves the next start
        count = daemon.value("SELECT count(*) FROM _gatherd_runs")
        daemon.wait_for_sql(f"SELECT count(*) > {count} FROM _gatherd_runs", 1)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(collections.Counter(self.statuses())["200"], 3)


class Httpbin(Again):
    def test_etag_and_cache(self):
        base = self.httpbin()
        records = {"records": "$", "fields": {"id": "$.url"}}
        self.start({"sources": [source(base + "/etag/abc", **records),
                                source(base + "/cache", **records, name="t")]})
        self.again()
        self.assertEqual(self.once.sql("SELECT source, http_status, not_modified FROM _gatherd_runs ORDER BY 1, id"),
                         [("s", 200, 0), ("s", 304, 1), ("t", 200, 0), ("t", 304, 1)])


class Validators(Again):
    def serve_answers(self, **headers):
        self.answers = Answers(**headers)
        return self.python_server(self.answers)

    def test_a_weak_tag_goes_back_as_it_came(self):
        self.start({"sources": [source(self.serve_answers(ETag='W/"a, b"'))]})
        self.again()
        self.assertEqual(self.answers.asked, [(None, None), ('W/"a, b"', None)])
        self.assertEqual(self.last_run(), skipped(304))

    def test_last_modified_goes_back_byte_for_byte(self):
        date = "Sunday, 06-Nov-94 08:49:37 GMT"
        self.start({"sources": [source(self.serve_answers(**{"Last-Modified": date}))]})
        self.again()
        self.assertEqual(self.answers.asked, [(None, None), (None, date)])
        self.assertEqual(self.last_run(), full(unchanged=1))  # this server does not look at it

    def test_what_is_not_valid_does_not_go_back(self):
        url = self.serve_answers()
        self.start({"sources": [source(url)]})
        for headers in ({"ETag": ""}, {"ETag": '""'}, {"ETag": '"a'}, {"ETag": "*"}, {"ETag": '"a", "b"'},
                        {"ETag": '"' + "a" * 9000 + '"'}, {"Last-Modified": "0"}, {"Last-Modified": "soon"}):
            self.answers.headers = headers
            self.again()
            self.again()
        self.assertEqual(set(self.answers.asked), {(None, None)})
        self.assertEqual(self.once.sql("SELECT etag, last_modified FROM _gatherd_state"), [])

    def test_two_tags_that_disagree_are_none(self):
        body = b'[{"id": 1}]'
        head = ('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "a"\r\nETag: "b"\r\n'
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        self.start({"sources": [source(self.python_server(lambda request: head + body))]})
        self.assertEqual(self.once.sql("SELECT * FROM _gatherd_state"), [])

    def test_a_tag_with_a_nul_does_not_go_back(self):
        asked = []

        def answer(request):
            asked.append(request.headers.get("If-None-Match"))
            body = b'[{"id": 1}]'
            return (b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "a\0b"\r\n'
                    + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        once = {"sources": [source(self.python_server(answer), retry={"max_attempts": 1})]}
        self.once = self.daemon(once, start=False)
        for _ in range(2):  # libcurl may refuse the whole answer
            self.gatherd("run", "--once", "-c", self.once.config_path, cwd=self.once.folder)
        self.assertEqual(set(asked), {None})

    def test_a_304_that_nobody_asked_for_is_a_failure(self):
        url = self.serve_answers()
        self.answers.status = 304
        self.once = self.daemon({"sources": [source(url)]}, start=False)
        self.again(status=1)
        self.assertEqual(self.once.sql("SELECT outcome, failure, http_status, error FROM _gatherd_runs"),
                         [("failed", "status", 304,
                           "HTTP 304 Not Modified to a request without a condition; the server, or a cache in "
                           "front of it, is at fault")])

    def test_whatever_makes_other_rows_asks_for_the_whole(self):
        url = self.serve_answers(ETag='"a"')
        self.start({"sources": [source(url)]})
        changes = ({"fields": {"id": "$.id", "twice": "$.v"}}, {"table": "other"},
                   {"params": {"q": "1"}}, {"headers": {"X-A": "1"}}, {"url": url + "/x"}, {"format": "json"},
                   {"records": "$[*]"}, {"exclude": ["v"], "table": "third"})
        for change in changes:
            self.again({"sources": [source(url)]})
            self.again({"sources": [source(url)]})
            self.assertEqual(self.last_run(), skipped(304))
            self.again({"sources": [{**source(url), **change}]})
            self.assertEqual(self.last_run()[1:3], (200, 0), change)
            self.assertEqual(self.answers.asked[-1], (None, None), change)
            if "fields" in change:
                self.assertEqual(self.once.sql("SELECT twice FROM s"), [(1,)])
        self.assertEqual(self.once.sql("SELECT id, v FROM other"), [(1, 1)])

    def test_a_request_that_is_never_the_same_has_no_condition(self):
        self.start({"sources": [source(self.serve_answers(ETag='"a"'), params={"at": "{now:unix_ms}"})]})
        self.again()
        self.assertEqual(set(self.answers.asked), {(None, None)})

    def test_pace_may_change_without_a_new_body(self):
        url = self.serve_answers(ETag='"a"')
        self.start({"sources": [source(url)]})
        self.again({"sources": [source(url, interval="5m", timeout="5s", respect_cache=True)]})
        self.assertEqual(self.last_run(), skipped(304))

    def test_a_table_that_was_dropped_is_filled_again(self):
        self.start({"sources": [source(self.serve_answers(ETag='"a"'))]})
        self.execute("DROP TABLE s")
        self.again()
        self.assertEqual(self.last_run(), full(inserted=1))
        self.assertEqual(self.once.sql("SELECT id FROM s"), [(1,)])

    def test_a_table_that_is_dropped_while_gatherd_runs_is_filled_again(self):
        daemon = self.once = self.daemon({"sources": [source(self.serve_answers(ETag='"a"'), interval="100ms")]})
        daemon.wait_for_sql("SELECT count(*) > 2 FROM _gatherd_runs", 1)
        self.execute("DROP TABLE s")
        daemon.wait_for_sql("SELECT count(*) FROM s", 1)
        count = daemon.value("SELECT count(*) FROM _gatherd_runs")
        daemon.wait_for_sql(f"SELECT count(*) > {count + 2} FROM _gatherd_runs", 1)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.value("SELECT count(*) FROM _gatherd_runs WHERE http_status = 200"), 2)

    def test_an_append_table_gets_no_row_from_a_304(self):
        url = self.serve_answers(ETag='"a"')
        self.start({"sources": [{"name": "s", "url": url}]})
        self.again()
        self.assertEqual(self.once.value("SELECT count(*) FROM s"), 1)
        self.again({"sources": [{"name": "s", "url": url, "conditional": False}]})
        self.assertEqual(self.once.value("SELECT count(*) FROM s"), 2)

    def test_a_failed_run_in_between_changes_nothing(self):
        self.start({"sources": [source(self.serve_answers(ETag='"a"'), retry={"max_attempts": 1})]})
        self.answers.status = 503
        self.again(status=1)
        self.answers.status = 200
        self.again()
        self.assertEqual(self.answers.asked[-1], ('"a"', None))
        self.assertEqual(self.last_run(), skipped(304))

    def test_a_server_that_cannot_bear_the_condition_is_asked_without_it(self):
        def answer(request):
            if request.headers.get("If-None-Match") is not None:
                return 403, {}, b"blocked by the firewall"
            return 200, {"Content-Type": JSON, "ETag": '"a"'}, b'[{"id": 1}]'
        self.start({"sources": [source(self.python_server(answer))]})
        self.again(status=1)
        self.again(status=1)
        self.again()
        self.assertEqual(self.last_run(), full(unchanged=1))

    def test_after_rejected_records_the_whole_is_asked_for_again(self):
        url = self.serve_answers(ETag='"a"')
        config = {"sources": [source(url, fields={"id": "$.id", "v": {"path": "$.v", "type": "integer"}})]}
        self.start(config)
        self.answers.value = "text"
        self.answers.headers = {"ETag": '"b"'}
        self.again(status=1)
        self.again(status=1)
        self.assertEqual(self.answers.asked[-1], (None, None))
        self.answers.value = 1
        self.answers.headers = {"ETag": '"a"'}  # what the rows are of, once more
        self.again()
        self.assertEqual(self.last_run(), full(unchanged=1))

    def test_a_condition_of_the_source_s_own_is_its_own_affair(self):
        url = self.serve_answers(ETag='"a"')
        self.start({"sources": [source(url, headers={"If-None-Match": '"b"'})]})
        self.again()
        self.assertEqual(self.answers.asked, [('"b"', None)] * 2)
        self.again({"sources": [source(url, headers={"If-None-Match": '"a"'})]})
        self.assertEqual(self.last_run(), skipped(304))

    @needs_faulty_server
    def test_the_etag_of_the_faulty_server(self):
        port = self.faulty_server()["http"]
        self.start({"sources": [source(f"http://127.0.0.1:{port}/etag", records="$.items[*]")]})
        self.again()
        self.assertEqual(self.last_run(), skipped(304))

    def test_nothing_of_a_secret_is_saved(self):
        secret = "c0ffee-secret-c0ffee"
        self.start({"sources": [source(self.serve_answers(ETag='"a"'), params={"key": secret},
                                       headers={"X-Api-Key": secret})]})
        self.again()
        self.assertEqual(self.last_run(), skipped(304))
        for path in self.once.folder.iterdir():
            if path != self.once.config_path:
                self.assertNotIn(secret.encode(), path.read_bytes(), path)


class Pages(Again):
    """A list that grows, in pages of three, whose ETag is that of the page's body alone."""

    def setUp(self):
        super().setUp()
        self.count = 2
        self.asked = []

    def answer(self, request):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
        page = int(query.get("page", ["1"])[0])
        rows = [{"id": n} for n in range(self.count)][3 * page - 3:3 * page]
        tag = '"%s"' % "-".join(str(row["id"]) for row in rows)
        headers = {"Content-Type": JSON, "ETag": tag}
        if 3 * page < self.count:
            headers["Link"] = f'</?page={page + 1}>; rel="next"'
        self.asked.append((page, request.headers.get("If-None-Match")))
        if request.headers.get("If-None-Match") == tag:
            return 304, {}, b""
        return 200, headers, json.dumps(rows).encode()

    def grow(self, count, **pagination):
        """One more run with so many records; the conditions of its requests."""
        self.count, self.asked = count, []
        self.again(self.config(**pagination))
        self.assertEqual(self.once.value("SELECT count(*) FROM s"), count)
        return self.asked

    def config(self, **pagination):
        return {"sources": [source(self.url, pagination=pagination)]}

    def check(self, **pagination):
        self.url = self.python_server(self.answer)
        self.start(self.config(**pagination))
        self.assertEqual(self.grow(2, **pagination), [(1, '"0-1"')])
        self.assertEqual(self.last_run(), skipped(304))
        self.assertEqual(self.grow(3, **pagination)[0], (1, '"0-1"'))
        # Full: from here on records may come that leave the first page as it is.
        for count in (4, 5, 7, 7):
            self.assertEqual(set(condition for _, condition in self.grow(count, **pagination)), {None})
        self.assertEqual(self.once.value("SELECT count(*) FROM _gatherd_state WHERE etag IS NOT NULL"), 0)

    def test_links_in_the_head_with_a_limit(self):
        self.check(type="link_header", limit=3)

    def test_links_in_the_head_without_a_limit_are_never_trusted(self):
        self.url = self.python_server(self.answer)
        self.start(self.config(type="link_header"))
        for count in (2, 3, 4, 4):
            self.assertEqual(set(condition for _, condition in self.grow(count, type="link_header")), {None})

    def test_numbers(self):
        self.url = self.python_server(self.answer)
        self.count = 0
        self.start(self.config(type="page"))
        self.count, self.asked = 0, []
        self.again(self.config(type="page"))
        self.assertEqual(self.asked, [(1, None)])  # an empty tag is none
        for count in (1, 3, 4, 4):
            self.assertEqual(set(condition for _, condition in self.grow(count, type="page")), {None})


class SkipUnchanged(Again):
    def config(self, url, **keys):
        return {"sources": [source(url, skip_unchanged=True, **keys)]}

    def test_the_same_body_is_not_read_though_its_tag_changes(self):
        answers = Answers(ETag='"a"')
        self.start(self.config(self.python_server(answers)))
        answers.headers = {"ETag": '"b"'}
        self.assertIn("not modified", self.again())
        self.assertEqual(self.last_run(), skipped(200))
        self.assertGreater(self.once.value("SELECT bytes FROM _gatherd_runs WHERE id = 2"), 0)
        self.again()
        self.assertEqual(answers.asked[-1], ('"b"', None))
        self.assertEqual(self.last_run(), skipped(304))
        answers.value, answers.headers = 2, {}
        self.again()
        self.assertEqual(self.last_run(), full(updated=1))

    def test_the_same_body_is_not_read_without_any_validators(self):
        url = self.python_server(Answers())
        self.start(self.config(url, conditional=False))
        self.again()
        self.assertEqual(self.runs(), [full(inserted=1), skipped(200)])
        self.assertRegex(self.once.value("SELECT body_hash FROM _gatherd_state"), "^[0-9a-f]{32}$")
        self.again({"sources": [source(url)]})
        self.assertEqual(self.last_run(), full(unchanged=1))

    def test_a_changed_mapping_reads_the_same_body(self):
        url = self.python_server(Answers())
        self.start(self.config(url))
        self.again(self.config(url, fields={"id": "$.id", "other": "$.v"}))
        self.assertEqual(self.last_run()[:4], ("success", 200, 0, 1))
        self.assertEqual(self.once.sql("SELECT other FROM s"), [(1,)])

    def test_a_dropped_table_is_filled_again(self):
        self.start(self.config(self.python_server(Answers())))
        self.execute("DROP TABLE s")
        self.again()
        self.assertEqual(self.once.sql("SELECT id FROM s"), [(1,)])


class Crash(Again):
    """Killed between the answer and its commit: what is remembered is never ahead of the rows."""

    def kill_before_the_commit(self, **keys):
        answers = Answers(ETag='"a"')
        daemon = self.once = self.daemon(
            {"sources": [source(self.python_server(answers), interval="100ms", **keys)]})
        daemon.wait_for_sql("SELECT count(*) > 2 FROM _gatherd_runs", 1)
        with contextlib.closing(sqlite3.connect(daemon.database, isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            with answers.lock:
                answers.value, answers.headers = 2, {"ETag": '"b"'}
                asked = len(answers.asked)
            harness.wait_until(lambda: len(answers.asked) > asked, what="the next request")
            daemon.wait_for_log("holding responses")
            daemon.kill()
            lock.execute("ROLLBACK")
        self.assertEqual(daemon.sql("SELECT v FROM s"), [(1,)])
        self.assertEqual(daemon.value("SELECT etag FROM _gatherd_state"), '"a"')
        asked = len(answers.asked)
        daemon.start()
        daemon.wait_for_sql("SELECT v FROM s", 2)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(answers.asked[asked], ('"a"', None))
        self.assertEqual(daemon.value("SELECT etag FROM _gatherd_state"), '"b"')

    def test_the_validators_of_an_answer_go_with_it(self):
        self.kill_before_the_commit()

    def test_the_hash_of_a_body_goes_with_it(self):
        self.kill_before_the_commit(skip_unchanged=True)


if __name__ == "__main__":
    harness.main()
