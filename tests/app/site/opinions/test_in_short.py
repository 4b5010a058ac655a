"""What a reader with half a minute comes away with, and where the links of the pages of opinions lead."""

import re

import httpx
import pytest

from tests.app.reading import body, read
from tests.conftest import ROOT


def words(site: httpx.Client, address: str) -> str:
    return " ".join(read(site, address).words.split())


def test_the_home_page_says_who_confirms_how_many(site: httpx.Client) -> None:
    said = words(site, "/")
    assert "ReaL confirms 725 of ImageNet’s 1,428 (51 %) and opposes 210" in said
    assert "CIFAR-10H confirms 4 of CIFAR-10’s 18 (22 %) and opposes 13" in said
    assert (
        "it takes no wrong label to turn a ranking of models: on CIFAR-10 it turns over on labels that reviewers"
        in said
    )
    assert "reviewers kept as well: Kendall’s τ −0.64 (−0.82 to −0.36), with 95 % intervals." in said
    hrefs = [link.href for link in read(site, "/").links]
    assert {"/imagenet/opinions", "/cifar10/opinions", "/cifar10/stability#controls"} <= set(hrefs)
    # The doubtful ones are one click away, and as many as it says.
    [doubtful] = [href for href in hrefs if href.startswith("/imagenet?") and "opinion=opposed" in href]
    assert "210 issues of ImageNet" in words(site, doubtful)


def test_without_opinions_the_home_page_says_nothing_of_them(client: httpx.Client) -> None:
    assert "Corrections can be wrong too" not in client.get("/").text


@pytest.mark.parametrize(("agreement", "confirmed", "of"), [(3, 725, 1_428), (4, 568, 960), (5, 311, 468)])
def test_the_page_of_a_dataset_says_it_at_each_agreement(
    site: httpx.Client, agreement: int, confirmed: int, of: int
) -> None:
    table = body(site, "/api/v1/datasets/imagenet/opinions", agreement=agreement)["sources"][0]["table"]["correctable"]
    assert (table["guessed"], sum(table.values())) == (confirmed, of)
    share = round(100 * confirmed / of)
    said = f"ReaL, made independently, confirms {confirmed} of {of:,} ({share} %) and opposes {table['given']}."
    assert said in words(site, f"/imagenet?agreement={agreement}")
    assert "made independently" not in words(site, "/mnist")


def test_the_readme_says_it_in_a_sentence(site: httpx.Client) -> None:
    table = body(site, "/api/v1/datasets/imagenet/opinions")["sources"][0]["table"]["correctable"]
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"of ImageNet's {sum(table.values()):,}, an [independent relabelling]" in readme
    assert f"confirms {table['guessed']} and opposes {table['given']}" in readme


@pytest.mark.parametrize("dataset", ["imagenet", "cifar10"])
def test_links_keep_the_agreement(site: httpx.Client, dataset: str) -> None:
    for page in ("opinions", "confidence"):
        links = [link.href for link in read(site, f"/{dataset}/{page}?agreement=5").links]
        inside = re.compile(rf"/{dataset}(/corrected|/confidence|/opinions)?\?")
        leading = [href for href in links if inside.match(href) and "agreement=4" not in href]
        assert leading
        assert {href for href in leading if "agreement=5" not in href} == set()
        for href in leading:
            assert site.get(href).status_code == 200, href
    links = [link.href for link in read(site, "/imagenet/opinions?agreement=5").links]
    assert {"/imagenet/confidence?agreement=5", "/imagenet/corrected?agreement=5&confirmed_by=real"} <= set(links)


@pytest.mark.parametrize("agreement", [3, 4, 5])
def test_no_link_leads_to_no_corrections(site: httpx.Client, agreement: int) -> None:
    for dataset in ("cifar10", "imagenet"):
        page = read(site, f"/{dataset}/confidence?agreement={agreement}")
        for link in page.links:
            if link.href.startswith(f"/{dataset}?"):
                query = link.href.partition("?")[2]
                assert body(site, f"/api/v1/datasets/{dataset}/issues?{query}&limit=1")["total"] > 0, link.href
        if dataset == "cifar10" and agreement == 3:
            assert not any("confidence=0.9" in link.href for link in page.links)


