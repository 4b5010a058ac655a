"""Croissant descriptions: validated and iterated by the reference library, and held to our own list of what must be."""

import hashlib
import itertools
import json
import logging
import re
import warnings

import mlcroissant
import pytest

API = "/api/v1/datasets"
REQUIRED = ("@context", "@type", "conformsTo", "name", "description", "license", "url", "creator", "datePublished")
RECOMMENDED = ("version", "citeAs", "distribution", "recordSet", "keywords", "publisher", "isLiveDataset")


def described(client, name: str, **policy: str):
    response = client.get(f"{API}/{name}/croissant.json", params=policy)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/ld+json"
    return response.json()


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("cifar10", {}),
        ("imagenet", {"agreement": "4", "neither": "given"}),
        ("imdb", {"multi_label": "both"}),
        ("audioset", {}),
    ],
)
def test_the_reference_library_validates_and_reads_it(real, name, policy, tmp_path, monkeypatch, caplog):
    body = described(real, name, **policy)
    caplog.set_level(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Its own reading of files, deprecated or not, is not what is tried here.
        for module in ("mlcroissant", "rdflib", "pandas", "etils", "pyparsing"):
            warnings.filterwarnings("ignore", category=DeprecationWarning, module=module)
        file = tmp_path / "corrected.parquet"
        file.write_bytes(real.get(body["distribution"][0]["contentUrl"]).content)
        dataset = mlcroissant.Dataset(jsonld=body, mapping={"parquet": str(file)})
        assert not dataset.metadata.ctx.issues.errors
        assert not dataset.metadata.ctx.issues.warnings
        records = list(itertools.islice(dataset.records("examples"), 400))
        assert len(list(dataset.records("splits"))) == 1
    rows = real.get(f"{API}/{name}/corrected.json", params={**policy, "limit": 400}).json()["items"]
    assert [r["examples/index"] for r in records] == [r["index"] for r in rows]
    for record, row in zip(records, rows, strict=True):
        now = row["corrected"]
        expected = [c["id"] for c in now] if isinstance(now, list) else now["id"]
        found = record["examples/corrected"]
        assert (list(found) if isinstance(now, list) else found) == expected
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING and "mlcroissant" in r.name]


@pytest.mark.parametrize("name", ["mnist", "cifar10", "20news", "audioset"])
def test_what_must_stand_in_it_stands(real, name):
    body = described(real, name)
    assert not [key for key in (*REQUIRED, *RECOMMENDED) if not body.get(key) and body.get(key) is not False]
    assert body["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{16}", body["version"])
    assert body["citeAs"].startswith("@inproceedings")
    assert body["prov:wasDerivedFrom"]
    for file in body["distribution"]:
        assert "/versions/" in file["contentUrl"]
        answer = real.get(file["contentUrl"])
        assert "immutable" in answer.headers["cache-control"]
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
    examples = next(s for s in body["recordSet"] if s["@id"] == "examples")
    ids = {file["@id"] for file in body["distribution"]}
    for field in examples["field"]:
        assert field["@id"] == f"examples/{field['name']}"
        assert field["dataType"] in ("sc:Integer", "sc:Text")
        assert field["source"]["fileObject"]["@id"] in ids


def test_a_sample_says_it_is_one(client):
    assert "simulated" in described(client, "sample-digits")["description"]


def test_the_same_stands_in_the_pages_of_the_dataset(real):
    for path in ("/cifar10", "/cifar10/corrected"):
        html = real.get(path).text
        found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
        assert [json.loads(one) for one in found] == [described(real, "cifar10")]
        assert "<" not in found[0]
    assert "ld+json" not in real.get("/quickdraw").text


def test_a_version_stays(real):
    body = described(real, "cifar10")
    version = body["version"].partition("+")[2]
    fixed = real.get(f"/api/v1/versions/{version}/datasets/cifar10/croissant.json")
    assert fixed.json() == body
    assert "immutable" in fixed.headers["cache-control"]
    assert real.get("/api/v1/versions/0/datasets/cifar10/croissant.json").status_code == 404
