"""What an example holds that is neither a picture nor a sound nor a text: the values of a row, or a question."""

from typing import Final, NamedTuple

#: The modality of datasets whose examples are multiple-choice questions.
QUESTION: Final = "question"
#: The letters of options, in order.
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class RowValue(NamedTuple):
    """A value in a row of a table, None where it is missing, and what is unusual about it for the given label."""

    column: str
    value: float | str | None
    unusual: str | None


class Judge(NamedTuple):
    """What the one judge of a question wrote: the type of error, the answer in words, a reason, a source."""

    type: str
    answer: str
    reason: str
    source: str


class Question(NamedTuple):
    """A multiple-choice question; a class is the number of an option."""

    text: str
    options: tuple[str, ...]
    judge: Judge | None

    def option(self, class_id: int) -> str:
        """The letter and the text of an option; the letter alone of one that this question does not have."""
        letter = LETTERS[class_id] if class_id < len(LETTERS) else str(class_id)
        return f"{letter} · {self.options[class_id]}" if class_id < len(self.options) else letter
