"""Corrected test sets under policies that ask second opinions: the same in every format, and by every way to them."""

import csv
import hashlib
import html
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine

from app.corrected import blocks, original_test_set
from app.corrected.confirmation import Confirmation, SourceName
from app.corrected.policy import ExportOptions
from app.corrected.text_files import CSV, text_pieces
from app.corrected.text_ranges import text_ends, text_from
from app.domain.confidence.correction_facts import CorrectionFacts
from app.domain.opinions.stances import SIGNS
from app.domain.review.corrections import OPPOSED, Action, Policy, Treatment, correction
from tests.app.reading import body
from tests.commands import run
from tests.serving import serving

API = "/api/v1/datasets/imagenet/corrected"
#: Policy -> corrected, kept and removed of the 1,428 corrections: 725 are confirmed, 210 opposed, 493 neither.
POLICIES = {
    "confirmed_by=real": (725, 0, 703),
    "confirmed_by=real&opposed=given": (725, 210, 493),
    "confirmed_by=real&opposed=drop": (725, 0, 703),
    "confirmed_by=real&opposed=corrected": (935, 0, 493),
    "opposed=given": (1_218, 210, 0),
    "opposed=drop": (1_218, 0, 210),
    "opposed=corrected": (1_428, 0, 0),
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
    for row in rows:
        if row["category"] == "correctable" and row["action"] == "kept":
            assert row["corrected"] == row["given"]
    sizes = body(site, f"{API}.json?{query}&limit=1")["sizes"]
    actions = Counter(row["action"] for row in rows)
    assert (sizes["correctable"], sizes["unknown"]) == (actions["corrected"], actions["removed"])
    assert sizes["benign"] == actions["kept"]


def test_all_formats_and_all_ways_agree(site: httpx.Client, opinions_catalogue: Path, tmp_path: Path) -> None:
    query = "confirmed_by=real&opposed=given"
    rows = list(csv.DictReader(io.StringIO(site.get(f"{API}.csv?{query}").text)))
    expected = {int(row["index"]): int(row["corrected"]) for row in rows}
    lines = [json.loads(line) for line in site.get(f"{API}.jsonl?{query}").text.splitlines()]
    assert {line["index"]: line["corrected"] for line in lines} == expected
    table = pq.read_table(io.BytesIO(site.get(f"{API}.parquet?{query}").content))
    assert dict(zip(table["index"].to_pylist(), table["corrected"].to_pylist(), strict=True)) == expected
    array = np.load(io.BytesIO(site.get(f"{API}.npy?{query}").content))
    assert {index: int(array[index]) for index in np.flatnonzero(array >= 0).tolist()} == expected
    version = body(site, "/api/v1/datasets/imagenet")["version"]
    for suffix in ("csv", "parquet", "npy"):
        there = site.get(f"{API}.{suffix}?{query}").content
        fixed = f"/api/v1/versions/{version}/datasets/imagenet/corrected.{suffix}?{query}"
        assert site.get(fixed).content == there
        policy = ["--policy", "confirmed_by=real", "--policy", "opposed=given"]
        out = tmp_path / f"out.{suffix}"
        assert run("export", "imagenet", *policy, "--out", out, "--catalogue", opinions_catalogue).returncode == 0
        assert out.read_bytes() == there
        digests = site.get(f"{API}.sha256?{query}").text
        assert f"{hashlib.sha256(there).hexdigest()}  imagenet-corrected-3-of-5" in digests
    described = body(site, f"/api/v1/datasets/imagenet/croissant.json?{query}")
    assert "confirmed_by=real, opposed=given" in described["description"]
    hashes = {one["@id"]: one["sha256"] for one in described["distribution"]}
    assert hashes["csv"] == hashlib.sha256(site.get(f"{API}.csv?{query}").content).hexdigest()


WORDS = ("given", "guessed", "both", "other", "silent")


def test_rows_say_what_each_opinion_holds_where_asked_for(
    site: httpx.Client, opinions_catalogue: Path, tmp_path: Path
) -> None:
    query = "opinions=include&removed=include"
    text = site.get(f"{API}.csv?{query}").text
    rows = list(csv.DictReader(io.StringIO(text)))
    table = Counter((row["category"], row["opinion_real"]) for row in rows)
    # The cross table as published: what the rows say is what the page of opinions counts.
    assert [table["correctable", word] for word in WORDS] == [210, 725, 187, 135, 171]
    assert [table["non_error", word] for word in WORDS] == [1707, 98, 98, 298, 323]
    assert [table["non_agreement", word] for word in WORDS] == [201, 92, 73, 109, 123]
    assert {word for category, word in table if category == "unreviewed"} == {""}
    plain = list(csv.DictReader(io.StringIO(site.get(f"{API}.csv?removed=include").text)))
    assert [row | {"opinion_real": rows[place]["opinion_real"]} for place, row in enumerate(plain)] == rows
    said = {int(row["index"]): row["opinion_real"] or None for row in rows}
    lines = [json.loads(line) for line in site.get(f"{API}.jsonl?{query}").text.splitlines()]
    assert {line["index"]: line["opinion_real"] for line in lines} == said
    parquet = pq.read_table(io.BytesIO(site.get(f"{API}.parquet?{query}").content))
    assert dict(zip(parquet["index"].to_pylist(), parquet["opinion_real"].to_pylist(), strict=True)) == said
    page = body(site, f"{API}.json?{query}&limit=1000")
    assert {row["index"]: row["opinions"]["real"] for row in page["items"]} == {
        index: said[index] for index in range(1000)
    }
    assert page["policy"]["opinions"] == "include"
    bare = body(site, f"{API}.json?removed=include&limit=1000")
    assert not any("opinions" in row for row in bare["items"])
    assert body(site, f"{API}.json?limit=1&fields=index,opinions")["items"] == [{"index": 0}]
    asked = f"{API}.json?limit=1&fields=index,opinions&opinions=include"
    assert body(site, asked)["items"] == [{"index": 0, "opinions": {"real": said[0]}}]
    version = body(site, "/api/v1/datasets/imagenet")["version"]
    described = body(site, f"/api/v1/datasets/imagenet/croissant.json?{query}")
    fields = {one["name"] for one in described["recordSet"][-1]["field"]}
    assert "opinion_real" in fields
    for suffix in ("csv", "jsonl", "parquet"):
        there = site.get(f"{API}.{suffix}?{query}")
        fixed = site.get(f"/api/v1/versions/{version}/datasets/imagenet/corrected.{suffix}?{query}")
        assert fixed.content == there.content
        assert there.headers["etag"] != site.get(f"{API}.{suffix}?removed=include").headers["etag"]
        out = tmp_path / f"out.{suffix}"
        asked = ("--opinions", "include", "--removed", "include")
        assert run("export", "imagenet", *asked, "--out", out, "--catalogue", opinions_catalogue).returncode == 0
        assert out.read_bytes() == there.content
    part = site.get(f"{API}.csv?{query}", headers={"Range": "bytes=100-2000000"})
    assert (part.status_code, part.content) == (206, text.encode()[100:2_000_001])


def test_a_part_of_rows_with_opinions_is_found_without_the_rest(opinions_catalogue: Path) -> None:
    engine = create_engine(f"sqlite:///{opinions_catalogue}")
    with engine.connect() as connection:
        whole = original_test_set.load(connection, "imagenet")
        found = blocks.corrected(connection, whole, ExportOptions(Policy(), opinions=True))
        text = b"".join(text_pieces(connection, found, CSV))
        ends = text_ends(connection, found, CSV)
        assert ends[-1] == len(text)
        for first in (0, 50, len(text) // 2):
            assert b"".join(text_from(connection, found, CSV, ends, first)) == text[first:]
    engine.dispose()


def test_opinions_are_said_where_there_are_rows_and_votes(site: httpx.Client, opinions_catalogue: Path) -> None:
    refused = body(site, f"{API}.npy", status=400, opinions="include")
    assert "'opinions' is no parameter" in refused["detail"]
    without = body(site, "/api/v1/datasets/mnist/corrected.csv", status=400, opinions="include")
    assert "opinions: there is no second opinion" in without["detail"]
    weighed = body(site, f"{API}.csv", status=400, opinions="include", rule="dawid_skene")
    assert "opinions goes with rule=votes" in weighed["detail"]
    done = run("export", "imagenet", "--opinions", "include", "--out", "x.npy", "--catalogue", opinions_catalogue)
    assert (done.returncode, "--opinions: a .npy file holds labels alone" in done.stderr) == (1, True)
    page = site.get("/imagenet/corrected?opinions=include")
    assert 'corrected.csv?opinions=include"' in page.text
    assert 'corrected.npy"' in page.text


def test_the_version_is_another_one_without_the_opinion(site: httpx.Client, release_catalogue: Path) -> None:
    import sqlite3

    with sqlite3.connect(f"file:{release_catalogue}?mode=ro", uri=True) as connection:
        before = connection.execute("SELECT version FROM datasets WHERE name = 'imagenet'").fetchone()[0]
    connection.close()
    assert body(site, "/api/v1/datasets/imagenet")["version"] != before


def test_opinions_that_are_not_there_are_refused(site: httpx.Client, opinions_catalogue: Path) -> None:
    refused = body(site, f"{API}.csv", status=400, confirmed_by="cifar10h")
    assert (refused["parameter"], refused["allowed"]) == ("confirmed_by", ["real"])
    assert body(site, f"{API}.csv", status=400, opposed="both")["allowed"] == [one.value for one in OPPOSED]
    without = body(site, "/api/v1/datasets/mnist/corrected.csv", status=400, confirmed_by="real")
    assert "there is no second opinion" in without["detail"]
    done = run("export", "mnist", "--policy", "opposed=drop", "--out", "x.csv", "--catalogue", opinions_catalogue)
    assert (done.returncode, "there is no second opinion" in done.stderr) == (1, True)


def test_a_page_of_the_policy_counts_the_same(site: httpx.Client) -> None:
    page = site.get("/imagenet/corrected?confirmed_by=real&opposed=given")
    assert page.status_code == 200
    assert "725" in page.text
    described = re.search('rel="describedby" type="application/ld.json" href="([^"]+)"', page.text)
    assert described is not None
    assert html.unescape(described[1]) == "/api/v1/datasets/imagenet/croissant.json?confirmed_by=real&opposed=given"
    assert body(site, html.unescape(described[1]))["distribution"]
    changes = site.get("/imagenet/changes?confirmed_by=real")
    assert changes.status_code == 200


@pytest.mark.parametrize(("opposed", "source"), list(product((None, *OPPOSED), (None, "a", "b", "c"))))
def test_each_correction_against_a_rule_by_hand(opposed: Treatment | None, source: str | None) -> None:
    """Two independent opinions, and one derived from the verdicts, which only counts where it is named."""
    sources = [SourceName("a", True), SourceName("b", True), SourceName("c", False)]
    policy = Policy(confirmed_by=source, opposed=opposed)
    confirmation = Confirmation(sources, policy)
    for signs in map("".join, product(SIGNS, repeat=3)):
        if source is None:
            against = "g" in signs[:2] and "c" not in signs[:2]
            unconfirmed = False
        else:
            against = signs["abc".index(source)] == "g"
            unconfirmed = signs["abc".index(source)] != "c"
        expected = Action.REMOVED if unconfirmed else Action.CORRECTED
        if against and opposed is not None:
            given, drop, corrected = Action.KEPT, Action.REMOVED, Action.CORRECTED
            expected = {Treatment.GIVEN: given, Treatment.DROP: drop, Treatment.CORRECTED: corrected}[opposed]
        confirmed, is_opposed = confirmation.of(CorrectionFacts(signs))
        assert correction(policy, confirmed=confirmed, opposed=is_opposed).action is expected, signs
