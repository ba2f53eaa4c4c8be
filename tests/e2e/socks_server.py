"""socks_server.py - a SOCKS5 proxy (RFC 1928, and RFC 1929 for a user) that notes what it is asked for."""
import contextlib
import socket
import socketserver
import struct
import threading


def relay(one, other):
    """Copies both ways until one side ends."""
    def copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=copy, args=(other, one), daemon=True)
    back.start()
    copy(one, other)
    back.join()


class Handler(socketserver.BaseRequestHandler):
    def take(self, count):
        data = b""
        while len(data) < count:
            more = self.request.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def authenticate(self):
        methods = self.take(self.take(2)[1])
        wanted = 2 if self.server.user else 0
        if wanted not in methods:
            self.request.sendall(b"\x05\xff")
            return False
        self.request.sendall(bytes([5, wanted]))
        if wanted == 0:
            return True
        user = self.take(self.take(2)[1])
        password = self.take(self.take(1)[0])
        good = (user.decode(), password.decode()) == self.server.user
        self.request.sendall(b"\x01\x00" if good else b"\x01\x01")
        return good

    def handle(self):
        with contextlib.suppress(EOFError, OSError):
            if not self.authenticate():
                return
            kind = self.take(4)[3]
            if kind == 1:
                host = socket.inet_ntoa(self.take(4))
            elif kind == 3:
                host = self.take(self.take(1)[0]).decode()
            else:
                host = socket.inet_ntop(socket.AF_INET6, self.take(16))
            port, = struct.unpack(">H", self.take(2))
            self.server.asked.append(("address" if kind != 3 else "name", host))
            try:
                target = socket.create_connection((self.server.names.get(host, host), port), 5)
            except OSError:
                self.request.sendall(b"\x05\x05\x00\x01" + bytes(6))  # connection refused
                return
            with target:
                self.request.sendall(b"\x05\x00\x00\x01" + bytes(6))
                relay(self.request, target)


class SocksServer(socketserver.ThreadingTCPServer):
    """`user`: a pair that must be shown; `names`: what names the proxy alone can resolve mean."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, user=None, names=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.user, self.names, self.asked = user, names or {}, []
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass
