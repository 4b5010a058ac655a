"""Fetching from a server that does all that a server should not."""

import asyncio
import io
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from nasty import Nasty, nasty
from PIL import Image

from ingest.fetch import downloader
from ingest.fetch.downloader import FetchPolicy, FetchResult, FetchTask, fetch
from ingest.fetch.ssrf_guard import RefusedAddressError, destinations, is_public

MANNERS = FetchPolicy(
    connections=2,
    per_second=100,
    attempts=3,
    backoff=0.01,
    longest_wait=5,
    silence=60,
    whole=60,
    most_bytes=100_000,
    allowed_hosts=frozenset({"127.0.0.1"}),
)


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (9, 9), (200, 10, 10)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def server() -> Iterator[Nasty]:
    with nasty(picture()) as server:
        yield server


def fetched(server: Nasty, folder: Path, *paths: str, manners: FetchPolicy = MANNERS) -> list[FetchResult]:
    told: list[FetchResult] = []
    errands = [FetchTask(index, path if "://" in path else server.address + path) for index, path in enumerate(paths)]
    found = fetch(errands, folder, ("image/",), ("png", "jpg"), manners, told.append)
    assert sorted(one.errand.index for one in told) == list(range(len(paths))), "each is told of once"
    assert not list(folder.glob("*.part"))
    return found


@pytest.mark.parametrize("name", ["good", "octets", "slow", "flaky", "busy", "moved"])
def test_what_can_be_had_is_had(server: Nasty, tmp_path: Path, name: str) -> None:
    (one,) = fetched(server, tmp_path, f"/{name}/7.png")
    assert one.reason is None
    assert one.path is not None
    assert one.path.read_bytes() == picture()
    assert one.path.parent == tmp_path
    assert one.path.suffix == ".png"


@pytest.mark.parametrize(
    ("name", "reason", "times"),
    [
        ("missing", "expected a file, found 404 Not Found", 1),
        ("broken", "expected a file, found 500 Internal Server Error, 3 times", 3),
        ("shut", "expected a file, found 503 Service Unavailable; it asks to come back in 24 h", 1),
        ("next-century", "expected a file, found 503 Service Unavailable; it asks to come back in more than a year", 1),
        ("hang-up", "expected an answer, found that the server hung up without one, 3 times", 3),
        ("short", "expected a whole file, found that it broke off (received 50 bytes, expected ", 3),
        ("page", "expected a file of type image/*, found text/html", 1),
        ("huge", "expected at most 100,000 bytes, found 1,000,000,000,000", 1),
        ("endless", "expected at most 100,000 bytes, found more", 1),
        ("nothing", "expected a file, found an empty answer", 1),
        ("circle", "expected a file, found more than 5 redirects", 6),
        ("inside", "refused localhost: it leads to the private address", 1),
        ("metadata", "refused 169.254.169.254: it leads to the private address 169.254.169.254", 1),
        ("elsewhere", "expected an http or https address, found another", 1),
        ("nonsense", "expected a file, found a redirect to what is no address", 1),
    ],
)
def test_what_cannot_be_had_is_reported_with_the_reason(
    server: Nasty, tmp_path: Path, name: str, reason: str, times: int
) -> None:
    (one,) = fetched(server, tmp_path, f"/{name}/")
    assert one.path is None
    assert reason in (one.reason or "")
    assert sum(server.asked.values()) == times
    assert list(tmp_path.iterdir()) == []


def test_silence_is_called_silence_and_given_its_length(server: Nasty, tmp_path: Path) -> None:
    (one,) = fetched(server, tmp_path, "/silence/", manners=replace(MANNERS, silence=1, attempts=1))
    assert one.reason == "expected an answer, found none within 1 s"


