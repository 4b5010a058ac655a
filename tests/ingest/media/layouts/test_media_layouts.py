"""Layouts: each is found and read alike however it is packed, and one broken example leaves the others."""

import gzip
import io
import json
import os
import pickle
import struct
import unicodedata
import wave
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from packing import WAYS, Files, tar_bytes, unpacked
from PIL import Image
from pyarrow import parquet

from ingest.manifest.layouts import LAYOUTS
from ingest.media import ADAPTERS, MediaError, MediaItem, MediaProblem, open_media

RNG = np.random.default_rng(0)
DIGITS = RNG.integers(0, 256, (5, 28, 28), dtype=np.uint8)
PICTURES = RNG.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
LABELS = [3, 8, 8, 0]


def idx_labels(labels: bytes = bytes([7, 2, 1, 0, 4])) -> bytes:
    return b"\0\0\x08\x01" + len(labels).to_bytes(4, "big") + labels


def idx(digits: np.ndarray = DIGITS) -> bytes:
    return struct.pack(">IIII", 0x0803, *digits.shape) + digits.tobytes()


def planes() -> np.ndarray:
    return PICTURES.transpose(0, 3, 1, 2).reshape(len(PICTURES), -1)


def cifar_binary() -> bytes:
    return b"".join(bytes([label]) + row.tobytes() for label, row in zip(LABELS, planes(), strict=True))


def cifar_python(**changes: object) -> bytes:
    batch = {
        b"batch_label": b"testing batch 1 of 1",
        b"labels": LABELS,
        b"data": planes(),
        b"filenames": [b"a.png"] * 4,
    }
    return pickle.dumps(batch | {name.encode(): value for name, value in changes.items()}, protocol=2)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def cifar100_binary() -> bytes:
    return b"".join(bytes([99, label]) + row.tobytes() for label, row in zip(LABELS, planes(), strict=True))


def jpeg(colour: tuple[int, ...], mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (60, 40), colour).save(file, "JPEG", quality=95)
    return file.getvalue()


