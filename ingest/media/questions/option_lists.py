"""Read the options of a question, and answers that name options: by number, by letter, several, or as text.

Lists of options come as JSON, as Python wrote them (``"['a', 'b']"``), or as lists and tables of Parquet and JSON.
Nothing is evaluated: of Python only lists of plain texts and numbers are parsed, by ``ast.literal_eval``, bounded.
"""

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ingest.errors import shown

#: The longest list of options, in characters, and the most options.
_LONGEST: Final = 1_000_000
MOST_OPTIONS: Final = 26
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ONE: Final = re.compile(r"\d{1,2}|[A-Za-z]")
_BETWEEN: Final = re.compile(r"(?:\s*,\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+|\s*[;/&]\s*|\s+)")


class OptionError(ValueError):
    """Options or an answer that cannot be read: what was expected and what was found."""


class Spelling(StrEnum):
    """How an answer is written; a report counts them."""

    INDEX = "by number"
    LETTER = "by letter"
    SEVERAL = "several options"
    TEXT = "as text"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Named:
    """The options that an answer names, and how it was written."""

    options: frozenset[int]
    spelling: Spelling


@dataclass(frozen=True, slots=True)
class OptionList:
    """The options of a question, their own labels where it has some (ARC's "A" or "1"), and how they were written."""

    options: tuple[str, ...]
    labels: tuple[str, ...] | None
    written: str


def option_list(value: object) -> OptionList:
    """The options of a question. Raises OptionError.

    >>> option_list('["a", "b"]').written, option_list("['it', \\"it's\\"]")
    ('in JSON', OptionList(options=('it', "it's"), labels=None, written='as Python writes them'))
    >>> option_list({"text": ["a", "b"], "label": ["1", "2"]}).labels
    ('1', '2')
    """
    written = "as lists"
    if isinstance(value, str):
        value, written = _parsed(value)
    labels = None
    if isinstance(value, dict):
        if "text" not in value or not set(value) <= {"text", "label"}:
            raise OptionError(f"expected a list of options, or text and label of them, found {shown(value)}")
        labels = _texts(value["label"]) if value.get("label") is not None else None
        value = value["text"]
    options = _texts(value)
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise OptionError(f"expected 2 to {MOST_OPTIONS} options, found {len(options)}")
    if labels is not None and (len(labels) != len(options) or len(set(labels)) < len(labels)):
        raise OptionError(f"expected different labels of {len(options)} options, found {shown(list(labels))}")
    return OptionList(options, labels, written)


def _parsed(text: str) -> tuple[object, str]:
    if len(text) > _LONGEST:
        raise OptionError(f"expected a list of at most {_LONGEST:,} characters, found {len(text):,}")
    try:
        return json.loads(text), "in JSON"
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text.strip()), "as Python writes them"
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise OptionError(f"expected a list of options, in JSON or as Python writes it, found {shown(text)}") from error


def _texts(value: object) -> tuple[str, ...]:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise OptionError(f"expected a list of options, found {shown(value)}")
    for one in value:
        if isinstance(one, bool) or not isinstance(one, str | int | float) or one != one:
            raise OptionError(f"expected a text for each option, found {shown(one)}")
    return tuple(one if isinstance(one, str) else str(one) for one in value)


def given_option(value: Any, options: Sequence[str], labels: Sequence[str] | None) -> Named:
    """The one option that an answer key names: a number counted from 0, a letter, or one of the options' own labels.

    Raises OptionError.

    >>> given_option(2, ["a", "b", "c"], None).options, given_option("B", ["a", "b"], None).spelling
    (frozenset({2}), <Spelling.LETTER: 'by letter'>)
    >>> given_option("2", ["a", "b"], ["1", "2"]).options
    frozenset({1})
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None or isinstance(value, bool) else str(value).strip()
    if labels is not None:
        if text not in labels:
            raise OptionError(f"expected one of {', '.join(labels)}, found {shown(value)}")
        return Named(frozenset({labels.index(text)}), Spelling.LETTER if text.isalpha() else Spelling.INDEX)
    last = len(options) - 1
    found = _one(text, len(options)) if _ONE.fullmatch(text) else None
    if found is None:
        hint = "; numbers count from 0" if text == str(last + 1) else ""
        raise OptionError(f"expected an option, 0 to {last} or A to {LETTERS[last]}, found {shown(value)}{hint}")
    return Named(frozenset({found}), Spelling.LETTER if text.isalpha() else Spelling.INDEX)


def worded_option(value: Any, options: Sequence[str]) -> Named | None:
    """The one option whose text an answer key repeats; None where it repeats none, or several do.

    >>> worded_option(" Rome", ["Paris", "Rome"]).options, worded_option("Rome", ["Rome", "Rome"])
    (frozenset({1}), None)
    """
    if value is None or isinstance(value, bool):
        return None
    text, texts = str(value).strip(), [option.strip() for option in options]
    return Named(frozenset({texts.index(text)}), Spelling.TEXT) if text and texts.count(text) == 1 else None


def named_options(text: str, options: Sequence[str]) -> Named:
    """The options that a judge's words name as correct; none where these are free text.

    >>> named_options("(0, 1)", "abcd").options == named_options("A,B", "abcd").options == frozenset({0, 1})
    True
    >>> named_options("depends on the state", "abcd"), named_options("Rome", ["Paris", "Rome"]).options
    (Named(options=frozenset(), spelling=<Spelling.TEXT: 'as text'>), frozenset({1}))
    """
    text = text.strip()
    if not text:
        return Named(frozenset(), Spelling.NONE)
    if _ONE.fullmatch(text):
        one = _one(text, len(options))
        if one is not None:
            return Named(frozenset({one}), Spelling.LETTER if text.isalpha() else Spelling.INDEX)
    several = [_one(part, len(options)) for part in _BETWEEN.split(text.strip("()[]").strip())]
    if len(several) > 1 and None not in several:
        return Named(frozenset(one for one in several if one is not None), Spelling.SEVERAL)
    folded = [option.strip().casefold() for option in options]
    if folded.count(text.casefold()) == 1:
        return Named(frozenset({folded.index(text.casefold())}), Spelling.TEXT)
    return Named(frozenset(), Spelling.TEXT)


def _one(text: str, n: int) -> int | None:
    if not _ONE.fullmatch(text):
        return None
    place = LETTERS.index(text.upper()) if text.isalpha() else int(text)
    return place if place < n else None