def test_doubtful_corrections_are_in_the_order_that_is_said(site: httpx.Client) -> None:
    page = read(site, "/imagenet/opinions")
    assert "ReaL opposes them, and those that fewest votes support come first." in " ".join(page.words.split())
    shown = [int(index) for index in re.findall(r'href="/imagenet/issues/(\d+)\?', page.html)]
    chosen = list(dict.fromkeys(shown))
    listed = body(site, "/api/v1/datasets/imagenet/issues?opinion=opposed:real&sort=-confidence&limit=12")["items"]
    assert chosen == [one["index"] for one in listed]
    assert chosen != sorted(chosen)
    votes = [one["votes"]["guessed"] for one in listed]
    assert votes == sorted(votes)
    people = read(site, "/cifar10/opinions")
    assert "most of its people for the given label come first" in people.words
    first = re.findall(r'href="/cifar10/issues/(\d+)', people.html)[0]
    shares = {}
    for one in body(site, "/api/v1/datasets/cifar10/issues?opinion=opposed:cifar10h")["items"]:
        [said] = body(site, f"/api/v1/datasets/cifar10/issues/{one['index']}")["second_opinions"]
        weights = {held["name"]: held["weight"] for held in said["classes"]}
        shares[one["index"]] = weights[one["given"]["name"]] / sum(weights.values())
    assert shares[int(first)] == max(shares.values())


def test_the_first_of_what_was_missed_say_their_order(site: httpx.Client) -> None:
    real = words(site, "/imagenet/opinions")
    assert "The first 24, those of a single label first, in the order of the test set" in real
    assert "the surest first" not in real
    missed = body(site, "/api/v1/datasets/imagenet/opinions")["sources"][0]["missed"]["examples"]
    assert [(len(one["held"]) > 1, one["index"]) for one in missed] == sorted(
        (len(one["held"]) > 1, one["index"]) for one in missed
    )
    assert "The first 24, those on which most of its people agree first" in words(site, "/cifar10/opinions")


def test_what_is_learnt_from_votes_stands_beside_what_the_opinion_says(site: httpx.Client) -> None:
    """A reader must not take the number for what the opinion says of this example."""
    (opposed,) = body(site, "/api/v1/datasets/imagenet/issues?opinion=opposed:real&sort=confidence&limit=1")["items"]
    said = words(site, f"/imagenet/issues/{opposed['index']}")
    assert "of this example ReaL opposes the correction, which has no part in it." in said
    assert "robability that it is right" not in said
    lede = words(site, "/imagenet/confidence")
    assert "on which ReaL gives a second opinion" in lede
    assert "can answer" not in lede
    assert "of the corrections with at least 3 of 5 votes" in lede


def test_only_opinions_confirm(site: httpx.Client) -> None:
    """One word for one thing: reviewers find errors and keep labels, and second opinions confirm corrections."""
    (kept,) = body(site, "/api/v1/datasets/cifar10/issues?category=non_error&limit=1")["items"]
    pages = ("", "/map", "/classes/3", "/corrected", "/stability", f"/issues/{kept['index']}")
    wrong = r"(?:[Rr]eviewers?|[Ee]xpert|[Mm]ajority)(?: of \w+)? (?:\w+ )?confirm|[Cc]onfirmed (?:label )?errors?\b"
    for address in ("/", "/method", "/figures", "/quiz", *(f"/cifar10{page}" for page in pages)):
        answer = site.get(address)
        if address != "/cifar10/map":  # nothing is drawn where no probabilities are
            assert answer.status_code == 200, address
        assert re.findall(wrong, answer.text) == [], address
