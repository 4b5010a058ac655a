"""A parameter that the site knows is read by a page or refused by it, never swallowed; those of others do no harm."""

import re

import httpx
import pytest

from tests.app.reading import read

PAGES = (
    "",
    "/issues/2405",
    "/classes",
    "/classes/3",
    "/confusions",
    "/corrected",
    "/changes",
    "/opinions",
    "/confidence",
    "/stability",
    "/stability/prevalence",
    "/stability/pair",
    "/stability/repeated",
    "/evaluate",
)
#: A value of each parameter that changes what there is to see wherever it is read.
ASKED = {
    "agreement": "4",
    "confirmed_by": "cifar10h",
    "opposed": "drop",
    "confidence": "0.5",
    "opinion": "opposed:cifar10h",
    "multi_label": "given",
    "rule": "dawid_skene",
    "sort": "-index",
    "top": "5",
}
#: Pages and feeds that show the same whatever threshold or opinion one has in mind.
READING_NONE = (
    "/",
    "/figures",
    "/reproduction",
    "/method",
    "/about",
    "/about/errors",
    "/media-coverage",
    "/api",
    "/quiz",
    "/docs",
    "/docs/disputes",
    "/disputes",
    "/disputes.atom",
    "/cifar10/disputes",
    "/cifar10/disputes.atom",
)


@pytest.mark.parametrize("page", PAGES)
def test_what_the_site_knows_is_read_or_refused(site: httpx.Client, page: str) -> None:
    usual = site.get(f"/cifar10{page}").text
    for name, value in ASKED.items():
        answer = site.get(f"/cifar10{page}", params={name: value})
        assert answer.status_code in (200, 400, 422), (page, name)
        if answer.status_code == 200:
            assert answer.text != usual, f"{page} swallows {name}"
        else:
            assert name in answer.text


@pytest.mark.parametrize("page", READING_NONE)
def test_pages_without_parameters_refuse_those_of_the_site(site: httpx.Client, page: str) -> None:
    for name, value in (*ASKED.items(), ("version", "0123456789ab")):
        answer = site.get(page, params={name: value})
        words = answer.text.replace("&#39;", "").replace("'", "")
        assert (answer.status_code, f"{name} is no parameter of this page" in words) == (400, True), name
    assert site.get(page, params={"utm_source": "news", "agreement": ""}).text == site.get(page).text


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/cifar10/opinions?confirmed_by=cifar10h", "'confirmed_by' is no parameter of this page; it reads agreement."),
        ("/cifar10/evaluate?agreement=5", "'agreement' is no parameter of this page; it reads none."),
        (
            "/cifar10/stability?opposed=given",
            "'opposed' is no parameter of this page; it reads agreement, confirmed_by",
        ),
        ("/cifar10/stability?agreemnt=5", "'agreemnt' is no parameter of this page"),
        ("/cifar10?catgory=neither", "'catgory' is no parameter of this page"),
        ("/quiz/cifar10?sed=5", "'sed' is no parameter of this page; it reads seed."),
        ("/figures?table=errors", "'table' is no parameter of this page; it reads table1, table2."),
        ("/cifar10/corrected?agreemnt=5", "'agreemnt' is no parameter"),
        ("/cifar10/corrected?version=0123456789ab", "'version' is no parameter"),
        ("/cifar10/changes?removed=include", "'removed' is no parameter"),
    ],
)
def test_a_refusal_says_what_the_page_reads(site: httpx.Client, address: str, said: str) -> None:
    assert said in " ".join(read(site, address, 400).words.split())


@pytest.mark.parametrize(
    "page",
    [
        "",
        "/issues/2405",
        "/classes",
        "/opinions",
        "/confidence",
        "/stability",
        "/evaluate",
        "/corrected",
        "/changes",
        "/changes.atom",
        "/disputes",
    ],
)
def test_what_others_append_to_links_does_no_harm(site: httpx.Client, page: str) -> None:
    appended = "utm_source=news&utm_medium=mail&utm_campaign=x&fbclid=1&gclid=2&ref=y&mc_cid=3&igshid=4&si=5&share=6"
    answer = site.get(f"/cifar10{page}?{appended}")
    assert answer.status_code == 200
    assert not re.search("utm_|fbclid", answer.text)


@pytest.mark.parametrize("of", ["", "/issues", "/classes", "/stability", "/opinions", "/corrected.csv", "/ranks"])
def test_the_api_refuses_what_it_does_not_read(site: httpx.Client, of: str) -> None:
    """As docs/api.md says."""
    answer = site.get(f"/api/v1/datasets/cifar10{of}?utm_source=news")
    assert (answer.status_code, answer.json()["type"]) == (400, "/about/errors#bad-parameter")
    assert "utm_source" in answer.json()["detail"]
