"""The pages and the API about models, over real HTTP: figures, shapes, choices, uploads and refusals."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from sqlalchemy import create_engine

from app import models, stability_models
from app.measuring.reading import read_subject
from app.measuring.reproduction import MODEL_COLUMNS, PAPER
from tests.app.reading import read
from tests.serving import serving

API = "/api/v1/datasets"
PAIR = {"first": "pytorch/vgg19_bn", "second": "pytorch/vgg11_bn"}


@pytest.fixture(scope="module")
def site(models_catalogue: Path) -> Iterator[httpx.Client]:
    """A client of the site over the ten datasets and the thirteen models of CIFAR-10."""
    with (
        serving(models_catalogue, requests_a_minute=0) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def given(models_catalogue: Path) -> np.ndarray:
    with create_engine(f"sqlite:///{models_catalogue}").connect() as connection:
        return read_subject(connection, "cifar10").given


def body(client, address, status=200, **params):
    response = client.get(address, params=params or None)
    assert response.status_code == status, response.text
    return response.json()


def test_stability_as_json(site):
    found = body(site, f"{API}/cifar10/stability")
    stability_models.StabilityOut.model_validate(found)
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
    stability_models.CrossingOfPair.model_validate(found)
    assert f"{found['corrected']['noise_prevalence']:.4f}" == "0.0564"
    assert found["corrected"]["first"] == PAIR["first"]
    assert found["original"] is None
    swapped = body(site, f"{API}/cifar10/crossings", first=PAIR["second"], second=PAIR["first"])
    assert swapped["corrected"] == found["corrected"]


def test_all_pairs_come_in_pages(site):
    page = body(site, f"{API}/cifar10/crossings", limit=30)
    stability_models.CrossingList.model_validate(page)
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


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?agreement=4",
        "?agreement=5&top=5",
        "?scale=linear&prevalence=50",
        "?prevalence=0",
        "?model=pytorch/vgg11_bn",
        "?model=pytorch/vgg11_bn&model=pytorch/vgg19_bn&scale=log&prevalence=12.5",
        "?first=pytorch/vgg11_bn&second=pytorch/vgg11_bn",
        "?first=pytorch/resnet18&second=pytorch/resnet50#pair",
        "?model=&first=&agreement=",
    ],
)
def test_the_page_is_sound_under_every_choice(site, query):
    page = read(site, f"/cifar10/stability{query}")
    assert len(page.ids) == len(set(page.ids))
    for link in page.local_links:
        assert site.get(httpx.URL(f"{site.base_url}/cifar10/stability").join(link.href)).status_code == 200, link.href


def test_the_page_tells_the_finding_and_how_little_it_proves(site):
    words = " ".join(read(site, "/cifar10/stability").words.split())
    assert "pytorch/googlenet is first of 13 models on the 18 examples" in words
    assert "By the corrected labels it is number 10" in words
    assert "pytorch/vgg11_bn goes from number 11 to number 1" in words
    assert "18 examples prove little" in words
    assert "hardly moves the ranking; where they were wrong it turns over" in words
    assert "pytorch/vgg11_bn overtakes pytorch/googlenet at N = 1.78 %" in words


def test_two_models_and_the_examples_on_which_they_differ(site):
    page = read(site, "/cifar10/stability?first=pytorch/vgg19_bn&second=pytorch/vgg11_bn")
    words = " ".join(page.words.split())
    assert "pytorch/vgg11_bn overtakes pytorch/vgg19_bn at N = 5.64 %" in words
    leading = [link.href for link in page.links if link.href.startswith("/cifar10/issues/")]
    assert leading
    example = int(leading[0].rsplit("/", 1)[1])
    choices = {m["name"]: m["predicted"] for m in body(site, f"{API}/cifar10/issues/{example}")["models"]}
    assert choices["vgg19_bn"] != choices["vgg11_bn"]


def test_wrong_labels_that_models_repeat_are_counted(site):
    html = site.get("/cifar10/stability").text
    part = html[html.index('id="repeated"') : html.index('id="how"')]
    rows = re.findall(r'href="/cifar10/issues/(\d+)".*?<td class="num">(\d+) of 13</td>', part)
    assert rows
    assert [int(n) for _, n in rows] == sorted((int(n) for _, n in rows), reverse=True)
    for index, n in rows:
        detail = body(site, f"{API}/cifar10/issues/{index}")
        assert sum(m["predicted"] == detail["given"] for m in detail["models"]) == int(n)


def test_the_ranking_at_a_prevalence_is_that_on_p_and_on_c_at_its_ends(site):
    results = body(site, f"{API}/cifar10/stability")
    for query, part in (("?prevalence=0", "pruned"), ("?prevalence=100", "correctable")):
        html = site.get(f"/cifar10/stability{query}").text
        rows = re.findall(
            r'<th scope="row">(pytorch/\w+)</th><td class="num">(\d+)</td><td class="num">(\d+)</td>',
            html[html.index('id="standings"') :],
        )
        shown = {key: (int(a), int(b)) for key, a, b in rows[:13]}
        for model in results["models"]:
            ranks = model["ranks"][part]
            assert shown[f"pytorch/{model['name']}"] == (ranks["original_top1"], ranks["corrected_top1"])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?top=3", "expected 1, 5"),
        ("?scale=cubic", "expected log, linear"),
        ("?prevalence=nan", "from 0 to 100"),
        ("?prevalence=101", "from 0 to 100"),
        ("?model=<script>", "&lt;script&gt;"),
        ("?first=resnet", "pytorch/resnet"),
        ("?" + "&".join(f"model=pytorch/{m}" for m in (
            "densenet121", "densenet161", "densenet169", "googlenet", "inception_v3", "mobilenet_v2", "resnet18",
            "resnet34", "resnet50",
        )), "At most 8"),
    ],
)  # fmt: skip
def test_choices_that_cannot_be(site, query, words):
    response = site.get(f"/cifar10/stability{query}")
    assert response.status_code == 400
    assert words in response.text
    assert "<script>" not in response.text.replace("<script src", "")


def test_only_datasets_with_models_have_the_tab(site):
    assert any(link.href == "/cifar10/stability" for link in read(site, "/cifar10").links)
    assert not any("stability" in link.href for link in read(site, "/mnist").links)
    assert any(link.href == "/mnist/evaluate" for link in read(site, "/mnist").links)
    assert not any("evaluate" in link.href for link in read(site, "/audioset").links)
    assert "several labels at once" in read(site, "/audioset/stability", 409).words
    assert "several labels at once" in read(site, "/audioset/evaluate", 409).words


def test_an_issue_tells_what_each_model_predicts(site):
    detail = body(site, f"{API}/cifar10/issues/2405")
    models.IssueDetailOut.model_validate(detail)
    assert len(detail["models"]) == 13
    assert "What 13 models predict" in read(site, "/cifar10/issues/2405").words
    assert body(site, f"{API}/mnist/issues/947")["models"] == []


def test_reproduction(site):
    page = read(site, "/reproduction")
    words = " ".join(page.words.split())
    assert "204 come out the same, 15 differ for a reason that is known, and 274 need data" in words
    assert "≠ differs" in words
    assert "✗ broken" not in words
    assert any(link.href == "/reproduction" for link in read(site, "/").links)


def send(site, path, content, name="mine.csv", **data):
    return site.post(path, files={"file": (name, content)}, data=data)


def csv_of(predictions) -> bytes:
    return ("prediction\n" + "\n".join(map(str, predictions))).encode()


def test_an_upload_by_the_api(site, given):
    response = send(site, f"{API}/cifar10/evaluate", csv_of(given.tolist()), agreement="4")
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    found = response.json()
    stability_models.EvaluationOut.model_validate(found)
    assert found["agreement"] == 4
    # Whoever repeats the given labels is right everywhere but where they were wrong.
    assert found["accuracy"]["all"]["original_top1"] == 1.0
    assert found["accuracy"]["correctable"]["corrected_top1"] == 0.0
    assert found["changes"]["lost"] == found["sizes"]["C"] == 7
    assert found["ranks"]["all"]["original_top1"]["rank"] == 1
    assert found["ranks"]["correctable"]["corrected_top1"]["rank"] == 14


def test_an_upload_by_the_page(site, given):
    page = send(site, "/cifar10/evaluate", csv_of(given.tolist()))
    assert page.status_code == 200
    assert "By the labels as given your model is right on 100.00 %" in page.text
    assert "yours" in page.text
    assert "number 1 of 14 before" in page.text
    refused = send(site, "/cifar10/evaluate", b"prediction\n<b>1</b>\n")
    assert refused.status_code == 422
    assert "These predictions cannot be used." in refused.text
    assert "<b>1</b>" not in refused.text


def test_uploads_without_models_to_compare(site, shared):
    probabilities = np.load(
        shared / "label-errors" / "cross_validated_predicted_probabilities" / "mnist_test_set_pyx.npy"
    )
    buffer = io.BytesIO()
    np.save(buffer, probabilities)
    found = send(site, f"{API}/mnist/evaluate", buffer.getvalue(), "pyx.npy").json()
    assert found["crossings"] == []
    assert found["ranks"]["all"]["original_top1"] is None
    # Flagged examples are those whose label these very probabilities doubt, so all corrections are their guesses.
    assert found["accuracy"]["correctable"]["corrected_top1"] == 1.0
    assert found["accuracy"]["correctable"]["intervals"]["corrected_top1"][0] < 0.75
    assert send(site, "/mnist/evaluate", buffer.getvalue(), "pyx.npy").status_code == 200


@pytest.mark.parametrize(
    ("content", "name", "data", "status", "words"),
    [
        (b"prediction\n1\n", "a.csv", {}, 422, "Expected 10,000 rows"),
        (b"prediction\n1\n", "a.exe", {}, 422, "ending in .csv"),
        (b"", "a.csv", {}, 422, "empty file"),
        (b"prediction\n1\n", "a.csv", {"agreement": "7"}, 400, "expected 3, 4, 5"),
        (b"\x93NUMPY\x01\x00\x76\x00" + b"{" * 118, "a.npy", {}, 422, ".npy"),
        (b"prediction\n1\n", "../../etc/passwd", {}, 422, "ending in"),
        (b"prediction\n1\n", "a.csv", {f"x{n}": "1" for n in range(9)}, 422, "Too many fields"),
    ],
)
def test_uploads_that_are_refused(site, content, name, data, status, words):
    response = send(site, f"{API}/cifar10/evaluate", content, name, **data)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert words in response.json()["detail"]


def test_requests_that_are_no_upload(site):
    path = f"{API}/cifar10/evaluate"
    assert site.post(path, content=b"1\n2\n").status_code == 422
    assert site.post(path, data={"agreement": "3"}, files={}).status_code == 422
    broken = site.post(path, content=b"--x\r\nnothing", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert broken.status_code == 422
    no_boundary = site.post(path, content=b"nothing", headers={"Content-Type": "multipart/form-data"})
    assert no_boundary.status_code == 422
    assert send(site, f"{API}/audioset/evaluate", b"prediction\n1\n").status_code == 409
    assert send(site, f"{API}/quickdraw/evaluate", b"prediction\n1\n").status_code == 409
    assert send(site, f"{API}/nothing/evaluate", b"prediction\n1\n").status_code == 404


def test_an_endless_upload_ends(site):
    def pieces():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nprediction\n'
        for _ in range(210):
            yield b"1\n" * 500_000

    try:
        response = site.post(
            f"{API}/cifar10/evaluate", content=pieces(), headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
    except httpx.TransportError:
        return  # the server answered and hung up before everything was sent
    assert response.status_code == 413
    assert "At most 200 MB" in response.json()["detail"]


def test_the_sample_has_a_ranking_to_look_at(client):
    page = read(client, "/sample-digits/stability")
    assert "A sample." in page.words
    assert "scikit-learn/random-forest" in page.words
