"""Corrected test sets of sure corrections alone: the same in every format, and by every way to them."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine

from app.corrected import blocks, original_test_set
from app.corrected.confirmation import Confirmation, SourceName
from app.corrected.policy import ExportOptions, PolicyError, parse
from app.corrected.text_files import CSV, text_pieces
from app.corrected.text_ranges import text_ends, text_from
from app.domain.confidence.correction_facts import CorrectionFacts
from app.domain.confidence.hundredths import read_hundredths, spell_hundredths, whole_hundredths
from app.domain.review.corrections import Policy, Treatment
from tests.app.reading import body, read
from tests.commands import run
from tests.serving import serving

API = "/api/v1/datasets/imagenet/corrected"
#: Policy -> corrected, kept and removed of the 1,428 corrections: 468 have five votes, 492 four.
POLICIES = {
    "confidence=0.9": (468, 0, 960),
    "confidence=0.85": (960, 0, 468),
    "confidence=0": (1_428, 0, 0),
    "confidence=1": (0, 0, 1_428),
    "confidence=0.9&agreement=5": (468, 0, 0),
    "confidence=0.9&confirmed_by=real": (311, 0, 1_117),
    "confidence=0.9&opposed=given": (430, 210, 788),
}


@pytest.fixture(scope="module")
def site(opinions_catalogue: Path) -> Iterator[httpx.Client]:
    with (
        serving(opinions_catalogue, requests_a_minute=0) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


@pytest.mark.parametrize(("query", "expected"), POLICIES.items())
def test_what_becomes_of_the_corrections(site: httpx.Client, query: str, expected: tuple[int, ...]) -> None:
    rows = list(csv.DictReader(io.StringIO(site.get(f"{API}.csv?{query}&removed=include").text)))
    found = Counter(row["action"] for row in rows if row["category"] == "correctable")
    assert (found["corrected"], found["kept"], found["removed"]) == expected
    sizes = body(site, f"{API}.json?{query}&limit=1")["sizes"]
    actions = Counter(row["action"] for row in rows)
    assert (sizes["correctable"], sizes["unknown"]) == (actions["corrected"], actions["removed"])
    assert sizes["benign"] == actions["kept"]


def test_all_formats_and_all_ways_agree(site: httpx.Client, opinions_catalogue: Path, tmp_path: Path) -> None:
    query = "confidence=0.9"
    rows = list(csv.DictReader(io.StringIO(site.get(f"{API}.csv?{query}").text)))
    expected = {int(row["index"]): int(row["corrected"]) for row in rows}
    lines = [json.loads(line) for line in site.get(f"{API}.jsonl?{query}").text.splitlines()]
    assert {line["index"]: line["corrected"] for line in lines} == expected
    table = pq.read_table(io.BytesIO(site.get(f"{API}.parquet?{query}").content))
    assert dict(zip(table["index"].to_pylist(), table["corrected"].to_pylist(), strict=True)) == expected
    assert json.loads(table.schema.metadata[b"policy"])["confidence"] == 0.9
    array = np.load(io.BytesIO(site.get(f"{API}.npy?{query}").content))
    assert {index: int(array[index]) for index in np.flatnonzero(array >= 0).tolist()} == expected
    dataset = body(site, "/api/v1/datasets/imagenet")
    for suffix in ("csv", "parquet", "npy"):
        there = site.get(f"{API}.{suffix}?{query}").content
        # One spelling of the same policy, and of nothing else.
        assert site.get(f"{API}.{suffix}?confidence=0.90").content == there
        fixed = f"/api/v1/versions/{dataset['version']}/datasets/imagenet/corrected.{suffix}?{query}"
        assert site.get(fixed).content == there
        out = tmp_path / f"out.{suffix}"
        done = run("export", "imagenet", "--policy", query, "--out", out, "--catalogue", opinions_catalogue)
        assert done.returncode == 0, done.stderr
        assert out.read_bytes() == there
        digests = site.get(f"{API}.sha256?{query}").text
        assert f"{hashlib.sha256(there).hexdigest()}  imagenet-corrected-3-of-5-confidence-0.9.{suffix}" in digests
    described = body(site, f"/api/v1/datasets/imagenet/croissant.json?{query}")
    assert "confidence=0.9" in described["description"]
    hashes = {one["@id"]: one["sha256"] for one in described["distribution"]}
    assert hashes["csv"] == hashlib.sha256(site.get(f"{API}.csv?{query}").content).hexdigest()
    page = body(site, f"{API}.json?{query}&limit=1")
    assert page["policy"]["confidence"] == 0.9
    assert body(site, "/api/v1/datasets/imagenet/labels/0?confidence=0.9")["index"] == 0


def test_rows_say_how_sure_where_asked_for(site: httpx.Client, opinions_catalogue: Path, tmp_path: Path) -> None:
    query = "confidences=include&removed=include"
    text = site.get(f"{API}.csv?{query}").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0])[-2:] == ["confidence", "probability_right"]
    sure = {int(row["index"]): float(row["confidence"]) for row in rows if row["confidence"]}
    assert len(sure) == 1_428
    assert {row["category"] for row in rows if row["confidence"] or row["probability_right"]} == {"correctable"}
    assert sum(number >= 0.9 for number in sure.values()) == 468
    issues = body(site, "/api/v1/datasets/imagenet/issues?category=correctable&limit=200")["items"]
    assert {one["index"]: one["confidence"] for one in issues} == {one["index"]: sure[one["index"]] for one in issues}
    right = {int(row["index"]): float(row["probability_right"]) for row in rows if row["probability_right"]}
    lines = [json.loads(line) for line in site.get(f"{API}.jsonl?{query}").text.splitlines()]
    assert {one["index"]: one["confidence"] for one in lines if one["confidence"] is not None} == sure
    table = pq.read_table(io.BytesIO(site.get(f"{API}.parquet?{query}").content))
    assert str(table.schema.field("confidence").type) == "double"
    columns = zip(*(table[name].to_pylist() for name in ("index", "confidence", "probability_right")), strict=True)
    assert [(i, c, p) for i, c, p in columns if c is not None] == [(i, sure[i], right[i]) for i in sorted(sure)]
    page = body(site, f"{API}.json?{query}&limit=3000")
    told = {row["index"]: row["confidence"] for row in page["items"] if row["confidence"] is not None}
    assert told == {index: number for index, number in sure.items() if index < 3_000}
    assert "confidence" not in body(site, f"{API}.json?limit=1")["items"][0]
    described = body(site, f"/api/v1/datasets/imagenet/croissant.json?{query}")
    kinds = {one["name"]: one["dataType"] for one in described["recordSet"][-1]["field"]}
    assert (kinds["confidence"], kinds["probability_right"]) == ("sc:Float", "sc:Float")
    for suffix in ("csv", "jsonl", "parquet"):
        out = tmp_path / f"out.{suffix}"
        asked = ("--confidences", "include", "--removed", "include", "--opinions", "include")
        assert run("export", "imagenet", *asked, "--out", out, "--catalogue", opinions_catalogue).returncode == 0
        assert out.read_bytes() == site.get(f"{API}.{suffix}?{query}&opinions=include").content
    both = site.get(f"{API}.csv?{query}&opinions=include").text.splitlines()[0]
    assert both.endswith("category,opinion_real,confidence,probability_right")


def test_a_part_of_rows_with_confidences_is_found_without_the_rest(opinions_catalogue: Path) -> None:
    engine = create_engine(f"sqlite:///{opinions_catalogue}")
    with engine.connect() as connection:
        whole = original_test_set.load(connection, "imagenet")
        found = blocks.corrected(connection, whole, ExportOptions(Policy(), opinions=True, confidences=True))
        text = b"".join(text_pieces(connection, found, CSV))
        ends = text_ends(connection, found, CSV)
        assert ends[-1] == len(text)
        for first in (0, 50, len(text) // 2):
            assert b"".join(text_from(connection, found, CSV, ends, first)) == text[first:]
    engine.dispose()


@pytest.mark.parametrize("value", ["1.5", "nan", "0.9x", "-0.1", "1e-1", "0.999", "inf", ".9", "٠.٩"])
def test_bad_values_are_refused_as_others_are(site: httpx.Client, value: str) -> None:
    for address in (f"{API}.csv", f"{API}.json", "/api/v1/datasets/imagenet/issues"):
        refused = body(site, address, status=400, confidence=value)
        assert (refused["parameter"], refused["type"]) == ("confidence", "/about/errors#bad-parameter")
        assert f"confidence is {value!r}; expected a number from 0 to 1" in refused["detail"]
    for page in ("/imagenet/corrected", "/imagenet"):
        assert site.get(page, params={"confidence": value}).status_code == 400


def test_it_is_asked_once_and_of_votes(site: httpx.Client, opinions_catalogue: Path) -> None:
    twice = body(site, f"{API}.csv?confidence=0.9&confidence=0.8", status=400)
    assert "confidence is given twice" in twice["detail"]
    weighed = body(site, f"{API}.csv", status=400, confidence="0.9", rule="dawid_skene")
    assert "confidence goes with rule=votes" in weighed["detail"]
    assert "'confidences' is no parameter" in body(site, f"{API}.npy", status=400, confidences="include")["detail"]
    done = run("export", "imagenet", "--confidences", "include", "--out", "x.npy", "--catalogue", opinions_catalogue)
    assert (done.returncode, "--confidences: a .npy file holds labels alone" in done.stderr) == (1, True)
    done = run("export", "imagenet", "--policy", "confidence=2", "--out", "x.npy", "--catalogue", opinions_catalogue)
    assert (done.returncode, "expected a number from 0 to 1" in done.stderr) == (1, True)


def test_where_there_is_no_confidence_it_is_said_why(mmlu_catalogue: Path) -> None:
    with serving(mmlu_catalogue) as address, httpx.Client(base_url=address, timeout=60) as client:
        for query in ({"confidence": "0.9"}, {"confidences": "include"}):
            refused = body(client, "/api/v1/datasets/mmlu/corrected.csv", status=400, **query)
            assert "One expert judged each of its examples" in refused["detail"]
        for query in ({"confidence": "0.9"}, {"sort": "confidence"}, {"sort": "-confidence"}):
            refused = body(client, "/api/v1/datasets/mmlu/issues", status=400, **query)
            assert "One expert judged each of its examples" in refused["detail"]
        assert "One expert judged each of its examples" in read(client, "/mmlu/confidence").words
        assert "One expert judged each of its examples" in read(client, "/mmlu").words
        assert 'name="confidence"' not in client.get("/mmlu/corrected").text
        assert body(client, "/api/v1/datasets/mmlu/confidence")["method"] is None
        (one,) = body(client, "/api/v1/datasets/mmlu/issues?category=correctable&limit=1")["items"]
        assert (one["confidence"], one["probability_right"]) == (None, None)
    done = run("export", "mmlu", "--policy", "confidence=0.9", "--out", "x.csv", "--catalogue", mmlu_catalogue)
    assert (done.returncode, "One expert judged each" in done.stderr) == (1, True)


def test_the_page_counts_the_same(site: httpx.Client) -> None:
    page = site.get("/imagenet/corrected?confidence=0.9")
    assert page.status_code == 200
    assert '<option value="0.9" selected>0.9 or more (468 of 1,428)' in page.text
    assert 'corrected.csv?confidence=0.9"' in page.text
    assert "468 get the label that reviewers agreed on; 960 are left out" in page.text
    assert (
        '<option value="0.87" selected>0.87 or more (468 of 1,428)'
        in site.get("/imagenet/corrected?confidence=0.87").text
    )
    assert "asks second opinions, or how sure" in site.get("/imagenet/changes?confidence=0.9").text or (
        site.get("/imagenet/changes?confidence=0.9").status_code == 200
    )


@pytest.mark.parametrize("least", [None, 0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("sure", [None, 0.0, 0.5, 0.499999, 0.9, 0.899999, 1.0])
@pytest.mark.parametrize("signs", [None, "c", "g", "b"])
def test_each_correction_against_a_rule_by_hand(least: float | None, sure: float | None, signs: str | None) -> None:
    for source in (None, "a"):
        policy = Policy(confidence=least, confirmed_by=source, opposed=Treatment.GIVEN)
        found = Confirmation([SourceName("a", True)], policy).of(CorrectionFacts(signs, sure))
        enough = least is None or (sure is not None and sure >= least)
        assert found == (enough and (source is None or signs == "c"), signs == "g")


def test_hundredths_are_spelled_in_one_way_and_count_the_same_on_pages() -> None:
    for n in range(101):
        value = n / 100
        assert read_hundredths(spell_hundredths(value)) == value
        assert Policy(confidence=value).confidence == value
        for number in (value, round(value - 1e-6, 6), round(value + 1e-6, 6)):
            assert (whole_hundredths(number) >= n) == (number >= value)


@pytest.mark.parametrize("value", [1.5, -0.1, 0.123, float("nan")])
def test_a_policy_refuses_other_numbers(value: float) -> None:
    with pytest.raises(ValueError, match="expected hundredths from 0 to 1"):
        Policy(confidence=value)


def test_what_is_expected_is_no_value() -> None:
    with pytest.raises(PolicyError) as refused:
        parse([("confidence", "0.9x")], (3, 4, 5))
    (words,) = refused.value.allowed
    with pytest.raises(PolicyError):
        parse([("confidence", words)], (3, 4, 5))
