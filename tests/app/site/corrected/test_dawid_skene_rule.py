"""``rule=dawid_skene``: where raters are known, the same rows in every format; elsewhere a refusal with its reason."""

import io
import json
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

from app.domain.review.verdicts import Category
from app.reviews.lending import Task, next_task
from app.reviews.owner.given_answers import answers_of
from app.reviews.owner.weighed_votes import weigh
from app.reviews.raters import raters_of
from app.reviews.rounds import find_round
from app.reviews.store import Store, store_url
from app.reviews.voting import Vote, cast
from ingest.commands.main import main
from tests.app.site.review.rounds import review
from tests.flowers import KINDS, build
from tests.serving import serving

RULE = "rule=dawid_skene"


def opened_round(catalogue: Path, votes: int) -> str:
    """A round over all suspects that asks which of the three kinds each is."""
    plan = catalogue.with_name("round.toml")
    plan.write_text(f'kind = "options"\nvotes = {votes}\n')
    return json.loads(review(catalogue, "open", "flowers", "--round", str(plan), "--json"))["round"]


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    """A dataset that only a round has reviewed, by raters of whom only two always look; published."""
    folder = tmp_path_factory.mktemp("flowers")
    catalogue = folder / "catalogue.sqlite"
    build(catalogue, flag=60)
    name = "flowers"
    opened = opened_round(catalogue, votes=5)
    review(catalogue, "links", opened, "--raters", "5")
    store = Store(store_url("", catalogue))
    found = find_round(store, opened)
    people = raters_of(store, found)
    waiting, n = list(enumerate(people)), 0
    while waiting:
        for place, rater in list(waiting):
            task = next_task(store, rater, found)
            if not isinstance(task, Task):
                waiting.remove((place, rater))
                continue
            n += 1
            given = task.question.given[0]
            answer = KINDS[given if task.idx % 2 else (given + 1) % 3]
            if place == 2 and task.idx % 3 == 0:  # looks at two of three
                answer = KINDS[n % 3]
            elif place >= 3:
                answer = KINDS[0] if place == 3 else KINDS[n % 3]
            cast(store, rater, found, Vote(task.code, answer, str(uuid.uuid4())))
    answers = answers_of(store, found)
    weighed = {one.idx: one for one in weigh(answers.voted(), answers.names).examples}
    store.close()
    review(catalogue, "publish", opened)
    with serving(catalogue) as base, httpx.Client(base_url=f"{base}/api/v1/datasets", timeout=600) as http:
        yield http, name, weighed, catalogue


def rows_of(http, name, query):
    return http.get(f"/{name}/corrected.json?{query}&removed=include&limit=10000").json()


def imported(folder: Path, *, mixed: bool) -> tuple[str, list, list]:
    """The same votes on each example, by three raters or by them in turns: version, votes and weighed verdicts."""
    folder.mkdir()
    catalogue, lines = folder / "catalogue.sqlite", ["example,rater,answer"]
    build(catalogue, flag=30)
    name = opened_round(catalogue, votes=3)
    with closing(sqlite3.connect(catalogue)) as connection:
        issues = connection.execute("SELECT idx, given FROM issues ORDER BY idx").fetchall()
    for n, (idx, given) in enumerate(issues):
        kept, other = KINDS[given], KINDS[(given + 1) % 3]
        said = [kept, kept, other] if n % 3 else [other, other, kept]
        raters = [f"r{(place + n * mixed) % 3}" for place in range(3)]
        lines += [f"{idx},{rater},{answer}" for rater, answer in sorted(zip(raters, said, strict=True))]
    (folder / "votes.csv").write_text("\n".join(lines))
    review(catalogue, "import", name, str(folder / "votes.csv"))
    review(catalogue, "publish", name)
    with closing(sqlite3.connect(catalogue)) as connection:
        ((version,),) = connection.execute("SELECT version FROM datasets")
        votes = connection.execute("SELECT issue_id, option, n FROM votes ORDER BY 1, 2").fetchall()
        weighed = connection.execute("SELECT * FROM weighed_verdicts ORDER BY 1").fetchall()
    return version, votes, weighed


def test_a_version_names_what_is_weighed(tmp_path):
    """The same counts by other raters weigh otherwise, so that is another version: its addresses never change."""
    first, again, other = (imported(tmp_path / name, mixed=name == "c") for name in "abc")
    assert first == again
    assert other[1] == first[1]
    assert other[2] != first[2]
    assert other[0] != first[0]


def test_rows_follow_the_estimate(flowers):
    http, name, weighed, _ = flowers
    body = rows_of(http, name, RULE)
    assert body["policy"] == {
        "rule": "dawid_skene",
        "multi_label": "drop",
        "neither": "drop",
        "non_agreement": "drop",
        "unreviewed": "given",
        "removed": "include",
    }
    rows = {row["index"]: row for row in body["items"]}
    assert len(weighed) == 60
    for idx, one in weighed.items():
        assert rows[idx]["category"] == one.verdict.category.value
        if one.verdict.category is Category.CORRECTABLE:
            assert [rows[idx]["corrected"]["id"]] == sorted(one.verdict.agreed)
    corrected = sum(row["action"] == "corrected" for row in rows.values())
    assert body["sizes"]["correctable"] == corrected