def npy(drawings: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    np.save(file, drawings.reshape(len(drawings), -1), **options)
    return file.getvalue()


def csv(*rows: str) -> bytes:
    return "\r\n".join(rows).encode() + b"\r\n"


def wav(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8_000)
        out.writeframes(RNG.integers(-9_000, 9_000, round(seconds * 8_000), dtype=np.int16).tobytes())
    return file.getvalue()


#: layout -> the name it is published under, and a small example of its files.
DISTRIBUTIONS: Mapping[str, tuple[str, Files]] = {
    "mnist-idx": ("mnist", {"mnist/t10k-images-idx3-ubyte": idx(), "mnist/t10k-labels-idx1-ubyte": idx_labels()}),
    "cifar10": ("cifar-10-batches-bin", {"cifar-10-batches-bin/test_batch.bin": cifar_binary()}),
    "20news-bydate": (
        "20news-bydate",
        {f"20news-bydate-{part}/{group}/{n}": f"Subject: {part} {group} {n}\n\nfoo\xe9".encode("latin-1")
         for part in ("test", "train") for group in ("sci.med", "sci", "alt") for n in (10, 9)},
    ),
    "aclimdb": (
        "aclImdb",
        {f"aclImdb/{part}/{side}/{n}_4.txt": f"{part} {side} {n}<br /><br />Fin é".encode()
         for part in ("test", "train") for side in ("neg", "pos") for n in (0, 10)}
        | {"aclImdb/test/urls_neg.txt": b"http://example.org"},
    ),
    "cifar100": (
        "cifar-100-binary",
        {"cifar-100-binary/train.bin": b"", "cifar-100-binary/test.bin": cifar100_binary()},
    ),
    "caltech256": (
        "256_ObjectCategories",
        {"256_ObjectCategories/001.ak47/001_0001.jpg": jpeg((250, 0, 0)),
         "256_ObjectCategories/056.dog/056_0002.jpg": jpeg((0, 250, 0)),
         "256_ObjectCategories/056.dog/greg/RENAME2": b"one of the real distribution's oddities"},
    ),
    "imagenet-val": (
        "val",
        {"val/n01440764/ILSVRC2012_val_00000293.JPEG": jpeg((250, 0, 0)),
         # One of ImageNet's is CMYK, one is a PNG by another name.
         "val/n01443537/ILSVRC2012_val_00000003.JPEG": jpeg((0, 255, 255, 0), "CMYK"),
         "val/n01443537/ILSVRC2012_val_00000004.JPEG": png(PICTURES[0])},
    ),
    "quickdraw-bitmaps": (
        "numpy_bitmap",
        {"numpy_bitmap/bee.npy": npy(DIGITS[2:4]), "numpy_bitmap/The Eiffel Tower.npy": npy(DIGITS[4:]),
         "numpy_bitmap/bear.npy": npy(DIGITS[:2])},
    ),
    "amazon-lines": (
        "amazon5core.preprocessed.txt",
        {"amazon5core.preprocessed.txt": b"".join(f"__label__5 review {n} \xe9\n".encode() for n in range(600))},
    ),
    "audioset": ("audioset", {"audioset/lL5jq1TDiXQ_30_40.wav": wav(0.2), "audioset/-0_abcdefgh.wav": wav(0.1)}),
    "text-table": ("table", {"table/t.csv": csv("id,text", 'a,"one, \n""two"""', "b,schön")}),
    "image-folder": (
        "pictures",
        {"pictures/cat/b.png": png(PICTURES[0]), "pictures/cat/a.png": png(PICTURES[1]),
         "pictures/ant/z.PNG": png(PICTURES[2]), "pictures/readme.md": b"#"},
    ),
    "text-folder": ("texts", {"texts/good/2.txt": "schön".encode(), "texts/bad/1.txt": b"awful"}),
    "audio-folder": ("sounds", {"sounds/b.wav": wav(0.2), "sounds/a.wav": wav(0.1)}),
}  # fmt: skip

WANTED: Mapping[str, Mapping[int, str | None]] = {
    "mnist-idx": {4: None, 0: None},
    "cifar10": {3: None, 1: None},
    "cifar100": {3: None, 1: None},
    "caltech256": {4: "056.dog/056_0002.jpg", 0: "001.ak47/001_0001.jpg"},
    "imagenet-val": {0: "ILSVRC2012_val_00000293", 7: "ILSVRC2012_val_00000003", 8: "ILSVRC2012_val_00000004"},
    "quickdraw-bitmaps": {0: None, 2: None, 4: None},
    "amazon-lines": {599: None, 0: None, 257: None},
    "audioset": {2: "lL5jq1TDiXQ", 5: "-0_abcdefgh"},
    "text-table": {0: None, 1: None},
    "20news-bydate": {5: None, 0: None},
    "aclimdb": {7: "neg/10_4", 2: "pos/0_4.txt"},
    "image-folder": {0: None, 2: "cat/b", 1: "cat/a.png"},
    "text-folder": {0: None, 1: "good/2"},
    "audio-folder": {0: None, 1: "b"},
}


def options(layout: str, way: str) -> dict[str, object]:
    """A folder of one's own has no name to be found by."""
    name = DISTRIBUTIONS[layout][0]
    path = name if way == "unpacked" else f"{name}.{way}"
    return {"path": path} if layout.endswith(("folder", "table")) else {}


def by_kind(found: list[MediaItem | MediaProblem]) -> dict[tuple[int, str], MediaItem]:
    problems = [str(one) for one in found if isinstance(one, MediaProblem)]
    assert problems == []
    return {(one.index, one.kind): one for one in found if isinstance(one, MediaItem)}


def read(layout: str, folder: Path, **given: object) -> dict[tuple[int, str], MediaItem]:
    source = open_media(layout, folder, given)
    assert source is not None
    return by_kind(list(source.items(WANTED[layout])))


def pixels_of(item: MediaItem) -> np.ndarray:
    with Image.open(io.BytesIO(item.data)) as image:
        return np.asarray(image)


def texts_of(found: Mapping[tuple[int, str], MediaItem]) -> dict[int, str | None]:
    return {index: item.text for (index, _), item in found.items()}


def check(layout: str, found: dict[tuple[int, str], MediaItem]) -> None:
    match layout:
        case "mnist-idx":
            assert np.array_equal(pixels_of(found[4, "image"]), DIGITS[4])
            assert np.array_equal(pixels_of(found[0, "thumbnail"]), DIGITS[0].repeat(8, 0).repeat(8, 1))
        case "cifar10":
            assert np.array_equal(pixels_of(found[3, "image"]), PICTURES[3])
            assert np.array_equal(pixels_of(found[1, "thumbnail"]), PICTURES[1].repeat(7, 0).repeat(7, 1))
        case "cifar100":
            assert np.array_equal(pixels_of(found[3, "image"]), PICTURES[3])
            assert np.array_equal(pixels_of(found[1, "image"]), PICTURES[1])
        case "caltech256":
            assert pixels_of(found[0, "image"]).reshape(-1, 3).mean(axis=0).argmax() == 0
            assert pixels_of(found[4, "image"]).reshape(-1, 3).mean(axis=0).argmax() == 1
        case "imagenet-val":
            for index in (0, 7):
                red, green, blue = pixels_of(found[index, "image"]).reshape(-1, 3).mean(axis=0)
                assert red > 220 > 40 > max(green, blue)
            assert np.array_equal(pixels_of(found[8, "image"]), PICTURES[0])
        case "quickdraw-bitmaps":
            # Capitals sort first: the tower is drawing 0, the bears are 1 and 2.
            for index, drawing in ((0, 4), (2, 1), (4, 3)):
                assert np.array_equal(pixels_of(found[index, "image"]), 255 - DIGITS[drawing])
        case "amazon-lines":
            assert texts_of(found) == {n: f"review {n} é" for n in (0, 257, 599)}
        case "audioset":
            assert {key: item.seconds for key, item in found.items() if key[1] == "audio"} == {
                (2, "audio"): 0.2,
                (5, "audio"): 0.1,
            }
        case "text-table":
            assert texts_of(found) == {0: 'one, \n"two"', 1: "schön"}
        case "20news-bydate":
            # Folders first: "sci" before "sci.med", though "." sorts before "/". Names as text: "10" before "9".
            assert texts_of(found) == {0: "Subject: test alt 10\n\nfooé", 5: "Subject: test sci.med 9\n\nfooé"}
        case "aclimdb":
            assert texts_of(found) == {7: "test neg 10\n\nFin é", 2: "test pos 0\n\nFin é"}
        case "image-folder":
            for index, picture in ((0, 2), (1, 1), (2, 0)):
                assert np.array_equal(pixels_of(found[index, "image"]), PICTURES[picture])
        case "text-folder":
            assert texts_of(found) == {0: "awful", 1: "schön"}
        case "audio-folder":
            assert {key: item.seconds for key, item in found.items() if key[1] == "audio"} == {
                (0, "audio"): 0.1,
                (1, "audio"): 0.2,
            }


def test_every_layout_is_tried_here() -> None:
    tables = {"image-table", "audio-table", "row-table"}  # see test_parquet_media, test_row_table
    questions = {"choices"}  # see test_question_forms
    assert set(LAYOUTS) - questions == set(ADAPTERS) == set(DISTRIBUTIONS) | tables == set(WANTED) | tables


@pytest.mark.parametrize("below", ["", "downloads"], ids=["in-the-folder", "one-level-below"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layout", DISTRIBUTIONS)
def test_every_layout_is_read_from_every_way_of_packing(tmp_path: Path, layout: str, way: str, below: str) -> None:
    name, files = DISTRIBUTIONS[layout]
    folder = tmp_path / below
    folder.mkdir(exist_ok=True)
    WAYS[way](folder, name, files)
    check(layout, read(layout, tmp_path, **options(layout, way)))


@pytest.mark.parametrize("layout", sorted(set(DISTRIBUTIONS) - {"image-folder", "text-folder", "audio-folder"}))
def test_a_distribution_that_is_not_there_is_none(tmp_path: Path, layout: str) -> None:
    assert open_media(layout, tmp_path, {}) is None
    assert open_media(layout, tmp_path, {"path": "elsewhere"}) is None


@pytest.mark.parametrize(
    "name",
    ["t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte", "raw/t10k-images-idx3-ubyte", "MNIST/t10k-images-idx3-ubyte"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_mnist_is_found_under_its_names(tmp_path: Path, name: str, packed: bool) -> None:
    unpacked(tmp_path, "", {name + ".gz" * packed: gzip.compress(idx()) if packed else idx()})
    check("mnist-idx", read("mnist-idx", tmp_path))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["cifar-10-python", "cifar-10-batches-py"])
def test_cifars_python_version_is_read(tmp_path: Path, way: str, name: str) -> None:
    folder = name if way == "unpacked" else "cifar-10-batches-py"
    WAYS[way](tmp_path, name, {f"{folder}/data_batch_1": b"", f"{folder}/test_batch": cifar_python()})
    check("cifar10", read("cifar10", tmp_path))
    source = open_media("cifar10", tmp_path, {})
    assert source is not None
    assert source.labels() == LABELS


@pytest.mark.parametrize("packed", [False, True])
def test_labels_of_mnist_lie_beside_its_images_or_nowhere(tmp_path: Path, packed: bool) -> None:
    images = {"t10k-images-idx3-ubyte": idx(), "t10k-labels-idx1-ubyte": idx_labels()}
    files = (
        {"MNIST.tar": tar_bytes(images)} if packed else {f"{name}.gz": gzip.compress(images[name]) for name in images}
    )
    unpacked(tmp_path, "", files)
    source = open_media("mnist-idx", tmp_path, {})
    assert source is not None
    assert source.labels() == [7, 2, 1, 0, 4]
    alone = tmp_path / "alone"
    unpacked(alone, "", {"t10k-images-idx3-ubyte": idx()})
    source = open_media("mnist-idx", alone, {})
    assert source is not None
    assert source.labels() == [None] * 5


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (idx_labels(bytes(4)), "expected 5 labels, one an image, found 4"),
        (idx_labels()[:-1], "expected 5 labels as the header says, found another number"),
        (idx_labels() + b"x", "expected 5 labels as the header says, found another number"),
        (b"\xff\xff\x08\x01" + bytes(9), "expected an IDX file of labels"),
        (b"", "expected an IDX file of labels"),
    ],
)
def test_a_damaged_file_of_labels_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    unpacked(tmp_path, "", {"t10k-images-idx3-ubyte": idx(), "t10k-labels-idx1-ubyte": data})
    source = open_media("mnist-idx", tmp_path, {})
    assert source is not None
    with pytest.raises(MediaError, match=f"t10k-labels-idx1-ubyte: {message}"):
        source.labels()


def test_labels_are_those_of_the_distribution(tmp_path: Path) -> None:
    for name, files in DISTRIBUTIONS.values():
        unpacked(tmp_path, name, files)
    groups = ["alt", "alt", "sci", "sci", "sci.med", "sci.med"]
    order = {"order": "sorted"}
    expected = {
        "mnist-idx": ({}, [7, 2, 1, 0, 4]),
        "cifar10": ({}, LABELS),
        "cifar100": ({}, LABELS),
        "quickdraw-bitmaps": ({}, ["The Eiffel Tower"] * (len(DIGITS) - 4) + ["bear"] * 2 + ["bee"] * 2),
        "amazon-lines": ({}, None),
        "text-table": ({"path": "table"}, None),
        "20news-bydate": (order, groups),
        "aclimdb": ({}, ["neg", "neg", "pos", "pos"]),
        "image-folder": ({"path": "pictures", **order}, ["ant", "cat", "cat"]),
        "text-folder": ({"path": "texts"}, ["bad", "good"]),
        "audio-folder": ({"path": "sounds", **order}, [None] * 2),
    }
    for layout, (given, labels) in expected.items():
        source = open_media(layout, tmp_path, given)
        assert source is not None
        found = source.labels()
        assert (None if found is None else list(found)) == labels, layout
    for layout in ("aclimdb", "text-folder"):
        source = open_media(layout, tmp_path, expected[layout][0])
        assert source is not None
        assert source.labels(keyed=True) is None, layout


def test_an_order_is_shuffled_once_for_each_seed(tmp_path: Path) -> None:
    files = {f"texts/{n:02}.txt": str(n).encode() for n in range(30)}
    unpacked(tmp_path, "texts", files)
    source = open_media("text-folder", tmp_path, {"path": "texts", "order": "sorted", "shuffle_seeds": [0, 42]})
    assert source is not None
    places = list(range(30))
    np.random.RandomState(0).shuffle(places)
    np.random.RandomState(42).shuffle(places)
    # An order beats a key: a dataset may have keys for other purposes.
    found = by_kind(list(source.items({i: f"key {i}" for i in range(30)})))
    assert [found[i, "text"].text for i in range(30)] == [str(place) for place in places]


def test_items_come_in_the_order_of_the_archive(tmp_path: Path) -> None:
    WAYS["zip"](tmp_path, "texts", {f"{n}.txt": b"x" for n in (3, 1, 2)})
    source = open_media("text-folder", tmp_path, {"path": "texts.zip"})
    assert source is not None
    assert [one.index for one in source.items({0: "1", 1: "2", 2: "3"})] == [2, 0, 1]


def test_one_broken_example_leaves_the_others(tmp_path: Path) -> None:
    files = {"p/a.png": png(PICTURES[0]), "p/b.png": png(PICTURES[1])[:90], "p/c.png": b"", "p/d.png": png(PICTURES[3])}
    unpacked(tmp_path, "p", files)
    (tmp_path / "p/e.png").symlink_to(os.devnull)
    source = open_media("image-folder", tmp_path, {"path": "p"})
    assert source is not None
    found = list(source.items({0: "a", 1: "b", 2: "c", 3: "d", 4: "e", 5: "f"}))
    assert [one.index for one in found if isinstance(one, MediaItem)] == [0, 0, 3, 3]
    problems = {one.index: str(one) for one in found if isinstance(one, MediaProblem)}
    assert list(problems) == [1, 2, 4, 5]
    assert problems[1].startswith(
        f"{tmp_path / 'p'}: b.png: example 1: expected a whole image, found one that cannot be decoded"
    )
    assert "found an empty file" in problems[2]
    assert "leads out of the folder" in problems[4]
    assert problems[5] == f"{tmp_path / 'p'}: example 5: expected a file named 'f', found none"


@pytest.mark.parametrize("ending", ["jfif", "JFIF", "jpe", "jif", "jfi", "dib", "apng", "pnm"])
def test_pictures_are_read_under_their_rarer_endings(tmp_path: Path, ending: str) -> None:
    """What a picture is, is told by its content; an ending that is not known would leave it out."""
    unpacked(tmp_path, "p", {f"p/1.{ending}": jpeg((250, 0, 0))})
    source = open_media("image-folder", tmp_path, {"path": "p", "order": "sorted"})
    assert source is not None
    assert len(by_kind(list(source.items({0: None})))) == 2


@pytest.mark.parametrize("ending", [".ZIP", ".TAR", ".TAR.GZ"])
def test_an_archive_may_have_its_ending_in_capitals(tmp_path: Path, ending: str) -> None:
    WAYS[ending.lower()[1:]](tmp_path, "texts", {"1.txt": b"one"}).rename(tmp_path / f"texts{ending}")
    source = open_media("text-folder", tmp_path, {"path": "texts"})
    assert source is not None
    assert texts_of(by_kind(list(source.items({0: "1"})))) == {0: "one"}


@pytest.mark.parametrize(("written", "asked"), [("NFD", "NFC"), ("NFC", "NFD"), ("NFC", "NFC")])
def test_a_name_with_accents_is_found_however_it_is_written(tmp_path: Path, written: str, asked: str) -> None:
    name = "sch\u00f6n \u2603"
    unpacked(tmp_path, "t", {f"t/{unicodedata.normalize(written, name)}.TXT": b"snow"})
    source = open_media("text-folder", tmp_path, {"path": "t"})
    assert source is not None
    assert texts_of(by_kind(list(source.items({4: unicodedata.normalize(asked, name)})))) == {4: "snow"}


@pytest.mark.parametrize(
    ("layout", "files", "kept"),
    [
        ("text-folder", {"b/a.txt": b"one", "c/a.txt": b"two"}, []),
        ("text-folder", {"c/a.txt": b"two", "a.txt": b"one", "b/a.txt": b"three"}, [0]),
        ("image-folder", {"a.jpg": png(PICTURES[0]), "a.png": png(PICTURES[1])}, []),
        ("image-folder", {"t/a.png": png(PICTURES[0]), "t\\a.png": png(PICTURES[1])}, []),
        ("audio-folder", {"b/a.wav": wav(0.1), "c/a.wav": wav(0.2)}, []),
        ("audio-folder", {"a.wav": wav(0.1), "a.mp3": b"what it was made of"}, [0]),
    ],
)
def test_of_two_files_that_one_example_may_mean_neither_is_shown(
    tmp_path: Path, layout: str, files: Files, kept: list[int]
) -> None:
    """The one that its key spells is, and of a sound in two formats the better one."""
    (tmp_path / "m.tar").write_bytes(tar_bytes(files))
    source = open_media(layout, tmp_path, {"path": "m.tar"})
    assert source is not None
    found = list(source.items({0: "a"}))
    assert sorted({one.index for one in found if isinstance(one, MediaItem)}) == kept
    if kept:
        assert not any(isinstance(one, MediaProblem) for one in found)
    else:
        (problem,) = found
        assert isinstance(problem, MediaProblem)
        assert not problem.absent
        assert problem.message.startswith("expected one file of this example, found '")
        names = sorted(name.replace("\\", "/") for name in files)
        assert problem.message.endswith(", ".join(map(repr, names)))


def test_an_index_beyond_the_end_is_a_problem(tmp_path: Path) -> None:
    for name, files in DISTRIBUTIONS.values():
        unpacked(tmp_path, name, files)
    for layout in ("mnist-idx", "cifar10", "cifar100", "quickdraw-bitmaps", "amazon-lines", "20news-bydate"):
        source = open_media(layout, tmp_path, {})
        assert source is not None
        problems = list(source.items({1_000: None, -1: None}))
        assert [one.index for one in problems if isinstance(one, MediaProblem)] == [-1, 1_000], layout


def test_what_a_system_hides_beside_files_is_no_example(tmp_path: Path) -> None:
    unpacked(tmp_path, "t", {"t/._1.txt": b"finder", "t/.git/2.txt": b"git", "t/3.txt": b"mine"})
    source = open_media("text-folder", tmp_path, {"path": "t"})
    assert source is not None
    assert [item.text for item in source.items({0: None}) if isinstance(item, MediaItem)] == ["mine"]


@pytest.mark.parametrize(
    ("layout", "files", "message"),
    [
        ("mnist-idx", {"t10k-images-idx3-ubyte": idx()[:-1]}, "image 4: expected 784 bytes, found 783: cut off"),
        ("mnist-idx", {"t10k-images-idx3-ubyte": idx() + b"x"}, "expected 5 images as the header says, found more"),
        ("mnist-idx", {"t10k-images-idx3-ubyte": b"\0\0\x08\x01" + bytes(20)}, "expected an IDX file of images"),
        ("mnist-idx", {"t10k-images-idx3-ubyte": idx()[:8] + bytes(8)}, "at most 4096 pixels a side"),
        ("mnist-idx", {"t10k-images-idx3-ubyte.gz": gzip.compress(idx())[:-900]}, "found one that cannot be read"),
        ("mnist-idx", {"t10k-images-idx3-ubyte.gz": b"<!doctype html>"}, "found one that cannot be read to its end"),
        (
            "mnist-idx",
            {"t10k-images-idx3-ubyte.gz": gzip.compress(idx()[:4] + bytes([0, 0, 3, 1] * 3) + bytes(33 << 20), 1)},
            "decompression bomb",
        ),
        ("mnist-idx", {"mnist.tar": tar_bytes({"readme": b""})}, "expected a file named like .*, found none"),
        ("cifar10", {"test_batch.bin": cifar_binary()[:-1]}, "image 3: expected 3,073 bytes, found 3,072: cut off"),
        ("cifar10", {"test_batch.bin": b""}, "expected images, found an empty file"),
        ("cifar10", {"test_batch": pickle.dumps([1])}, "expected a dictionary"),
        ("cifar10", {"test_batch": cifar_python(data=planes()[:, :-1])}, r'expected "data" to be an \(n, 3072\) array'),
        ("cifar10", {"test_batch": cifar_python(data=planes().astype(float))}, r'expected "data" to be an \(n, 3072\)'),
        ("cifar10", {"test_batch": cifar_python(labels=[1])}, 'expected "labels" to be a list of 4 whole numbers'),
        ("cifar10", {"test_batch": cifar_python(labels=print)}, r"refused the global (__builtin__|builtins)\.print"),
        ("cifar100", {"cifar-100-python/test": pickle.dumps([1])}, "expected a dictionary"),
        ("quickdraw-bitmaps", {"numpy_bitmap/a.npy": npy(DIGITS)[:-1]}, r"a\.npy: .*(784 bytes|mmap length|cannot)"),
        ("quickdraw-bitmaps", {"numpy_bitmap/a.npy": npy(DIGITS.astype(float))}, "expected rows of 784 bytes, found"),
        ("quickdraw-bitmaps", {"numpy_bitmap/a.npy": npy(DIGITS.astype(object), allow_pickle=True)}, "of object"),
        ("quickdraw-bitmaps", {"numpy_bitmap/a.npy": b"<!doctype html>"}, r"expected a \.npy file"),
        ("quickdraw-bitmaps", {"numpy_bitmap/readme": b""}, r"expected \.npy files of drawings in it, found none"),
        ("amazon-lines", {"amazon5core.txt.gz": b"<!doctype html>"}, "found one that cannot be read to its end"),
        ("text-table", {"t.csv": csv("id,body", "a,b")}, "expected a column 'text', found"),
        ("text-table", {"t.csv": csv("id,text", "a")}, "line 2: expected 2 cells as in line 1, found 1"),
        ("text-table", {"t.jsonl": b'{"text": "a"}\n[1]\n'}, "line 2: expected a JSON object, found list"),
        ("text-table", {"t.jsonl": b'{"text": \n'}, "line 1: expected a JSON object"),
        ("text-table", {"t.parquet": b"PAR1"}, "expected a Parquet file"),
        ("20news-bydate", {"20news-bydate-test/readme": b""}, "expected the files of a dataset in it, found none"),
    ],
)  # fmt: skip
def test_a_distribution_that_is_not_what_it_says_is_refused_by_name(
    tmp_path: Path, layout: str, files: Files, message: str
) -> None:
    unpacked(tmp_path, "", files)
    source = open_media(layout, tmp_path, {})
    assert source is not None
    with pytest.raises(MediaError, match=rf"{next(iter(files)).partition('/')[0]}.*{message}"):
        list(source.items({0: None}))


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="nowhere: expected a folder with the datasets' distributions, found none"):
        open_media("mnist-idx", tmp_path / "nowhere", {})


def test_an_unknown_layout_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        MediaError, match=r"'mnits' is unknown; expected one of 20news-bydate, aclimdb, .*, text-folder"
    ):
        open_media("mnits", tmp_path, {})


