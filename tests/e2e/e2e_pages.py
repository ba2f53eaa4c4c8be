#!/usr/bin/env python3
"""e2e_pages.py - runs of many pages: each way to go on, each fault on the way, and what a crash, a
stop and a reload between two pages leave."""
import json
import sqlite3
import threading
import time
import unittest
import urllib.parse

import harness
from paged_server import PagedServer


def source(base, path, pagination, **more):
    return {"name": "items", "url": base + path, "interval": "1h", "pagination": pagination,
            "retry": {"max_attempts": 1}, **more}


LINK = {"type": "link_header"}
NEXT_URL = {"type": "next_url", "next_url_path": "$.links.next"}
CURSOR = {"type": "cursor", "cursor_path": "$.meta.next"}


class Paged(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.server = PagedServer()
        self.base = self.python_server(self.server)

    def once(self, path, pagination, status=0, **more):
        if path != "/link":
            more.setdefault("records", "$.items")
        return self.run_once({"sources": [source(self.base, path, pagination, **more)]},
                             status=status)

    def run_row(self, daemon, columns="outcome, pages, requests, records, inserted"):
        return daemon.sql(f"SELECT {columns} FROM _gatherd_runs")

    def expect_failure(self, daemon, failure, error, pages):
        self.assertEqual(self.run_row(daemon, "outcome, failure, pages"),
                         [("failed", failure, pages)])
        self.assertIn(error, daemon.value("SELECT error FROM _gatherd_runs"))
        self.assertEqual(daemon.value("SELECT last_error FROM _gatherd_sources"),
                         daemon.value("SELECT error FROM _gatherd_runs"))


class EachWay(Paged):
    def expect_all(self, daemon, requests=4):
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 12)
        self.assertEqual(daemon.value("SELECT count(DISTINCT id) FROM items"), 12)
        self.assertEqual(self.run_row(daemon), [("success", requests, requests, 12, 12)])
        self.assertEqual(daemon.sql("SELECT runs, rows_inserted FROM _gatherd_sources"), [(1, 12)])

    def test_link_header(self):
        self.expect_all(self.once("/link", LINK))

    def test_next_url(self):
        self.expect_all(self.once("/next_url", NEXT_URL))

    def test_cursor_in_the_query(self):
        self.expect_all(self.once("/cursor", CURSOR))
        self.assertNotIn("cursor", self.server.requests[0][1])
        self.assertEqual(self.server.requests[1][1]["cursor"], "2-cccccc")

    def test_cursor_in_a_header(self):
        self.expect_all(self.once("/cursor", {**CURSOR, "cursor_param": "X-Cursor",
                                              "param_in": "header"}))
        self.assertEqual([r[1] for r in self.server.requests], [{}] * 4)

    def test_cursor_in_a_JSON_body(self):
        items = "$.data.items"
        self.expect_all(self.once("/graphql", {
            "type": "cursor", "cursor_path": f"{items}.pageInfo.endCursor", "has_more_path": f"{items}.pageInfo.hasNextPage",
            "cursor_param": "variables.after", "limit": 3, "limit_param": "variables.first", "param_in": "body"},
            body={"query": "query Q { ... }", "variables": {"kind": "a"}}, records=f"{items}.nodes"))
        self.assertEqual([json.loads(b)["variables"] for b in self.server.bodies[:2]],
                         [{"kind": "a", "first": 3}, {"kind": "a", "first": 3, "after": "2-cccccc"}])
        self.assertEqual(len(self.server.bodies), 4)

    def test_page_numbers_in_a_form(self):
        pages = []

        def answer_page(_, __):
            pages.append(self.server.bodies[-1].decode())
            number = len(pages)
            return number, {}, {"items": self.server.records(number)}
        self.server.answer_page = answer_page
        self.expect_all(self.once("/page", {"type": "page", "param_in": "body"}, form={"q": "x", "page": 9}), requests=5)
        self.assertEqual(pages, [f"q=x&page={n}" for n in (1, 2, 3, 4, 5)])

    def test_cursors_of_8_KB(self):
        self.server.cursor_bytes = 8192
        self.expect_all(self.once("/cursor", CURSOR))
        self.assertEqual(len(self.server.requests[3][1]["cursor"]), 8192)

    def test_page_numbers_to_the_first_empty_page(self):
        self.expect_all(self.once("/page", {"type": "page"}), requests=5)

    def test_page_numbers_to_the_number_of_pages(self):
        self.expect_all(self.once("/page", {"type": "page", "total_pages_path": "$.pages"}))

    def test_page_numbers_to_the_number_of_records(self):
        self.expect_all(self.once("/page", {"type": "page", "total_path": "$.total"}))

    def test_page_numbers_as_long_as_there_are_more(self):
        self.expect_all(self.once("/page", {"type": "page", "has_more_path": "$.more",
                                            "stop_after_empty_page": False}))

    def test_an_offset_advances_by_what_was_received(self):
        self.expect_all(self.once("/offset", {"type": "offset", "limit": 100,
                                              "total_path": "$.total"}))
        self.assertEqual([r[1] for r in self.server.requests],
                         [{"limit": "100", "offset": str(n)} for n in (0, 3, 6, 9)])

    def test_the_page_replaces_the_sources_own_parameter_of_that_name(self):
        self.expect_all(self.once("/page?page=77&x=1", {"type": "page", "total_pages_path": "$.pages"},
                                  params={"page": 99, "y": 2}))
        self.assertEqual([r[1] for r in self.server.requests],
                         [{"x": "1", "y": "2", "page": str(n)} for n in (1, 2, 3, 4)])

    def test_headers_go_along_to_every_page(self):
        self.once("/link", LINK, headers={"X-Key": "k"})
        self.assertEqual([r[2]["X-Key"] for r in self.server.requests], ["k"] * 4)

    def test_pages_keep_the_spacing_of_their_host(self):
        times = []
        self.server.before = lambda n: times.append(time.monotonic())
        self.run_once({"hosts": {"min_spacing": "300ms"}, "sources": [source(self.base, "/link", LINK)]})
        self.assertEqual(len(times), 4)
        self.assertGreater(times[3] - times[0], 0.8)

    def test_upserts_count_over_all_pages(self):
        daemon = self.once("/link", LINK, primary_key=["id"])
        self.expect_all(daemon)

    def test_the_table_of_run_once_has_the_totals(self):
        daemon = self.once("/link", LINK)
        self.assertRegex(daemon.output, r"items +success +200 +12 +12 +0")

    def test_a_source_without_pagination_makes_one_request(self):
        daemon = self.run_once({"sources": [{"name": "items", "url": self.base + "/link"}]})
        self.assertEqual(self.run_row(daemon), [("success", 1, 1, 3, 3)])


