"""From models' answers to suspects: a table of answers, or logs as evaluation harnesses write them."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from ingest.commands.main import main

MODELS = ("maker/one", "maker/two", "other/three", "other/four", "fifth/five")
N = 40
#: The key is the number of the question modulo four; that of question 7 is wrong: all models say A.
KEY = [n % 4 for n in range(N)]


def answer(model: int, question: int) -> int:
    if question == 7:
        return 0
    return (KEY[question] + 1) % 4 if question % 10 == model else KEY[question]


def sample(model: int, question: int, form: str) -> dict[str, Any]:
    said = answer(model, question)
    doc = {"question": f"Question {question}?", "choices": ["a", "b", "c", "d"], "answer": KEY[question]}
    row: dict[str, Any] = {"doc_id": question, "doc": doc, "target": "ABCD"[KEY[question]]}
    if form == "likelihoods":
        row["filtered_resps"] = [[-1.5 if option == said else -9.0, False] for option in range(4)]
    elif form == "texts of likelihoods":
        row["filtered_resps"] = [["-1.5" if option == said else "-9.0", "False"] for option in range(4)]
    else:
        row["filtered_resps"] = [f"The answer is {'ABCD'[said]}."]
    return row


def write_logs(folder: Path, form: str = "likelihoods") -> Path:
    for model, name in enumerate(MODELS):
        (folder / name).mkdir(parents=True)
        # Harnesses write what ran first, not what comes first.
        rows = [sample(model, question, form) for question in reversed(range(N))]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / name / "samples_quiz_2024-01-01.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("form", ["likelihoods", "texts of likelihoods", "words"])
def test_the_wrong_key_is_the_first_suspect(tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "suspects.csv"
    assert main(["audit", str(write_logs(tmp_path / "logs", form)), "--rule", "1", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "5 models answered 40 questions; 0 answers name no option and count as wrong" in told
    assert "  7: key D, 5 of 5 models say A: Question 7?" in told
    with out.open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["id"], row["question"], row["given"], row["guessed"]) == ("7", "Question 7?", "D", "A")
    assert (row["votes_given"], row["votes_guessed"], row["answers"], row["rank"]) == ("0", "5", "5", "1")


def changed(folder: Path, change: Any) -> None:
    file = folder / MODELS[2] / "samples_quiz_2024-01-01.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(row) + "\n" for row in change(rows)))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda rows: rows[1:], "expected the questions of"),
        (lambda rows: [*rows, rows[0]], "line 41: expected each question once, found 39 in line 1 too"),
        (lambda rows: [rows[0] | {"doc": {"question": "Another?", "answer": 3}}, *rows[1:]], "found another"),
        (
            lambda rows: [rows[0] | {"filtered_resps": [["x", False], ["y", False]]}, *rows[1:]],
            "line 1: expected the likelihood",
        ),
        (lambda rows: [{"doc_id": 1}, *rows[1:]], "line 1: expected doc_id and filtered_resps"),
    ],
)
def test_logs_that_do_not_fit_are_refused(
    tmp_path: Path, change: Any, finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(write_logs(tmp_path / "logs"), change)
    assert main(["audit", str(tmp_path / "logs")]) == 1
    error = capsys.readouterr().err
    assert finding in error
    assert "samples_quiz" in error


def copied(folder: Path, task: str, models: tuple[str, ...] = MODELS) -> None:
    """The same logs as those of another task, of which question 7 has the key that the models say."""
    for model in models:
        text = (folder / model / "samples_quiz_2024-01-01.jsonl").read_text().replace("Question", task)
        rows = [json.loads(line) for line in text.splitlines()]
        for row in rows:
            if row["doc_id"] == 7:
                row["doc"]["answer"], row["target"] = 0, "A"
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / model / f"samples_{task}_2024-01-01.jsonl").write_text(text)


def test_logs_of_two_tasks_are_not_mixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_logs(tmp_path / "logs")
    copied(folder, "other", MODELS[:1])
    assert main(["audit", str(folder)]) == 1
    assert "found 2: other, quiz" in capsys.readouterr().err
    assert main(["audit", str(folder), "--task", "quiz", "--rule", "1"]) == 0
    assert "  7: key D, 5 of 5 models say A" in capsys.readouterr().out
    assert main(["audit", str(folder), "--task", "*"]) == 1
    assert "found none of fifth/five to other" in capsys.readouterr().err
    assert main(["audit", str(folder), "--task", "mmlu_*"]) == 1


def test_tasks_of_a_group_are_audited_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As harnesses write a benchmark of many subjects: a file for each of them in the folder of each model."""
    folder = write_logs(tmp_path / "logs")
    copied(folder, "quick")
    assert main(["audit", str(folder), "--task", "qui*", "--rule", "1"]) == 0
    told = capsys.readouterr().out
    assert "5 models answered 80 questions of 2 tasks; 0 answers" in told
    assert "  quiz/7: key D, 5 of 5 models say A: Question 7?" in told


