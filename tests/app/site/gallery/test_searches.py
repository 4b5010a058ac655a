"""Searches find what people type, empty results lead on, and any page of a gallery is one step away."""

import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from app.issues.cursors import cursor, place_of
from tests.app.reading import Page, read
from tests.serving import serving


def found(client: httpx.Client, name: str, q: str, **params: str) -> int:
    return client.get(f"/api/v1/datasets/{name}/issues", params={"q": q, "limit": 1, **params}).json()["total"]


def given(client: httpx.Client, name: str, q: str) -> set[str]:
    """The names of all labels of the issues that a search finds first."""
    items = client.get(f"/api/v1/datasets/{name}/issues", params={"q": q, "limit": 200}).json()["items"]
    return {item[role]["name"] for item in items for role in ("given", "guessed", "corrected") if item[role]}


def test_a_class_is_found_by_a_part_of_its_name(real: httpx.Client) -> None:
    """Where no name has it as a word: "ighor" is in "bighorn sheep" alone, and "horn" in many."""
    assert found(real, "imagenet", "ighor") == found(real, "imagenet", "bighorn") > 23
    assert found(real, "cifar10", "utomob") == found(real, "cifar10", "automobile") > 0
    assert found(real, "imagenet", "ra ighor") == 0


def test_a_part_of_a_name_finds_no_more_where_a_name_has_it_as_a_word(real: httpx.Client) -> None:
    assert "ram" in given(real, "imagenet", "ram")
    assert "ceramic" not in " ".join(given(real, "imagenet", "ram"))


def test_texts_are_searched_by_words_alone(real: httpx.Client) -> None:
    """The posts of sci.space, in whose name there is "pace", do not all have that word."""
    assert found(real, "20news", "space") > 10 * found(real, "20news", "pace")


def test_a_key_is_found(real: httpx.Client) -> None:
    item = real.get("/api/v1/datasets/imagenet/issues?limit=1&category=error").json()["items"][0]
    assert found(real, "imagenet", item["key"]) == 1
    assert found(real, "imagenet", str(item["index"])) >= 1
    assert found(real, "imagenet", item["key"].rpartition("_")[2].partition(".")[0]) >= 1


def test_an_example_is_found_as_the_site_itself_calls_it_and_as_its_file_is_called(real: httpx.Client) -> None:
    for q in ("#2405", "CIFAR-10 #2405", "2405"):
        items = real.get("/api/v1/datasets/cifar10/issues", params={"q": q}).json()["items"]
        assert 2405 in [item["index"] for item in items], q
    key = real.get("/api/v1/datasets/imagenet/issues/252").json()["key"]
    for q in (f"{key}.JPEG", f"val/n01496331/{key}.JPEG", f"C:\\val\\{key}.jpg"):
        items = real.get("/api/v1/datasets/imagenet/issues", params={"q": q}).json()["items"]
        assert [item["index"] for item in items] == [252], q


def test_an_example_that_is_no_issue_is_told_from_one_that_is_not_there(real: httpx.Client) -> None:
    told = "CIFAR-10 has an example 2406, but not among the issues here"
    assert told in read(real, "/cifar10?q=2406").words
    assert told in read(real, "/cifar10?q=%232406&given=cat").words
    assert "but not among" not in read(real, "/cifar10?q=10000").words
    assert "but not among" not in read(real, "/cifar10?q=2405&given=dog").words


@pytest.mark.parametrize("q", ["ram*", "-ram", "r\u00e4m", "\u202eram", "(ram)"])
def test_pairs_and_issues_are_searched_by_one_rule(real: httpx.Client, q: str) -> None:
    """Signs and accents count for nothing in either."""
    assert found(real, "imagenet", q) == found(real, "imagenet", "ram")
    assert pairs(read(real, f"/imagenet/confusions?q={quote(q)}")) == pairs(read(real, "/imagenet/confusions?q=ram"))
    assert pairs(read(real, "/imagenet/confusions?q='")) == []


def pairs(page: Page) -> list[tuple[str, str]]:
    return re.findall(r'issues?, given ([^,"]+), \w+ ([^,"]+)"', page.html.partition("<tbody>")[2])


def test_pairs_of_classes_are_found_by_words_of_both(real: httpx.Client) -> None:
    page = read(real, "/imagenet/confusions?q=ram+sheep")
    assert ("ram", "bighorn sheep") in pairs(page)
    assert len(pairs(page)) <= 4
    assert all("ram" in " ".join(pair).split() and "sheep" in " ".join(pair) for pair in pairs(page))
    assert pairs(read(real, "/imagenet/confusions?q=SHEEP++ram")) == pairs(page)
    every = pairs(read(real, "/imagenet/confusions?pairs=all"))
    assert pairs(read(real, "/imagenet/confusions?q=bighorn&pairs=all")) == [
        p for p in every if "bighorn" in " ".join(p)
    ]