class Faults(Paged):
    def test_a_null_record_list_is_an_empty_page(self):
        self.server.fault = lambda n: (200, {}, {"items": None}) if n == 3 else None
        daemon = self.once("/page", {"type": "page"})
        self.assertEqual(self.run_row(daemon), [("success", 3, 3, 6, 6)])

    def test_a_missing_record_list_is_an_empty_page(self):
        self.server.fault = lambda n: (200, {}, {"meta": {"next": "3-"}}) if n == 2 else None
        daemon = self.once("/cursor", CURSOR)
        self.assertEqual(self.run_row(daemon), [("success", 4, 4, 9, 9)])

    def test_the_same_cursor_with_new_records_goes_on(self):
        seen = []

        def fault(_):
            seen.append(1)
            n = len(seen)
            return 200, {}, {"items": [{"id": n}], "meta": {"next": "same" if n < 6 else None}}
        self.server.answer_cursor = lambda params, headers: (1, {}, {})
        self.server.fault = fault
        daemon = self.once("/cursor", CURSOR)
        self.assertEqual(self.run_row(daemon), [("success", 6, 6, 6, 6)])

    def test_the_same_request_and_the_same_answer_are_a_loop(self):
        self.server.answer_cursor = lambda params, headers: (
            1, {}, {"items": [{"id": 1}], "meta": {"next": "same"}})
        daemon = self.once("/cursor", CURSOR, status=1)
        self.expect_failure(daemon, "pages", "page 3: the same request has brought the same answer", 3)
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 0)
        self.assertIn("items: page 3: the same request", daemon.output)

    def test_a_circle_of_several_links_is_a_loop(self):
        self.server.next_link = lambda n: f"/link?page={(n - 1) % 3 + 1}"
        daemon = self.once("/link", LINK, status=1)
        self.expect_failure(daemon, "pages", "the pages lead in a circle",
                            daemon.value("SELECT pages FROM _gatherd_runs"))
        self.assertLess(len(self.server.requests), 12)

    def test_a_link_to_the_same_page_is_a_loop(self):
        self.server.next_link = lambda n: "/link"
        daemon = self.once("/link", LINK, status=1)
        self.expect_failure(daemon, "pages", "page 2: the same request", 2)

    def test_a_broken_link_header_is_a_failure(self):
        self.server.fault = lambda n: (200, {"Link": "<http://nowhere; rel=next"}, None) if n == 2 else None
        daemon = self.once("/link", LINK, status=1)
        self.expect_failure(daemon, "pages",
                            'page 2: the Link header is broken: a link\'s "<" has no ">"', 2)
        self.assertEqual(daemon.sql("SELECT kind, page FROM _gatherd_dead_letters"), [("body", 2)])

    def test_another_host_is_refused(self):
        self.server.next_link = lambda n: "http://other.example/link?token=secret"
        daemon = self.once("/link", LINK, status=1)
        self.expect_failure(daemon, "pages", "page 2: the link to the next page leads to other.example, "
                            "which is not the source's host", 2)
        self.assertNotIn("secret", daemon.output + str(daemon.sql("SELECT * FROM _gatherd_runs")))

    def test_an_allowed_host_is_asked_with_the_sources_headers(self):
        other = PagedServer()
        base = self.python_server(other)
        self.server.next_link = lambda n: f"{base}/link?page={n}"
        daemon = self.once("/link", {**LINK, "allowed_hosts": [base.split("//")[1]]},
                           headers={"X-Key": "k"})
        self.assertEqual(self.run_row(daemon)[0][0:2], ("success", 4))
        self.assertEqual([r[2]["X-Key"] for r in other.requests], ["k"] * 3)

    def test_other_schemes_are_refused(self):
        self.server.next_link = lambda n: "file:///etc/passwd"
        daemon = self.once("/link", LINK, status=1)
        self.expect_failure(daemon, "pages", "leads to neither http nor https", 2)

    def test_max_pages_fails_the_run_or_ends_it(self):
        daemon = self.once("/link", {**LINK, "max_pages": 3}, status=1)
        self.expect_failure(daemon, "pages", "max_pages (3) are done and more follow", 3)
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 0)
        daemon = self.once("/link", {**LINK, "max_pages": 3, "on_max_pages": "stop"})
        self.assertEqual(self.run_row(daemon), [("success", 3, 3, 9, 9)])
        daemon = self.once("/link", {**LINK, "max_pages": 4})
        self.assertEqual(self.run_row(daemon), [("success", 4, 4, 12, 12)])

    def test_a_failed_page_fails_the_run_and_takes_its_rows_back(self):
        self.server.fault = lambda n: (404, {}, {"no": 1}) if n == 3 else None
        daemon = self.once("/link", LINK, status=1)
        self.expect_failure(daemon, "status", "page 3: HTTP 404 Not Found", 3)
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 0)
        self.assertEqual(self.run_row(daemon), [("failed", 3, 3, 6, 0)])
        self.assertEqual(daemon.sql("SELECT rows_inserted, failed_runs, consecutive_failures,"
                                    " last_success_at FROM _gatherd_sources"), [(0, 1, 1, None)])
        self.assertEqual(daemon.sql("SELECT kind, page FROM _gatherd_dead_letters"), [("body", 3)])

    def test_a_failed_page_leaves_the_rows_that_have_a_key(self):
        self.server.fault = lambda n: (404, {}, {"no": 1}) if n == 3 else None
        daemon = self.once("/link", LINK, status=1, primary_key=["id"])
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 6)
        self.assertEqual(self.run_row(daemon), [("failed", 3, 3, 6, 6)])

    def test_a_page_is_tried_again_with_attempts_of_its_own(self):
        tries = {}

        def fault(n):
            tries[n] = tries.get(n, 0) + 1
            return (503, {}, {}) if tries[n] == 1 else None
        self.server.fault = fault
        daemon = self.once("/link", LINK, retry={"max_attempts": 2, "backoff_base": "10ms"})
        self.assertEqual(self.run_row(daemon), [("success", 4, 8, 12, 12)])

    def test_rejected_records_of_all_pages_count_and_keep_their_page(self):
        self.server.fault = lambda n: (200, {}, [{"id": "x"}, {"id": 1}]) if n in (1, 3) else None
        daemon = self.once("/link", LINK, status=1, fields={"id": {"path": "$.id", "type": "integer"}})
        self.assertEqual(self.run_row(daemon, "outcome, pages, records, inserted, rejected"),
                         [("partial", 4, 10, 8, 2)])
        self.assertEqual(daemon.sql("SELECT page, position FROM _gatherd_dead_letters"), [(3, 0)])

    def test_a_table_that_refuses_a_page_ends_the_run(self):
        daemon = self.daemon({"sources": [source(self.base, "/link", LINK)]})
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'", 1)
        daemon.stop()
        with sqlite3.connect(daemon.database) as db:
            db.execute("CREATE TRIGGER no BEFORE INSERT ON items WHEN new.page = 3"
                       " BEGIN SELECT raise(rollback, 'not page 3'); END")
        db.close()
        daemon.write_config({"sources": [source(self.base, "/link", LINK, run_on_start=True)]})
        daemon.start()
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'failed'", 1)
        self.assertEqual(daemon.sql("SELECT failure, pages, inserted, error FROM _gatherd_runs"
                                    " WHERE outcome = 'failed'"),
                         [("store", 3, 0, "page 3: not page 3")])
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 12)


