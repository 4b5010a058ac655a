"""Download files from the web into a folder, with few connections, a rate limit and retries.

Files that were fetched before are not requested again, so an interrupted run continues where it stopped. Requests of a
server to wait are honoured. Files that are too large, of another type or on a private machine are refused; whether the
content is valid is for its decoder to find out. Nothing is stored in a catalogue here.
"""

import asyncio
import random
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

from ingest.fetch.failover import Failover
from ingest.fetch.failure_messages import spoken, why_none
from ingest.fetch.ssrf_guard import RefusedAddressError, UnknownHostError, destinations

_AGENT: Final = "label-errors-site (media for a local catalogue)"
_MOST_HOPS: Final = 5
#: Pauses of at least this many seconds are reported.
_TOLD: Final = 5.0
_RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """Limits and timeouts of requests. Times are in seconds."""

    connections: int = 2
    per_second: float = 4.0  # requests, over all connections together
    attempts: int = 4
    backoff: float = 1.0  # before the second attempt; doubles with each
    longest_wait: float = 300.0  # a server that asks for more is not asked again in this run
    silence: float = 20.0  # without receiving a byte
    connecting: float = 5.0  # to one machine of a host that has others
    most_silent: int = 5  # consecutive files without an answer, after which a server is not asked again
    whole: float = 120.0  # for one attempt at one file
    total: float = 600.0  # for one file, including all attempts and pauses its server asked for
    most_bytes: int = 64 << 20
    allowed_hosts: frozenset[str] = frozenset()  # may be private


@dataclass(frozen=True, slots=True)
class FetchTask:
    """One file to fetch for an example."""

    index: int
    url: str


@dataclass(frozen=True, slots=True)
class FetchResult:
    """The result of a task: a file, or the reason why there is none."""

    errand: FetchTask
    path: Path | None
    reason: str | None = None
    known: bool = False  # it was present already


class _RefusedError(Exception):
    """A failure that another attempt would not change."""


class _TryAgainError(Exception):
    """Another attempt may succeed, but not before ``after`` seconds if the server said so."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


@dataclass
class _TimeLeft:
    """The remaining seconds for one file."""

    seconds: float

    @asynccontextmanager
    async def passing(self, most: float) -> AsyncIterator[None]:
        """Subtract the duration of the block. Raises TimeoutError if it exceeds ``most`` or the remaining time."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(min(most, self.seconds)):
                yield
        finally:
            self.seconds -= time.monotonic() - begun


