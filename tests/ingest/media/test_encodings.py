"""Encodings of texts: read as stated, and what is in another one is refused rather than shown as other letters."""

import codecs
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packing import unpacked

from ingest.manifest.layouts import ENCODINGS
from ingest.media import MediaError, MediaItem, MediaProblem, open_media
from ingest.media.archives.stores import MemberError
from ingest.media.encodings import TextDecoder, decoded_text, text_lines

GERMAN = "Schöne Grüße aus Köln, und zwar viele.\n"
CHINESE = "联通，你好，世界。这是一段中文文字。\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("text", ["", "a", GERMAN, CHINESE, "一二三" * 40])
def test_what_is_written_in_an_encoding_is_read_in_it(encoding: str, text: str) -> None:
    stated = "utf-8" if encoding == "utf-8-sig" else encoding
    assert decoded_text(text.encode(encoding), stated) == text


@pytest.mark.parametrize("order", ["le", "be"])
def test_a_mark_tells_the_order_of_bytes(order: str) -> None:
    mark = codecs.BOM_UTF16_LE if order == "le" else codecs.BOM_UTF16_BE
    data = mark + CHINESE.encode(f"utf-16-{order}")
    assert decoded_text(data, "utf-16") == decoded_text(data, f"utf-16-{order}") == CHINESE


@pytest.mark.parametrize(
    ("written", "read", "found"),
    [
        ("latin-1", "utf-8", "found byte 0xf6 at 3"),
        ("gb18030", "utf-8", "found byte 0x"),
        ("utf-16", "utf-8", 'byte order mark of utf-16-le; say encoding = "utf-16" in [media] if it is that'),
        ("utf-16-le", "utf-8", "found many zeros: it is in another encoding, such as utf-16, or no text"),
        ("utf-16-be", "latin-1", "found many zeros"),
        ("utf-16", "latin-1", "found the byte order mark of utf-16-le"),
        ("utf-16", "cp1252", "found the byte order mark of utf-16-le"),
        ("utf-16", "gb18030", "found the byte order mark of utf-16-le"),
        ("utf-16-le", "gb18030", "found many zeros"),
        ("utf-8", "latin-1", "found one that is utf-8 from beginning to end"),
        ("utf-8", "cp1252", "found one that is utf-8 from beginning to end"),
        ("utf-8-sig", "latin-1", "found the byte order mark of utf-8"),
        ("utf-8", "utf-16", "which begins with a byte order mark, found none"),
        ("utf-16-le", "utf-16", "which begins with a byte order mark, found none; utf-16-le and utf-16-be are without"),
        ("ascii", "utf-16-le", "found one of one byte a letter"),
        ("ascii", "utf-16-be", "found one of one byte a letter"),
        ("utf-16-le", "utf-16-be", "found utf-16-le"),
        ("utf-16-be", "utf-16-le", "found utf-16-be"),
        ("utf-32", "utf-16", "found the byte order mark of utf-32"),
        ("latin-1", "ascii", "found byte 0xf6 at 3"),
    ],
)
def test_another_encoding_is_refused_in_words(written: str, read: str, found: str) -> None:
    data = (GERMAN * 3).replace("ö", "o" if written == "ascii" else "ö").encode(written, "ignore")
    with pytest.raises(MemberError) as refused:
        decoded_text(data, read)
    assert str(refused.value).startswith(f"expected {read} text")
    assert found in str(refused.value)


@pytest.mark.parametrize("written", ["utf-8", "utf-16"])
def test_chinese_in_another_encoding_than_gb18030_is_refused(written: str) -> None:
    """Read as that, UTF-8 is Chinese too, of other characters."""
    assert CHINESE.encode("utf-8").decode("gb18030", "replace") != CHINESE
    with pytest.raises(MemberError, match="expected gb18030 text, found"):
        decoded_text((CHINESE * 3).encode(written), "gb18030")


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=200))
def test_no_chinese_text_is_taken_for_another_encoding(text: str) -> None:
    for encoding in ("utf-8", "utf-16", "gb18030"):
        assert decoded_text(text.encode(encoding), encoding) == text


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1_000])
def test_pieces_are_read_as_the_whole_is(encoding: str, size: int) -> None:
    text = "plain\r\n" * 20 if encoding in ("ascii", "cp1252", "latin-1", "mac-roman") else (GERMAN + CHINESE) * 20
    data, decoder = text.encode(encoding), TextDecoder(encoding)
    pieces = [decoder.decode(data[at : at + size]) for at in range(0, len(data), size)]
    assert "".join([*pieces, decoder.decode(b"", final=True)]) == text


