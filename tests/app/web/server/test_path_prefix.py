"""The site behind a proxy at a path: whatever it says of itself begins with the path, and every address answers."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.proxying import proxying
from tests.serving import serving

PREFIX = "/labels"
#: Addresses of one kind that are followed: a page says under all filters what it says under a few.
_OF_A_KIND = 3


class Addresses(HTMLParser):
    """All that a page asks a browser to go to or to load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src", "action", "formaction", "poster") and value is not None:
                self.found.append(value)
            elif name == "srcset" and value:
                self.found += [candidate.split()[0] for candidate in value.split(",")]


def own(values: list[str], host: str) -> list[str]:
    """Those of the addresses that are this site's, or would be without a path."""
    return [v for v in values if (v.startswith("/") and not v.startswith("//")) or urlsplit(v).netloc == host]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from strings(one)


def kind(url: str) -> str:
    """The path of an address, numbers and versions apart."""
    return re.sub(r"(?<=/)[0-9]+|[0-9a-f]{12,}", "N", urlsplit(url).path)


def addresses_in(answer: httpx.Response) -> list[str]:
    """The addresses that an answer names, be it a page, JSON, a feed or a redirect."""
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    found = [value for name in ("location", "content-location") if (value := answer.headers.get(name))]
    found += re.findall(r"<([^>]+)>", answer.headers.get("link", ""))
    if media_type == "text/html":
        found += Addresses(answer.text).found
    elif media_type in (
        "application/json",
        "application/ld+json",
        "application/problem+json",
    ) and not answer.url.path.endswith("openapi.json"):
        found += [text for text in strings(answer.json()) if re.match(r"https?://|/[a-z]", text)]
    elif media_type == "application/atom+xml":
        found += re.findall(r'href="([^"]+)"', answer.text)
    elif media_type == "text/css":
        found += re.findall(r"url\(([^)]+)\)", answer.text)
    return found


def crawl(site: str) -> Counter[str]:
    """Follow every kind of address from the first page; returns how many answers of which type there were."""
    host, seen, met = urlsplit(site).netloc, Counter[str](), Counter[str]()
    waiting, known = [f"{site}/", f"{site}/robots.txt", f"{site}/favicon.ico", f"{site}/no-such-dataset"], set[str]()
    with httpx.Client(timeout=60) as client:
        while waiting:
            url = waiting.pop().partition("#")[0]
            if url in known or seen[kind(url)] >= _OF_A_KIND:
                continue
            known.add(url)
            seen[kind(url)] += 1
            answer = client.get(url)
            # Of two datasets the labels are too large to be here, of some there are no opinions: addresses say so.
            absent = answer.status_code == 409 and "#not-loaded" in answer.text
            assert answer.status_code < 400 or absent or url.endswith("no-such-dataset"), (url, answer.status_code)
            met[answer.headers.get("content-type", "redirect").partition(";")[0]] += 1
            named = own(addresses_in(answer), host)
            for address in named:
                path = urlsplit(address).path
                assert path == PREFIX or path.startswith(f"{PREFIX}/"), (url, address)
                assert not path.startswith(PREFIX * 2), (url, address)
            waiting += [urljoin(url, address) for address in named]
    return met


@pytest.mark.parametrize("keeps", [False, True], ids=["a proxy that takes it off", "a proxy that passes it on"])
def test_nothing_on_the_sample_leaves_the_path(sample_catalogue: Path, tmp_path: Path, keeps: bool):
    disputes = {"disputes": True, "reviews": str(tmp_path / "reviews.sqlite")}
    with serving(sample_catalogue, root_path=PREFIX, **disputes) as site, proxying(site, PREFIX, keeps=keeps) as shown:
        met = crawl(shown)
    assert met["text/html"] > 40
    assert {"application/json", "application/atom+xml", "text/css", "image/png", "audio/mpeg", "redirect"} <= set(met)


@pytest.mark.slow
def test_nothing_on_the_real_site_leaves_the_path(models_catalogue: Path):
    with serving(models_catalogue, root_path=PREFIX) as site, proxying(site, PREFIX, keeps=False) as shown:
        met = crawl(shown)
    assert met["text/html"] > 150


