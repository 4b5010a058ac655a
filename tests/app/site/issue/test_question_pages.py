"""Questions that nobody should trust, and ones nobody judged, on the pages of the site."""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from ingest.commands.main import main
from tests.app.reading import body, read
from tests.serving import serving

MANIFEST = """\
name = "hostile"
title = "Hostile"
modality = "question"
summary = "Made-up questions."
raters = 1
slice = "flavour"

[licence]
name = "CC0"
source = "made up"
media = "host"

[classes]
names = ["A", "B", "C", "D"]

[files]
pred_probs = "votes"

[answers]
file = "answers.csv"

[votes]
dialect = "error-types"

[media]
layout = "choices"
path = "questions.jsonl"
"""
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
ARABIC = "ما هي عاصمة فرنسا؟"
QUESTIONS = [
    (SCRIPT, [SCRIPT, "two", "<b>three</b>", "four"], 0, "wrong_groundtruth", "B", f"because {SCRIPT}"),
    ("long " * 10_000, ["a" * 50_000, "b", "c", "d"], 1, "ok", "", ""),
    (ARABIC, ["باريس", "لندن", "روما", "برلين"], 2, "Wrong Groundtruth", "0", ""),
    (
        "What is $\\frac{1}{2} + \\sqrt{4}$?",
        ["$2.5$", "$\\pi$", "3", "4"],
        3,
        "Bad Question Clarity",
        "0,1",
        "see \\LaTeX",
    ),
    ("Two\u2028lines\u0085three\x07", ["", "y", "z", "="], 1, "multiple correct answers", "1, 2", ""),
    ("None?", ["a", "b"], 1, "No Correct Answer", "free text", ""),
]


def rows() -> list[dict[str, Any]]:
    names = ("question", "choices", "answer", "error_type", "correct_answer", "potential_reason")
    found = [
        dict(zip(names, one, strict=True)) | {"flavour": SCRIPT if n % 2 else "plain"}
        for n, one in enumerate(QUESTIONS)
    ]
    return [row | {"source": "javascript:alert(3)"} for row in found]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.toml").write_text(MANIFEST, encoding="utf-8")
    lines = "".join(json.dumps(row) + "\n" for row in rows())
    (folder / "questions.jsonl").write_text(lines, encoding="utf-8")
    (folder / "answers.csv").write_text("one,two,three\n" + "B,B,The\n" + "B,B,B\n" * (len(QUESTIONS) - 1))
    file = folder / "catalogue.sqlite"
    assert main(["add", str(folder / "hostile.toml"), str(folder), "--catalogue", str(file)]) == 0
    return file


@pytest.fixture(scope="module")
def site(catalogue: Path) -> Iterator[httpx.Client]:
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


PAGES = ["/hostile?category=any", "/hostile/slices", "/hostile/stability", "/hostile/confusions"]
PAGES += [f"/hostile/stability/{page}" for page in ("prevalence", "pair", "repeated")]


@pytest.mark.parametrize("address", [*PAGES, *(f"/hostile/issues/{n}" for n in range(len(QUESTIONS)))])
def test_nothing_of_a_question_is_markup(site: httpx.Client, address: str) -> None:
    page = read(site, address)
    assert "<script>alert" not in page.html
    assert "<img src=x" not in page.html
    assert "<b>three" not in page.html
    assert not any(link.href.startswith("javascript:") for link in page.links)


def test_what_was_written_is_shown(site: httpx.Client) -> None:
    assert SCRIPT in read(site, "/hostile/issues/0").words
    assert f"because {SCRIPT}" in read(site, "/hostile/issues/0").words
    assert "$\\frac{1}{2} + \\sqrt{4}$" in read(site, "/hostile/issues/3").words
    assert body(site, "/api/v1/datasets/hostile/issues/4")["question"]["text"] == "Two\nlines\nthree\ufffd"


def test_a_script_read_from_the_right_has_a_direction_of_its_own(site: httpx.Client) -> None:
    page = read(site, "/hostile/issues/2")
    assert ARABIC in page.words
    directions = [attributes.get("dir") for tag, attributes in page.tags if attributes.get("class") == "wording"]
    assert directions.count("auto") >= 4


def test_a_card_is_short_and_a_page_is_whole(site: httpx.Client) -> None:
    assert len(read(site, "/hostile?category=any").html) < 60_000
    assert "a" * 50_000 in read(site, "/hostile/issues/1").words


def test_an_unanswered_question_says_so(site: httpx.Client) -> None:
    assert "1 of 3 models gave no answer, which counts as wrong." in " ".join(
        read(site, "/hostile/issues/0").words.split()
    )


def test_categories_are_called_as_of_one_judge(site: httpx.Client) -> None:
    words = " ".join(read(site, "/hostile?category=any").words.split())
    assert "ill-posed, or not judged" in words
    assert "non-agreement" not in words


