"""MMLU on the site: questions with their options, subjects, one expert, fourteen models."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mlcroissant
import pytest

from app.site.by_rank.response_models import ErrorsByRankOut
from ingest.commands.main import main
from tests.app.reading import body, read
from tests.app.site.review.rounds import open_round
from tests.serving import serving

API = "/api/v1/datasets/mmlu"
SONNET = "anthropic/claude-3-5-sonnet-20240620"


@pytest.fixture(scope="module")
def mmlu(mmlu_catalogue: Path) -> Iterator[httpx.Client]:
    with serving(mmlu_catalogue) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def test_its_figures(mmlu: httpx.Client) -> None:
    dataset = body(mmlu, API)
    assert (dataset["size"], dataset["flagged"], dataset["checked"], dataset["errors"]) == (5_700, 281, 5_700, 370)
    assert round(dataset["percent_error"], 2) == 6.49
    assert dataset["agreements"] == [1]
    counts = dict(dataset["categories"]["1"])
    expected = {"correctable": 101, "multi_label": 39, "neither": 35, "non_agreement": 195}
    assert {name: counts[name] for name in expected} == expected
    assert "14" in read(mmlu, "/").words
    home = read(mmlu, "/")
    assert "language models" in home.words
    assert not any("corrected=" in link.href for link in home.links), "a letter of one question is none of another"


def test_models_by_original_and_corrected_answers(mmlu: httpx.Client) -> None:
    found = body(mmlu, f"{API}/stability")
    assert found["sizes"] == {"D": 5_700, "B": 5_330, "C": 101, "U": 269, "P": 5_431}
    models = {f"{one['platform']}/{one['name']}": one for one in found["models"]}
    assert len(models) == 14

    def three(key: str) -> list[float]:
        one = models[key]
        values = (one["all"]["original_top1"], one["pruned"]["corrected_top1"], one["pruned"]["original_top1"])
        return [round(100 * value, 2) for value in values]

    assert three(SONNET) == [86.47, 88.31, 87.30]
    assert three("anthropic/claude-3-opus-20240229") == [84.42, 86.14, 85.23]
    assert three("meta/llama-3.1-405b-instruct-turbo") == [84.40, 86.36, 85.42]
    assert three("openai/gpt-4o-2024-05-13") == [84.00, 85.80, 84.90]
    assert three("mistralai/mistral-large-2407") == [79.81, 81.51, 80.54]

    def on_c(key: str) -> list[float]:
        return [round(100 * models[key]["correctable"][kind], 2) for kind in ("original_top1", "corrected_top1")]

    assert on_c(SONNET) == [15.84, 70.30]
    assert on_c("writer/palmyra-x-004") == [11.88, 70.30]
    assert on_c("qwen/qwen2-72b-instruct") == [18.81, 61.39]


def test_one_answer_makes_no_top_five(mmlu: httpx.Client, site: httpx.Client) -> None:
    page = read(mmlu, "/mmlu/stability")
    assert not any("top=5" in link.href for link in page.links)
    assert "Acc@5" not in page.words
    assert "There is nothing to rank: fewer than five choices" in read(mmlu, "/mmlu/stability?top=5").words
    known = read(site, "/cifar10/stability")
    assert any("top=5" in link.href for link in known.links)
    assert "cRank@5" in known.words


def test_neighbours_at_the_top_cannot_be_told_apart(mmlu: httpx.Client) -> None:
    words = " ".join(read(mmlu, "/mmlu/stability").words.split())
    opus, llama = "anthropic/claude-3-opus-20240229", "meta/llama-3.1-405b-instruct-turbo"
    assert f"{opus} and {llama} cannot be told apart: 1 of 5,700 examples lie between them" in words
    assert f"{llama} and {opus} cannot be told apart: 12 of 5,431 examples lie between them, and 600 speak" in words


def test_controls_are_of_flagged_questions(mmlu: httpx.Client) -> None:
    """The expert judged all questions: 281 - 99 flagged ones are all right, and to most others the guess is the key."""
    found = body(mmlu, f"{API}/control")
    confirmed = found["non_errors"]
    assert confirmed["n"] == 182
    assert all(one["given"] + one["guessed"] + one["neither"] == 182 for one in confirmed["models"])
    assert min(one["neither"] for one in confirmed["models"]) >= 0
    page = read(mmlu, "/mmlu/stability")
    assert 'width="-' not in page.html
    assert "182 flagged examples whose given label the expert kept" in " ".join(page.words.split())
    # Confusions of a letter with another are none.
    assert found["systematic"] is None
    assert "Most frequent" not in page.words
    # The figure is of ImageNet's models.
    assert "S1a" not in page.words


def test_a_corrected_benchmark_is_offered_with_its_questions(mmlu: httpx.Client) -> None:
    page = read(mmlu, "/mmlu/corrected")
    words = " ".join(page.words.split())
    assert words.count("get the label that the expert settled on") == 2
    assert "reviewers agreed" not in words
    links = [link.href for link in page.links]
    assert all(f"{API}/corrected.benchmark.{ending}" in links for ending in ("parquet", "jsonl"))
    rows = [json.loads(line) for line in mmlu.get(f"{API}/corrected.benchmark.jsonl").text.splitlines()]
    assert len(rows) == 5_431
    assert sorted(rows[0]) == ["answer", "choices", "index", "key", "question", "subject"]
    croissant = body(mmlu, f"{API}/croissant.json")
    (questions,) = [one for one in croissant["recordSet"] if one["@id"] == "questions"]
    assert [field["name"] for field in questions["field"]] == ["index", "question", "choices", "answer"]
    assert "benchmark.parquet" in [file["@id"] for file in croissant["distribution"]]


def test_croissant_reads_questions_with_their_options(mmlu: httpx.Client, tmp_path: Path) -> None:
    described = body(mmlu, f"{API}/croissant.json")
    (file,) = [one for one in described["distribution"] if one["@id"] == "benchmark.parquet"]
    (tmp_path / "questions.parquet").write_bytes(mmlu.get(file["contentUrl"]).content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        mapping = {"benchmark.parquet": str(tmp_path / "questions.parquet")}
        dataset = mlcroissant.Dataset(jsonld=described, mapping=mapping)
        assert not dataset.metadata.ctx.issues.errors
        record = next(iter(dataset.records("questions")))
    assert (record["questions/index"], record["questions/answer"]) == (1, 2)
    choices = [one.decode() if isinstance(one, bytes) else one for one in record["questions/choices"]]
    assert choices == ["True, True", "False, False", "True, False", "False, True"]


def test_virology_comes_first(mmlu: httpx.Client) -> None:
    found = body(mmlu, f"{API}/slices")
    assert (found["column"], found["total"]) == ("subject", 57)
    rates = [one["error_rate"] for one in found["items"]]
    assert rates == sorted(rates, reverse=True)
    virology = found["items"][0]
    assert (virology["name"], virology["examples"], virology["errors"], virology["pruned"]) == ("virology", 100, 57, 76)
    sonnet = next(one for one in virology["models"] if one["model"] == SONNET)
    assert [round(100 * sonnet[kind], 2) for kind in ("original", "corrected")] == [53.95, 86.84]
    assert all(one["interval"][0] > 0 for one in virology["models"])
    words = " ".join(read(mmlu, "/mmlu/slices").words.split())
    assert "Corrected, the scores of all 14 models rise by 30 to 38 points, like for like on the 76 examples" in words
    assert sum(one["errors"] for one in found["items"]) == 370


def test_held_back_questions_are_in_no_count_of_a_subject(mmlu_catalogue: Path, tmp_path: Path) -> None:
    """The difference of a count to the list that it leads to would be their verdicts, and so would scores."""
    with open_round(mmlu_catalogue, tmp_path, "mmlu", "--votes", "1", "--lowest", "30", raters=1) as found:
        told: Any = body(found.http, f"{API}/slices")
        assert sum(one["examples"] for one in told["items"]) == 5_700 - 30
        assert all(one["models"] == [] for one in told["items"])
        errors: Any = body(found.http, f"{API}/issues", category="error", limit=1)
        assert sum(one["errors"] for one in told["items"]) == errors["total"] == 340
        for one in told["items"][:12]:
            for category, n in (("error", one["errors"]), ("correctable", one["correctable"])):
                listed = body(found.http, f"{API}/issues", subject=one["name"], category=category, limit=1)
                assert listed["total"] == n, (one["name"], category)
        assert all(one["pruned"] == one["examples"] - one["errors"] + one["correctable"] for one in told["items"])
        words = " ".join(read(found.http, f"/mmlu/slices?model={SONNET}").words.split())
        assert f"is shown again when the round {found.name} is closed" in words
        assert "Scores of" not in words


def test_a_subject_without_a_difference_claims_none(mmlu: httpx.Client) -> None:
    words = " ".join(read(mmlu, "/mmlu/slices?subject=anatomy").words.split())
    assert "Whether correcting the labels changes any score cannot be told" in words


def test_subjects_are_a_filter_by_their_own_name(mmlu: httpx.Client) -> None:
    issues = body(mmlu, f"{API}/issues", subject="virology", category="error", limit=100)
    assert issues["total"] == 57
    assert body(mmlu, f"{API}/issues", slice="virology", category="error")["total"] == 57
    page = read(mmlu, "/mmlu?subject=virology&category=correctable")
    assert "33 correctable issues of MMLU of the subject virology, as one expert judged" in " ".join(page.words.split())
    assert any(link.href == "/mmlu?category=correctable" for link in page.links), "without the subject"
    problem = body(mmlu, f"{API}/issues", 400, subject="virolgy")
    assert (problem["parameter"], problem["allowed"][0]) == ("subject", "virology")
    assert body(mmlu, f"{API}/issues", 400, subject="virology", slice="anatomy")["status"] == 400


def test_facets_say_nothing_of_letters(mmlu: httpx.Client) -> None:
    page = read(mmlu, "/mmlu?category=any")
    headings = page.headings("h2")
    assert "Subject" in headings
    assert "The expert said" in headings
    assert not {"Given label", "Guessed label", "Corrected label"} & set(headings)
    corrections = read(mmlu, "/mmlu/confusions")
    assert "101 questions whose answer key is wrong" in corrections.words
    assert "A · Case series report" in corrections.words
    pages = [mmlu.get(f"/mmlu/confusions?page={n}").text for n in (1, 2, 3)]
    assert [page.count("<tr><td") for page in pages] == [40, 40, 21]
    assert mmlu.get("/mmlu/confusions?page=4").status_code == 400


def test_an_issue_shows_its_options(mmlu: httpx.Client) -> None:
    """Virology 25: the key says a case series, the expert and all models a cohort study."""
    page = read(mmlu, "/mmlu/issues/5525")
    words = " ".join(page.words.split())
    assert "A Case series report given 0 of 14 models" in words
    assert "B Cohort study corrected 14 of 14 models" in words
    assert "One expert: wrong answer key" in words
    assert "Bad annotation" in words
    assert " of 1 " not in words
    assert "the given label, which the expert corrected; 14 predict the corrected one" in words
    assert "the expert corrected it" in read(mmlu, "/mmlu?category=any&models=7").words
    found = body(mmlu, f"{API}/issues/5525")
    assert found["question"]["options"][1] == "Cohort study"
    assert found["question"]["judge"]["answer"] == "B"
    assert found["answers"][1]["answer"] == "wrong answer key"
    assert (found["key"], found["corrected"]["name"]) == ("virology/25", "B")


def test_no_answer_is_shown_as_none(mmlu: httpx.Client, mmlu_catalogue: Path) -> None:
    import sqlite3

    import numpy as np

    with sqlite3.connect(mmlu_catalogue) as connection:
        rows = connection.execute(
            "SELECT i.idx, p.top FROM issues i JOIN predictions p ON p.issue_id = i.id"
        ).fetchall()
    connection.close()
    index = next(idx for idx, top in rows if (np.frombuffer(top, "<i4") < 0).any())
    words = " ".join(read(mmlu, f"/mmlu/issues/{index}").words.split())
    assert "no answer, which counts as wrong" in words
    models = body(mmlu, f"{API}/issues/{index}")["models"]
    assert None in [one["predicted"] for one in models]


def test_flags_are_held_to_the_experts_judgement(mmlu: httpx.Client) -> None:
    """All questions were judged, so recall is known: 65 of the 107 wrong keys are flagged, 99 of 370 errors."""
    found = body(mmlu, f"{API}/ranks")
    assert ErrorsByRankOut.model_validate(found).model_dump(mode="json") == found | {"held_back": None}
    flags = {one["kind"]: one for one in found["flags"]}
    counts = {kind: (one["flagged"], one["errors"]) for kind, one in flags.items()}
    assert counts == {
        "any error": (99, 370),
        "unclear question": (16, 132),
        "wrong answer key": (65, 107),
        "several correct answers": (7, 39),
        "no correct answer": (5, 35),
        "not judged: needs an expert": (4, 32),
        "unclear options": (2, 25),
    }
    assert {one["of_flagged"] for one in found["flags"]} == {281}
    wrong = flags["wrong answer key"]
    assert [round(wrong[one], 4) for one in ("recall", "precision")] == [0.6075, 0.2313]
    last = found["bins"][-1]
    assert (last["recall"], round(last["precision"], 4)) == (1.0, 0.0649)
    recalls = [one["recall"] for one in found["bins"]]
    assert recalls == sorted(recalls)
    words = " ".join(read(mmlu, "/mmlu/ranks").words.split())
    assert "It flagged 281: 99 of them are errors, of 370 in all." in words
    assert "Wrong answer key1076561" in words


def test_the_published_figures_are_reproduced(
    mmlu: httpx.Client, mmlu_catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = " ".join(read(mmlu, "/reproduction").words.split())
    assert "Per cent of the questions on virology with an error5757= same" in words
    assert main(["reproduce", "--catalogue", str(mmlu_catalogue)]) == 0
    assert capsys.readouterr().out.count("SAME     MMLU-Redux") == 9


def test_an_evaluation_log_is_measured(
    mmlu: httpx.Client, mmlu_catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log that says A to every question: right where the key does."""
    log = tmp_path / "samples_mmlu.jsonl"
    rows = [
        {"doc_id": n, "doc": {}, "filtered_resps": [[-1.0, True], [-2.0, False], [-3.0, False], [-4.0, False]]}
        for n in range(5_700)
    ]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["evaluate", "mmlu", str(log), "--json", "--catalogue", str(mmlu_catalogue)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert round(found["accuracy"]["all"]["original_top1"] * 5_700) == 1_298
    helm = tmp_path / "display_predictions.json"
    helm.write_text(json.dumps([{"instance_id": f"id{n}", "predicted_text": " A", "stats": {}} for n in range(5_700)]))
    assert main(["evaluate", "mmlu", str(helm), "--json", "--catalogue", str(mmlu_catalogue)]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == found["accuracy"]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows[:-1]))
    assert main(["evaluate", "mmlu", str(log), "--catalogue", str(mmlu_catalogue)]) == 1
    assert "expected the answers to 5,700 questions, found 5,699" in capsys.readouterr().err