def test_it_is_not_what_votes_say(flowers):
    http, name, _, _ = flowers
    by_rule, by_votes = (rows_of(http, name, query)["items"] for query in (RULE, "rule=votes"))
    assert [row["index"] for row in by_rule] == [row["index"] for row in by_votes]
    assert by_rule != by_votes
    assert by_votes == rows_of(http, name, "agreement=3")["items"], "off by default"


def test_every_format_has_the_same_labels(flowers, tmp_path):
    http, name, _, catalogue = flowers
    rows = rows_of(http, name, RULE)["items"]
    labels = [None if row["corrected"] is None else row["corrected"]["id"] for row in rows]
    table = pd.read_csv(io.BytesIO(http.get(f"/{name}/corrected.csv?{RULE}&removed=include").content))
    assert [None if np.isnan(one) else int(one) for one in table["corrected"]] == labels
    lines = http.get(f"/{name}/corrected.jsonl?{RULE}&removed=include").text.splitlines()
    assert [json.loads(line)["corrected"] for line in lines] == labels
    parquet = pd.read_parquet(io.BytesIO(http.get(f"/{name}/corrected.parquet?{RULE}&removed=include").content))
    assert [None if pd.isna(one) else int(one) for one in parquet["corrected"]] == labels
    array = np.load(io.BytesIO(http.get(f"/{name}/corrected.npy?{RULE}").content))
    assert array.tolist() == [-1 if one is None else one for one in labels]
    for suffix in ("csv", "jsonl", "parquet", "npy"):
        out = tmp_path / f"labels.{suffix}"
        assert main(["export", name, "--policy", RULE, "--out", str(out), "--catalogue", str(catalogue)]) == 0
        response = http.get(f"/{name}/corrected.{suffix}?{RULE}")
        assert out.read_bytes() == response.content
        assert f"{name}-corrected-dawid-skene.{suffix}" in response.headers["content-disposition"]


def test_the_issue_and_the_pages_show_it(flowers):
    http, name, weighed, _ = flowers
    idx, one = next(iter(weighed.items()))
    found = http.get(f"/{name}/issues/{idx}").json()["weighed"]
    assert found["category"] == one.verdict.category.value
    assert found["shares"] == pytest.approx(one.shares, abs=1e-6)
    site = str(http.base_url).removesuffix("/api/v1/datasets/")
    assert "Dawid and Skene’s estimate" in httpx.get(f"{site}/{name}/issues/{idx}", timeout=600).text
    page = httpx.get(f"{site}/{name}/corrected?{RULE}&agreement=4", timeout=600).text
    assert '<option value="dawid_skene" selected>' in page
    assert http.get(f"/{name}").json()["rater_agreement"]["raters_known"] is True


def test_a_correction_is_as_sure_as_the_estimate_is_of_its_class(flowers):
    http, name, weighed, _ = flowers
    issues = http.get(f"/{name}/issues?category=correctable&limit=200").json()["items"]
    assert issues
    for one in issues:
        assert one["confidence"] == pytest.approx(weighed[one["index"]].shares[one["corrected"]["name"]], abs=1e-6)
    ordered = http.get(f"/{name}/issues?sort=-confidence&limit=200").json()["items"]
    assert [one["confidence"] for one in ordered] == sorted(one["confidence"] for one in issues)
    # As many votes by raters who guess are not as many by raters who look. Who gets which example is drawn.
    said = {(max(one["votes"].values()), one["confidence"]) for one in issues}
    assert len(said) > len({votes for votes, _ in said})
    report = http.get(f"/{name}/confidence").json()
    assert (report["method"], report["prior"], report["right"]["why_not"]) == ("dawid_skene", None, "no_opinion")
    found = http.get(f"/{name}/issues/{issues[0]['index']}").json()["confidence_basis"]
    assert (found["method"], found["prior"], found["expected_share"]) == ("dawid_skene", None, None)
    site = str(http.base_url).removesuffix("/api/v1/datasets/")
    page = httpx.get(f"{site}/{name}/issues/{issues[0]['index']}", timeout=600).text
    assert "the probability of the answer by Dawid and Skene’s estimate" in page
    assert "Dawid and Skene’s estimate" in httpx.get(f"{site}/{name}/confidence", timeout=600).text


@pytest.mark.parametrize("address", ["changes", "versions"])
def test_changes_know_votes_alone(flowers, address):
    http, name, _, _ = flowers
    response = http.get(f"/{name}/{address}?{RULE}")
    assert response.status_code == 422
    assert "verdicts by votes alone" in response.json()["detail"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "npy", "json"])
def test_without_raters_it_is_refused_with_the_reason(client, suffix):
    response = client.get(f"/api/v1/datasets/sample-digits/corrected.{suffix}?{RULE}")
    assert response.status_code == 422
    assert "needs to know who gave each vote" in response.json()["detail"]
    assert client.get(f"/sample-digits/corrected?{RULE}").status_code == 422


def test_the_command_refuses_it_too(sample_catalogue: Path, tmp_path, capsys):
    out = tmp_path / "labels.csv"
    arguments = ["export", "sample-digits", "--policy", RULE, "--out", str(out), "--catalogue", str(sample_catalogue)]
    assert main(arguments) == 1
    assert "needs to know who gave each vote" in capsys.readouterr().err
    assert not out.exists()