class BetweenPages(Paged):
    """What happens to a run that has committed two of its pages."""

    def setUp(self):
        super().setUp()
        self.hold = threading.Event()
        self.holding = True
        self.addCleanup(self.hold.set)
        self.server.before = lambda n: self.hold.wait(60) if n == 3 and self.holding else None

    def start(self, **more):
        more.setdefault("interval", "1h")
        daemon = self.daemon({"shutdown_timeout": "1s",
                              "sources": [{**source(self.base, "/link", LINK), **more}]})
        daemon.wait_for_sql("SELECT pages = 2 AND outcome = 'unfinished' FROM _gatherd_runs")
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 6)
        self.assertEqual(daemon.sql("SELECT runs, last_run_at FROM _gatherd_sources"), [(0, None)])
        wait = lambda: len(self.server.requests) == 3
        harness.wait_until(wait, 20, "the third request")
        return daemon

    def go_on(self, daemon):
        self.holding = False
        self.hold.set()
        daemon.start()
        daemon.wait_for_sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'success'", 1)

    def expect_interrupted(self, daemon, error):
        self.assertEqual(daemon.sql("SELECT outcome, failure, pages, records, inserted, append_table,"
                                    " error FROM _gatherd_runs WHERE id = 1"),
                         [("failed", "interrupted", 2, 6, 0, None, error)])
        self.assertEqual(daemon.sql("SELECT count(*) FROM items WHERE _run_id = 1"), [(0,)])

    def expect_whole(self, daemon):
        self.assertEqual(daemon.sql("SELECT count(*), count(DISTINCT id), count(DISTINCT _run_id)"
                                    " FROM items"), [(12, 12, 1)])
        self.assertEqual(daemon.sql("SELECT runs, failed_runs, consecutive_failures, rows_inserted"
                                    " FROM _gatherd_sources"), [(2, 1, 0, 12)])

    def test_killed_the_rows_are_removed_and_the_run_is_made_again_at_once(self):
        daemon = self.start()
        daemon.kill()
        self.go_on(daemon)
        self.expect_interrupted(daemon, "gatherd ended before the run's last page")
        self.expect_whole(daemon)
        self.assertEqual([r[1].get("page", "1") for r in self.server.requests],
                         ["1", "2", "3", "1", "2", "3", "4"])

    def test_killed_upserted_rows_stay(self):
        daemon = self.start(primary_key=["id"])
        daemon.kill()
        self.go_on(daemon)
        self.assertEqual(daemon.sql("SELECT outcome, failure, inserted FROM _gatherd_runs"),
                         [("failed", "interrupted", 6), ("success", None, 6)])
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 12)

    def test_stopped_the_rows_are_removed_by_the_stop(self):
        daemon = self.start()
        self.assertEqual(daemon.stop(), 0)
        self.expect_interrupted(daemon, "gatherd was stopped before the run's last page")
        self.go_on(daemon)
        self.expect_whole(daemon)

    def test_a_removed_source_leaves_no_rows_of_its_run(self):
        daemon = self.start()
        other = {"name": "other", "url": self.base + "/link", "interval": "1h"}
        daemon.reload({"sources": [other]})
        self.holding = False
        self.hold.set()
        daemon.wait_for_sql("SELECT failure = 'interrupted' FROM _gatherd_runs WHERE id = 1")
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 0)

    def test_a_changed_source_ends_its_run_as_it_began(self):
        daemon = self.start()
        daemon.reload({"sources": [source(self.base, "/link", LINK, interval="2h", table="elsewhere")]})
        self.holding = False
        self.hold.set()
        daemon.wait_for_sql("SELECT outcome = 'success' FROM _gatherd_runs WHERE id = 1")
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 12)

    def test_a_user_who_forbids_deleting_keeps_the_rows_and_gatherd_starts(self):
        daemon = self.start()
        daemon.kill()
        with sqlite3.connect(daemon.database) as db:
            db.execute("CREATE TRIGGER no BEFORE DELETE ON items BEGIN SELECT raise(abort, 'no'); END")
        db.close()
        self.go_on(daemon)
        self.assertIn("its rows could not be removed from items: items: no",
                      daemon.value("SELECT error FROM _gatherd_runs WHERE id = 1"))
        self.assertEqual(daemon.value("SELECT count(*) FROM items"), 18)