def test_empty_answers_of_a_table_count_as_wrong_and_are_told(
    mmlu: httpx.Client, mmlu_catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A to every question is right 1,298 times; 13 of these are the first 57, which stay without an answer here."""
    rows = [{"index": n, "prediction": "A" if n >= 57 else ""} for n in range(5_700)]
    table = "index,prediction\n" + "".join(f"{row['index']},{row['prediction']}\n" for row in rows)
    file = tmp_path / "answers.csv"
    file.write_text(table)
    told = mmlu.post(f"{API}/evaluate", files={"file": ("answers.csv", table)}).raise_for_status().json()
    assert told["no_answer"] == 57
    assert round(told["accuracy"]["all"]["original_top1"] * 5_700) == 1_298 - 13
    assert main(["evaluate", "mmlu", str(file), "--catalogue", str(mmlu_catalogue)]) == 0
    assert "57 of 5,700 answers are none, or name no option, and count as wrong" in capsys.readouterr().out
    page = mmlu.post("/mmlu/evaluate", files={"file": ("answers.csv", table)}).raise_for_status().text
    assert "To 57 of the 5,700 questions your model gave no answer" in " ".join(page.split())
    nothing = "prediction,index\n" + "".join(f",{n}\n" for n in range(5_700))
    refused = mmlu.post(f"{API}/evaluate", files={"file": ("answers.csv", nothing)})
    assert (refused.status_code, "found empty cells only" in refused.text) == (422, True)
