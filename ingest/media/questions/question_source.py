"""Questions as media: each a small JSON object of text, options, and what the judge wrote of it."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ingest.media.items import MediaItem, MediaProblem, MediaSource, Wanted
from ingest.media.questions.judgements import ANSWER, REASON, SOURCE, TYPE, Judgements
from ingest.media.questions.read_questions import Question, Questions

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class QuestionSource(MediaSource):
    """The questions of a benchmark, to be stored with their options."""

    questions: Questions
    judged: Judgements | None  # what a judge says in their rows

    @property
    def sources(self) -> Sequence[Path]:
        """None besides those of the labels, which stand in the same rows."""
        return []

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:  # noqa: ARG002 - no work
        for index in sorted(wanted):
            yield question_item(index, self.questions.questions[index], judged=self.judged is not None)

    def labels(self, keyed: bool = False) -> None:
        """None: the given labels are read from the same rows."""

    def names(self) -> None:
        """None: one file holds many examples."""

    def notes(self) -> Sequence[str]:
        return [*self.questions.sentences(), *(() if self.judged is None else self.judged.sentences())]


def question_item(index: int, question: Question, *, judged: bool) -> MediaItem:
    """A question to store, and its text to search.

    Control characters mean nothing to a reader and trouble displays: each becomes U+FFFD, which shows that it was
    there; U+0085 and the like are ends of lines.
    """
    stored: dict[str, Any] = {"question": plain(question.text), "options": [plain(one) for one in question.options]}
    if judged:
        words = {"type": TYPE, "answer": ANSWER, "reason": REASON, "source": SOURCE}
        stored["judge"] = {name: plain(question.row.text(column)).strip() for name, column in words.items()}
    data = json.dumps(stored, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    line = " ".join(stored["question"].split())
    words_ = " ".join([stored["question"], *stored["options"]])
    return MediaItem(index, "question", "application/json", None, None, None, data, line, words_)


def plain(text: str) -> str:
    """A text without control characters.

    >>> plain("one\\u0085two\\r\\nthree\\x07")
    'one\\ntwo\\nthree\\ufffd'
    """
    text = re.sub("\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text)
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\t", " "))
