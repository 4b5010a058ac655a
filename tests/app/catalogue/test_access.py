"""Who may see what: a server for everyone shows what licences allow, one for oneself shows all."""

import json
import re
import tomllib
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest

from app.catalogue.access import is_public
from app.catalogue.current import Catalogue
from app.catalogue.masking import masked
from app.catalogue.records import Issue, IssueRow
from app.domain.review.verdicts import Category
from app.issues import queries, where
from app.issues.filter import IssueFilter
from app.settings import Settings, SettingsError
from tests.app.reading import read
from tests.serving import serving

MANIFESTS = Path(__file__).resolve().parents[3] / "data/datasets"


@pytest.fixture(scope="module")
def public(real_catalogue: Path) -> Iterator[httpx.Client]:
    """A client of a site over the ten datasets that everyone may reach."""
    with serving(real_catalogue, public=True) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def media_of(client: httpx.Client, name: str, index: int) -> dict[str, str]:
    found: dict[str, str] = client.get(f"/api/v1/datasets/{name}/issues/{index}").json()["links"]["media"]
    return found


def first(client: httpx.Client, name: str) -> int:
    return int(client.get(f"/api/v1/datasets/{name}/issues?limit=1").json()["items"][0]["index"])


def test_what_a_licence_lets_everyone_see_is_shown(public: httpx.Client) -> None:
    index = first(public, "mnist")
    media = media_of(public, "mnist", index)
    assert set(media) == {"image", "thumbnail"}
    assert public.get(urlsplit(media["image"]).path).status_code == 200
    page = read(public, f"/mnist/issues/{index}")
    assert "public, so" not in page.words
    assert len([img for img in page.elements("img") if "/media/mnist/" in (img["src"] or "")]) > 4, "exemplars too"


def test_an_issue_has_what_its_row_has_by_name(real_catalogue: Path) -> None:
    # Only rows of tables and questions have the first two, near-duplicates the third.
    assert Issue._fields == (*IssueRow._fields, "row", "question", "shown_beside")
    catalogue = Catalogue(real_catalogue)
    for name in ("20news", "imagenet", "audioset"):
        dataset, f = catalogue.datasets[name], IssueFilter(agreement=3)
        rows = queries.issue_rows(catalogue, dataset, f, 50).items
        for row, issue in zip(rows, queries.issue_page(catalogue, dataset, f, 50).items, strict=True):
            made = {
                field: dataset.label(getattr(row, field)) for field in ("given", "guessed", "shown", "corrected")
            } | {
                "category": Category(row.category or "unreviewed"),
                "votes": row.votes and json.loads(row.votes),
                "media": row.media and json.loads(row.media),
                "row": None,
                "question": None,
                "shown_beside": False,
            }
            assert issue._asdict() == row._asdict() | made


