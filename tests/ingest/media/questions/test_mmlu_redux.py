"""MMLU-Redux as its public repository has it: every file, every answer, every published figure."""

import csv
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from app.domain.confident_learning.joint import FlagRule
from app.domain.review.error_types import ErrorType
from ingest.commands.main import main
from ingest.datasets.load import Inputs, load
from ingest.errors import DataError
from ingest.flagging.engine import flag
from ingest.media.questions.option_lists import Spelling
from ingest.pipeline import jobs_of_release
from ingest.progress import Lines


@pytest.fixture(scope="module")
def mmlu(shared: Path) -> Inputs:
    (job,) = jobs_of_release(shared / "mmlu-redux", None, [])
    return load(job.manifest, job.folder, Lines())


@pytest.fixture
def clone(shared: Path, tmp_path: Path) -> Path:
    """A copy of three subjects, to damage."""
    folder = tmp_path / "mmlu-redux"
    (folder / "mmlu_redux").mkdir(parents=True)
    for subject in ("virology", "econometrics", "moral_scenarios"):
        shutil.copy(shared / f"mmlu-redux/mmlu_redux/mmlu_{subject}.csv", folder / "mmlu_redux")
    return folder


def types_of(mmlu: Inputs) -> np.ndarray:
    return np.array([review.ballot.error_type for review in mmlu.reviews])


def test_a_clone_is_known_by_what_is_in_it(shared: Path) -> None:
    assert [job.manifest.name for job in jobs_of_release(shared / "mmlu-redux", None, [])] == ["mmlu"]
    assert "mmlu" not in [job.manifest.name for job in jobs_of_release(shared / "label-errors", None, [])]


def test_every_question_of_all_files(mmlu: Inputs) -> None:
    assert mmlu.size == 5_700
    assert mmlu.slices is not None
    assert len(mmlu.slices.names) == 57
    assert np.bincount(mmlu.slices.numbers).tolist() == [100] * 57
    assert mmlu.keys is not None
    assert mmlu.keys[0] == "abstract_algebra/0"
    assert mmlu.keys[5_525] == "virology/25"
    assert mmlu.benchmark is not None
    files = {read.file.stem: read for read in mmlu.benchmark.questions.files}
    assert sum(read.separator == "semicolons" for read in files.values()) == 9
    assert [name for name, read in files.items() if read.encoding != "utf-8"] == ["mmlu_moral_scenarios"]
    assert mmlu.benchmark.questions.options_in == {"as Python writes them": 5_570, "in JSON": 130}


def test_mac_roman_is_read_as_such(mmlu: Inputs) -> None:
    assert mmlu.benchmark is not None
    texts = [question.text for question in mmlu.benchmark.questions.questions]
    assert sum("sister\N{RIGHT SINGLE QUOTATION MARK}s" in text for text in texts) > 0
    assert not any("Õ" in text for text in texts)
    assert any("\x85" in text for text in texts), "ends of lines that split no row"


def test_what_had_to_be_interpreted_is_told(mmlu: Inputs) -> None:
    assert mmlu.benchmark is not None
    assert mmlu.benchmark.judged is not None
    assert mmlu.benchmark.questions.spellings == {Spelling.INDEX: 5_700}
    found = mmlu.benchmark.judged.spellings
    assert found == {
        Spelling.INDEX: 350,
        Spelling.LETTER: 56,
        Spelling.SEVERAL: 26,
        Spelling.TEXT: 42,
        Spelling.NONE: 5_226,
    }
    assert "judged: 5,330 all right, 107 wrong answer key, 39 several" in mmlu.benchmark.judged.sentences()[0]


def test_types_and_categories_are_those_published(mmlu: Inputs) -> None:
    types = types_of(mmlu)
    counts = {one: int((types == one).sum()) for one in ErrorType}
    assert counts == {
        ErrorType.OK: 5_330,
        ErrorType.WRONG_GROUND_TRUTH: 107,
        ErrorType.MULTIPLE_CORRECT_ANSWERS: 39,
        ErrorType.NO_CORRECT_ANSWER: 35,
        ErrorType.BAD_QUESTION_CLARITY: 132,
        ErrorType.BAD_OPTIONS_CLARITY: 25,
        ErrorType.EXPERT: 32,
    }
    categories = [review.ballot.verdict(1).category.value for review in mmlu.reviews]
    found = {name: categories.count(name) for name in sorted(set(categories))}
    assert found == {"correctable": 101, "multi_label": 39, "neither": 35, "non_agreement": 195, "non_error": 5_330}
    assert mmlu.slices is not None
    virology = mmlu.slices.numbers == mmlu.slices.names.index("virology")
    assert int((types[virology] != ErrorType.OK).sum()) == 57


def test_what_the_judge_names_beside_each_type(mmlu: Inputs) -> None:
    """Of 107 wrong keys 101 name another answer, 5 none and one the given one; 286 that are all right name one too."""
    assert mmlu.benchmark is not None
    wrong = [review.ballot for review in mmlu.reviews if review.ballot.error_type is ErrorType.WRONG_GROUND_TRUTH]
    assert sum(not ballot.named for ballot in wrong) == 5
    assert sum(ballot.named == {ballot.given} for ballot in wrong) == 1
    assert sum(len(ballot.named) == 1 and ballot.given not in ballot.named for ballot in wrong) == 101
    questions = mmlu.benchmark.questions.questions
    right = [questions[review.index] for review in mmlu.reviews if review.ballot.error_type is ErrorType.OK]
    assert sum(bool(question.row.text("correct_answer").strip()) for question in right) == 286


