"""Stability, crossings and predictions of issues as JSON and CSV, over real HTTP: figures, shapes and refusals."""

import csv
import io

import pytest

from app.evaluation.paper_figures import MODEL_COLUMNS, PAPER
from app.openapi.response_models import IssueDetailOut
from app.site.stability import response_models
from tests.app.reading import body, read

API = "/api/v1/datasets"
PAIR = {"first": "pytorch/vgg19_bn", "second": "pytorch/vgg11_bn"}


def test_stability_as_json(site):
    found = body(site, f"{API}/cifar10/stability")
    response_models.StabilityOut.model_validate(found)
    assert found["agreement"] == 3
    assert found["sizes"] == {"D": 10_000, "B": 9_946, "C": 18, "U": 36, "P": 9_964}
    assert len(found["models"]) == 13
    vgg11 = next(m for m in found["models"] if m["name"] == "vgg11_bn")
    assert vgg11["platform"] == "pytorch"
    assert f"{vgg11['correctable']['corrected_top1']:.4f}" == "0.6667"
    low, high = vgg11["correctable"]["intervals"]["corrected_top1"]
    assert low < 0.5 < 0.8 < high
    assert body(site, f"{API}/cifar10/stability", agreement=5)["sizes"]["C"] == 3


def test_the_table_as_csv_is_table_s2(site):
    response = site.get(f"{API}/cifar10/stability.csv")
    assert response.headers["content-type"].startswith("text/csv")
    assert "\r\n" in response.text
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(response.text))}
    with (PAPER / "table_s2.csv").open(encoding="utf-8") as file:
        for published in csv.DictReader(file):
            for column, (title, _) in MODEL_COLUMNS.items():
                if "rank" not in column:
                    assert rows[published["model"]][title] == published[column]


def test_crossings(site):
    found = body(site, f"{API}/cifar10/crossings", **PAIR)
    response_models.CrossingOfPair.model_validate(found)
    assert f"{found['corrected']['noise_prevalence']:.4f}" == "0.0564"
    assert found["corrected"]["first"] == PAIR["first"]
    assert found["original"] is None
    swapped = body(site, f"{API}/cifar10/crossings", first=PAIR["second"], second=PAIR["first"])
    assert swapped["corrected"] == found["corrected"]


def test_all_pairs_come_in_pages(site):
    page = body(site, f"{API}/cifar10/crossings", limit=30)
    response_models.CrossingList.model_validate(page)
    assert page["total"] == 13 * 12 // 2
    pairs = []
    while page["next"]:
        pairs += page["items"]
        page = body(site, page["next"])
    pairs += page["items"]
    assert len({(p["first"], p["second"]) for p in pairs}) == page["total"] == len(pairs)
    one = next(p for p in pairs if {p["first"], p["second"]} == set(PAIR.values()))
    assert f"{one['corrected']['noise_prevalence']:.4f}" == "0.0564"


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("cifar10/stability?agreement=2", 400, "agreement is '2'"),
        ("cifar10/stability?colour=red", 400, "'colour' is no parameter"),
        ("cifar10/stability?agreement=3&agreement=4", 400, "given twice"),
        ("cifar10/crossings?first=pytorch/vgg11_bn", 400, "second is missing"),
        ("cifar10/crossings?first=keras/vgg11_bn&second=pytorch/vgg11_bn", 400, "pytorch/vgg11_bn"),
        ("cifar10/crossings?limit=0", 400, "whole number from 1 to 1000"),
        ("cifar10/crossings?after=-1", 400, "whole number"),
        ("cifar11/stability", 404, "cifar11"),
        ("mnist/stability", 409, "No model's predictions"),
        ("audioset/stability", 409, "several labels at once"),
        ("audioset/crossings", 409, "several labels at once"),
    ],
)
def test_refusals_of_the_api(site, address, status, words):
    response = site.get(f"{API}/{address}")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert words in response.text


def test_an_issue_tells_what_each_model_predicts(site):
    detail = body(site, f"{API}/cifar10/issues/2405")
    IssueDetailOut.model_validate(detail)
    assert len(detail["models"]) == 13
    assert "What 13 models predict" in read(site, "/cifar10/issues/2405").words
    assert body(site, f"{API}/mnist/issues/947")["models"] == []


def test_issues_whose_wrong_label_models_repeat(site):
    found = body(site, f"{API}/cifar10/issues", models=7)
    assert found["total"] == len(found["items"]) > 0
    for item in found["items"]:
        detail = body(site, item["links"]["self"])
        predicting = sum(m["predicted"] == detail["given"] for m in detail["models"])
        assert detail["category"] == "correctable"
        assert detail["models_predicting"]["given"] == predicting >= 7
        words = " ".join(read(site, f"/cifar10/issues/{item['index']}?models=7").words.split())
        assert f"{predicting} of 13 models predict the given label, which reviewers corrected;" in words
    one = body(site, f"{API}/cifar10/issues", model="pytorch/vgg11_bn", agreement=4)
    assert 0 < one["total"] <= 7
    assert body(site, f"{API}/mnist/issues", 400, models=1)["parameter"] == "models"


def test_the_gallery_offers_what_models_repeat(site):
    page = read(site, "/cifar10?models=7")
    assert "whose given label at least 7 of 13 models predict although reviewers corrected it" in page.words
    assert any("models=7&model=pytorch/" in link.href for link in page.links)
    assert not any("models=" in link.href for link in read(site, "/mnist").links)
    stability = read(site, "/cifar10/stability/repeated")
    assert any(link.href == "/cifar10?category=any&models=1" for link in stability.links)
