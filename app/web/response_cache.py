"""ETags, and a cache of answers that depend on nothing but the catalogue."""

import zlib
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, TypeAlias

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.catalogue.cache import Answers
from app.catalogue.current import CurrentCatalogue
from app.errors import NoCatalogue
from app.web.compression import FOR_WHOLES, best_encoding
from app.web.urls import NAMES_SITE, lifetime
from app.web.validators import ANY, if_none_match, matches_etag

#: The two ETags an answer may have, and its Cache-Control header.
_Added: TypeAlias = tuple[tuple[str, str], tuple[bytes, bytes]]
_VARY: Final = (b"vary", b"Accept-Encoding")
#: Headers of an answer that a "not modified" repeats.
_OF_BOTH: Final = (b"etag", b"vary", b"cache-control", b"content-location")
#: Addresses whose answers have validators and lifetimes of their own, or none: folders, and others.
_APART: Final = ("/media/", "/static/", "/review/")
_BY_ITSELF: Final = ("/healthz", "/metrics", "/robots.txt")
#: The same in the API, by the last part of the address: files that can be larger than the cache should hold.
_FILES: Final = ("corrected", "issues.")


class KeptAnswers:
    """The cached answers for the current catalogue, at most ``most_bytes``, and how often one was found."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.hits = self.misses = 0
        self._of = ""
        self._answers = Answers(most_bytes)

    def of(self, version: str) -> Answers:
        """The answers for a version; those of any other version are dropped."""
        if version != self._of:
            self._of, self._answers = version, Answers(self.most_bytes)
        return self._answers

    @property
    def held(self) -> int:
        """The number of bytes cached."""
        return self._answers.held


class CatalogueResponses:
    """Give each request the current catalogue, and its answer an ETag made of catalogue, program and address.

    An answer depends on nothing else. So a browser that still has it is told so before anything is read or rendered,
    and answers are cached for as long as their catalogue is served.
    """

    def __init__(
        self,
        app: ASGIApp,
        catalogue: CurrentCatalogue,
        program: str,
        kept: KeptAnswers,
        *,
        public: bool,
        is_owner: Callable[[Scope], bool] = lambda _: False,
    ) -> None:
        self.app = app
        self.catalogue = catalogue
        self.public = public
        self.program = program
        self.kept = kept
        #: Who sees what open rounds withhold from others.
        self.is_owner = is_owner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.catalogue.renew()
            if self.is_owner(scope):
                scope.setdefault("state", {})["catalogue"] = self.catalogue.whole(public=self.public)
                await self.app(scope, receive, _never_stored(send))
                return
        if scope["type"] != "http" or scope["method"] != "GET" or _stands_apart(scope["path"]):
            await self.app(scope, receive, send)
            return
        try:
            catalogue = self.catalogue.opened(public=self.public)
        except NoCatalogue:
            # The route that needs a catalogue reports its absence, in its own format of errors.
            await self.app(scope, receive, send)
            return
        answers = self.kept.of(catalogue.version)
        scope.setdefault("state", {})["catalogue"] = catalogue
        headers = dict(scope["headers"])
        where = (scope["raw_path"], scope["query_string"], scope["scheme"], headers.get(b"host", b""))
        encoding = best_encoding(headers.get(b"accept-encoding", b"").decode("latin-1"), FOR_WHOLES)
        key = (where, encoding, b"range" in headers)
        tags = self._tags(catalogue.version, where)
        lasting = (b"cache-control", lifetime(scope["path"]).encode())
        if b"if-none-match" in headers:
            asked = if_none_match(Headers(scope=scope))
            tag = next((tag for tag in tags if asked != ANY and matches_etag(asked, [tag])), None)
            if tag is not None:
                await _not_modified(send, [(b"etag", tag.encode()), lasting, _VARY])
                return
            if asked == ANY:
                send = _any_will_do(send)
        kept = answers.get(key)
        if kept is not None:
            self.kept.hits += 1
            await send({"type": "http.response.start", "status": 200, "headers": list(kept.headers)})
            await send({"type": "http.response.body", "body": kept.body})
            return
        self.kept.misses += 1
        await self.app(scope, receive, _keeping(send, answers, key, (tags, lasting), scope["state"]))

    def _tags(self, version: str, where: tuple[bytes, bytes, str, bytes]) -> tuple[str, str]:
        """The ETags of the answer at an address: path, query, scheme and host.

        Answers that contain the site's own name differ between host names; all others are the same.
        """
        path, query, scheme, host = where
        named = f"{version}-{self.program}-{zlib.crc32(b'%b?%b' % (path, query)):08x}"
        return f'W/"{named}"', f'W/"{named}-{zlib.crc32(repr((scheme, host)).encode()):08x}"'


def _never_stored(send: Send) -> Send:
    """``send``, with answers that nobody may keep: others would see in them what only the owner may."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            others = [pair for pair in message.get("headers", ()) if pair[0] not in (b"cache-control", b"etag")]
            message = {**message, "headers": [*others, (b"cache-control", b"no-store")]}
        await send(message)

    return sending


def _stands_apart(path: str) -> bool:
    if path.startswith("/api/"):
        name = path.rpartition("/")[2]
        return name.startswith(_FILES) and not name.endswith(".json")
    return path.startswith(_APART) or path in _BY_ITSELF


def _keeping(send: Send, answers: Answers, key: Hashable, added: _Added, state: Mapping[str, Any]) -> Send:
    """``send``, with ETags and lifetimes added to successful answers, which are cached if they come in one piece."""
    tags, lasting = added
    headers: list[tuple[bytes, bytes]] | None = None

    async def sending(message: Message) -> None:
        nonlocal headers
        if message["type"] == "http.response.start" and message["status"] == 200:
            headers = [*message["headers"], (b"etag", tags[NAMES_SITE in state].encode())]
            if not any(name == b"vary" and b"encoding" in value.lower() for name, value in headers):
                headers.append(_VARY)
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append(lasting)
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body" and headers is not None:
            if not message.get("more_body", False) and not _differs_by_accept(headers):
                answers.keep(key, headers, message.get("body", b""))
            headers = None
        await send(message)

    return sending


def _differs_by_accept(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether answers at this address differ by Accept header, which is not part of any key."""
    varies = [value.lower().split(b",") for name, value in headers if name == b"vary"]
    return any(part.strip() in (b"accept", b"*") for parts in varies for part in parts)


async def _not_modified(send: Send, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": 304, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _any_will_do(send: Send) -> Send:
    """``send`` for a client that has any answer and wants one only if it has none: "If-None-Match: *"."""
    has_one = False

    async def sending(message: Message) -> None:
        nonlocal has_one
        if message["type"] == "http.response.start" and message["status"] == 200:
            has_one = True
            await _not_modified(send, [pair for pair in message["headers"] if pair[0] in _OF_BOTH])
        elif not has_one:
            await send(message)

    return sending