def fetch(
    errands: Sequence[FetchTask],
    folder: Path,
    types: Collection[str],
    suffixes: Collection[str],
    manners: FetchPolicy,
    done: Callable[[FetchResult], None],
    say: Callable[[str], None] = lambda _: None,
) -> list[FetchResult]:
    """Fetch every file into ``folder``, in the order of the tasks; ``done`` is called with each result as it comes.

    ``say`` is called with a line of text that explains a longer pause. ``types`` are prefixes of accepted media types
    ("image/"); ``suffixes`` are the endings of names that are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob("*.part"):
        leftover.unlink()
    try:
        return asyncio.run(_Downloader(folder, types, suffixes, manners, done, say).all(errands))
    except ExceptionGroup as group:
        # One connection met an error that concerns all, such as a full disk, and the others were cancelled.
        raise group.exceptions[0] from group


@dataclass
class _Downloader:
    folder: Path
    types: Collection[str]
    suffixes: Collection[str]
    manners: FetchPolicy
    done: Callable[[FetchResult], None]
    say: Callable[[str], None]
    next_start: float = field(default=0.0, init=False)
    shut: dict[str, str] = field(default_factory=dict, init=False)  # host -> why it is not asked again
    silent: Counter[str] = field(default_factory=Counter, init=False)  # host -> consecutive files without an answer
    reachable: Failover = field(default_factory=Failover, init=False)

    async def all(self, errands: Sequence[FetchTask]) -> list[FetchResult]:
        waiting = iter(enumerate(errands))
        found: dict[int, FetchResult] = {}
        # No proxy: it would resolve names itself, so its destination could not be checked.
        limits = httpx.Limits(max_connections=self.manners.connections)
        async with httpx.AsyncClient(
            trust_env=False, timeout=self.manners.silence, limits=limits, headers={"User-Agent": _AGENT}
        ) as client:

            async def worker() -> None:
                for place, errand in waiting:
                    found[place] = await self._one(client, errand)
                    self.done(found[place])

            async with asyncio.TaskGroup() as group:
                for _ in range(self.manners.connections):
                    group.create_task(worker())
        return [found[place] for place in sorted(found)]

    async def _one(self, client: httpx.AsyncClient, errand: FetchTask) -> FetchResult:
        stem = f"{errand.index}-{zlib.crc32(errand.url.encode('utf-8', 'surrogatepass')):08x}"
        known = next((path for path in self.folder.glob(f"{stem}*") if path.suffix != ".part"), None)
        if known is not None:
            return FetchResult(errand, known, known=True)
        return await self._tried(client, errand, stem)

    async def _tried(self, client: httpx.AsyncClient, errand: FetchTask, stem: str) -> FetchResult:
        """Several attempts, within the time limit of one file; waiting for a turn does not count."""
        time_left, reason, after = _TimeLeft(self.manners.total), "", 0.0
        for attempt in range(self.manners.attempts):
            silent = False
            try:
                return FetchResult(errand, await self._asked(client, errand.url, stem, time_left))
            except UnknownHostError as error:
                return self._unanswered(errand, str(error))
            except (_RefusedError, RefusedAddressError) as error:
                return FetchResult(errand, None, str(error))
            except _TryAgainError as error:
                reason, after = str(error), error.after or 0.0
            except TimeoutError:
                reason, after = f"expected it whole within {spoken(self.manners.whole)}, found it still coming", 0.0
            except (httpx.InvalidURL, ValueError) as error:
                return FetchResult(errand, None, f"expected an address, found none ({error})")
            except (httpx.TransportError, httpx.DecodingError) as error:
                if "location header" in str(error):
                    return FetchResult(errand, None, "expected a file, found a redirect to what is no address")
                reason, after, silent = why_none(error, self.manners.silence), 0.0, True
            if after > self.manners.longest_wait:
                return self._shut(errand, f"{reason}; it asks to come back in {spoken(after)}")
            time_left.seconds -= after
            if time_left.seconds <= 0:
                reason = f"{reason}; given up after {spoken(self.manners.total)}"
                break
            if attempt + 1 < self.manners.attempts:
                if after >= _TOLD:
                    self.say(f"{urlsplit(errand.url).hostname} asks to wait for {spoken(after)} ({reason})")
                await self._wait(attempt, after)
        else:
            reason += f", {self.manners.attempts} times" if self.manners.attempts > 1 else ""
        if silent:
            return self._unanswered(errand, reason)
        return self._shut(errand, reason) if after else FetchResult(errand, None, reason)

    def _unanswered(self, errand: FetchTask, reason: str) -> FetchResult:
        """Count another file that a server did not answer; after a few, the server is not asked again."""
        host = urlsplit(errand.url).hostname or ""
        self.silent[host] += 1
        if self.silent[host] == self.manners.most_silent:
            self.shut[host] = (
                f"not asked, because {host} had given no answer for {self.silent[host]} files in a row: {reason}"
            )
            self.say(f"{host} is asked for nothing more: {reason}")
        return FetchResult(errand, None, reason)

    def _shut(self, errand: FetchTask, reason: str) -> FetchResult:
        """Stop asking a server that requested a longer pause than can be given: no other file is requested from it."""
        host = urlsplit(errand.url).hostname or ""
        self.shut[host] = f"not asked, because {host} had answered another request so: {reason}"
        self.say(f"{host} is asked for nothing more: {reason}")
        return FetchResult(errand, None, reason)

    async def _wait(self, attempt: int, after: float) -> None:
        # The server's limit applies to the whole program, not to one request.
        self.next_start = max(self.next_start, time.monotonic() + after)
        await asyncio.sleep(self.manners.backoff * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    async def _turn(self) -> None:
        """Wait for a turn, so that the policy's number of requests per second is not exceeded."""
        now = time.monotonic()
        start = max(now, self.next_start)
        self.next_start = start + 1 / self.manners.per_second
        await asyncio.sleep(start - now)

    async def _asked(self, client: httpx.AsyncClient, url: str, stem: str, time_left: "_TimeLeft") -> Path:
        first = url
        for _ in range(_MOST_HOPS + 1):
            self._require_open(first)
            await self._turn()
            self._require_open(first)
            async with time_left.passing(self.manners.whole):
                machines = await destinations(url, self.manners.allowed_hosts)
                async with self.reachable.answer(
                    client, machines, self.manners.silence, self.manners.connecting
                ) as answer:
                    self.silent[urlsplit(first).hostname or ""] = 0
                    if answer.is_redirect and "location" in answer.headers:
                        url = urljoin(url, answer.headers["location"])
                        continue
                    return await self._saved(answer, first, stem)
        raise _RefusedError(f"expected a file, found more than {_MOST_HOPS} redirects")

    def _require_open(self, url: str) -> None:
        if (reason := self.shut.get(urlsplit(url).hostname or "")) is not None:
            raise _RefusedError(reason)

    async def _saved(self, answer: httpx.Response, url: str, stem: str) -> Path:
        self._check(answer)
        suffix = PurePosixPath(urlsplit(url).path).suffix[1:].lower()
        path = self.folder / (f"{stem}.{suffix}" if suffix in self.suffixes else stem)
        part = path.with_name(f"{path.name}.part")
        size = 0
        try:
            with part.open("wb") as file:
                async for chunk in answer.aiter_bytes():
                    size += len(chunk)
                    if size > self.manners.most_bytes:
                        raise _RefusedError(f"expected at most {self.manners.most_bytes:,} bytes, found more")
                    file.write(chunk)
            if size == 0:
                raise _RefusedError("expected a file, found an empty answer")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def _check(self, answer: httpx.Response) -> None:
        status = f"{answer.status_code} {answer.reason_phrase}".strip()
        if answer.status_code in _RETRIED:
            raise _TryAgainError(f"expected a file, found {status}", _retry_after(answer.headers.get("retry-after")))
        if answer.status_code != 200:
            raise _RefusedError(f"expected a file, found {status}")
        kind = answer.headers.get("content-type", "application/octet-stream").partition(";")[0].strip().lower()
        if kind != "application/octet-stream" and not kind.startswith(tuple(self.types)):
            wanted = " or ".join(f"{kind}*" if kind.endswith("/") else kind for kind in sorted(self.types))
            raise _RefusedError(f"expected a file of type {wanted}, found {kind[:60]}")
        declared = answer.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self.manners.most_bytes:
            raise _RefusedError(f"expected at most {self.manners.most_bytes:,} bytes, found {int(declared):,}")


def _retry_after(value: str | None) -> float | None:
    """The seconds a Retry-After header asks for, as a number or a date; None without a readable one."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value.strip()[:12])
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
