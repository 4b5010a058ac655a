"""Labels by index and key, pages of rows, and forms by Accept: against the files, over real HTTP."""

import csv
import io
import random

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.openapi import response_models
from app.settings import Settings
from app.site.corrected import label_rows
from app.web.content_negotiation import best
from tests.ingest.conftest import Tiny

API = "/api/v1/datasets"


def rows_of_csv(client, name, **params):
    raw = client.get(f"{API}/{name}/corrected.csv", params={"removed": "include", **params}).text
    return list(csv.DictReader(io.StringIO(raw)))


@pytest.mark.parametrize("name", ["cifar10", "imagenet", "imdb", "20news"])
@pytest.mark.parametrize("policy", [{}, {"agreement": "5", "neither": "given"}])
def test_labels_are_those_of_the_file(real, name, policy):
    label_rows = rows_of_csv(real, name, **policy)
    wanted = random.Random(0).sample(range(len(label_rows)), 500) + [
        int(r["index"]) for r in label_rows if r["action"] != "kept"
    ]
    body = real.post(f"{API}/{name}/labels", json=wanted, params=policy).json()
    response_models.LabelList.model_validate(body)
    assert [item["index"] for item in body["items"]] == wanted
    for item in body["items"]:
        row = label_rows[item["index"]]
        assert str(item["given"]["id"]) == row["given"]
        assert (str(item["corrected"]["id"]) if item["corrected"] else "") == row["corrected"]
        assert (item["action"], item["category"]) == (row["action"], row["category"])
    one = real.get(f"{API}/{name}/labels/{wanted[0]}", params=policy).json()
    response_models.RowOut.model_validate(one)
    assert one == body["items"][0]


@pytest.mark.parametrize(
    ("name", "key", "index"), [("imagenet", "ILSVRC2012_val_00000293", 0), ("imdb", "neg/9641_4", 0)]
)
def test_keys_are_the_datasets_own(real, name, key, index):
    assert real.get(f"{API}/{name}/labels/{key}").json()["index"] == index
    assert real.post(f"{API}/{name}/labels", json=[key, index]).json()["total"] == 2


def test_a_key_of_several_examples_is_refused(tmp_path):
    """Rows about one file are examples of one key, and labelled differently perhaps."""
    keys = [f"{place % 39}.png" for place in range(40)]
    tiny = Tiny(tmp_path / "tiny", files='index = "index.json"', extra={"index.json": keys})
    assert tiny.add(tmp_path / "c.sqlite") == 0
    with TestClient(create_app(Settings(catalogue=tmp_path / "c.sqlite"))) as client:
        assert client.get(f"{API}/tiny/labels/7.png").json()["index"] == 7
        for refused in (client.get(f"{API}/tiny/labels/0.png"), client.post(f"{API}/tiny/labels", json=[1, "0.png"])):
            assert refused.status_code == 409
            assert refused.json()["detail"].startswith("Tiny has several examples '0.png'")


def test_test_sets_too_large_for_keys_say_what_to_do_instead(real, monkeypatch):
    monkeypatch.setattr(label_rows, "MOST_KEYS", 1_000)
    refused = real.post(f"{API}/imdb/labels", json=["neg/9641_4"])
    assert refused.status_code == 409
    assert "corrected.parquet" in refused.json()["detail"]
    assert real.post(f"{API}/imdb/labels", json=[0]).json()["items"][0]["key"] == "neg/9641_4"
    # Where there are no keys, their number is not what is wrong.
    unknown = real.post(f"{API}/cifar10/labels", json=["nobody"])
    assert unknown.status_code == 404
    assert unknown.json()["detail"].endswith("expected an index from 0 to 9999.")


def test_sets_of_labels_are_lists(real):
    item = real.get(f"{API}/audioset/labels/2").json()
    assert {c["name"] for c in item["corrected"]} == {"Cheering", "Crowd", "Applause"}
    both = real.get(f"{API}/cifar10/labels/2405?multi_label=both").json()
    assert both["corrected"] == [{"id": 6, "name": "frog"}]
    assert both["given"] == {"id": 3, "name": "cat"}


BODIES = [
    (b"", 422, "no JSON"),
    (b"[1,", 422, "no JSON"),
    (b"{}", 422, "JSON dict"),
    (b"[1.5]", 400, "Entry 0"),
    (b"[true]", 400, "Entry 0"),
    (b"[[1]]", 400, "Entry 0"),
    (b"[-1]", 404, "'-1'"),
    (b"[10000]", 404, "0 to 9999"),
    (b'["nobody"]', 404, "nobody"),
    (b"[" + b"1," * 10_000 + b"1]", 413, "10,001"),
    (b'["' + b"x" * 4_000_001 + b'"]', 413, "4,000,000 bytes"),
    (b"[99999999999999999999999]", 400, "Entry 0"),
]