def test_texts_do_not_tell_questions_apart(mmlu: Inputs, shared: Path) -> None:
    """48 occur more than once, 52 rows too many, and 24 are written otherwise beside the models' answers."""
    assert mmlu.benchmark is not None
    texts = [question.text for question in mmlu.benchmark.questions.questions]
    counts = Counter(texts)
    assert (sum(n > 1 for n in counts.values()), len(texts) - len(counts)) == (48, 52)
    with (shared / "mmlu-redux/outputs/multi_expert_helm/all.csv").open(newline="", encoding="utf-8") as stream:
        beside = [row["question"] for row in csv.DictReader(stream)]
    assert sum(one != other for one, other in zip(texts, beside, strict=True)) == 24
    assert "32 questions more than once, with the same options" in mmlu.benchmark.questions.sentences()


def test_a_wrong_key_that_names_itself_corrects_nothing(mmlu: Inputs) -> None:
    assert mmlu.keys is not None
    review = mmlu.reviews[mmlu.keys.index("global_facts/13")]
    assert (review.ballot.error_type, review.ballot.verdict(1).category) == (
        ErrorType.WRONG_GROUND_TRUTH,
        "non_agreement",
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (FlagRule.CALIBRATED, (281, 65, 99)),
        (FlagRule.PRUNE_BY_CLASS, (281, 74, 106)),
        (FlagRule.ARGMAX, (740, 89, 169)),
    ],
)
def test_the_committee_flags_what_was_measured(mmlu: Inputs, rule: FlagRule, expected: tuple[int, int, int]) -> None:
    assert mmlu.matrix is not None
    assert mmlu.labels is not None
    assert mmlu.labels.ids is not None
    types, found = types_of(mmlu), flag(mmlu.labels.ids, mmlu.matrix, rule, lambda _: None)
    wrong, error = types == ErrorType.WRONG_GROUND_TRUTH, types != ErrorType.OK
    assert (found.n_flagged, int(wrong[found.flagged].sum()), int(error[found.flagged].sum())) == expected


def test_the_committee_ranks_wrong_keys_first(mmlu: Inputs) -> None:
    """Area under the ROC: how often a wrong key has a lower margin than another, ties counted half."""
    assert mmlu.flagging is not None
    wrong = types_of(mmlu) == ErrorType.WRONG_GROUND_TRUTH
    ours, others = mmlu.flagging.margins[wrong][:, None], mmlu.flagging.margins[~wrong][None, :]
    assert round(float(((ours < others) + (ours == others) / 2).mean()), 3) == 0.909


def test_answers_are_joined_by_place(mmlu: Inputs) -> None:
    assert mmlu.answers is not None
    assert mmlu.labels is not None
    assert len(mmlu.answers.models) == 14
    # Empty 172 times, and 35 times "The", "I", "40" or, among letters, "2".
    assert mmlu.answers.n_missing == 207
    sonnet = mmlu.answers.options[:, mmlu.answers.models.index("anthropic/claude-3-5-sonnet-20240620")]
    assert round(100 * float((sonnet == mmlu.labels.ids).mean()), 2) == 86.47


def damaged(clone: Path, subject: str, before: bytes, after: bytes) -> None:
    file = clone / f"mmlu_redux/mmlu_{subject}.csv"
    content = file.read_bytes()
    assert before in content
    file.write_bytes(content.replace(before, after, 1))


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        (b",Wrong Groundtruth,", b",Wrongish,", "line 27: expected an error type (ok, wrong groundtruth"),
        (
            b'[""Strong family support""',
            b'[""Strong family support',
            "line 2: expected a list of options, in JSON or as Python",
        ),
        (b",3,OK,Epidemiology", b",4,OK,Epidemiology", "line 2: expected an option, 0 to 3 or A to D, found '4'"),
        (b"error_type", b"kind", "line 2: expected a column 'error_type'"),
    ],
)
def test_what_cannot_be_read_is_refused_by_file_and_row(clone: Path, before: bytes, after: bytes, finding: str) -> None:
    damaged(clone, "virology", before, after)
    (job,) = jobs_of_release(clone, None, [])
    manifest = job.manifest.model_copy(update={"size": None})
    with pytest.raises(DataError) as error:
        load(manifest, clone, Lines())
    assert "mmlu_virology.csv: " in str(error.value)
    assert finding in str(error.value)


def test_a_missing_subject_is_not_overlooked(clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", str(clone), "--catalogue", str(tmp_path / "c.sqlite")]) == 1
    assert "expected the labels of 5700 examples, found 300" in capsys.readouterr().err


def test_answers_in_another_order_are_refused(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mmlu-redux"
    shutil.copytree(shared / "mmlu-redux", folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    first = folder / "mmlu_redux/mmlu_abstract_algebra.csv"
    first.parent.chmod(0o755)
    first.rename(first.with_name("mmlu_zoology.csv"))
    (job,) = jobs_of_release(folder, None, [])
    with pytest.raises(DataError, match=r"all\.csv: line \d+: expected .* as the question in this place"):
        load(job.manifest, folder, Lines())
