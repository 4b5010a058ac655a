"""Names of files: sorted as text and as numbers, and refused where these orders differ and nobody says which."""

import hashlib
import random
import string
import unicodedata
import uuid
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packing import tar_bytes, unpacked

from ingest.media import MediaItem, open_media
from ingest.media.archives.system_files import is_of_the_system
from ingest.media.items import MediaSource, UnorderedFilesError
from ingest.media.layouts.file_order import OrderError, gap, in_order

BASE64 = string.ascii_letters + string.digits + "-_"


@pytest.mark.parametrize(
    "names",
    [
        [f"{n}.png" for n in range(12)],
        [f"img{n}.png" for n in range(1, 11)],
        ["01.png", "2.png", "10.png"],
        ["cat/9.png", "cat/10.png", "dog/1.png"],
        ["class2/a.png", "class10/a.png"],
        ["2_dog.png", "10_cat.png"],
        ["cat.9.jpg", "cat.10.jpg", "dog.1.jpg"],
        ["9.jpeg", "10.png"],
        ["997722733_0cb5439472.jpg", "1000268201_693b08cb0e.jpg"],
        ["1_10.txt", "10_1.txt"],
        ["1_tiger.png", "2_horse.png", "10_lion.png"],
        ["9-abc.png", "10-ab.png", "11-cd.png"],
        ["1tiger.png", "2horse.png", "10lion.png"],
        ["1_tiger/a.png", "2_horse/a.png", "10_lion/a.png"],
        ["img9_abc.mp3", "img10_ab.mp3"],
        ["cat_9_old.png", "cat_10_ox.png", "dog_1_tiny.png"],
        ["other__.png", "1_tiger.png", "2_horse.png", "10_lion.png"],
        [f"{n}.png" for n in range(-6, 6)],
        ["-2.png", "-1.png"],
        ["t=-2.0.png", "t=-1.0.png", "t=0.0.png"],
    ],
)
def test_numbers_without_zeros_before_them_are_refused_with_three_pairs(names: list[str]) -> None:
    with pytest.raises(OrderError, match="expected names that sort alike as text and as numbers") as refused:
        in_order(names, "sorted")
    assert 'say order = "numbers" or order = "text"' in str(refused.value)
    text, numbers = in_order(names, "text"), in_order(names, "numbers")
    assert text == sorted(names)
    different = [place for place in range(len(names)) if text[place] != numbers[place]]
    for place in different[:3]:
        assert f"example {place} " in str(refused.value)
        assert repr(numbers[place]) in str(refused.value)
        assert repr(text[place]) in str(refused.value)


@pytest.mark.parametrize(
    "names",
    [
        [f"{n:02}.png" for n in range(12)],
        [f"{n}.png" for n in range(10)],
        ["a.png", "b.png"],
        ["cat/08.png", "cat/09.png", "cat/10.png", "dog/11.png"],
        ["056.dog/056_0002.jpg", "001.ak47/001_0001.jpg"],
        ["d41d8cd98f00b204.png", "d4b204e9800998ec.png", "d4c74594d8411390.png"],
        ["lL5jq1TDiXQ.wav", "a1Bc2D3e4F5.wav", "a12cD3e4F5g.wav"],
        [hashlib.md5(str(n).encode(), usedforsecurity=False).hexdigest() + ".mp3" for n in range(2_000)],
        [str(uuid.uuid5(uuid.NAMESPACE_URL, str(n))) + ".png" for n in range(2_000)],
        ["".join(random.Random(n).choices(BASE64, k=11)) + ".wav" for n in range(2_000)],
        [f"{n:04}_{hashlib.md5(bytes([n]), usedforsecurity=False).hexdigest()[:6]}.png" for n in range(200)],
        ["-1.png", "0.png", "5.png"],
        ["img-01.png", "img-02.png", "img-10.png"],
        ["2021-05--1.png", "2021-05--2.png"],
        ["a b/1.png", "a-b/1.png", "a/1.png", "a1/1.png"],
        ["b1.png", "b 10.png", "b.png"],
    ],
)
def test_names_that_sort_one_way_are_sorted(names: list[str]) -> None:
    expected = sorted(names, key=lambda name: tuple(name.split("/")))
    shuffled = random.Random(0).sample(names, len(names))
    assert in_order(shuffled, "sorted") == expected


