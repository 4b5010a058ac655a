"""A log of an evaluation harness answers the questions of a test set, or is refused."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from app.evaluation.prediction_rows import Target
from app.evaluation.tables.evaluation_logs import LogError, Sample, samples_of
from app.evaluation.tables.logged_answers import options_in_order

TEXTS = ["It’s the first?", "The second, isn't it?", "ثالث؟"]
KEYS = ["sea/0", "sea/1", "sea/2"]


def texts(indices: Sequence[int]) -> Mapping[int, str]:
    return {index: TEXTS[index] for index in indices}


TARGET = Target("Tides", 3, "ABCD", KEYS, may_be_empty=True, texts=texts)


def log(*docs: Mapping[str, Any], said: str = "BCD") -> list[Sample]:
    rows = [{"doc_id": n, "doc": doc, "filtered_resps": [said[n]]} for n, doc in enumerate(docs)]
    return samples_of((f"line {n + 1}", row) for n, row in enumerate(rows))


def test_the_questions_are_those_of_the_test_set() -> None:
    """Whatever their field is called, in whatever spaces, and with a sign that another encoding read otherwise."""
    docs = [{"subject": "sea", "query": "Q: ItÕs  the first?"}, {"question": "The second, isn't it? A. yes"}]
    assert options_in_order(log(*docs, {"prompt": TEXTS[2]}), TARGET) == [1, 2, 3]


@pytest.mark.parametrize("place", range(3))
def test_a_log_of_another_task_is_refused(place: int) -> None:
    docs = [{"question": text, "subject": "sea"} for text in TEXTS]
    docs[place] = {"question": "Which is the fourth?", "subject": "sea"}
    with pytest.raises(LogError, match=rf"line {place + 1}: expected question {place} of Tides, found 'Which is"):
        options_in_order(log(*docs), TARGET)


def test_the_same_questions_in_another_order_are_refused() -> None:
    with pytest.raises(LogError, match="line 1: expected question 0 of Tides"):
        options_in_order(log(*({"question": text} for text in TEXTS[::-1])), TARGET)


def test_a_log_of_our_own_file_says_which_questions_it_has() -> None:
    """A harness counts the lines of the file; the file says which examples they are."""
    own = [{"index": n, "question": TEXTS[n], "choices": ["a"] * 4, "answer": 0} for n in (2, 0, 1)]
    assert options_in_order(log(*own), TARGET) == [2, 3, 1]
    keyed = [{"key": KEYS[n], "question": TEXTS[n]} for n in (2, 0, 1)]
    assert options_in_order(log(*keyed), TARGET) == [2, 3, 1]
    with pytest.raises(LogError, match="line 3: expected each question once, found that of line 1 again"):
        options_in_order(log(keyed[0], keyed[1], keyed[0]), TARGET)


def test_a_part_of_the_questions_is_refused() -> None:
    with pytest.raises(LogError, match="expected the answers to 3 questions, found 2"):
        options_in_order(log({}, {}), TARGET)


def test_an_option_that_a_question_has_not_is_no_answer() -> None:
    docs = [{"question": text, "choices": ["yes", "no"]} for text in TEXTS]
    assert options_in_order(log(*docs), TARGET) == [1, -1, -1]
