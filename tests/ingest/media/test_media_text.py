"""Texts: decoded whole, and the telling beginning of posts and reviews."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.archives.stores import MemberError
from ingest.media.text import excerpt, text_items

POST = """From: ann@example.org (Ann)
Subject: Re: A long
 subject
Lines: 9

In article <1@example.org> bob@example.org (Bob) writes:
> Does it run?
>> It must.
Bob wrote:
| On what?
It runs
on my machine.

--
Ann, Example Inc.
"""


def test_a_posts_excerpt_is_its_subject_and_its_writers_own_words() -> None:
    assert excerpt(POST) == "Re: A long subject — It runs on my machine."


def test_a_post_that_only_quotes_shows_the_quotes() -> None:
    assert excerpt("From: a@b\nSubject: Yes\n\n> Is it?\n") == "Yes — > Is it?"


@pytest.mark.parametrize("body", ["", "\n", "\n\n--\nsignature"])
def test_a_post_without_words_shows_its_subject(body: str) -> None:
    assert excerpt("From: a@b\nSubject: Lost" + body).startswith("Lost")


def test_a_text_that_begins_with_one_colon_is_no_post() -> None:
    text = "Note: this film is long.\n\n> Really."
    assert excerpt(text) == "Note: this film is long. > Really."


def test_a_long_text_is_cut_at_a_word() -> None:
    words = "word " * 100
    short = excerpt(words, limit=22)
    assert short == "word word word word…"
    assert excerpt("x" * 400, limit=10) == "xxxxxxxxx…"
    assert excerpt("word", limit=4) == "word"


@given(st.text(max_size=600), st.integers(2, 400))
def test_an_excerpt_is_one_line_within_its_limit(text: str, limit: int) -> None:
    short = excerpt(text, limit)
    assert len(short) <= limit
    assert short == " ".join(short.split())


@pytest.mark.parametrize("line", ["<" * 5_000, "<a@" * 5_000, "a@b " * 5_000, "> " * 10_000, "said " * 5_000])
def test_no_line_keeps_the_patterns_busy(line: str) -> None:
    assert len(excerpt(f"From: a@b\nSubject: x\n\n{line}\n" * 3)) <= 320


def test_a_text_is_decoded_and_stored_as_utf8() -> None:
    (item,) = text_items(4, "naïve\r\nold\rfeed\fend".encode("latin-1"), "latin-1")
    assert (item.index, item.kind, item.type) == (4, "text", "text/plain; charset=utf-8")
    assert item.text == "naïve\nold\nfeed\nend"
    assert item.data.decode("utf-8") == item.text


def test_breaks_become_lines_only_where_asked_for() -> None:
    data = b"one<br /><br/>two<BR>three <b>four</b>"
    assert next(text_items(1, data, breaks=True)).text == "one\n\ntwo\nthree <b>four</b>"
    assert next(text_items(1, data)).text == data.decode()


def test_a_mark_at_the_beginning_is_not_part_of_the_text() -> None:
    assert next(text_items(1, b"\xef\xbb\xbfhello")).text == "hello"


def test_control_characters_leave_a_sign() -> None:
    assert next(text_items(1, b"a\x00b\x08\tc\x1b[1m\n")).text == "a\ufffdb\ufffd\tc\ufffd[1m\n"


def test_bytes_of_another_encoding_are_refused() -> None:
    with pytest.raises(MemberError, match="expected utf-8 text, found byte 0xe9 at 3"):
        list(text_items(1, b"caf\xe9"))
