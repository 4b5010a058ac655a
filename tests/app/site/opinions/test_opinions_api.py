"""Second opinions and controls as JSON, on the release."""

import html
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from app.openapi.response_models import IssueDetailOut, IssueOut
from app.site.opinions.response_models import ControlOut, DatasetConfidenceOut, OpinionsOut
from app.site.stability.response_models import CrossingOfPair
from tests.app.reading import body
from tests.app.site.review.rounds import Open, open_round, review

#: Two opposed corrections of CIFAR-10, on which pytorch/googlenet and pytorch/vgg11_bn differ.
OF_CIFAR = (6877, 8058)
OPPOSED = (
    "SELECT i.idx FROM issues i JOIN verdicts v ON v.issue_id = i.id JOIN datasets d ON d.id = i.dataset_id "
    "WHERE d.name = 'imagenet' AND v.agreement = 3 AND v.category = 'correctable' AND v.opinions = 'g' LIMIT 2"
)
IMAGENET, CIFAR = "/api/v1/datasets/imagenet", "/api/v1/datasets/cifar10"


def test_opinions_have_the_shape_that_is_documented(site: httpx.Client) -> None:
    found = body(site, f"{IMAGENET}/opinions", agreement=3)
    TypeAdapter(OpinionsOut).validate_python(found)
    (real,) = found["sources"]
    assert (real["name"], real["title"], real["independent"]) == ("real", "ReaL", True)
    expected = {"given": 210, "guessed": 725, "both": 187, "other": 135, "silent": 171}
    assert real["table"]["correctable"] == expected
    assert body(site, "/api/v1/datasets/mnist/opinions") == {"agreement": 3, "sources": []}


@pytest.mark.parametrize("agreement", [3, 4, 5])
def test_controls_have_the_shape_that_is_documented(site: httpx.Client, agreement: int) -> None:
    found = body(site, f"{CIFAR}/control", agreement=agreement)
    ControlOut.model_validate_json(site.get(f"{CIFAR}/control", params={"agreement": agreement}).text)
    assert found["agreement"] == agreement
    assert round(found["non_errors"]["tau"], 3) == -0.640
    assert len(found["non_errors"]["models"]) == len(found["flagger"]) == 13


def test_without_models_there_is_no_control(site: httpx.Client) -> None:
    assert "No model's predictions" in body(site, f"{IMAGENET}/control", status=409)["detail"]


@pytest.mark.parametrize("path", ["opinions", "control", "stability", "crossings"])
def test_other_parameters_are_refused(site: httpx.Client, path: str) -> None:
    assert body(site, f"{CIFAR}/{path}", status=400, colour="red")["parameter"] == "colour"
    assert body(site, f"{CIFAR}/{path}", status=400, agreement=7)["allowed"] == ["3", "4", "5"]


def test_stability_where_an_opinion_confirms(site: httpx.Client) -> None:
    whole, confirmed = (body(site, f"{CIFAR}/stability", **by) for by in ({}, {"confirmed_by": "cifar10h"}))
    assert (whole["sizes"]["C"], confirmed["sizes"]["C"]) == (18, 4)
    assert confirmed["sizes"]["U"] == whole["sizes"]["U"] + 14
    assert confirmed["sizes"]["B"] == whole["sizes"]["B"]
    by_key = {one["name"]: one["correctable"] for one in confirmed["models"]}
    assert all(found["corrected_top1"] in (0, 0.25, 0.5, 0.75, 1) for found in by_key.values())
    refused = body(site, f"{CIFAR}/stability", status=400, confirmed_by="real")
    assert (refused["parameter"], refused["allowed"]) == ("confirmed_by", ["cifar10h"])
    table = site.get(f"{CIFAR}/stability.csv", params={"confirmed_by": "cifar10h"})
    assert "confirmed-by-cifar10h" in table.headers["content-disposition"]


def test_crossings_where_an_opinion_confirms(site: httpx.Client) -> None:
    at = {"confirmed_by": "cifar10h", "first": "pytorch/vgg11_bn", "second": "pytorch/vgg19_bn"}
    one = body(site, f"{CIFAR}/crossings", **at)["corrected"]
    stability = body(site, f"{CIFAR}/stability", confirmed_by="cifar10h")
    lines = {
        m["name"]: (m["benign"]["corrected_top1"], m["correctable"]["corrected_top1"]) for m in stability["models"]
    }
    (b11, c11), (b19, c19) = lines["vgg11_bn"], lines["vgg19_bn"]
    gap_b, gap_c = b19 - b11, c11 - c19
    if one is None:
        assert gap_b * gap_c <= 0
    else:
        assert one["noise_prevalence"] == pytest.approx(gap_b / (gap_b + gap_c))
    listed = body(site, f"{CIFAR}/crossings", confirmed_by="cifar10h", limit=5)
    assert "confirmed_by=cifar10h" in listed["next"]