def test_what_is_no_connection_is_said_so(server: Nasty, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/x.png"
        found = fetched(server, tmp_path, address, "https" + server.address[4:] + "/good/1.png")
    assert [one.reason and one.reason.partition(" (")[0] for one in found] == ["expected a connection, found none"] * 2
    assert "(Connection refused), 3 times" in (found[0].reason or "")


def test_nobody_waits_for_thousands_of_files_of_a_server_that_is_down(server: Nasty, tmp_path: Path) -> None:
    """A few files in a row without an answer, and no other is asked for; one answer, and it may be silent again."""
    manners = replace(MANNERS, connections=1, attempts=1, most_silent=3)
    down = fetched(server, tmp_path, *(f"/hang-up/{n}" for n in range(9)), manners=manners)
    reason = "expected an answer, found that the server hung up without one"
    assert [one.reason for one in down[:3]] == [reason] * 3
    assert {one.reason for one in down[3:]} == {
        f"not asked, because 127.0.0.1 had given no answer for 3 files in a row: {reason}"
    }
    assert sum(server.asked.values()) == 3
    paths = [f"/{name}/{n}" for n in range(3) for name in ("hang-up", "hang-up", "missing")]
    mixed = fetched(server, tmp_path, *paths, manners=manners)
    assert not [one for one in mixed if "not asked" in (one.reason or "")]


def test_a_server_that_drips_is_left(server: Nasty, tmp_path: Path) -> None:
    (one,) = fetched(server, tmp_path, "/drip/", manners=replace(MANNERS, whole=0.4, attempts=1))
    assert "expected it whole within 0.4 s, found it still coming" in (one.reason or "")


def test_a_file_takes_no_longer_than_it_may_in_all(server: Nasty, tmp_path: Path) -> None:
    (one,) = fetched(server, tmp_path, "/drip/", manners=replace(MANNERS, whole=0.3, total=0.5, attempts=50))
    assert one.reason == "expected it whole within 0.3 s, found it still coming; given up after 0.5 s"
    assert server.asked["/drip/"] <= 3


def test_waiting_for_ones_turn_takes_none_of_that_time(
    server: Nasty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[str] = []
    waited: list[bool] = []
    passing, turn = downloader._TimeLeft.passing, downloader._Downloader._turn

    @asynccontextmanager
    async def watched(self: downloader._TimeLeft, most: float) -> AsyncIterator[None]:
        running.append("the clock of a file")
        async with passing(self, most):
            yield
        running.pop()

    async def waits(self: downloader._Downloader) -> None:
        waited.append(not running)
        await turn(self)

    monkeypatch.setattr(downloader._TimeLeft, "passing", watched)
    monkeypatch.setattr(downloader._Downloader, "_turn", waits)
    fetched(server, tmp_path, *(f"/good/{n}" for n in range(4)), manners=replace(MANNERS, connections=1))
    assert waited == [True] * 4


@pytest.mark.parametrize(
    ("name", "asked", "reason"),
    [
        ("shut", 1, "expected a file, found 503 Service Unavailable; it asks to come back in 24 h"),
        ("always-busy", 2, "expected a file, found 429 Too Many Requests; given up after 90 s"),
    ],
)
def test_a_server_that_wants_more_time_than_there_is_is_asked_for_no_other_file(
    server: Nasty, tmp_path: Path, name: str, asked: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for a minute, so that what a busy machine takes does not count; nobody waits that long here."""
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: sleep(min(seconds, 0.01)))
    server.minute = 60
    manners = replace(MANNERS, connections=1, total=90, longest_wait=100)
    first, *others = fetched(server, tmp_path, *(f"/{name}/{n}" for n in range(5)), manners=manners)
    assert first.reason == reason
    assert {one.reason for one in others} == {f"not asked, because 127.0.0.1 had answered another request so: {reason}"}
    assert sum(server.asked.values()) == asked


def test_nobody_is_asked_at_a_private_address(server: Nasty, tmp_path: Path) -> None:
    (one,) = fetched(server, tmp_path, "/good/", manners=replace(MANNERS, allowed_hosts=frozenset()))
    assert "refused 127.0.0.1: it leads to the private address 127.0.0.1" in (one.reason or "")
    assert not server.asked


def test_a_second_run_asks_only_for_what_is_missing(server: Nasty, tmp_path: Path) -> None:
    first = fetched(server, tmp_path, "/good/1", "/missing/2", "/good/3")
    (tmp_path / "9-00000000.part").write_bytes(b"left by a run that was killed")
    second = fetched(server, tmp_path, "/good/1", "/missing/2", "/good/3")
    assert [one.known for one in first] == [False, False, False]
    assert [one.known for one in second] == [True, False, True]
    assert [one.path for one in first] == [one.path for one in second]
    assert server.asked == {"/good/1": 1, "/missing/2": 2, "/good/3": 1}


def test_the_same_example_at_another_address_is_another_file(server: Nasty, tmp_path: Path) -> None:
    fetched(server, tmp_path, "/good/1")
    (one,) = fetched(server, tmp_path, "/good/2")
    assert not one.known


def test_requests_come_no_faster_and_no_more_at_once_than_is_polite(server: Nasty, tmp_path: Path) -> None:
    begun = time.monotonic()
    fetched(server, tmp_path, *(f"/slow/{n}" for n in range(12)), manners=replace(MANNERS, per_second=20))
    # A busy machine can make a request late and so bring the next one nearer, but it can make none early.
    assert len(server.times) == 12
    for n, at in enumerate(server.times):
        assert at - begun >= n / 20, f"request {n} came before its time"
    assert 1 <= server.most_at_once <= 2


def test_a_server_that_asks_for_time_gets_it_from_every_connection(server: Nasty, tmp_path: Path) -> None:
    fetched(server, tmp_path, "/busy/1", *(f"/good/{n}" for n in range(10)), manners=replace(MANNERS, per_second=10))
    gaps = [later - earlier for earlier, later in pairwise(server.times)]
    assert max(gaps) > 0.8


def test_no_name_out_of_an_address_becomes_a_path(server: Nasty, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    found = fetched(server, inner, "/good/%2e%2e%2f%2e%2e%2fevil.png", "/good/..\\..\\evil.png", "/good/a.sh")
    assert {one.path.parent for one in found if one.path} == {inner}
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]
    assert not list(inner.glob("*.sh"))


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.5.5",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:10.0.0.1",
        "::ffff:93.184.216.34",
        "::93.184.216.34",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::5db8:d822",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:5db8:d822::1",
        "2001:0:5db8:d822:8000:63bf:80ff:fffe",
        "2606:4700::5efe:10.0.0.1",
        "fec0::1",
        "feff::1",
        "ff02::1",
        "ff0e::1",
        "2001:20::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "100::1",
        "4000::1",
        "2606:4700::1%eth0",
        "192.88.99.1",
        "192.0.0.9",
        "198.18.0.1",
        "239.1.1.1",
    ],
)
def test_private_numbers_are_known(number: str) -> None:
    assert not is_public(number)


@pytest.mark.parametrize(
    "number", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450::1", "2001:4860:4860::8888"]
)
def test_public_numbers_are_known(number: str) -> None:
    assert is_public(number)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://example.org/x",
        "file:///etc/passwd",
        "http:///x",
        "",
        "javascript:alert(1)",
        "http://[::1/",
        "//host/x",
        "http://user:secret@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/" + "x" * 3_000,
    ],
)
def test_what_is_no_address_of_the_web_is_refused(address: str) -> None:
    with pytest.raises(RefusedAddressError):
        asyncio.run(destinations(address, {"127.0.0.1"}))


def test_a_request_goes_to_the_machine_that_was_looked_up() -> None:
    found = asyncio.run(destinations("https://localhost:8443/a%20b?c=d#e", {"localhost"}))
    assert {one.url for one in found} <= {"https://127.0.0.1:8443/a%20b?c=d", "https://[::1]:8443/a%20b?c=d"}
    assert {(one.host, one.name) for one in found} == {("localhost:8443", "localhost")}


def name_server(monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> list[str]:
    """Have names lead to these numbers, one answer a look; returns the list of names looked up."""
    asked: list[str] = []

    async def getaddrinfo(self: object, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(0, 0, 0, "", (number, port)) for number in found]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return asked


def test_of_several_machines_the_public_ones_are_tried_both_kinds_by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = ["2606:4700::1", "64:ff9b::7f00:1", "fec0::1", "2606:4700::2", "10.0.0.1", "1.1.1.1", "1.1.1.1"]
    name_server(monkeypatch, numbers)
    found = asyncio.run(destinations("http://names.example:81/x"))
    assert [one.url for one in found] == [
        "http://[2606:4700::1]:81/x",
        "http://1.1.1.1:81/x",
        "http://[2606:4700::2]:81/x",
    ]


def test_a_name_that_leads_to_no_public_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    name_server(monkeypatch, ["64:ff9b::7f00:1", "fec0::1", "::ffff:127.0.0.1", "2002:7f00:1::", "10.0.0.1"])
    with pytest.raises(RefusedAddressError, match="it leads to the private address 64:ff9b::"):
        asyncio.run(destinations("http://names.example/x"))


def test_the_next_machine_is_asked_when_one_is_dead(
    server: Nasty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing listens on 127.0.0.3; a machine that could not be reached is not tried first again.
    port = server.address.rpartition(":")[2]
    asked = name_server(monkeypatch, ["127.0.0.3", "127.0.0.1"])
    tried: list[str] = []
    connect = anyio.connect_tcp

    async def noted(remote_host: str, **options: Any) -> Any:
        tried.append(remote_host)
        return await connect(remote_host, **options)

    monkeypatch.setattr(anyio, "connect_tcp", noted)
    manners = replace(MANNERS, connections=1, allowed_hosts=frozenset({"names.example"}))
    urls = [f"http://names.example:{port}/good/{n}.png" for n in range(3)]
    found = fetched(server, tmp_path, *urls, manners=manners)
    assert [one.reason for one in found] == [None] * 3
    assert asked == ["names.example"] * 3
    assert tried[0] == "127.0.0.3"
    assert set(tried[1:]) == {"127.0.0.1"}


def test_a_name_that_changes_between_look_and_connection_leads_nowhere_else(
    server: Nasty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first look finds a machine that may be asked and is dead; a second look, which would find the one that
    # listens, must not be taken, and one that is refused must not be tried in its place.
    port = server.address.rpartition(":")[2]
    asked = name_server(monkeypatch, ["127.0.0.3"], ["127.0.0.1"])
    manners = replace(MANNERS, attempts=1, allowed_hosts=frozenset({"names.example"}))
    (one,) = fetched(server, tmp_path, f"http://names.example:{port}/good/0.png", manners=manners)
    assert one.path is None
    assert "expected a connection, found none" in (one.reason or "")
    assert asked == ["names.example"]


def test_a_refused_machine_is_not_asked_beside_dead_ones(
    server: Nasty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 127.0.0.3 stands for a public machine that is dead; the server that listens is at a refused number.
    port = server.address.rpartition(":")[2]
    name_server(monkeypatch, ["127.0.0.3", "127.0.0.1"])
    monkeypatch.setattr("ingest.fetch.ssrf_guard.is_public", lambda number: number == "127.0.0.3")
    manners = replace(MANNERS, attempts=1, allowed_hosts=frozenset())
    (one,) = fetched(server, tmp_path, f"http://names.example:{port}/good/0.png", manners=manners)
    assert "expected a connection, found none" in (one.reason or "")
