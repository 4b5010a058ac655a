"""A page read the way a test wants it: its links, ids, landmarks and words."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

_EMPTY = {"meta", "link", "img", "input", "br", "hr", "option"}


@dataclass
class Link:
    """A link and all the text in it."""

    href: str
    attributes: dict[str, str | None]
    words: str = ""


@dataclass
class Page(HTMLParser):
    """What a test asks about a page. Text of the head is not part of ``words``."""

    html: str
    links: list[Link] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self._headings: dict[str, list[str]] = {}
        self.feed(self.html)
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if attributes.get("id"):
            self.ids.append(attributes["id"])
        if tag == "a":
            self.links.append(Link(attributes.get("href") or "", attributes))
        if tag in ("h1", "h2", "h3"):
            self._headings.setdefault(tag, []).append("")
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if "title" in self._open and "head" in self._open:
            self.title += data
        if "head" in self._open:
            return
        self.words += data
        for tag in self._open:
            if tag == "a" and self.links:
                self.links[-1].words += data
            if tag in self._headings:
                self._headings[tag][-1] += data

    def headings(self, tag: str) -> list[str]:
        return [" ".join(words.split()) for words in self._headings.get(tag, [])]

    def elements(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def local_links(self) -> list[Link]:
        return [link for link in self.links if link.href.startswith(("/", "?"))]


def read(client: httpx.Client, address: str, status: int = 200) -> Page:
    """The page at an address, which must answer with ``status`` and be well-formed."""
    response = client.get(address)
    assert response.status_code == status, f"{address}: {response.status_code} {response.text[:400]}"
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return Page(response.text)


def body(client: httpx.Client, address: str, status: int = 200, **params: object) -> Any:
    """The JSON at an address, which must answer with ``status``."""
    response = client.get(address, params=params or None)
    assert response.status_code == status, response.text
    return response.json()
