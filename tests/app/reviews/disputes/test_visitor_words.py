"""What visitors write, and what is kept of it."""

import pytest

from app.reviews.disputes.visitor_words import LONGEST_REASON, WordsError, plain, reason_of, source_of


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("It is\r\n a\tcat.", "It is a cat."),
        ("a\x00b\x1b[2Jc\x7f\x85d", "ab[2Jc d"),  # NUL and escapes go, a next line is a space
        ("\u202egnp.exe\u202c \u2066x\u2069 \u200f\u061c", "gnp.exe x"),  # nothing turns the direction of a line
        ("zero\u200bwidth\ufeff\u00ad", "zerowidth"),
        ("\ue000\uffff\U000e0041tag", "tag"),  # private use, no characters, invisible tags
        ("می\u200cخواهم", "می\u200cخواهم"),  # joiners spell words
        ("e\u0301", "é"),
        ("z" + "\u0335" * 40, "z" + "\u0335" * 4),  # no towers over the lines around
        ("<b>&amp;", "<b>&amp;"),  # escaped where it is shown, not here
    ],
)
def test_nothing_that_steers_a_screen_is_kept(written, kept):
    assert plain(written) == kept


def test_a_reason_says_something_and_is_no_book():
    assert reason_of(" " + "x" * LONGEST_REASON + "\n") == "x" * LONGEST_REASON
    for written in ("", "too short", "\u200b" * 50, "x" * (LONGEST_REASON + 1)):
        with pytest.raises(WordsError, match="characters"):
            reason_of(written)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        (" http://example.org ", "http://example.org/"),
        ("https://bücher.example/größe", "https://xn--bcher-kva.example/gr%C3%B6%C3%9Fe"),
        ("", None),
    ],
)
def test_a_source_is_a_web_address_in_ascii(written, kept):
    assert source_of(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "javascript:alert(1)",
        "JaVaScRiPt://example.org/%0aalert(1)",
        "data:text/html,<script>",
        "ftp://example.org",
        "//example.org",
        "example.org",
        "https://",
        "https://me:secret@example.org",
        "https://example.org/a b",
        "https://example.org/\u202egnp",
        "java\nscript:alert(1)",
        "https://example.org/" + "x" * 500,
        "https://example.org/" + "ß" * 200,
    ],
)
def test_other_sources_are_refused(written):
    with pytest.raises(WordsError, match="must be a web address") as refused:
        source_of(written)
    assert refused.value.field == "source"
