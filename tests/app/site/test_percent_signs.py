"""One rule for per cent: behind a number a no-break space, then the sign, on every page."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from app.web.templates import PER_CENT
from tests.serving import serving

#: What is not prose: code, and what a computer printed.
_AS_IT_IS = ("pre", "code", "script")
#: What stands beside other text and is not one sentence with it.
_APART = ("td", "th", "dt", "dd", "div", "p", "li", "text", "title", "caption")
OF_A_DATASET = (
    "",
    "/classes",
    "/classes/3",
    "/confusions",
    "/confusions?kind=joint",
    "/ranks",
    "/corrected",
    "/changes",
    "/stability",
    "/stability/prevalence",
    "/stability/pair",
    "/stability/repeated",
    "/evaluate",
    "/opinions",
)
GENERAL = ("/", "/figures", "/method", "/about", "/about/errors", "/api", "/docs", "/reproduction", "/media-coverage")


class Prose(HTMLParser):
    """The text of a page apart from code."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.words = ""
        self._within = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within += tag in _AS_IT_IS
        self.words += "\n" * (tag in _APART)
        self.words += "".join(f" {value} " for name, value in attrs if name in ("aria-label", "title", "alt"))

    def handle_endtag(self, tag: str) -> None:
        self._within -= tag in _AS_IT_IS

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.words += data


def wrong(client: httpx.Client, address: str) -> list[str]:
    """Per cent signs behind a number that are written otherwise, with what is around them."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    words = Prose(answer.text).words
    found = [m for m in re.finditer(r"\d([^\S\n]*%)", words) if m[1] != PER_CENT]
    return [f"{address}: {words[max(0, m.start() - 30) : m.end() + 10]!r}" for m in found]


@pytest.fixture(scope="module")
def client(opinions_catalogue: Path) -> Iterator[httpx.Client]:
    """A client of the site over the ten datasets without media, with models and second opinions."""
    with serving(opinions_catalogue, requests_a_minute=0) as site, httpx.Client(base_url=site, timeout=60) as client:
        yield client


def test_every_page_writes_it_so(client: httpx.Client) -> None:
    documents = re.findall(r'href="(/docs/[a-z-]+)"', client.get("/docs").text)
    assert len(documents) > 10
    found = [one for address in (*GENERAL, *dict.fromkeys(documents)) for one in wrong(client, address)]
    for name in ("cifar10", "imagenet"):
        there = re.findall(rf'href="/{name}(/[a-z]+)"', client.get(f"/{name}").text)
        index = client.get(f"/api/v1/datasets/{name}/issues?category=correctable").json()["items"][0]["index"]
        paths = [path for path in OF_A_DATASET if path.partition("?")[0] in ("", "/classes/3", *there, "/changes")]
        paths = [path for path in paths if name == "cifar10" or "joint" not in path]
        found += [one for path in (*paths, f"/issues/{index}") for one in wrong(client, f"/{name}{path}")]
    assert found == []


def test_pages_have_signs_to_look_at(client: httpx.Client) -> None:
    for address in ("/", "/cifar10", "/cifar10/stability", "/docs/reviews"):
        assert PER_CENT in Prose(client.get(address).text).words, address
