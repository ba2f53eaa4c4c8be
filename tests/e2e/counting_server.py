"""counting_server.py - an HTTP server for tests that must account for every single request.

It runs in a thread of the test, on 127.0.0.1. Each request gets a number of its own, and the answer
carries it in every row, so that a row in the database names the answer it came from:

    /rows/SOURCE?rows=3&delay_ms=20   [{"id": 0, "request": 17, "source": "SOURCE"}, ...]
    /hang/SOURCE                      the same, but no answer before release()
    /status/503/SOURCE                that status
    /text/SOURCE                      text() says what: nothing by default, "not json" for example

`replay(source, numbers)` has the next requests of that source answered as those numbers were: what
an API does that is asked again for what a client lost.
"""
import asyncio
import collections
import json
import threading
import time
import urllib.parse


class Request:
    """One request: its number, whom it was for, and how far the answer came."""
    __slots__ = ("number", "source", "arrived", "answered", "replayed")

    def __init__(self, number, source, replayed):
        self.number = number
        self.source = source
        self.arrived = time.monotonic()
        self.answered = None  # when all of the answer was written; None: not (yet)
        self.replayed = replayed


class CountingServer:
    def __init__(self):
        self.requests = []  # every Request, in the order they came
        self.texts = {}  # source: the body of /text/SOURCE
        self._lock = threading.Lock()
        self._number = 0
        self._replays = collections.defaultdict(collections.deque)
        self._released = False
        self._hanging = []
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()
        self.url = f"http://127.0.0.1:{self.port}"

    def _run(self, started):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=4096))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def release(self):
        """Answers every request that hangs, and none hangs from now on."""
        def answer_all():
            self._released = True
            for answer in self._hanging:
                answer()
            self._hanging.clear()
        self._loop.call_soon_threadsafe(answer_all)

    def replay(self, source, numbers):
        with self._lock:
            self._replays[source].extend(numbers)

    def text(self, source, body):
        self.texts[source] = body

    def arrived(self, source=None):
        """How many requests came."""
        with self._lock:
            return sum(1 for r in self.requests if source is None or r.source == source)

    def answered(self, source=None):
        """The numbers that were answered completely, by replays too."""
        with self._lock:
            return {r.number for r in self.requests
                    if r.answered is not None and (source is None or r.source == source)}

    def count(self, source):
        with self._lock:
            replays = self._replays[source]
            if replays:
                request = Request(replays.popleft(), source, True)
            else:
                self._number += 1
                request = Request(self._number, source, False)
            self.requests.append(request)
            return request


class _Connection(asyncio.Protocol):
    def __init__(self, server):
        self.server = server
        self.buffer = b""
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            self._serve(head.split(b" ", 2)[1].decode())

    def _serve(self, target):
        parts = urllib.parse.urlsplit(target)
        query = urllib.parse.parse_qs(parts.query)
        words = parts.path.strip("/").split("/")
        request = self.server.count(words[-1])
        status, body = 200, b"[]"
        if words[0] in ("rows", "hang"):
            count = int(query.get("rows", ["3"])[0])
            body = json.dumps([{"id": i, "request": request.number, "source": words[-1]}
                               for i in range(count)]).encode()
        elif words[0] == "status":
            status = int(words[1])
        elif words[0] == "text":
            body = self.server.texts.get(words[-1], "").encode()

        def answer():
            self._answer(request, status, body)
        delay = float(query.get("delay_ms", ["0"])[0]) / 1000
        if words[0] == "hang" and not self.server._released:
            self.server._hanging.append(answer)
        elif delay > 0:
            asyncio.get_running_loop().call_later(delay, answer)
        else:
            answer()

    def _answer(self, request, status, body):
        if self.transport.is_closing():
            return
        self.transport.write(b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
                             b"Content-Length: %d\r\n\r\n" % (status, len(body)) + body)
        request.answered = time.monotonic()