def each(change: Any) -> Any:
    """A change of the rows of all logs: of (row, what the model said) into one row."""

    def write(folder: Path) -> Path:
        for model, name in enumerate(MODELS):
            if not model:
                write_logs(folder)
            file = folder / name / "samples_quiz_2024-01-01.jsonl"
            rows = [json.loads(line) for line in file.read_text().splitlines()]
            file.write_text("".join(json.dumps(change(row, answer(model, row["doc_id"]))) + "\n" for row in rows))
        return folder

    return write


def scored(row: dict[str, Any], said: int) -> dict[str, Any]:
    return row | {"acc": float(said == KEY[row["doc_id"]])}


def counted_from_one(row: dict[str, Any], said: int) -> dict[str, Any]:
    """As social_iqa has it: the field of the question counts from 1, the target from 0."""
    key = row["doc"].pop("answer")
    row["doc"]["label"] = str(key + 1)
    return scored(row, said) | {"target": str(key)}


def worded(row: dict[str, Any], said: int) -> dict[str, Any]:
    """The target is the wording of an option, and that of another option by its number."""
    wordings = ["2", "3", "0", "1"]
    row["doc"] = {"question": row["doc"]["question"]}
    asked = {f"gen_args_{place}": {"arg_0": "Q", "arg_1": f" {text}"} for place, text in enumerate(wordings)}
    return scored(row, said) | {"target": wordings[KEY[row["doc_id"]]], "arguments": asked}


def with_mutual_information(row: dict[str, Any], said: int) -> dict[str, Any]:
    """Behind the options' likelihoods stand those without the question, which are higher."""
    return scored(row, said) | {
        "acc_mutual_info": 1.0,
        "filtered_resps": [*row["filtered_resps"], *[[-0.1, False]] * 4],
    }


@pytest.mark.parametrize("form", [counted_from_one, worded, with_mutual_information])
def test_the_key_is_what_the_harness_held_answers_to(
    tmp_path: Path, form: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(each(form)(tmp_path / "logs")), "--rule", "1"]) == 0
    told = capsys.readouterr().out
    assert "  7: key D, 5 of 5 models say A: Question 7?" in told
    assert "   90.00 %  fifth/five" in told or "   87.50 %  fifth/five" in told


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda row, said: scored(row, said) | {"acc": 1.0}, "expected scores that follow from answers and key, found"),
        (lambda row, said: row | {"filtered_resps": [[-3.2, False]]}, "expected the likelihoods of several options"),
        (lambda row, said: row | {"filtered_resps": [[-1.0, False]] * 27}, "expected at most 26 options, found 27"),
        (
            lambda row, said: row | {"filtered_resps": ["I cannot say"]},
            "expected answers that name options, found none",
        ),
        (lambda row, said: row | {"target": f"{row['target']}{said}", "doc": {}}, "as target, as "),
    ],
    ids=["scores", "one option", "27 options", "no answers", "targets"],
)
def test_logs_that_say_something_else_are_refused(
    tmp_path: Path, change: Any, finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(each(change)(tmp_path / "logs"))]) == 1
    assert finding in capsys.readouterr().err


def test_an_option_that_a_question_has_not_is_no_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(row: dict[str, Any], said: int) -> dict[str, Any]:
        return row | {"filtered_resps": ["I" if row["doc_id"] == 3 else f"({'ABCD'[said]})"]}

    out = tmp_path / "suspects.csv"
    assert main(["audit", str(each(change)(tmp_path / "logs")), "--rule", "1", "--out", str(out)]) == 0
    assert "40 questions; 5 answers name no option" in capsys.readouterr().out
    # With four options the smoothed share of five votes is 5.25 / 6, against 0.25 / 6 for the key.
    (row,) = csv.DictReader(out.read_text().splitlines())
    assert float(row["normalized_margin"]) == pytest.approx(-5 / 6)


def test_answers_of_one_filter_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_logs(tmp_path / "logs", "words")
    for file in folder.rglob("*.jsonl"):
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        twice = [row | {"filter": "strict"} for row in rows] + [
            row | {"filter": "lax", "filtered_resps": ["A"]} for row in rows
        ]
        file.write_text("".join(json.dumps(row) + "\n" for row in twice))
    assert main(["audit", str(folder)]) == 1
    assert "expected the answers of one filter, found lax, strict" in capsys.readouterr().err
    assert main(["audit", str(folder), "--filter", "strict", "--rule", "1"]) == 0
    assert "  7: key D, 5 of 5 models say A" in capsys.readouterr().out
    assert main(["audit", str(folder), "--filter", "none"]) == 1
    assert "found none of the filter 'none', but of lax, strict" in capsys.readouterr().err