@pytest.mark.parametrize("place", [0, 14, 15, 16, 17])
def test_a_column_more_does_not_shift_what_is_masked(
    real_catalogue: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    names = [*IssueRow._fields[:place], "spans", *IssueRow._fields[place:]]
    longer = namedtuple("longer", names)
    for module in (queries, where):
        monkeypatch.setattr(module, "IssueRow", longer)
    monkeypatch.setitem(where._COLUMNS, "spans", where.i.c.spans)
    whole, restricted = (
        catalogue for whole in [Catalogue(real_catalogue)] for catalogue in (whole, whole.restricted())
    )
    for name in ("20news", "cifar10", "mnist"):
        pages = [
            queries.issue_rows(catalogue, catalogue.datasets[name], IssueFilter(agreement=3), 60).items
            for catalogue in (whole, restricted)
        ]
        hosted = name == "mnist"
        for mine, theirs in zip(*pages, strict=True):
            excerpt = mine.excerpt if hosted or mine.excerpt is None else masked(mine.excerpt)
            assert theirs == mine._replace(excerpt=excerpt, media=mine.media if hosted else None)
            assert name != "20news" or excerpt
        assert hosted or any(mine.media for mine in pages[0])


@pytest.mark.parametrize("name", ["cifar10", "imdb", "20news"])
def test_what_it_does_not_is_nowhere(public: httpx.Client, real: httpx.Client, name: str) -> None:
    index = first(real, name)
    mine = media_of(real, name, index)
    assert mine
    assert media_of(public, name, index) == {}
    for address in (urlsplit(address).path for address in mine.values()):
        assert real.get(address).status_code == 200
        refused = public.get(address)
        assert refused.status_code == 404
        assert "This site is public" in refused.text
    assert public.get(f"/api/v1/datasets/{name}/issues/{index}").json()["text"] is None
    for path in ("/", f"/{name}", f"/{name}/issues/{index}"):
        assert f"/media/{name}/" in real.get(path).text or path == "/"
        assert f"/media/{name}/" not in public.get(path).text


@pytest.mark.parametrize("name", ["cifar10", "20news", "imdb", "imagenet", "audioset"])
def test_a_page_says_why_and_links_to_the_source(public: httpx.Client, name: str) -> None:
    about = public.get("/about").text
    terms = public.get(f"/api/v1/datasets/{name}").json()["terms"]["licence"]
    for path in (f"/{name}", f"/{name}/issues/{first(public, name)}"):
        page = read(public, path)
        assert "This site is public, so it " in page.words
        assert f"Terms: {terms}." in page.words
        assert any(link.words == "Source of the dataset" and link.href in about for link in page.links)


def test_the_page_of_coverage_says_what_a_visitor_finds(public: httpx.Client, real: httpx.Client) -> None:
    """What was ingested and is not shown is no coverage, and the page says where it can be had."""
    words = " ".join(read(public, "/media-coverage").words.split())
    only = "the licence does not allow a public site to show"
    assert "MNIST 100 100 100 % The pictures of all 100 issues." in words
    assert (
        f"CIFAR-10 275 0 0 % No pictures: the catalogue has the pictures of all 275 issues, but {only} them." in words
    )
    assert f"AudioSet 307 0 0 % No sounds: {only} them." in words
    assert "IMDB 1,310 1,310 100 % How the texts of all 1,310 issues begin, with addresses and telephone" in words
    assert "Of 3 datasets no distribution was given" in words, "of those alone of which more could be seen"
    links = [link.href for link in read(public, "/media-coverage").links if link.words == "Source of the dataset"]
    homepages = {tomllib.loads(path.read_text())["homepage"] for path in MANIFESTS.glob("*.toml")}
    assert (len(links), len(set(links))) == (9, 8), "both CIFAR are from one place"
    assert set(links) < homepages
    mine = " ".join(read(real, "/media-coverage").words.split())
    assert "CIFAR-10 275 275 100 %" in mine
    assert only not in mine


def test_texts_are_shown_by_their_beginnings_without_addresses_of_people(
    public: httpx.Client, real: httpx.Client
) -> None:
    items = real.get("/api/v1/datasets/20news/issues?limit=100").json()["items"]
    private, open_ = (
        [read(client, f"/20news/issues/{item['index']}").words for item in items] for client in (real, public)
    )
    address = re.compile(r"[\w.]@[\w]")
    assert any(address.search(words) for words in private)
    assert not [words for words in open_ if address.search(words)]
    assert all(len(theirs) <= len(mine) + 300 for mine, theirs in zip(private, open_, strict=True))
    assert sum(map(len, open_)) < 0.7 * sum(map(len, private)), "the beginnings"
    assert not [words for words in open_ if re.search(r"\(\d{3}\) ?\d{3}-\d{4}", words)]
    assert "[address]" in "".join(read(public, f"/20news?after={after}").words for after in [""])  # the gallery as well


@pytest.mark.parametrize("name", ["mnist", "quickdraw", "caltech256"])
def test_what_is_shown_to_everyone_stands_beside_its_source_and_licence(public: httpx.Client, name: str) -> None:
    """As CC BY and CC BY-SA ask for it; what a manifest says of them comes out everywhere."""
    manifest = tomllib.loads((MANIFESTS / f"{name}.toml").read_text())
    licence = manifest["licence"]
    dataset = public.get(f"/api/v1/datasets/{name}").json()
    index = first(public, name)
    assert (
        dataset["terms"]
        == public.get(f"/api/v1/datasets/{name}/issues/{index}").json()["terms"]
        == {
            "licence": licence["name"],
            "licence_url": licence["url"],
            "licence_source": licence["source"],
            "homepage": manifest["homepage"],
            "citation": manifest["citation"],
            "verdicts": manifest["verdicts"],
        }
    )
    for path in (f"/{name}", f"/{name}/issues/{index}"):
        page = read(public, path)
        media = [img for img in page.elements("img") if f"/media/{name}/" in (img["src"] or "")]
        found = {link.words: link.href for link in page.links}
        credit = {manifest["title"]: manifest["homepage"], licence["name"]: licence["url"]}
        assert bool(media) == (dataset["media"] is not None)
        assert (credit.items() <= found.items()) == bool(media), path
        if media:
            assert "Pictures (resized): " in page.words
            assert found["Source and citation"] == f"/about#{name}"
            answer = public.get(media[0]["src"] or "")
            assert answer.headers["link"] == f'<{licence["url"]}>; rel="license"'
    assert name in read(public, "/about").ids


def test_programs_are_told_how_much_is_shown_to_them(public: httpx.Client, real: httpx.Client) -> None:
    def media(client: httpx.Client) -> dict[str, object]:
        return {item["name"]: item["media"] for item in client.get("/api/v1/datasets").json()["items"]}

    assert media(real)["cifar10"] == {"issues": 275, "of": 275, "shown": "whole"}
    assert media(public)["cifar10"] == {"issues": 275, "of": 275, "shown": "nothing"}
    assert media(public)["20news"] == {"issues": 93, "of": 93, "shown": "excerpts"}
    assert media(public)["mnist"] == {"issues": 100, "of": 100, "shown": "whole"}
    assert media(real)["imagenet"] is None


def test_answers_for_one_audience_are_no_answers_for_the_other(public: httpx.Client, real: httpx.Client) -> None:
    tag = real.get("/cifar10").headers["etag"]
    assert public.get("/cifar10", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("From: joe.doe+x@site.example.org (Joe)", "From: [address] (Joe)"),
        ("In article <1993Apr5.1@vms> x@y writes:", "In article <[address]> [address] writes:"),
        ("mail uunet!site!joe, please.", "mail [address], please."),
        ("No! Not that! Wow!!!", "No! Not that! Wow!!!"),
        ("at 3 pm @ the gate, a@ b", "at 3 pm @ the gate, a@ b"),
        ("x@example.org.", "[address]."),
    ],
)
def test_addresses_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # As they stand in the excerpts of 20 Newsgroups.
        ("$9800 (914) 335-6984 day (until 5pm) (609) 397-2147", "$9800 [number] day (until 5pm) [number]"),
        ("contact me at 301/468-0241. ***", "contact me at [number]. ***"),
        ("email or (708)864-0526.", "email or [number]."),
        ("Scott (303)962-9473 x9779", "Scott [number] x9779"),
        ("The number is (310)559-MACS (559-6227)", "The number is [number] ([number])"),
        ("Voice:(404)315-1225 FAX: 891-3818", "Voice:[number] FAX: [number]"),
        ("1-800-443-9797, 416 698 3649, 408.241.9760", "[number], [number], [number]"),
        ("Tel +44 91 222 8238 / +46-8-7538306", "Tel [number] / [number]"),
        ("Fax: +44 (0)61 275 6040; ++49 6151 155150", "Fax: [number]; +[number]"),
        # And what is no telephone number.
        ("Date: 20 Apr 1993 19:15:13 +0200", "Date: 20 Apr 1993 19:15:13 +0200"),
        ("In article <1993Apr21.140649.5660@>", "In article <1993Apr21.140649.5660@>"),
        ("for 500-2000 series, 800-1000 killed", "for 500-2000 series, 800-1000 killed"),
        ("PEAK PLAYERS 325/441/577, Article #61153 (61302 is last)", None),
        ("800 / 100 IMAGE 295 / 75 for $1000.00, 1993-94, 12/05/93, 10:30", None),
        ("Boulder 80303-1234, 129.130.10.5, 3.14159-2.71, 1:278/706", None),
        ("score 101-98, 1914-1918, 555-12345, 5555-1234, Form 1040-2", None),
    ],
)
def test_telephone_numbers_are_masked(text: str, expected: str | None) -> None:
    assert masked(text) == (text if expected is None else expected)