FILTERS = [
    ("imagenet", "opinion=confirmed:real", 725),
    ("imagenet", "opinion=opposed:real", 210),
    ("imagenet", "opinion=confirmed:real&opinion=opposed:real", 935),
    ("imagenet", "opinion=confirmed:real&agreement=4", 568),
    ("imagenet", "opinion=confirmed:real&category=non_error", 0),
    ("imagenet", "opinion=differ", 0),
    ("imagenet", "opinion=disputed", 0),  # as it was spelled formerly
    ("cifar10", "opinion=opposed:cifar10h", 13),
    ("cifar10", "opinion=confirmed:cifar10h&sort=index", 4),
]


@pytest.mark.parametrize(("dataset", "query", "total"), FILTERS)
def test_issues_are_filtered_by_what_opinions_say(site: httpx.Client, dataset: str, query: str, total: int) -> None:
    found = body(site, f"/api/v1/datasets/{dataset}/issues?{query}&limit=200")
    assert found["total"] == total
    assert len(found["items"]) == min(total, 200)
    for one in found["items"]:
        IssueOut.model_validate(one)
    said = Counter(next(iter(one["opinions"].values())) for one in found["items"])
    wanted = {word for word, stance in (("confirmed", "guessed"), ("opposed", "given")) if word in query}
    assert {{"guessed": "confirmed", "given": "opposed"}[one] for one in said} <= wanted


def test_an_opinion_that_is_not_there_is_refused(site: httpx.Client) -> None:
    refused = body(site, f"{CIFAR}/issues", status=400, opinion="confirmed:real")
    assert refused["allowed"] == ["confirmed:cifar10h", "opposed:cifar10h", "differ"]
    assert "no second opinion" in body(site, "/api/v1/datasets/mnist/issues", status=400, opinion="disputed")["detail"]


def test_an_issue_says_what_each_opinion_names(site: httpx.Client) -> None:
    found = body(site, f"{CIFAR}/issues/6877")
    IssueDetailOut.model_validate(found)
    (people,) = found["second_opinions"]
    assert (people["source"], people["stance"]) == ("cifar10h", "given")
    assert people["classes"][0]["name"] == "airplane"
    assert [one["weight"] for one in people["classes"]] == sorted(
        (one["weight"] for one in people["classes"]), reverse=True
    )
    assert found["opinions"] == {"cifar10h": "given"}
    assert body(site, "/api/v1/datasets/mnist/issues?limit=1")["items"][0]["opinions"] is None


def test_what_is_withheld_from_raters_is_withheld_of_opinions_too(opinions_catalogue: Path) -> None:
    """A rater must not find what others said of the example next door."""
    from app.catalogue.rounds.withheld import withhold

    with closing(sqlite3.connect(f"file:{opinions_catalogue}?mode=ro", uri=True)) as connection:

        def counted() -> list[Any]:
            tables = ("opinions", "verdicts")
            return [connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables]

        before = counted()
        withhold(connection, (("cifar10", 6877, "cifar10-1"),))
        assert counted() == [before[0] - 1, before[1] - 3]