def ask(app: Any, path: str, root_path: str = "", **headers: str) -> httpx.Response:
    """What an application answers to a server that says where it stands."""

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app, root_path=root_path, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://site.example") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(answer())


@pytest.fixture(scope="module")
def app(sample_catalogue: Path) -> Any:
    return create_app(Settings(catalogue=sample_catalogue))


@pytest.mark.parametrize(
    "path", ["/", "/sample-digits", "/sample-digits/issues/", "/about", "/sample-digits/stability"]
)
def test_kept_answers_of_one_path_are_not_those_of_another(app: Any, path: str):
    bare, one, other = (ask(app, path, root) for root in ("", "/labels", "/other/place"))
    again = [ask(app, path, root) for root in ("/other/place", "", "/labels")]
    assert [answer.content for answer in again] == [other.content, bare.content, one.content]
    assert len({bare.headers.get("etag"), one.headers.get("etag"), other.headers.get("etag")} - {None}) in (0, 3)
    assert 'href="/labels/' not in bare.text
    assert "/labels/" not in other.text
    if bare.status_code == 200:
        assert 'href="/other/place/about"' in other.text
        # The pages differ in nothing else.
        assert other.text.replace("/other/place", "") == bare.text
        plain = ask(app, path, "/other/place", **{"accept-encoding": "identity"})
        assert int(plain.headers["content-length"]) == len(plain.content) == len(other.content)


def test_what_has_no_link_in_it_stands_at_the_path_too(app: Any):
    problem = ask(app, "/api/v1/datasets/sample-digit", "/labels")
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
    assert problem.json()["type"] == "/labels/about/errors#not-found"
    assert problem.json()["instance"] == "/labels/api/v1/datasets/sample-digit"
    assert problem.json()["near"][0]["href"] == "/labels/api/v1/datasets/sample-digits"
    # What a visitor wrote is given back as it was.
    refused = ask(app, "/api/v1/datasets/sample-digits/issues?/x=1", "/labels").json()
    assert refused["parameter"] == "/x"
    assert ask(app, "/healthz", "/labels").status_code == 200
    robots = ask(app, "/robots.txt", "/labels").text.splitlines()
    assert robots[1:4] == ["Allow: /labels/static/", "Disallow: /labels/*?", "Disallow: /labels/api/"]
    previews = ["Twitterbot", "facebookexternalhit", "LinkedInBot", "Slackbot", "Discordbot", "TelegramBot"]
    assert robots[4:] == [
        "",
        *(f"User-agent: {name}" for name in previews),
        "Disallow: /labels/api/",
        "",
        "Sitemap: http://site.example/labels/sitemap.xml",
    ]
    assert ask(app, "/sample-digits/", "/labels").headers["location"] == "http://site.example/labels/sample-digits"
    page = ask(app, "/labels-of-nobody", "/labels")
    assert page.status_code == 404
    assert "There is nothing at /labels/labels-of-nobody" in page.text or "labels-of-nobody" in page.text
    document = ask(app, "/api/openapi.json", "/labels").json()
    assert document["servers"] == [{"url": "/labels"}]
    examples = [e for e in strings(document) if e.startswith("http://site.example/")]
    assert examples
    assert all(e.startswith("http://site.example/labels/") for e in examples)


@pytest.mark.parametrize("page", ["/sample-digits/corrected", "/sample-digits/evaluate", "/api"])
def test_snippets_name_the_whole_address(app: Any, page: str):
    shown = re.findall(r"http://site\.example[^\s\"'&<]*", ask(app, page, "/labels").text)
    assert shown
    assert all(f"{address}/".startswith("http://site.example/labels/") for address in shown), shown


@pytest.mark.parametrize("root", ["/sample-digits", "/api", "/static"])
def test_a_path_that_the_site_has_itself_is_not_taken_off_twice(app: Any, root: str):
    # The server puts it before what the proxy, which has taken it off, sends.
    found = ask(app, f"{root}/sample-digits", root)
    assert found.status_code == 200
    assert "sample-digits" in found.text
    assert ask(app, f"{root}/api/v1/datasets", root).json()["items"]
    style = next(address for address in Addresses(ask(app, "/about").text).found if "site.css" in address)
    assert ask(app, f"{root}{style}", root).status_code == 200
