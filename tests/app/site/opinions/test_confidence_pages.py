"""How sure corrections are, as JSON and on pages: definitions apart, orders, filters, and what beats what."""

import re

import httpx
import pytest

from app.openapi.opinion_models import ConfidenceOut
from app.openapi.response_models import IssueDetailOut
from app.site.opinions.response_models import DatasetConfidenceOut
from tests.app.reading import body, read

IMAGENET = "/api/v1/datasets/imagenet"


def every(site: httpx.Client, query: str) -> list[dict[str, object]]:
    found, following = [], f"{IMAGENET}/issues?limit=200&{query}"
    while following:
        page = body(site, following)
        found += page["items"]
        following = page["next"]
    assert len(found) == page["total"]
    return found


def test_the_report_has_the_shape_that_is_documented(site: httpx.Client) -> None:
    found = body(site, f"{IMAGENET}/confidence")
    DatasetConfidenceOut.model_validate_json(site.get(f"{IMAGENET}/confidence").text)
    assert (found["method"], found["why_not"], found["fitted"]) == ("beta_binomial", None, 5_440)
    assert found["corrections"]["3"] == {
        "n": 1_428,
        "at_least": {"0.5": 1_428, "0.8": 960, "0.9": 468, "0.95": 468, "0.99": 0},
    }
    assert found["right"]["gains"]["share"]["interval"][0] > 0
    assert body(site, f"{IMAGENET}/confidence", status=400, agreement=3)["parameter"] == "agreement"
    for name in ("cifar10", "mnist", "audioset"):
        DatasetConfidenceOut.model_validate_json(site.get(f"/api/v1/datasets/{name}/confidence").text)
    assert body(site, "/api/v1/datasets/none/confidence", status=404)


def test_orders_list_corrections_alone_each_once(site: httpx.Client) -> None:
    corrections = {one["index"]: one["confidence"] for one in every(site, "category=correctable")}
    for sort, sign in (("confidence", -1), ("-confidence", 1)):
        found = every(site, f"sort={sort}")
        assert len(found) == len(corrections) == 1_428
        assert {one["index"]: one["confidence"] for one in found} == corrections
        numbers = [sign * one["confidence"] for one in found]
        assert numbers == sorted(numbers)
    surest, doubtful = (every(site, f"sort={sort}") for sort in ("confidence", "-confidence"))
    assert [one["index"] for one in surest] == [one["index"] for one in doubtful][::-1]


@pytest.mark.parametrize("agreement", [3, 4, 5])
def test_a_filter_selects_what_has_so_much(site: httpx.Client, agreement: int) -> None:
    sure = [one for one in every(site, f"category=correctable&agreement={agreement}") if one["confidence"] >= 0.9]
    found = every(site, f"confidence=0.9&agreement={agreement}")
    assert [one["index"] for one in found] == [one["index"] for one in sure]
    ordered = every(site, f"confidence=0.9&agreement={agreement}&sort=confidence")
    assert sorted(one["index"] for one in ordered) == sorted(one["index"] for one in sure)


def test_issues_say_how_their_number_comes_about(site: httpx.Client) -> None:
    report = body(site, f"{IMAGENET}/confidence")
    (first,) = body(site, f"{IMAGENET}/issues?sort=confidence&limit=1")["items"]
    one = body(site, f"{IMAGENET}/issues/{first['index']}")
    IssueDetailOut.model_validate(one)
    found = one["confidence_basis"]
    ConfidenceOut.model_validate(found)
    a, b = report["prior"]["a"], report["prior"]["b"]
    assert (found["method"], found["chosen"], found["asked"], found["prior"]) == (
        "beta_binomial",
        5,
        5,
        report["prior"],
    )
    assert found["expected_share"] == pytest.approx((a + 5) / (a + b + 5))
    assert 0.85 < one["probability_right"] < 0.95 < one["confidence"] < 1
    (other,) = body(site, f"{IMAGENET}/issues?category=non_error&limit=1")["items"]
    detail = body(site, f"{IMAGENET}/issues/{other['index']}")
    assert (detail["confidence"], detail["probability_right"], detail["confidence_basis"]) == (None, None, None)