@given(st.sets(st.integers(-(10**20), 10**20), min_size=1), st.integers(0, 3))
def test_numbers_are_sorted_as_numbers(numbers: set[int], zeros: int) -> None:
    def name(n: int) -> str:
        return f"{'-' * (n < 0)}{'0' * zeros}{abs(n)}.png"

    assert in_order([name(n) for n in numbers], "numbers") == [name(n) for n in sorted(numbers)]


@given(st.sets(st.text(st.characters(codec="utf-8", exclude_characters="0123456789/\0."), min_size=1), min_size=1))
def test_without_digits_both_orders_are_one(names: set[str]) -> None:
    folded = {unicodedata.normalize("NFC", name) for name in names}
    assert in_order(folded, "numbers") == in_order(folded, "text") == sorted(folded)


def test_one_number_written_in_two_ways_is_refused() -> None:
    with pytest.raises(OrderError, match=r"expected each number once, found '0?1\.png' and '0?1\.png'"):
        in_order(["1.png", "01.png", "2.png"], "numbers")


def test_accents_that_would_sort_elsewhere_if_they_were_written_apart_are_refused() -> None:
    """macOS and others write them apart, and then "e" and its accent stand before "f", and not behind "z"."""
    with pytest.raises(OrderError, match="sort alike however accents are written; here example 0 would be"):
        in_order(["\u00e9.png", "f.png"], "sorted")
    assert in_order(["e\u0301.png", "f.png"], "text") == ["f.png", "e\u0301.png"]
    assert in_order(["a/\u00e9.png", "b/f.png"], "sorted") == ["a/\u00e9.png", "b/f.png"]
    with pytest.raises(OrderError, match="expected each name once"):
        in_order(["\u00e9.png", "e\u0301.png"], "text")


def test_a_gap_in_numbers_is_told_where_names_are_numbered_one_by_one() -> None:
    numbered = [f"{n:02}.png" for n in range(20) if n != 7]
    assert gap(numbered) == "'08.png' follows '06.png'"
    assert gap(numbered[:7]) == ""
    assert gap([name.removesuffix(".png") for name in numbered]) == "'08' follows '06'", "without endings"
    assert gap([f"{n * 37:06}.png" for n in range(20)]) == "", "ids, as COCO's"
    assert gap([f"{n}.png" for n in (1, 2, 3)]) == "", "counted from 1"
    assert gap(["a/1.png", "b/3.png"]) == ""


def opened(folder: Path, layout: str = "text-folder", **told: object) -> MediaSource:
    source = open_media(layout, folder, {"path": "t", "order": "sorted", **told})
    assert source is not None
    return source


def texts(source: MediaSource, n: int) -> list[str | None]:
    found = {item.index: item.text for item in source.items(dict.fromkeys(range(n))) if isinstance(item, MediaItem)}
    return [found.get(index) for index in range(n)]


@pytest.mark.parametrize("layout", ["image-folder", "text-folder", "audio-folder"])
def test_folders_of_every_kind_refuse_to_guess(tmp_path: Path, layout: str) -> None:
    ending = {"image-folder": "png", "text-folder": "txt", "audio-folder": "wav"}[layout]
    unpacked(tmp_path, "t", {f"t/{n}.{ending}": b"x" for n in range(11)})
    for told in ({}, {"shuffle_seeds": [0]}):
        with pytest.raises(UnorderedFilesError, match="/t: expected names that sort alike"):
            opened(tmp_path, layout, **told).labels()
    without = open_media(layout, tmp_path, {"path": "t"})
    assert without is not None
    with pytest.raises(UnorderedFilesError):
        without.labels()
    assert without.labels(keyed=True) is None, "by key nothing is sorted"


def test_either_order_is_taken_when_it_is_said(tmp_path: Path) -> None:
    unpacked(tmp_path, "t", {f"t/{n}.txt": str(n).encode() for n in range(11)})
    assert texts(opened(tmp_path, order="numbers"), 11) == [str(n) for n in range(11)]
    assert texts(opened(tmp_path, order="text"), 11) == sorted(str(n) for n in range(11))


def zipped(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, data)


