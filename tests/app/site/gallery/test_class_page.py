"""The page of a class: its numbers are those of the lists it links to, whatever its name."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.reading import Page, read
from tests.ingest.conftest import Tiny
from tests.serving import serving

#: Names that an address could not hold, or would take for something else.
NAMES = ["AC/DC ?#%", "names", "0 <b>naïve</b> 日本語"]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A site over a dataset whose classes have odd names."""
    folder = tmp_path_factory.mktemp("odd")
    tiny = Tiny(folder / "tiny")
    tiny.classes = NAMES
    assert tiny.add(folder / "catalogue.sqlite") == 0
    with serving(folder / "catalogue.sqlite") as site, httpx.Client(base_url=site) as client:
        yield client


def total(page: Page) -> int:
    """How many issues a gallery says it shows."""
    sentence = next(words for words in page.headings("h2") if words.endswith("."))
    return int(sentence.split()[0].replace(",", ""))


@pytest.mark.parametrize(
    ("address", "least"),
    [("/cifar10/classes/3", 8), ("/imagenet/classes/345", 4), ("/audioset/classes/0", 8), ("/quickdraw/classes/7", 4)],
)
def test_every_number_is_that_of_the_list_it_leads_to(real: httpx.Client, address: str, least: int) -> None:
    page = read(real, address)
    name = address.split("/")[1]
    numbers = [
        link for link in page.links if link.href.startswith(f"/{name}?") and link.words.replace(",", "").isdigit()
    ]
    assert len(numbers) >= least
    for link in numbers:
        if name != "audioset" or not re.search("issues?:", link.attributes.get("aria-label") or ""):
            assert total(read(real, link.href)) == int(link.words.replace(",", "")), link.href


def test_pairs_of_a_class_are_those_of_the_page_of_confusions(real: httpx.Client) -> None:
    """CIFAR-10's cats: five are frogs, as the page of all confusions has it too."""
    page = read(real, "/cifar10/classes/3")
    assert page.headings("h2")[0] == "Class 3 cat"
    assert "Labelled cat, corrected to" in page.headings("h3")
    confusions = read(real, "/cifar10/confusions").html
    for name in ("cifar10", "audioset"):
        number = 3 if name == "cifar10" else 0
        page, confusions = read(real, f"/{name}/classes/{number}"), read(real, f"/{name}/confusions?pairs=all").html
        shown = re.findall(r'(\d+) issues?: Labelled [^"]+, corrected to ([^"]+)"', page.html)
        one = next(c for c in real.get(f"/api/v1/datasets/{name}/classes").json()["items"] if c["id"] == number)["name"]
        every = re.findall(rf'aria-label="(\d+) issues?, given {re.escape(one)}, corrected ([^"]+)"', confusions)
        assert shown
        assert shown == every[: len(shown)]


def test_examples_are_of_the_class_both_ways(real: httpx.Client) -> None:
    page = read(real, "/cifar10/classes/6")
    assert "i2405" in page.ids, "the cat that is a frog, corrected to frog"
    assert {"Labelled frog, and wrong", "Corrected to frog"} <= set(page.headings("h3"))


@pytest.mark.parametrize(("which", "number"), [("AC%2FDC%20%3F%23%25", 0), ("ac/dc%20%3F%23%25", 0), ("00", 0)])
def test_a_name_leads_to_its_number(odd: httpx.Client, which: str, number: int) -> None:
    answer = odd.get(f"/tiny/classes/{which}")
    assert (answer.status_code, answer.headers["location"]) == (307, f"/tiny/classes/{number}")
    asked = odd.get(f"/tiny/classes/{which}?agreement=5&utm_source=%0d")
    assert asked.headers["location"] == f"/tiny/classes/{number}?agreement=5&utm_source=%0d"


def test_every_class_has_a_page_that_lists_link_to(odd: httpx.Client) -> None:
    """Also those whose names no address could hold; "names" is the address of a list."""
    links = [link for link in read(odd, "/tiny/classes").links if re.fullmatch(r"/tiny/classes/\d+", link.href)]
    assert [link.words for link in links] == NAMES
    for number, link in enumerate(links):
        page = read(odd, link.href)
        assert page.headings("h2")[0] == f"Class {number} {NAMES[number]}"
    assert isinstance(odd.get("/tiny/classes/names").json(), list)


def test_what_is_no_class_says_what_is_near(real: httpx.Client) -> None:
    page = read(real, "/cifar10/classes/frogg", status=404)
    assert "/cifar10/classes/6" in [link.href for link in page.links]
    for which in ("10", "-1", "1e3", "%00"):
        assert real.get(f"/cifar10/classes/{which}").status_code == 404
    assert real.get("/cifar10/classes/3?agreement=9").status_code == 400


def test_options_of_questions_are_no_classes(mmlu_catalogue: Path) -> None:
    with serving(mmlu_catalogue) as site, httpx.Client(base_url=site) as client:
        assert client.get("/mmlu/classes/0").status_code == 404
        index = client.get("/api/v1/datasets/mmlu/issues?category=correctable").json()["items"][0]["index"]
        assert "/mmlu/classes/" not in client.get(f"/mmlu/issues/{index}").text
        assert "/mmlu/classes" not in client.get("/sitemap/pages.xml").text


def test_names_of_classes_link_to_their_pages(real: httpx.Client) -> None:
    issue = {link.href for link in read(real, "/cifar10/issues/2405").links}
    assert {"/cifar10/classes/3", "/cifar10/classes/6"} <= issue
    pairs = {link.href for link in read(real, "/cifar10/confusions").links}
    assert {"/cifar10/classes/3", "/cifar10/classes/6"} <= pairs
    assert len([link for link in read(real, "/audioset/issues/2350").links if "/audioset/classes/" in link.href]) > 2


def test_the_site_map_lists_classes_where_they_are_not_too_many(real: httpx.Client) -> None:
    listed = real.get("/sitemap/pages.xml").text
    assert listed.count("/cifar10/classes/") == 10
    assert listed.count("/imagenet/classes/") == 1_000
