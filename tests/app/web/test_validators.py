"""If-None-Match and If-Range, read in the same way wherever they are sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from app.web.validators import matches_etag, tags_of

API = "/api/v1/datasets/sample-digits"
ALL = [
    "/sample-digits",
    "/sample-digits?given=1",
    "/method",
    f"{API}/issues",
    f"{API}/corrected.csv",
    f"{API}/corrected.npy",
    f"{API}/corrected.json",
    "/static/site.css",
    "/static/favicon.svg",
    "VERSION",
    "MEDIUM",
]


@pytest.fixture(scope="module")
def site(sample_catalogue: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(catalogue=sample_catalogue, public=False))) as client:
        yield client


def address_of(site: TestClient, address: str) -> str:
    if address == "VERSION":
        version = site.get(API).json()["version"]
        return f"/api/v1/versions/{version}/datasets/sample-digits/croissant.json"
    if address != "MEDIUM":
        return address
    page = site.get("/sample-texts?limit=1").text + site.get("/sample-digits").text
    return "/media/" + page.split('"/media/')[1].split('"')[0]


@pytest.mark.parametrize("address", ALL)
def test_what_one_has_is_not_sent_again_however_one_says_so(site: TestClient, address: str) -> None:
    address = address_of(site, address)
    first = site.get(address)
    assert first.status_code == 200
    tag = first.headers["etag"]
    bare = tag.removeprefix("W/")
    for said in (tag, bare, f"W/{bare}", "*", " * ", f'"a", {tag}', f',, "a,b" , {bare} ,', f'W/"x",{tag}'):
        for again in (
            site.get(address, headers={"If-None-Match": said}),
            site.head(address, headers={"If-None-Match": said}),
        ):
            assert (again.status_code, again.content) == (304, b""), said
            assert again.headers["etag"].removeprefix("W/") == bare
            for name in ("vary", "cache-control"):
                assert again.headers.get(name) == first.headers.get(name), name
    several = site.get(address, headers=[("If-None-Match", '"a"'), ("If-None-Match", tag)])
    assert several.status_code == 304
    for said in ("", '"a"', bare.strip('"'), f"{tag} {tag}", f'"a" {tag}', f"{bare}x", 'W/"', "w/" + bare, f"*, {tag}"):
        assert site.get(address, headers={"If-None-Match": said}).status_code == 200, said


def test_nothing_is_not_modified_that_is_not_there(site: TestClient) -> None:
    for address in ("/nothing", "/sample-digits?given=nothing", f"{API}/issues/999999999", "/static/nothing.css"):
        assert site.get(address, headers={"If-None-Match": "*"}).status_code in (400, 404)


@pytest.mark.parametrize("address", [f"{API}/corrected.npy", "MEDIUM"])
def test_parts_fit_to_what_is_named_by_a_strong_tag(site: TestClient, address: str) -> None:
    address = address_of(site, address)
    tag = site.get(address).headers["etag"]
    assert not tag.startswith("W/")
    ask = {"Range": "bytes=0-3"}
    assert site.get(address, headers=ask | {"If-Range": tag}).status_code == 206
    for said in (f"W/{tag}", '"other"', "*", tag.strip('"'), "Wed, 21 Oct 2015 07:28:00 GMT", ""):
        assert site.get(address, headers=ask | {"If-Range": said}).status_code == 200, said


@pytest.mark.parametrize(
    ("address", "named"),
    [("/method", False), ("/sample-digits/classes", False), (f"{API}/issues", True), ("/api", True)],
)
def test_only_what_names_the_site_depends_on_its_name(site: TestClient, address: str, named: bool) -> None:
    answers = [
        site.get(f"{site_}{address}") for site_ in ("http://one.example", "https://one.example", "http://two.example")
    ]
    tags = {answer.headers["etag"] for answer in answers}
    bodies = {answer.content for answer in answers}
    assert len(tags) == len(bodies) == (3 if named else 1)
    for answer in answers:
        again = site.get(str(answer.url), headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304


def test_lists_of_tags_are_read_as_the_standard_says() -> None:
    assert tags_of("") == []
    assert tags_of('"a"') == tags_of('W/"a"') == tags_of(' "a" , ') == ['"a"']
    assert tags_of('"a,b", W/"c"') == ['"a,b"', '"c"']
    for said in ("a", '"a', 'a"', '"a" "b"', 'w/"a"', '"a"x', "*"):
        assert tags_of(said) is None
        assert not matches_etag(said, ['"b"']) or said == "*"
    assert tags_of('"a",' * 50_000) == ['"a"'] * 50_000
    assert tags_of("," * 200_000) == []


def test_a_file_says_the_same_whether_it_is_sent_whole_in_part_or_not_at_all(site: TestClient) -> None:
    """Else a cache that hears "not modified" changes what it keeps, and for whom."""
    text = site.get("/api/v1/datasets/sample-texts/issues?limit=1").json()["items"][0]["links"]["media"]["text"]
    for address in ("/static/site.css?v=1", "/static/favicon.svg", text):
        for encoding in ("identity", "gzip"):
            first = site.get(address, headers={"Accept-Encoding": encoding})
            asked = {"If-None-Match": first.headers["etag"]}, {"Range": "bytes=0-1"}, {"Range": "lines=1-2"}
            answers = [site.get(address, headers={"Accept-Encoding": encoding} | one) for one in asked]
            assert [answer.status_code for answer in answers] == [304, 206, 200]
            for answer in answers:
                assert answer.headers["vary"] == first.headers["vary"] == "Accept-Encoding"
                assert answer.headers.get("cache-control") == first.headers.get("cache-control")


def test_the_rules_for_crawlers_may_be_kept_for_a_day(site: TestClient) -> None:
    first = site.get("/robots.txt")
    for said in (first.headers.get("etag", '"a"'), "*"):
        again = site.get("/robots.txt", headers={"If-None-Match": said})
        assert again.headers["cache-control"] == first.headers["cache-control"] == "public, max-age=86400"


@pytest.mark.parametrize("address", ["/static/site.css", f"{API}/corrected.csv", "MEDIUM"])
def test_ranges_are_read_alike_for_all_files(site: TestClient, address: str) -> None:
    address = address_of(site, address)
    whole = site.get(address, headers={"Accept-Encoding": "identity"})
    ignored = ["bytes=abc", "bytes=5-2", "bytes=0-1,3-4", "bytes=" + "0-1," * 500, "lines=1-2", "bytes", "bytes=", ""]
    ignored += ["bytes=-", "bytes=1-2-3", "bytes=\xff-1", "bytes=\xb2-"]
    for said in ignored:
        answer = site.get(address, headers={"Range": said.encode("latin-1"), "Accept-Encoding": "identity"})
        assert (answer.status_code, answer.content) == (200, whole.content), said
    for said in ("bytes=99999999-", "bytes=-0", "bytes=" + "9" * 5000 + "-"):
        answer = site.get(address, headers={"Range": said})
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")
        assert answer.json()["type"] == "/about/errors#no-such-part"
        assert answer.headers["cache-control"] == "no-store"
    answer = site.get(address, headers={"Range": "bytes=1-" + "9" * 5000})
    assert (answer.status_code, answer.content) == (206, whole.content[1:])