@pytest.mark.parametrize(("body", "status", "told"), BODIES, ids=[str(b[0][:12]) for b in BODIES])
def test_what_is_no_list_of_examples_is_refused(real, body, status, told):
    response = real.post(f"{API}/cifar10/labels", content=body)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert told in response.json()["detail"]


@pytest.mark.parametrize("address", ["labels/10000", "labels/-1", "labels/x", "labels/9" + "9" * 30, "labels/"])
def test_an_example_that_is_not_there_is_said(real, address):
    assert real.get(f"{API}/cifar10/{address}").status_code == 404


@pytest.mark.parametrize("params", [{}, {"removed": "include", "agreement": "4"}, {"multi_label": "both"}])
def test_pages_are_the_file(real, params):
    found, address = [], f"{API}/cifar100/corrected.json"
    body = real.get(address, params={**params, "limit": 777}).json()
    response_models.RowList.model_validate(body)
    assert (body["limit"], body["most"]) == (777, 10_000)
    while True:
        found += body["items"]
        if body["next"] is None:
            break
        response = real.get(body["next"])
        body = response.json()
    assert len(found) == body["total"]
    label_rows = list(csv.DictReader(io.StringIO(real.get(f"{API}/cifar100/corrected.csv", params=params).text)))
    assert [str(item["index"]) for item in found] == [row["index"] for row in label_rows]
    assert [item["action"] for item in found] == [row["action"] for row in label_rows]


def test_fields_are_only_those_asked_for(real):
    for address in (
        f"{API}/cifar10/corrected.json?limit=2",
        f"{API}/cifar10/issues?limit=2",
        f"{API}?",
        f"{API}/cifar10/classes?",
    ):
        name = "name" if address.endswith("?") else "index"
        body = real.get(f"{address}&fields={name}").json()
        assert all(list(item) == [name] for item in body["items"])
        if body["next"]:
            assert all(list(item) == [name] for item in real.get(body["next"]).json()["items"])
    assert list(real.get(f"{API}/cifar10?fields=title,name").json()) == ["title", "name"]
    assert list(real.get(f"{API}/cifar10/labels/1?fields=corrected").json()) == ["corrected"]
    refused = real.get(f"{API}/cifar10/issues?fields=colour")
    assert refused.status_code == 400
    assert "index" in refused.json()["allowed"]


ACCEPTED = {
    "": "application/json",
    "*/*": "application/json",
    "text/csv": "text/csv",
    "text/*": "text/csv",
    "application/x-ndjson, text/csv;q=0.9": "application/x-ndjson",
    "application/vnd.apache.parquet": "application/vnd.apache.parquet",
    "text/html,application/xhtml+xml,*/*;q=0.8": "application/json",
    "application/x-npy": "application/x-npy",
    "application/json;q=0, */*;q=0.1": "text/csv",
}


@pytest.mark.parametrize("accept", ACCEPTED)
def test_the_form_is_the_one_asked_for(real, accept):
    response = real.get(f"{API}/cifar10/corrected", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == ACCEPTED[accept]
    assert "Accept" in [name.strip() for name in response.headers["vary"].split(",")]
    # The ending of an address wins.
    assert (
        real.get(f"{API}/cifar10/corrected.csv", headers={"Accept": accept})
        .headers["content-type"]
        .startswith("text/csv")
    )


def test_a_form_that_there_is_not_is_refused(real):
    response = real.get(f"{API}/cifar10/corrected", headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert "text/csv" in response.json()["detail"]


@pytest.mark.parametrize("accept", ["text/csv;q=x", "text/csv;q=nan", ";;;", ",", "text/csv;q=-1"])
def test_no_accept_header_is_an_error(accept):
    assert best(accept, ["text/csv"]) in (None, "text/csv")


@pytest.mark.parametrize("weight", ["7", "-1", "nan", "x", ""])
def test_a_weight_that_is_none_is_no_liking(weight):
    assert best(f"text/csv;q={weight}, application/json;q=0.1", ["text/csv", "application/json"]) == "application/json"


def test_scripts_of_other_sites_may_ask_for_labels_and_parts(sample_catalogue):
    public = TestClient(create_app(Settings(catalogue=sample_catalogue, public=True)))
    for method, header in (("POST", "content-type"), ("GET", "range")):
        asked = {"Origin": "https://example.org", "Access-Control-Request-Method": method}
        asked["Access-Control-Request-Headers"] = header
        answer = public.options(f"{API}/sample-digits/labels", headers=asked)
        assert answer.status_code == 200, answer.text
        assert method in answer.headers["access-control-allow-methods"]
    shown = public.get(f"{API}/sample-digits/corrected.npy", headers={"Origin": "https://example.org"}).headers
    assert {"Content-Location", "Content-Range", "ETag"} <= set(shown["access-control-expose-headers"].split(", "))