@pytest.mark.parametrize(
    ("layout", "given", "message"),
    [
        ("mnist-idx", {"ordre": "sorted"}, "option 'ordre': is unknown; expected one of path"),
        ("aclimdb", {"seconds": 3}, "option 'seconds': is unknown; expected one of path, order, encoding"),
        ("text-folder", {"path": "../x"}, "option 'path': expected a path inside the folder"),
        ("text-folder", {"path": "/etc"}, "option 'path': expected a path inside the folder"),
        ("text-folder", {"path": ""}, "option 'path': expected a path inside the folder"),
        (
            "text-folder",
            {"order": "random"},
            'option \'order\': expected "sorted", "numbers" or "text", found \'random\'',
        ),
        ("text-folder", {"shuffle_seeds": [1]}, "option 'shuffle_seeds': needs order"),
        ("text-folder", {"order": "sorted", "shuffle_seeds": [-1]}, "option 'shuffle_seeds': expected a list"),
        ("text-folder", {"encoding": "idna"}, "option 'encoding': expected one of utf-8, latin-1"),
        ("audio-folder", {"seconds": 0}, "option 'seconds': expected a number up to 60, found 0"),
        ("audio-folder", {"seconds": True}, "option 'seconds': expected a number up to 60, found True"),
    ],
)
def test_a_wrong_option_is_refused_by_name(
    tmp_path: Path, layout: str, given: Mapping[str, object], message: str
) -> None:
    with pytest.raises(MediaError, match=f"media layout {layout}: {message}"):
        open_media(layout, tmp_path, given)


