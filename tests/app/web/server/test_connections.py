"""What one client can take of the server: nothing without end. Real servers with small limits, raw sockets."""

import contextlib
import itertools
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

import anyio
import pytest
import uvicorn

from app.serve import limited
from app.settings import Settings
from app.web.server import connection_limits
from app.web.server.connection_limits import Limits, connections_possible, raise_descriptors

SMALL = Limits(
    connections=24,
    header_seconds=0.5,
    idle_seconds=0.6,
    stall_seconds=0.6,
    body_seconds=1.5,
    linger_seconds=0.4,
    linger_bytes=4 << 20,
)
#: Longer than anything here takes on any machine; nothing is asserted of how long it took.
PATIENCE = 60.0
HELLO = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
CHUNKED = b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


class Site:
    """An application that says what it saw, served with limits."""

    def __init__(self, limits: Limits) -> None:
        self.state = SimpleNamespace(limits=limits)
        self.ended: list[str] = []  # how answers without end ended
        self.going_on = threading.Event()
        self.port = 0

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        path, body = scope["path"], b""
        if path == "/read":
            while (message := await receive()).get("more_body"):
                body += message["body"]
            if message["type"] == "http.disconnect":
                self.ended.append(path)
                return
            body += message["body"]
        if path == "/endless":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while not await self._gone(receive):
                await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
            self.ended.append(path)
            return
        said = json.dumps({"body": len(body), "names": [name.decode() for name, _ in scope["headers"]]}).encode()
        headers = [(b"content-length", b"%d" % len(said))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    @staticmethod
    async def _gone(receive) -> bool:
        with anyio.move_on_after(0.005):
            while (await receive())["type"] != "http.disconnect":
                pass
            return True
        return False


@contextlib.contextmanager
def served(limits: Limits) -> Iterator[Site]:
    site = Site(limits)
    options = limited(Settings()) | {"timeout_keep_alive": 3600, "timeout_graceful_shutdown": 1}
    config = uvicorn.Config(site, host="127.0.0.1", port=0, log_level="critical", **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    site.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.should_exit = True
        thread.join(timeout=PATIENCE)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with served(SMALL) as site:
        yield site


def wait_for(holds: Callable[[], object]) -> None:
    clock = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if holds():
            return
        clock.wait(0.01)
    raise AssertionError("what was waited for did not come")


def connect(site: Site, receive_buffer: int | None = None) -> socket.socket:
    connection = socket.socket()
    connection.settimeout(PATIENCE)
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect(("127.0.0.1", site.port))
    return connection


def to_the_end(connection: socket.socket) -> bytes:
    """All that the server says until it closes the connection; a TimeoutError if it does not."""
    found = b""
    with connection, contextlib.suppress(ConnectionError):
        while piece := connection.recv(65_536):
            found += piece
    return found


def said(site: Site, *pieces: bytes) -> bytes:
    """All that is said to who sends these bytes, and then nothing."""
    connection = connect(site)
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            connection.sendall(piece)
    return to_the_end(connection)


def statuses(answers: bytes) -> list[int]:
    return [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]


def problem(answers: bytes) -> dict[str, object]:
    head, _, body = answers[answers.rindex(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    found = json.loads(body)
    assert found["type"].startswith("/about/errors#")
    assert str(found["status"]).encode() in head[:13]
    return found


def test_requests_in_order_are_answered(site: Site) -> None:
    assert statuses(said(site, HELLO * 3 + LAST)) == [200] * 4
    answered = said(site, CHUNKED + b"3\r\nabc\r\n0\r\nLate: header\r\n\r\n" + LAST)
    assert statuses(answered) == [200, 200]
    assert b'"body": 3' in answered
    assert b"late" not in answered.lower()


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ([b"GET /hello HTTP/1.1\r\nHost: x\r\nX: ", b"a" * 200_000], 431),
        ([b"GET /hello HTTP/1.1\r\n", b"X: a\r\n" * 101, b"\r\n"], 431),
        ([b"GET /hello HTTP/1.1\r\n", (b"X: " + b"a" * 8_000 + b"\r\n") * 5], 431),
        ([b"X" * 200_000], 400),
        ([b"\r\n" * 100_000], 431),
        ([b"GET /" + b"a" * 8_200, b" HTTP/1.1\r\nHost: x\r\n\r\n"], 414),
        ([b"GET /?q=", b"a" * 200_000], 414),
        ([b"nothing that one says here\r\n\r\n"], 400),
        ([b"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"], 400),
        ([CHUNKED, b"3;", b"extension" * 50_000], 400),
        ([CHUNKED, b"1;" + b"e" * 1_000 + b"\r\na\r\n"] + [b"1;" + b"e" * 1_000 + b"\r\na\r\n"] * 200, 400),
        ([CHUNKED + b"3\r\nabc\r\n0\r\n", b"Trailer: x\r\n" * 101], 431),
        ([CHUNKED + b"3\r\nabc\r\n0\r\nTrailer: ", b"x" * 400_000], 400),
    ],
)
def test_what_is_too_large_is_refused_and_the_connection_closed(site: Site, pieces: list[bytes], status: int) -> None:
    answers = said(site, *pieces)
    assert statuses(answers)[-1] == status
    assert problem(answers)["status"] == status


def test_a_later_request_of_a_connection_has_the_same_limits(site: Site) -> None:
    connection = connect(site)
    connection.sendall(HELLO)
    assert statuses(connection.recv(65_536)) == [200]
    connection.sendall(b"GET /hello HTTP/1.1\r\nX: " + b"a" * 200_000)
    assert problem(to_the_end(connection))["status"] == 431


def test_what_any_client_sends_is_not_too_large(site: Site) -> None:
    fields = b"".join(b"X-%d: %b\r\n" % (n, b"a" * 200) for n in range(90))
    target = b"/hello?q=" + b"a" * 8_000
    answer = said(site, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + b"\r\n")
    assert statuses(answer) == [200]
    one_byte_a_piece = b"1\r\na\r\n" * 5_000
    assert b'"body": 5000' in said(site, CHUNKED + one_byte_a_piece + b"0\r\n\r\n" + LAST)


def test_requests_sent_before_their_turn_are_bounded(site: Site) -> None:
    answers = said(site, HELLO * 5_000)
    found = statuses(answers)
    assert 1 <= len(found) < 5_000
    assert set(found) == {200}
    assert b"connection: close" in answers[answers.rindex(b"HTTP/1.1 ") :]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /hello HTTP/1.1\r\nHo", 408),
        (HELLO + b"GET /hello HTTP/1.1\r\nHo", 408),
        (b"\r\n", 408),
        (b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", 408),
        (b"", None),
        (HELLO, None),
        # An answer that came before the body did: the body is not waited for without end.
        (b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", None),
        (b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", None),
    ],
)
def test_who_says_nothing_more_is_not_waited_for(site: Site, sent: bytes, status: int | None) -> None:
    answers = said(site, sent)
    if status is not None:
        assert problem(answers)["status"] == status
    else:
        assert set(statuses(answers)) <= {200}


@pytest.mark.parametrize(
    "head", [b"GET /hello HTTP/1.1\r\nX: ", b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"]
)
def test_a_byte_now_and_then_does_not_keep_a_connection(site: Site, head: bytes) -> None:
    connection = connect(site)
    connection.sendall(head)
    ended = threading.Event()

    def trickle() -> None:
        with contextlib.suppress(OSError):
            while not ended.wait(0.05):
                connection.send(b"a")

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        assert 408 in statuses(connection.recv(65_536))
    finally:
        ended.set()
        thread.join()
        connection.close()


def test_an_answer_that_nobody_takes_is_given_up(site: Site) -> None:
    before = len(site.ended)
    with connect(site, receive_buffer=4_096) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: len(site.ended) > before)


def test_an_answer_that_is_taken_goes_on(site: Site) -> None:
    before = len(site.ended)
    with connect(site) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(400):
            assert connection.recv(250_000)
        assert len(site.ended) == before
    wait_for(lambda: len(site.ended) > before)


def test_a_body_that_no_route_reads_is_not_read_for_ever(site: Site) -> None:
    """It was answered at once; so much more is taken as makes sure that the answer arrives, and then no more."""
    connection = connect(site)
    connection.sendall(b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
    pieces = iter(lambda: connection.sendall(b"a" * 1_000_000), "never")
    with pytest.raises(ConnectionError):
        list(itertools.islice(pieces, 1_000))
    connection.close()
    small = b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    assert statuses(said(site, small, b"a" * 1_000, LAST)) == [200, 200]


@pytest.mark.parametrize("sent", [b"", b"GET /hello HTTP/1.1\r\nX: ", CHUNKED, HELLO])
def test_those_that_wait_longest_make_room(sent: bytes) -> None:
    """Ten times as many connections hang as there may be, and everyone who asks is answered."""
    patient = replace(SMALL, header_seconds=3600, idle_seconds=3600, stall_seconds=3600, body_seconds=3600)
    with served(patient) as site, contextlib.ExitStack() as hanging:
        for _ in range(10):
            for _ in range(SMALL.connections):
                connection = hanging.enter_context(connect(site))
                connection.sendall(sent)
            assert statuses(said(site, LAST)) == [200]


def test_who_is_worked_for_stays_and_the_next_is_told_to_come_again() -> None:
    few = replace(SMALL, connections=3, stall_seconds=3600)
    with served(few) as site, contextlib.ExitStack() as working:
        for _ in range(3):
            connection = working.enter_context(connect(site))
            connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(1_000)
            connection.settimeout(None)
            thread = threading.Thread(target=take, args=(connection,))
            thread.start()
            working.callback(thread.join)
            working.callback(connection.shutdown, socket.SHUT_RDWR)
        answers = [said(site, b"") for _ in range(20)]
        assert {problem(answer)["status"] for answer in answers} == {503}
        assert all(b"retry-after: 60" in answer for answer in answers)
        assert site.ended == []


def take(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(1_000_000):
            pass


def test_connections_stay_below_the_descriptors_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"now": (1_024, 4_096)}
    system = SimpleNamespace(
        RLIMIT_NOFILE=7,
        RLIM_INFINITY=-1,
        getrlimit=lambda _: limits["now"],
        setrlimit=lambda _, wanted: limits.update(now=wanted),
    )
    monkeypatch.setattr(connection_limits, "resource", system)
    assert connections_possible() < 1_024 / 3
    assert Limits.of(Settings()).connections == connections_possible()
    raise_descriptors(1_000)
    assert limits["now"] == (4_096, 4_096)
    assert 960 < Limits.of(Settings(connections=1_000)).connections <= 1_000
    raise_descriptors(10)  # never fewer than there were
    assert limits["now"] == (4_096, 4_096)
    limits["now"] = (256, -1)
    raise_descriptors(1_000)
    assert Limits.of(Settings()).connections == 1_000
    assert os.name != "nt"
