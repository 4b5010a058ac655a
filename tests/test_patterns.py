"""Regular expressions that see text of a dataset or of a visitor: none can be made to take long.

A pattern that tries again what it has tried takes time that grows with the square of a text, or doubles with every
character of it. What is fed here is so long that such a one would not come to its end; one that takes a bounded number
of steps a character needs a moment.
"""

import random
import re

import pytest

from app.catalogue import masking
from app.issues import where
from app.site import media
from ingest.datasets import clip_times, word_weights
from ingest.media import text
from ingest.media.layouts import audioset_names, text_lines

LONG = 100_000


def plain(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """The same pattern as one would write it without a thought for time: it may give back what it has taken."""
    return re.compile(re.sub(r"(\}|\+|\?)\+", r"\1", pattern.pattern), pattern.flags)


@pytest.mark.parametrize("pattern", [masking._ADDRESS, masking._NUMBER], ids=["address", "number"])
def test_giving_nothing_back_loses_no_match(pattern: re.Pattern[str]) -> None:
    slow = plain(pattern)
    assert slow.pattern != pattern.pattern
    draw = random.Random(7)
    pieces = ["+", "+1", "+44", "(0)", "555", "1234", "-", " ", ".", "x", "(", ")", "a!", "@", "host", "12345678"]
    found = 0
    for _ in range(20_000):
        words = "".join(draw.choices(pieces, k=draw.randrange(1, 12)))
        expected = [match.span() for match in slow.finditer(words)]
        assert [match.span() for match in pattern.finditer(words)] == expected, words
        found += len(expected)
    assert found > 500


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("(+47) 67125580 ext. 211", "([number] ext. 211"),
        ("Tel. (+31) 35 833539", "Tel. ([number]"),
        ("+38   91", "+38   91"),
        ("+4712345678", "[number]"),
        ("+11111111111111111111x", "+11111111111111111111x"),
        ("+" + "1" * 40, "+" + "1" * 40),
    ],
)
def test_international_numbers_are_whole_runs_of_digits(words: str, expected: str) -> None:
    assert masking.masked(words) == expected


#: Pieces that, said again and again, keep the parts of some pattern busy with each other.
PIECES = (
    *("+1", "+11111111111111111111x", "+1 2", "+1-(1)", "(1", "1-", "123-", "1.1", "+(12) ", "9 ", "5"),
    *("a", "a.", "!", "b!", "@", "a@", "<a@", "<", ">", "<a@b>", "<br", "<br ", " ", "\t", "\n", "\r", ":"),
    *("_", "-", "Y", "_1", "_1.1", "__label__", "__label__a ", "wrote", "wrote ", "In article ", "/", "http://"),
)
PATTERNS = {
    "address": masking._ADDRESS.sub,
    "number": masking._NUMBER.sub,
    "words of a search": re.compile(r"\w+").sub,
    "licence": media._ADDRESS.sub,
    "line break": text._BREAK.sub,
    "control": text._CONTROL.sub,
    "bracketed": text._BRACKETED.sub,
    "word": word_weights._WORD.sub,
}
WHOLE = {
    "header": text._HEADER_LINE.fullmatch,
    "quote": text._QUOTE.match,
    "attribution": text.is_attribution,
    "labels": text_lines._LABELS.match,
    "clip": audioset_names._KEY.fullmatch,
    "clip of a file": audioset_names._STEM.fullmatch,
    "file": re.compile(audioset_names.MEMBER).fullmatch,
    "key": clip_times._KEY.fullmatch,
    "search": where.match_expression,
    "mask": masking.masked,
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_search_through_a_long_text_ends(name: str) -> None:
    for piece in PIECES:
        PATTERNS[name]("", piece * (LONG // len(piece)) + "\0")


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_held_against_a_pattern_as_a_whole_may_be_long(name: str) -> None:
    for piece in PIECES:
        for end in ("\0", ":"):
            WHOLE[name](piece * (LONG // len(piece)) + end)


def test_attributions_are_those_of_the_plain_pattern() -> None:
    slow = re.compile(
        r"\s*(?:In (?:article|message|a (?:previous )?article)\b.*"
        r"|.*\b(?:wrote|writes|said|says)\s*:?\s*"
        r"|.*<[^>\s]+@[^>\s]+>.*:)",
        re.IGNORECASE,
    )
    draw = random.Random(11)
    pieces = ["<", ">", "@", ":", " ", "a", "says", "In article ", "Wrote"]
    found = 0
    for _ in range(20_000):
        words = "".join(draw.choices(pieces, k=draw.randrange(1, 12)))
        assert text.is_attribution(words) is bool(slow.fullmatch(words)), words
        found += text.is_attribution(words)
    assert found > 1_000