def test_logs_of_older_harnesses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Until 0.4.2 a log was one list, in a file called by the model's arguments, beside those of others."""
    for model, name in enumerate(MODELS):
        rows = [sample(model, question, "likelihoods") for question in range(N)]
        file = tmp_path / f"pretrained__{name.replace('/', '__')}_quiz.jsonl"
        file.write_text(json.dumps(rows, indent=2))
    assert main(["audit", str(tmp_path), "--rule", "1"]) == 0
    told = capsys.readouterr().out
    assert "  7: key D, 5 of 5 models say A: Question 7?" in told
    assert "pretrained__fifth__five_quiz" in told


def test_no_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(tmp_path)]) == 1
    assert "expected files like samples_TASK_TIME.jsonl" in capsys.readouterr().err


# flag --votes


@pytest.fixture(scope="module")
def answers(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The 14 models' answers to MMLU, and its key."""
    folder = tmp_path_factory.mktemp("votes")
    with (shared / "mmlu-redux/outputs/multi_expert_helm/all.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    models = list(rows[0])[4:18]
    with (folder / "answers.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([models, *([row[model] for model in models] for row in rows)])
    key = ["label", *("ABCD"[int(row["groundtruth_answer"])] for row in rows)]
    (folder / "key.csv").write_text("\n".join(key) + "\n")
    return folder / "answers.csv", folder / "key.csv"


@pytest.mark.parametrize(("rule", "n"), [("calibrated", 281), ("prune_by_class", 281), ("argmax", 740)])
def test_votes_are_flagged_as_measured(
    answers: tuple[Path, Path], rule: str, n: int, capsys: pytest.CaptureFixture[str]
) -> None:
    table, key = map(str, answers)
    assert main(["flag", "--votes", table, "--labels", key, "--rule", rule]) == 0
    told = capsys.readouterr().out
    assert f"flagged by {rule}: {n:,} " in told
    assert "examples 5,700, classes 4" in told, "some models say I, or Z, which is no option of four"
    assert "14 models answered 5,700 questions; 207 of 79,800 answers name no option" in told


@pytest.mark.parametrize("more", [["probs.npy"], ["--logits"], ["--multiple"], ["--and", "probs.npy"]])
def test_votes_go_with_no_matrix(
    answers: tuple[Path, Path], more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    table, key = map(str, answers)
    assert main(["flag", *more, "--votes", table, "--labels", key]) == 1
    assert "--votes: expected no matrix" in capsys.readouterr().err


def test_neither_matrix_nor_votes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flag", "--labels", "key.csv"]) == 1
    assert "expected MATRIX or --votes, found neither" in capsys.readouterr().err


def test_a_column_that_holds_no_answers_is_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It would vote like one."""
    (tmp_path / "key.csv").write_text("label\n" + "A\nB\nC\nD\n" * 5)
    told = ["flag", "--votes", str(tmp_path / "votes.csv"), "--labels", str(tmp_path / "key.csv")]
    for column, cells in {
        "id": [str(n) for n in range(20)],
        "row": [str(n + 1) for n in range(20)],
        "number": [str(3 * n) for n in range(20)],
        "question": [f"Which of {n}?" for n in range(20)],
    }.items():
        rows = [f"{cell},{'ABCD'[n % 4]}" for n, cell in enumerate(cells)]
        (tmp_path / "votes.csv").write_text("\n".join([f"{column},gpt", *rows]) + "\n")
        assert main(told) == 1
        error = capsys.readouterr().err
        assert (
            f"expected answers of a model in each column, found '{cells[9] if column == 'number' else cells[0]}'"
            in error
        )
        assert f"in '{column}'" in error


def test_whose_votes_were_counted_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "key.csv").write_text("label\n" + "A\nB\nC\nD\n" * 5)
    rows = [f"{'ABCD'[n % 4]},{'ABDC'[n % 4]},{'ABCD'[n % 4] if n else 'The'}" for n in range(20)]
    (tmp_path / "votes.csv").write_text("\n".join(["key,gpt,llama", *rows]) + "\n")
    assert main(["flag", "--votes", str(tmp_path / "votes.csv"), "--labels", str(tmp_path / "key.csv")]) == 0
    told = capsys.readouterr().out
    assert "3 models answered 20 questions; 1 of 60 answers name no option and count as wrong: key, gpt, llama" in told
    assert "warning: key gives the label in every row" in told
    assert "warning: gpt" not in told
    assert "count from 1" not in told
    (tmp_path / "key.csv").write_text("label\n" + "1\n2\n3\n4\n" * 5)
    assert main(["flag", "--votes", str(tmp_path / "votes.csv"), "--labels", str(tmp_path / "key.csv")]) == 0
    told = capsys.readouterr().out
    assert "warning: no label is the first option, which models chose 14 times: do labels count from 1?" in told
