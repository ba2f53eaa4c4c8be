"""paged_server.py - a small API of many pages for tests, with each way to go on and each fault.

    /link?page=2         Link: <...>; rel="next", absolute and relative in turn
    /next_url?page=2     {"items": [...], "links": {"next": "/next_url?page=3"}}
    /cursor?cursor=...   {"items": [...], "meta": {"next": "..."}}; also as the header X-Cursor
    /page?page=2&per_page=3
    /offset?offset=4&limit=3
    /graphql             POST {"query": ..., "variables": {"after": ..., "first": 3}}

`pages` of `per_page` records each: {"id": 0}, {"id": 1}, ... All that was asked is in `requests`.
What a test sets in `faults` replaces the answer to a page: a function of the page's number that
gives None (no fault), or status, headers and document.
"""
import json
import threading
import urllib.parse


class PagedServer:
    def __init__(self, pages=4, per_page=3):
        self.pages = pages
        self.per_page = per_page
        self.requests = []  # (path, params, headers), in the order they came
        self.bodies = []  # of those that had one
        self.fault = lambda number: None
        self.before = lambda number: None  # called before each answer, may wait
        self.cursor_bytes = 8  # length of a cursor
        self.next_link = None  # number -> what the link to it is
        self._lock = threading.Lock()

    def records(self, number):
        """The records of a page, counted from 1; beyond the last there are none."""
        if not 1 <= number <= self.pages:
            return []
        start = (number - 1) * self.per_page
        return [{"id": i, "page": number} for i in range(start, start + self.per_page)]

    def cursor_of(self, number):
        return f"{number}-".ljust(self.cursor_bytes, "c")

    def __call__(self, handler):
        url = urllib.parse.urlsplit(handler.path)
        params = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        with self._lock:
            self.requests.append((url.path, params, dict(handler.headers)))
        kind = url.path.strip("/").split("/")[-1]
        if handler.body:
            self.bodies.append(handler.body)
        number, headers, document = getattr(self, "answer_" + kind)(params, handler.headers)
        self.before(number)
        fault = self.fault(number)
        status = 200
        if fault is not None:
            status, more, other = fault
            headers = {**headers, **more}
            document = document if other is None else other
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return status, {"Content-Type": "application/json", **headers}, body

    def _link_to(self, kind, number):
        if self.next_link is not None:
            return self.next_link(number)
        return f"/{kind}?page={number}" if number % 2 else f"?page={number}"

    def answer_link(self, params, _):
        number = int(params.get("page", 1))
        headers = {}
        if number < self.pages:
            headers["Link"] = (f'</link?page=1>; rel="first", <{self._link_to("link", number + 1)}>;'
                               f' title="a, b; c"; rel="last Next"')
        return number, headers, self.records(number)

    def answer_next_url(self, params, _):
        number = int(params.get("page", 1))
        following = self._link_to("next_url", number + 1) if number < self.pages else None
        return number, {}, {"items": self.records(number), "links": {"next": following}}

    def answer_cursor(self, params, headers):
        cursor = params.get("cursor") or headers.get("X-Cursor") or "1-"
        number = int(cursor.split("-")[0])
        following = self.cursor_of(number + 1) if number < self.pages else None
        return number, {}, {"items": self.records(number), "meta": {"next": following}}

    def answer_page(self, params, _):
        number = int(params.get("page", 1))
        return number, {}, {"items": self.records(number), "pages": self.pages,
                            "total": self.pages * self.per_page, "more": number < self.pages}

    def answer_offset(self, params, _):
        """At most per_page records, whatever is asked for."""
        offset = int(params.get("offset", 0))
        total = self.pages * self.per_page
        limit = min(int(params.get("limit", self.per_page)), self.per_page)
        items = [{"id": i} for i in range(offset, min(total, offset + limit))]
        return offset // self.per_page + 1, {}, {"items": items, "total": total}

    def answer_graphql(self, _, headers):
        asked = json.loads(self.bodies[-1])["variables"]
        number = int((asked.get("after") or "1-").split("-")[0])
        info = {"hasNextPage": number < self.pages, "endCursor": self.cursor_of(number + 1)}
        return number, {}, {"data": {"items": {"nodes": self.records(number), "pageInfo": info}}}