@pytest.fixture(scope="module")
def in_review(opinions_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Open, list[int]]]:
    """Rounds over two opposed corrections of ImageNet and of CIFAR-10 each, and the former; MNIST has an error more."""
    folder = tmp_path_factory.mktemp("in-review")
    copy, file = folder / "copy.sqlite", folder / "examples.txt"
    shutil.copyfile(opinions_catalogue, copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE datasets SET n_errors = n_errors + 1 WHERE name = 'mnist'")
        of_imagenet = [idx for (idx,) in connection.execute(OPPOSED)]
    file.write_text("".join(f"{idx}\n" for idx in of_imagenet))
    with open_round(copy, folder, "imagenet", "--examples", str(file), requests_a_minute=0) as found:
        file.write_text("".join(f"{idx}\n" for idx in OF_CIFAR))
        review(found.catalogue, "open", "cifar10", "--examples", str(file))
        yield found, of_imagenet


def test_no_page_counts_what_another_leaves_out(in_review: tuple[Open, list[int]]) -> None:
    """A difference between two pages would tell what the two are."""
    found, opposed = in_review
    get = found.http.get
    told = get(IMAGENET).json()
    table = get(f"{IMAGENET}/opinions").json()["sources"][0]["table"]["correctable"]
    sizes = get(f"{IMAGENET}/corrected.json?limit=1").json()["sizes"]
    assert (told["checked"], told["flagged"], told["errors"], told["estimated_errors"]) == (5438, 5438, 2914, 2914)
    assert told["percent_error"] == pytest.approx(100 * 2914 / 50_000)
    assert told["categories"]["3"]["correctable"] == sizes["correctable"] == sum(table.values()) == 1426
    assert (sizes["all"], table["guessed"], table["given"]) == (49_998, 725, 208)
    for query, n in (
        ("opinion=opposed:real", 208),
        ("opinion=confirmed:real", 725),
        ("category=correctable", 1426),
    ):
        assert get(f"{IMAGENET}/issues?{query}").json()["total"] == n, query
    page = plain(get("/imagenet/opinions").text)
    assert "725 of 1,426 corrections" in page
    assert "It opposes 208." in page
    assert "of 1,426 corrections it is at least 90\u00a0% probable" in plain(get("/imagenet/confidence").text)
    assert "(725 of 1,426)" in plain(get("/imagenet/corrected").text)
    assert "2,914 label errors" in get("/badge/imagenet.svg").text
    assert "about" not in get("/badge/imagenet.svg").text
    for idx in opposed:
        for path in ("opinions", "corrected", "confidence", "confusions", "ranks", ""):
            assert f"/imagenet/issues/{idx}" not in get(f"/imagenet/{path}").text, path


def test_confidence_counts_the_corrections_that_opinions_count(in_review: tuple[Open, list[int]]) -> None:
    get = in_review[0].http.get
    for at, clear, confirmed in ((CIFAR, 15, 4), (IMAGENET, 933, 725)):
        table = get(f"{at}/opinions").json()["sources"][0]["table"]["correctable"]
        assert (table["guessed"], table["given"]) == (confirmed, clear - confirmed)
        answer = get(f"{at}/confidence")
        DatasetConfidenceOut.model_validate_json(answer.text)
        right = answer.json()["right"]
        assert (right["clear"], right["confirmed"]) == (clear, confirmed)
        assert "reliability" not in right, "its counts are of all"
    assert "CIFAR-10H is clear on 15 corrections, 4 of them confirmed." in plain(get("/cifar10/confidence").text)
    page = plain(get("/imagenet/confidence").text)
    assert "ReaL confirms 725 and opposes 208 of the corrections" in page
    assert "Brier score as measured before the review; lower is better" in page
    assert "How reliable the probabilities are is shown again when the round imagenet-1 is closed" in page
    assert "935" not in page


def test_two_models_tell_nothing_of_what_is_held_back(in_review: tuple[Open, list[int]]) -> None:
    """Their accuracies contain it, so a list or a count without it, on the same page, would be the verdict."""
    get, pair = in_review[0].http.get, "first=pytorch/googlenet&second=pytorch/vgg11_bn"
    page = get(f"/cifar10/stability/pair?{pair}").text
    assert "alone is right on" not in page
    assert "/cifar10/issues/" not in page
    assert "They make the same first choice" not in page
    words = plain(page)
    assert (
        "On which corrected examples the two differ, and on how many, is told again when the round cifar10-1" in words
    )
    answer = get(f"{CIFAR}/crossings?{pair}")
    CrossingOfPair.model_validate_json(answer.text)
    assert answer.json()["held_back"]["examples"] == 2
    assert get(f"{CIFAR}/stability.csv").headers["held-back"] == "2", "as every other file says"


def test_repeated_mistakes_are_counted_on_the_examples_that_are_listed(in_review: tuple[Open, list[int]]) -> None:
    get = in_review[0].http.get
    page = get("/cifar10/stability/repeated").text
    assert "Of the 16 wrong labels." in page
    rows = re.findall(r"Repeated by ([\w/]+): </span>(\d+)</a>.*?<td class=\"num\">([\d.]+)", page)
    assert len(rows) == 13
    for key, n, share in rows:
        assert get(f"{CIFAR}/issues?model={key}&limit=1").json()["total"] == int(n)
        assert float(share) == pytest.approx(100 * int(n) / 16, abs=0.01)
    assert '<section id="repeated">' not in get("/cifar10/stability").text, "the page of the ranking is of all 18"


def test_ranks_have_no_gap_where_examples_are_held_back(in_review: tuple[Open, list[int]]) -> None:
    """One would look as if nobody had checked it, and tell its rank."""
    get = in_review[0].http.get
    found = get(f"{CIFAR}/ranks").json()
    assert found["checked"] == found["checked_throughout"] == found["last_checked"] == 273
    assert all(one["checked"] == one["last"] - one["first"] + 1 for one in found["bins"])
    assert (found["errors"], found["bins"][-1]["errors_so_far"]) == (52, 52)
    assert (found["forecast"]["first"], found["forecast"]["last"]) == (274, 373)
    page = plain(get("/cifar10/ranks").text)
    assert "Not every rank was checked" not in page
    assert "Ranks here are among the examples that are not held back" in page


def test_a_figure_that_breaks_is_seen_while_others_are_in_review(in_review: tuple[Open, list[int]]) -> None:
    page = in_review[0].http.get("/reproduction").text
    rows = re.findall(r'<tr id="[^"]+"><th scope="row">([^<]*)</th>(.*?)</tr>', page)
    assert {subject for subject, row in rows if "✗ broken" in row} == {"MNIST"}
    differing = [row for subject, row in rows if subject == "CIFAR-10" and "≠ differs" in row]
    assert len(differing) >= 4
    assert all("2 examples of CIFAR-10 are in an open review and not counted here." in row for row in differing)
    assert not any("in an open review" in row for subject, row in rows if subject.startswith("pytorch/"))


def plain(page: str) -> str:
    """The words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).replace(" .", ".").split(" ")).replace("  ", " ")