def test_masking_takes_no_time_over_what_is_made_to_take_it() -> None:
    masked("a" * 100_000 + "!" + "b!" * 50_000 + "@" * 10_000)
    for piece in ("+1 2", "(1", "+(12) ", "123-", "123-123", "+11111", "9 "):
        masked(piece * 20_000 + "x")


@pytest.mark.parametrize(("setting", "expected"), [(None, True), (True, True), (False, False)])
@pytest.mark.parametrize("server", [("127.0.0.1", 8000), ("::1", 8000), ("192.168.1.5", 80), ("/run/site", None), None])
def test_who_may_see_is_decided_by_the_setting_whatever_a_connection_looks_like(
    setting: bool | None, expected: bool, server: tuple[str, int | None] | None
) -> None:
    app = SimpleNamespace(state=SimpleNamespace(settings=Settings(public=setting)))
    assert is_public({"app": app, "server": server}) is expected


def test_the_setting_is_read_strictly() -> None:
    assert Settings.from_environment({}).public is None
    assert Settings.from_environment({"LABELERRORS_PUBLIC": "1"}).public is True
    assert Settings.from_environment({"LABELERRORS_PUBLIC": "0"}).public is False
    with pytest.raises(SettingsError, match="LABELERRORS_PUBLIC is 'yes'; expected 1 or 0"):
        Settings.from_environment({"LABELERRORS_PUBLIC": "yes"})


def test_nobody_can_ask_for_a_withheld_text_word_by_word(public: httpx.Client, real: httpx.Client) -> None:
    """Posts are searched whole where they are read whole; where they are excerpts, only names of classes are."""
    issues = "/api/v1/datasets/20news/issues"
    for words in ("rwf2@lehigh.edu", "Organization"):
        assert real.get(issues, params={"q": words}).json()["total"] > 0
        assert public.get(issues, params={"q": words}).json()["total"] == 0
        assert "Search names" in read(public, f"/20news?q={words}").words
    assert public.get(issues, params={"q": "sci.space"}).json()["total"] > 0
    assert public.get("/api/v1/datasets/imagenet/issues", params={"q": "val_00000293"}).json()["total"] > 0
