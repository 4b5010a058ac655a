"""A server for tests that is slow, fails, lies about length and type, asks for time, and redirects."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Nasty(ThreadingHTTPServer):
    """Answers ``/NAME/...`` as NAME says. ``picture`` is what a good answer holds."""

    daemon_threads = True

    def __init__(self, picture: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.picture = picture
        self.asked: Counter[str] = Counter()
        self.times: list[float] = []
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.minute = 1  # how many seconds who is always busy asks for

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up on such a server; that is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Nasty

    def do_GET(self) -> None:
        server = self.server
        with server.lock:
            server.asked[self.path] += 1
            server.times.append(time.monotonic())
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        try:
            getattr(self, self.path.strip("/").partition("/")[0].replace("-", "_"))()
        finally:
            with server.lock:
                server.at_once -= 1

    def log_message(self, *_: object) -> None:
        """Nothing: what a test wants to know stands in ``asked``."""

    def _answer(self, body: bytes, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in {"Content_Type": "image/png", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def good(self) -> None:
        self._answer(self.server.picture)

    def octets(self) -> None:
        self._answer(self.server.picture, Content_Type="application/octet-stream")

    def slow(self) -> None:
        """A good answer, slower than the pause between requests."""
        time.sleep(0.1)
        self.good()

    def silence(self) -> None:
        """Takes the question and says nothing."""
        self.server.over.wait()

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        for _ in range(200):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.05)

    def flaky(self) -> None:
        """Fails twice, then is good."""
        if self.server.asked[self.path] <= 2:
            self._answer(b"", 503)
        else:
            self.good()

    def busy(self) -> None:
        """Asks once for a second of peace."""
        if self.server.asked[self.path] == 1:
            self._answer(b"", 429, Retry_After="1")
        else:
            self.good()

    def always_busy(self) -> None:
        self._answer(b"", 429, Retry_After=str(self.server.minute))

    def next_century(self) -> None:
        self._answer(b"", 503, Retry_After="Fri, 01 Jan 2100 00:00:00 GMT")

    def shut(self) -> None:
        self._answer(b"", 503, Retry_After="86400")

    def broken(self) -> None:
        self._answer(b"", 500)

    def missing(self) -> None:
        self._answer(b"not here", 404)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def short(self) -> None:
        """Promises more than it sends."""
        self._answer(self.server.picture[:50], length=len(self.server.picture))
        self.close_connection = True

    def long(self) -> None:
        """Sends more than it promises, so that what arrives is cut off."""
        self._answer(self.server.picture, length=60)
        self.close_connection = True

    def page(self) -> None:
        self._answer(b"<!doctype html>", Content_Type="text/html")

    def liar(self) -> None:
        """A page that calls itself a picture."""
        self._answer(b"<!doctype html><script>alert(1)</script>")

    def huge(self) -> None:
        self._answer(b"x" * 100, length=10**12)
        self.close_connection = True

    def endless(self) -> None:
        """Never says how much is to come."""
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        for _ in range(1_000):
            self.wfile.write(b"x" * 10_000)

    def nothing(self) -> None:
        self._answer(b"")

    def moved(self) -> None:
        self._answer(b"", 302, Location="/good/by-another-name")

    def circle(self) -> None:
        self._answer(b"", 302, Location="/circle/")

    def inside(self) -> None:
        """Sends whoever asks to a service of their own machine."""
        port = self.server.server_address[1]
        self._answer(b"", 302, Location=f"http://localhost:{port}/good/secret")

    def metadata(self) -> None:
        self._answer(b"", 301, Location="http://169.254.169.254/latest/meta-data")

    def elsewhere(self) -> None:
        self._answer(b"", 302, Location="file:///etc/passwd")

    def nonsense(self) -> None:
        self._answer(b"", 302, Location="http://[::bad/")


@contextmanager
def nasty(picture: bytes) -> Iterator[Nasty]:
    """The server, for as long as the block takes."""
    server = Nasty(picture)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
