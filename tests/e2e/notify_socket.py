"""notify_socket.py - the socket that systemd would listen on: what a service says by sd_notify(3)."""
import socket
import threading
import time

import harness


class NotifySocket:
    """Collects every message, with the time it came. `env` is for the service."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.messages = []  # (time.monotonic(), {"READY": "1", ...})
        self.env = {"NOTIFY_SOCKET": self.path}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self):
        while True:
            data = self._socket.recv(65536)
            if not data:  # close()
                return
            now = time.monotonic()
            self.messages.append((now, dict(line.split("=", 1)
                                            for line in data.decode().splitlines())))

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.path)
        self._thread.join(5)
        self._socket.close()

    def all(self, key):
        """(time, message) of those that assign `key`."""
        return [(when, message) for when, message in list(self.messages) if key in message]

    def wait_for(self, key, count=1, timeout=20):
        harness.wait_until(lambda: len(self.all(key)) >= count, timeout, f"{key} ({count})")
        return self.all(key)[count - 1]