def test_with_two_workers_the_same_comes_out(tmp_path: Path) -> None:
    files = {f"p/{n}.png": png(PICTURES[n % 4]) for n in range(150)} | {"p/7.png": b"broken"}
    unpacked(tmp_path, "p", files)
    source = open_media("image-folder", tmp_path, {"path": "p"})
    assert source is not None
    wanted = {n: str(n) for n in range(151)}
    assert list(source.items(wanted, workers=2)) == list(source.items(wanted))


def test_a_number_of_drawings_or_lines_that_is_not_the_expected_one_is_refused(tmp_path: Path) -> None:
    """With a file too few, every picture behind it would be another one's."""
    for layout in ("quickdraw-bitmaps", "amazon-lines"):
        name, files = DISTRIBUTIONS[layout]
        unpacked(tmp_path, name, files)
        source = open_media(layout, tmp_path, {"count": 7})
        assert source is not None
        with pytest.raises(MediaError, match=r"expected 7 (drawings in all|lines), found"):
            list(source.items({0: None}))


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_an_index_of_lines_is_kept_and_made_again_for_another_file(tmp_path: Path, ending: bytes) -> None:
    review = tmp_path / "amazon5core.txt"
    cache = tmp_path / "cache"

    def read_lines(*numbers: int) -> dict[int, str | None]:
        source = open_media("amazon-lines", tmp_path, {}, cache)
        assert source is not None
        return texts_of(by_kind(list(source.items(dict.fromkeys(numbers)))))

    lines = [b"x" * (n % 50) + str(n).encode() for n in range(1_000)]
    review.write_bytes((ending or b"\n").join(lines) + ending)
    expected = {n: lines[n].decode() for n in (0, 255, 256, 257, 511, 999)}
    assert read_lines(*expected) == expected
    (kept,) = cache.iterdir()
    made = kept.stat().st_mtime_ns
    assert read_lines(*expected) == expected
    assert kept.stat().st_mtime_ns == made, "not made again"
    kept.write_bytes(b"damaged")
    assert read_lines(999) == {999: lines[999].decode()}
    review.write_bytes(b"another\nfile\n")
    assert read_lines(1) == {1: "file"}