def test_a_search_of_pairs_that_finds_nothing_leads_on(real: httpx.Client) -> None:
    page = read(real, "/imagenet/confusions?q=bighon")
    assert "No pair of classes has “bighon” in its names." in page.words
    addresses = [link.href for link in page.links]
    assert "/imagenet/confusions?kind=guessed&q=bighon" in addresses
    assert any(link.words == "bighorn sheep" for link in page.links)


def total(page: Page) -> int:
    return int(next(words for words in page.headings("h2") if words.endswith(".")).split()[0].replace(",", ""))


def test_an_empty_result_proposes_what_finds_something(real: httpx.Client) -> None:
    page = read(real, "/cifar10?given=truck&corrected=frog&q=2405")
    proposed = [link for link in page.links if link.words.startswith("Without ")]
    assert len(proposed) >= 1
    numbers = re.findall(r'Without [^<]+</a> <span class="n">([\d,]+)</span>', page.html)
    assert [total(read(real, link.href)) for link in proposed] == [int(n.replace(",", "")) for n in numbers]
    assert all(int(n) > 0 for n in numbers)
    similar = read(real, "/cifar10?q=frgo")
    assert "/cifar10/classes/6" in [link.href for link in similar.links]


@pytest.mark.parametrize("address", ["/cifar10?category=any&sort=-margin", "/imagenet?category=any"])
def test_every_page_says_which_issues_it_shows(real: httpx.Client, address: str) -> None:
    page, seen = read(real, address), 0
    for _ in range(4):
        shown = len([i for i in page.ids if re.fullmatch(r"i\d+", i)])
        assert f"{seen + 1}–{seen + shown} of {total(page):,}" in page.words
        seen += shown
        page = read(real, next(link.href for link in page.links if link.attributes.get("rel") == "next"))
    back = read(real, next(link.href for link in page.links if link.attributes.get("rel") == "prev"))
    assert f"{seen - shown + 1}–{seen} of" in back.words


def ids(page: Page) -> list[str]:
    return [i for i in page.ids if re.fullmatch(r"i\d+", i)]


@pytest.mark.parametrize("query", ["category=any", "category=any&sort=-disagreement", "category=any&q=tree"])
def test_a_jump_shows_what_walking_there_shows(real: httpx.Client, query: str) -> None:
    walked = read(real, f"/cifar100?{query}")
    for number in range(2, 4):
        walked = read(real, next(link.href for link in walked.links if link.attributes.get("rel") == "next"))
        jumped = read(real, f"/cifar100?{query}&page={number}")
        assert ids(jumped) == ids(walked) != []
        value = next(e for e in jumped.elements("input") if e.get("id") == "page")
        assert value["value"] == str(number)
        links = [[link.href for link in page.links if link.attributes.get("rel")] for page in (jumped, walked)]
        assert links[0] == links[1]
    last = next(e for e in walked.elements("input") if e.get("id") == "page")["max"]
    end = read(real, f"/cifar100?{query}&page={last}")
    assert ids(end)
    assert not [link for link in end.links if link.attributes.get("rel") == "next"]
    assert f"of {total(end):,}" in end.words


@pytest.mark.parametrize("page", ["0", "-1", "999", "x", "1.5", "²", "99999999999"])
def test_a_page_that_is_not_there_is_refused(real: httpx.Client, page: str) -> None:
    answer = real.get("/cifar10", params={"given": "cat", "page": page})
    assert answer.status_code == 400
    assert "a whole number from 1 to" in answer.text
    [back] = [link.href for link in Page(answer.text).links if link.words == "This page without page"]
    assert back == "/cifar10?given=cat"


def test_a_cursor_that_says_what_cannot_be_says_nothing_on_the_page(real: httpx.Client) -> None:
    """What stands before a page is only told; a made-up number shows the same issues, without their places."""
    page = read(real, "/cifar10?category=any")
    after = next(link.href for link in page.links if link.attributes.get("rel") == "next")
    honest = read(real, after)
    position = place_of(after.rpartition("after=")[2])
    for forged in (cursor(position), cursor(position, 0), cursor(position, 4_000_000)):
        page = read(real, f"/cifar10?category=any&after={forged}")
        assert ids(page) == ids(honest)
        assert not re.search(r"\d–\d+ of 275", page.words)


def test_a_slice_is_chosen_by_words(mmlu_catalogue: Path) -> None:
    with serving(mmlu_catalogue) as site:
        page = httpx.get(f"{site}/mmlu").text
    assert re.search(r'<option value="abstract_algebra"[^>]*>abstract algebra', page)
    assert ">abstract_algebra" not in page