def test_the_page_of_an_issue_says_it_in_words(site: httpx.Client) -> None:
    (first,) = body(site, f"{IMAGENET}/issues?sort=confidence&limit=1")["items"]
    words = " ".join(read(site, f"/imagenet/issues/{first['index']}?sort=confidence").words.split())
    assert "Confidence0.98 5 of 5 reviewers say stingray." in words
    assert "varies as Beta(0.37, 0.89) does" in words
    assert "it becomes Beta(5.37, 0.89): 86 % of unlimited raters" in words
    assert "With such votes, confirmed0.90 So often ReaL confirms corrections with such votes" in words
    assert re.search(
        r"The number is of the votes alone: of this example ReaL [a-z ]+, which has no part in it\.", words
    )
    (audio,) = body(site, "/api/v1/datasets/audioset/issues?sort=confidence&limit=1")["items"]
    words = " ".join(read(site, f"/audioset/issues/{audio['index']}").words.split())
    assert "Each class that reviewers were asked about is a question of its own" in words
    assert "With such votes, confirmed" not in words
    (other,) = body(site, f"{IMAGENET}/issues?category=non_error&limit=1")["items"]
    page = site.get(f"/imagenet/issues/{other['index']}?sort=confidence")
    assert page.status_code == 200
    assert "How sure the correction is" not in page.text


def test_what_pages_show_can_be_asked_for(site: httpx.Client) -> None:
    """Four votes give 0.85995: as 0.86, the filter for what is shown would leave all of them out."""
    rows = re.findall(
        r"(\d) of 5</th>(?:<td[^>]*>[^<]*</td>)<td[^>]*>([\d.]+)</td>", site.get("/imagenet/confidence").text
    )
    assert [votes for votes, _ in rows] == ["3", "4", "5"]
    totals = [body(site, f"{IMAGENET}/issues?limit=1&confidence={shown[:4]}")["total"] for _, shown in rows]
    assert totals == [1_428, 960, 468]
    (one,) = body(site, f"{IMAGENET}/issues?limit=1&confidence={rows[1][1][:4]}&sort=-confidence")["items"]
    words = " ".join(read(site, f"/imagenet/issues/{one['index']}").words.split())
    assert "Confidence0.85 4 of 5 reviewers say" in words
    assert "would make this correction has a probability of 85 %." in words
    assert "above one half with probability 0.8599." in words


def test_neighbours_follow_the_order(site: httpx.Client) -> None:
    first, second, third = body(site, f"{IMAGENET}/issues?sort=confidence&limit=3")["items"]
    page = read(site, f"/imagenet/issues/{second['index']}?sort=confidence")
    steps = {link.attributes.get("rel"): link.href for link in page.links if link.attributes.get("rel")}
    assert f"/issues/{first['index']}?" in steps["prev"]
    assert f"/issues/{third['index']}?" in steps["next"]
    assert "sort=confidence" in steps["next"]


def test_the_page_says_what_beats_what(site: httpx.Client) -> None:
    page = read(site, "/imagenet/confidence")
    words = " ".join(page.words.split())
    assert "For 468 of 1,428 corrections it is at least 90 % probable that most other raters would agree" in words
    assert (
        "It beats the plain share of votes: its Brier score is lower by 0.012 (95 % interval 0.006 to 0.017)." in words
    )
    assert "The confidence from votes alone does not beat the plain share of votes" in words
    assert page.html.count('class="reliability"') == 3
    for figure in ("59.70", "79.57", "89.11"):
        assert figure in words
    assert "style=" not in page.html.replace("stylesheet", "")
    few = " ".join(read(site, "/cifar10/confidence").words.split())
    assert "CIFAR-10H is clear on 17 corrections, 4 of them confirmed. That is too few" in few
    none = " ".join(read(site, "/mnist/confidence").words.split())
    assert "there is none in this catalogue" in none
    assert site.get("/imagenet/confidence?agreement=5").status_code == 200
    assert site.get("/imagenet/confidence?agreement=9").status_code == 400


def test_the_method_page_keeps_the_two_apart(site: httpx.Client) -> None:
    page = read(site, "/method")
    assert "confidence" in page.ids
    assert "Would others agree?" in page.words
    assert "Is it right?" in page.words


def test_the_gallery_offers_order_and_filter(site: httpx.Client) -> None:
    page = read(site, "/imagenet?sort=-confidence")
    words = " ".join(page.words.split())
    assert "1,428 errors of ImageNet with a correction, at 3 of 5 votes, most doubtful corrections first." in words
    hrefs = [link.href for link in page.links]
    assert "/imagenet?sort=confidence" in hrefs
    assert any("confidence=0.9&" in href or href.endswith("confidence=0.9") for href in hrefs)
    chips = read(site, "/imagenet?confidence=0.9")
    assert "confidence 0.9 or more" in chips.words
    told = " ".join(chips.words.split())
    assert "468 errors of ImageNet whose correction has a confidence of at least 0.9" in told
    # Without the order by confidence the others are there again.
    assert body(site, f"{IMAGENET}/issues?limit=1")["total"] == 5_440