@pytest.mark.parametrize("unpacked_elsewhere", [False, True])
def test_backslashes_are_between_folders(tmp_path: Path, unpacked_elsewhere: bool) -> None:
    """Also where a tool unpacked such an archive into files of these very names."""
    names = [f"t\\{folder}\\{n}.txt" for folder in ("a b", "a", "a-b") for n in range(3)]
    files = {name: name.encode() for name in names}
    if unpacked_elsewhere:
        unpacked(tmp_path, "t", {f"t/{name}": data for name, data in files.items()})
    else:
        zipped(tmp_path / "t.zip", files | {"t\\": b"", "__MACOSX\\t\\a\\._0.txt": b"finder", "t\\._x.txt": b"finder"})
    expected = [f"t\\{folder}\\{n}.txt" for folder in ("a", "a b", "a-b") for n in range(3)]
    assert texts(opened(tmp_path), 9) == expected
    assert list(opened(tmp_path).labels() or ()) == ["a"] * 3 + ["a b"] * 3 + ["a-b"] * 3
    by_key = open_media("text-folder", tmp_path, {"path": "t"})
    assert by_key is not None
    (item,) = by_key.items({4: "t\\a-b\\2.txt"})
    assert isinstance(item, MediaItem)
    assert item.text == "t\\a-b\\2.txt"


@pytest.mark.parametrize(
    "name",
    [
        *("__MACOSX/1.txt", "t/__MACOSX/1.txt", ".DS_Store", "a/.git/1.txt", "Thumbs.db", "a/thumbs.DB", "desktop.ini"),
        *("@eaDir/1.txt", "$RECYCLE.BIN/1.txt", "~$letter.txt", "1.txt~", "Icon\r", "._1.txt"),
    ],
)
def test_files_of_a_system_are_no_examples(name: str) -> None:
    assert is_of_the_system(name)
    assert not is_of_the_system("a.b/c~d/1.txt")


def test_a_tar_that_begins_with_a_dot_is_read_alike(tmp_path: Path) -> None:
    (tmp_path / "t.tar").write_bytes(tar_bytes({"./t/b.txt": b"b", "./t/a.txt": b"a", "./t/Thumbs.db": b"", ".": b""}))
    assert texts(opened(tmp_path), 2) == ["a", "b"]
    assert opened(tmp_path).names() == ["t/a.txt", "t/b.txt"]


def test_texts_may_have_any_ending_or_none(tmp_path: Path) -> None:
    """As the posts of newsgroups have none; where some are called .txt, the others are told."""
    unpacked(tmp_path, "t", {"t/sci.med/58": b"a", "t/sci.med/59": b"b", "t/alt/.x": b"", "t/alt/Thumbs.db": b"\xff"})
    assert texts(opened(tmp_path), 3) == ["a", "b", None]
    assert list(opened(tmp_path).labels() or ()) == ["sci.med", "sci.med"]
    assert opened(tmp_path).notes() == []
    unpacked(tmp_path, "t", {"t/alt/1.TXT": b"c", "t/readme.md": b"d"})
    assert texts(opened(tmp_path), 2) == ["c", None]
    (note,) = opened(tmp_path).notes()
    assert note.startswith("passed over 3 other files, whose names do not end as those of the texts do")
    assert note.endswith("such as 'readme.md'")
    assert texts(opened(tmp_path, endings=["", ".txt"]), 4) == ["c", "a", "b", None]


def test_a_key_may_begin_with_the_name_of_the_folder(tmp_path: Path) -> None:
    unpacked(tmp_path, "t", {"t/a/1.txt": b"one"})
    source = open_media("text-folder", tmp_path, {"path": "t"})
    assert source is not None
    for key in ("t/a/1.txt", "t/a/1", "a/1", "a/1.txt"):
        (item,) = source.items({0: key})
        assert isinstance(item, MediaItem), key


def test_keys_tell_capitals_apart(tmp_path: Path) -> None:
    zipped(tmp_path / "t.zip", {"A.txt": b"large", "a.txt": b"small"})
    source = open_media("text-folder", tmp_path, {"path": "t"})
    assert source is not None
    found = {item.index: item.text for item in source.items({0: "a", 1: "A"}) if isinstance(item, MediaItem)}
    assert found == {0: "small", 1: "large"}