class Httpbin(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.url = self.httpbin()

    def poll(self, path, pagination, status=0, **more):
        return self.run_once({"sources": [{"name": "items", "url": self.url + path, "pagination": pagination,
                                           "retry": {"max_attempts": 1}, **more}]}, status=status)

    def test_parameters_arrive_as_they_should(self):
        daemon = self.poll("/anything/x?page=9&a=b%20c", {"type": "page", "page_param": "page", "base_page": 0, "limit": 5,
                                                          "limit_param": "page[size]", "max_pages": 3, "on_max_pages": "stop"},
                           records="$.args", params={"page": 8})
        self.assertEqual(daemon.sql('SELECT a, page, page_size_ FROM items ORDER BY page'),
                         [("b c", "0", "5"), ("b c", "1", "5"), ("b c", "2", "5")])

    def test_headers_arrive_and_the_body_is_a_cursor(self):
        daemon = self.poll("/anything", {"type": "cursor", "cursor_path": "$.headers.Host", "cursor_param": "X-After",
                                         "param_in": "header", "max_pages": 2, "on_max_pages": "stop"},
                           records="$.headers", fields={"after": "$['X-After']"})
        self.assertEqual(daemon.sql("SELECT after FROM items"), [(None,), (self.url.split("//")[1],)])

    def test_a_link_to_itself_is_a_loop(self):
        path = "/response-headers?Link=" + urllib.parse.quote("<#top>; rel=next")
        daemon = self.poll(path, {"type": "link_header"}, status=1)
        self.assertIn("page 2: the same request", daemon.value("SELECT error FROM _gatherd_runs"))

    def test_a_gzipped_page_and_a_delayed_one_are_pages(self):
        for path in ("/gzip", "/deflate", "/delay/0"):
            daemon = self.poll(path, {"type": "link_header"}, records="$")
            self.assertEqual(daemon.sql("SELECT outcome, pages FROM _gatherd_runs"), [("success", 1)])


class Many(Paged):
    @unittest.skipIf(harness.SANITIZED, "a sanitizer's memory is not ours")
    def test_memory_stays_flat_over_a_thousand_pages(self):
        self.server.pages = 1000
        self.server.per_page = 200
        body = "x" * 200
        records = self.server.records
        self.server.records = lambda n: [{**r, "text": body} for r in records(n)]
        daemon = self.daemon({"sources": [source(self.base, "/link", {**LINK, "max_pages": 1000})]})
        daemon.wait_for_sql("SELECT pages >= 50 FROM _gatherd_runs", timeout=60)
        early = daemon.rss_kib()
        daemon.wait_for_sql("SELECT outcome = 'success' FROM _gatherd_runs", timeout=300)
        late = daemon.rss_kib()
        self.assertEqual(self.run_row(daemon), [("success", 1000, 1000, 200000, 200000)])
        print(f"\n1,000 pages of 50 KB: {early} KiB after 50 pages, {late} KiB at the end")
        self.assertLess(late, early + 6 * 1024)


if __name__ == "__main__":
    harness.main()