def test_lines_end_at_line_feeds_alone() -> None:
    text = "a\x85b\u2028c\r\n\nd"
    for encoding in ("utf-8", "utf-16", "gb18030"):
        assert list(text_lines(io.BytesIO(text.encode(encoding)), encoding, 100)) == ["a\x85b\u2028c", "", "d"]
    with pytest.raises(MemberError, match="expected lines of at most 3 characters"):
        list(text_lines(io.BytesIO(b"abcd"), "utf-8", 3))


def shown(folder: Path, layout: str, n: int, **told: object) -> list[str | None]:
    source = open_media(layout, folder, told)
    assert source is not None
    found = list(source.items(dict.fromkeys(range(n))))
    assert not [one for one in found if isinstance(one, MediaProblem)]
    return [one.text for one in found if isinstance(one, MediaItem)]


@pytest.mark.parametrize("encoding", ["utf-16", "UTF-16LE", "gb18030", "GBK", "utf8"])
def test_folders_and_tables_are_read_in_the_encoding_that_a_manifest_says(tmp_path: Path, encoding: str) -> None:
    texts = [CHINESE.strip(), "第二", "第三\n行"]
    unpacked(tmp_path, "t", {f"t/{n}.txt": text.encode(encoding) for n, text in enumerate(texts)})
    assert shown(tmp_path, "text-folder", 3, path="t", encoding=encoding) == texts
    rows = "".join(f'{n},"{text}"\r\n' for n, text in enumerate(texts))
    (tmp_path / "t.csv").write_bytes(f"id,text\r\n\r\n{rows}\r\n".encode(encoding))
    assert shown(tmp_path, "text-table", 3, path="t.csv", encoding=encoding) == texts
    objects = "".join(f'{{"text": "{text}"}}\n \n'.replace("\n行", "\\n行") for text in texts)
    (tmp_path / "t.jsonl").write_bytes(objects.encode(encoding))
    assert shown(tmp_path, "text-table", 3, path="t.jsonl", encoding=encoding, count=3) == texts


def test_a_table_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_bytes(("text\n" + GERMAN * 10).encode("utf-8"))
    source = open_media("text-table", tmp_path, {"encoding": "latin-1"})
    assert source is not None
    with pytest.raises(MediaError, match=r"t\.tsv: .*expected latin-1 text, found one that is utf-8"):
        list(source.items({0: None}))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_lines_of_one_byte_a_letter_are_no_utf_16(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(MediaError, match="option 'encoding': expected an encoding in which a line ends with one byte"):
        open_media("amazon-lines", tmp_path, {"encoding": encoding})


def test_blank_lines_of_a_table_are_no_rows(tmp_path: Path) -> None:
    """At the end, within, and before the names of columns; an empty text stands in quotes, a line of blanks is one."""
    (tmp_path / "t.csv").write_bytes(b'\ntext\na\n\n""\n" "\nb\n\n\n')
    assert shown(tmp_path, "text-table", 4, path="t.csv", count=4) == ["a", "", " ", "b"]
    (tmp_path / "t.tsv").write_bytes(b'\r\ntext\tid\r\n"a\r\n\r\nb"\t1\r\n\r\nc\t2\r\n')
    assert shown(tmp_path, "text-table", 2, path="t.tsv", count=2) == ["a\n\nb", "c"]
    (tmp_path / "t.jsonl").write_bytes(b'\n{"text": "a"}\n\n  \n{"text": "b"}\n\n')
    assert shown(tmp_path, "text-table", 2, path="t.jsonl", count=2) == ["a", "b"]
    (tmp_path / "t.jsonl").write_bytes(b'{"text": "a"}\n\n[1]\n')
    source = open_media("text-table", tmp_path, {"path": "t.jsonl"})
    assert source is not None
    with pytest.raises(MediaError, match="line 3: expected a JSON object, found list"):
        list(source.items({0: None}))


def test_two_texts_of_one_key_are_refused(tmp_path: Path) -> None:
    def keyed(rows: str) -> list[MediaItem | MediaProblem]:
        (tmp_path / "t.csv").write_text(f"id,text\n{rows}")
        source = open_media("text-table", tmp_path, {"path": "t.csv", "key_column": "id"})
        assert source is not None
        return list(source.items({0: "k1", 1: "k2"}))

    assert len(keyed("k1,a\nk2,b\nk3,c\nk3,d\nk1,a\n")) == 2
    with pytest.raises(MediaError, match=r"t\.csv: expected one text of key 'k1', found another in row 2"):
        keyed("k1,a\nk2,b\nk1,c\n")


def test_two_columns_of_the_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,text\na,b\n")
    source = open_media("text-table", tmp_path, {"path": "t.csv"})
    assert source is not None
    with pytest.raises(MediaError, match=r"t\.csv: expected one column 'text', found 2 of \['text', 'text'\]"):
        list(source.items({0: None}))