def test_a_corrected_benchmark_in_its_own_form(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two corrected and one confirmed; of the other three no answer is known."""
    out = tmp_path / "out"
    assert main(["task", "hostile", str(out), "--catalogue", str(catalogue)]) == 0
    assert "3 questions, 2 with another answer than the original" in capsys.readouterr().out
    corrected = pq.read_table(out / "hostile_corrected.parquet").to_pylist()
    original = pq.read_table(out / "hostile_original.parquet").to_pylist()
    assert [row["answer"] for row in corrected] == [1, 1, 0]
    assert [row["answer"] for row in original] == [0, 1, 2]
    assert [row["index"] for row in corrected] == [0, 1, 2]
    assert corrected[2]["choices"] == QUESTIONS[2][1]
    assert corrected[0]["flavour"] == "plain"
    lines = [json.loads(line) for line in (out / "hostile_corrected.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["question"], row["choices"], row["answer"]) for row in lines] == [
        (row["question"], row["choices"], row["answer"]) for row in corrected
    ]
    assert sorted(path.name for path in out.glob("*.yaml")) == [
        "hostile_corrected.yaml",
        "hostile_label_errors.yaml",
        "hostile_original.yaml",
    ]
    assert sorted(lines[0]) == ["answer", "choices", "flavour", "index", "question"]
    assert main(["task", "hostile", str(out), "--policy", "multi_label=both", "--catalogue", str(catalogue)]) == 1
    assert main(["task", "hostile", str(out), "--policy", "neither=given", "--catalogue", str(catalogue)]) == 0
    assert len(pq.read_table(out / "hostile_corrected.parquet")) == 4


BENCHMARK = "/api/v1/datasets/hostile/corrected.benchmark"


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_it_is_an_address_with_the_bytes_of_the_command(
    site: httpx.Client, catalogue: Path, tmp_path: Path, ending: str
) -> None:
    policy = ["--policy", "neither=given"]
    for name in ("task", "export"):
        out = ["--out", str(tmp_path / f"hostile.benchmark.{ending}")] if name == "export" else [str(tmp_path)]
        assert main([name, "hostile", *out, *policy, "--catalogue", str(catalogue)]) == 0
    served = site.get(f"{BENCHMARK}.{ending}?neither=given").raise_for_status()
    assert served.content == (tmp_path / f"hostile_corrected.{ending}").read_bytes()
    assert served.content == (tmp_path / f"hostile.benchmark.{ending}").read_bytes()
    own = site.get(served.headers["content-location"]).raise_for_status()
    assert (own.content, own.headers["cache-control"][-9:]) == (served.content, "immutable")
    assert f'hostile-corrected-1-of-1-neither-given.benchmark.{ending}"' in served.headers["content-disposition"]
    digest = hashlib.sha256(served.content).hexdigest()
    assert f"{digest}  hostile-corrected" in site.get("/api/v1/datasets/hostile/corrected.sha256?neither=given").text


def test_it_says_what_its_policy_is(site: httpx.Client) -> None:
    told = pq.read_metadata(io.BytesIO(site.get(f"{BENCHMARK}.parquet?neither=given").content)).metadata
    assert json.loads(told[b"policy"])["neither"] == "given"
    assert (told[b"dataset"], told[b"answers"], told[b"licence"]) == (b"hostile", b"corrected", b"CC0")


def test_removed_questions_are_listed_without_an_answer(site: httpx.Client) -> None:
    lines = site.get(f"{BENCHMARK}.jsonl?removed=include").raise_for_status().text.splitlines()
    assert [json.loads(line)["answer"] for line in lines] == [1, 1, 0, None, None, None]
    assert len(site.get(f"{BENCHMARK}.jsonl").text.splitlines()) == 3


def test_what_has_no_such_form_is_refused(site: httpx.Client, catalogue: Path, sample_catalogue: Path) -> None:
    refused = body(site, f"{BENCHMARK}.jsonl", 409, multi_label="both")
    assert "A question has one answer in this form" in refused["detail"]
    assert f"{BENCHMARK}.jsonl" in [link.href for link in read(site, "/hostile/corrected").links]
    with serving(sample_catalogue) as address, httpx.Client(base_url=address, timeout=60) as other:
        found = body(other, "/api/v1/datasets/sample-digits/corrected.benchmark.parquet", 409)
        assert "Only questions with options have this form" in found["detail"]
        assert not any("benchmark" in link.href for link in read(other, "/sample-digits/corrected").links)


def _with_terms(catalogue: Path, terms: str, file: Path) -> Path:
    """The same dataset, with other terms of its questions."""
    (catalogue.parent / "terms.toml").write_text(MANIFEST.replace('"host"', f'"{terms}"'), encoding="utf-8")
    told = ["add", str(catalogue.parent / "terms.toml"), str(catalogue.parent), "--catalogue", str(file)]
    assert main(told) == 0
    return file


def test_questions_that_are_not_there_are_not_given_out(tmp_path: Path, catalogue: Path) -> None:
    file = _with_terms(catalogue, "none", tmp_path / "c.sqlite")
    with serving(file) as address, httpx.Client(base_url=address, timeout=60) as client:
        found = body(client, f"{BENCHMARK}.parquet", 409)["detail"]
    assert "The questions of Hostile are not in this catalogue" in found


def test_questions_that_may_not_be_shown_are_not_given_out_either(tmp_path: Path, catalogue: Path) -> None:
    file = _with_terms(catalogue, "local", tmp_path / "c.sqlite")
    with serving(file, public=True) as address, httpx.Client(base_url=address, timeout=60) as everyone:
        for ending in ("parquet", "jsonl"):
            assert "does not show the questions" in body(everyone, f"{BENCHMARK}.{ending}", 409)["detail"]
        assert not any("benchmark" in link.href for link in read(everyone, "/hostile/corrected").links)
        assert "benchmark" not in everyone.get("/api/v1/datasets/hostile/corrected.sha256").raise_for_status().text
        assert everyone.get("/api/v1/datasets/hostile/corrected.csv").status_code == 200
    with serving(file) as address, httpx.Client(base_url=address, timeout=60) as owner:
        assert owner.get(f"{BENCHMARK}.jsonl").status_code == 200


def test_an_address_without_an_ending_gives_the_labels(site: httpx.Client) -> None:
    """The benchmark shares its media types with them."""
    found = site.get("/api/v1/datasets/hostile/corrected", headers={"Accept": "application/x-ndjson"})
    assert sorted(json.loads(found.text.splitlines()[0])) == sorted(
        ["index", "key", "given", "given_name", "corrected", "corrected_name", "action", "category"]
    )