def test_tables_of_every_kind_are_read(tmp_path: Path) -> None:
    rows = [("a", "one,\ntwo"), ("b", "schön"), ("c", "")]
    table = pa.table({"key": [key for key, _ in rows], "body": [text for _, text in rows], "n": [1, 2, 3]})
    parquet.write_table(table, tmp_path / "t.parquet")
    objects = "".join(json.dumps({"key": key, "body": text}) + "\n" for key, text in rows)
    (tmp_path / "t.jsonl").write_text(objects)
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(objects.encode()))
    (tmp_path / "t.csv").write_bytes("\ufeff".encode() + csv("n,key,body", '1,a,"one,\ntwo"', "2,b,schön", "3,c,"))
    (tmp_path / "t.tsv").write_bytes(csv("body\tkey", '"one,\ntwo"\ta', "schön\tb", "\tc"))
    for name in ("t.parquet", "t.jsonl", "t.jsonl.gz", "t.csv", "t.tsv"):
        by_key = open_media("text-table", tmp_path, {"path": name, "column": "body", "key_column": "key", "count": 3})
        by_row = open_media("text-table", tmp_path, {"path": name, "column": "body"})
        assert by_key is not None
        assert by_row is not None
        assert texts_of(by_kind(list(by_key.items({7: "b", 9: "c"})))) == {7: "schön", 9: ""}, name
        assert texts_of(by_kind(list(by_row.items({0: None, 1: None})))) == {0: "one,\ntwo", 1: "schön"}, name
        (problem,) = by_key.items({5: "z"})
        assert "expected a row of key 'z', found none among 3" in str(problem)
