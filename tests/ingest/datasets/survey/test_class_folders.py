"""Folders of labelled files: found by what they hold, in the order of their paths, and never changed."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from ingest.commands.main import main
from tests.ingest.datasets.survey.conftest import Found, Init, picture, put
from tests.ingest.media.sounds import tone, wav


def sound(hertz: float) -> bytes:
    return wav(tone(hertz, 0.3, 8_000), 8_000)


PETS = {
    f"{name}/{number}.png": picture(shade + number)
    for name, shade in (("cat", 0), ("dog", 90))
    for number in (1, 2, 10)
}
EXAMPLES: dict[str, tuple[str, Mapping[str, bytes | str]]] = {
    "pictures": ("image", PETS),
    "pictures called otherwise": ("image", {name.replace(".png", ".dat"): data for name, data in PETS.items()}),
    "pictures without endings": ("image", {name.removesuffix(".png"): data for name, data in PETS.items()}),
    "sounds": ("audio", {f"{name}/{number}.wav": sound(440 * number) for name in ("cat", "dog") for number in (1, 2)}),
    "sounds called otherwise": (
        "audio",
        {f"{name}/{n}.snd": sound(440 * n) for name in ("cat", "dog") for n in (1, 2)},
    ),
    "texts": ("text", {f"{name}/{number}.txt": f"{name} {number}" for name in ("cat", "dog") for number in (1, 2)}),
    "texts without endings": (
        "text",
        {f"{name}/{number}": f"{name} {number}" for name in ("cat", "dog") for number in (1, 2)},
    ),
    "texts of several endings": (
        "text",
        {"cat/1.txt": "a cat", "cat/2.md": "a cat", "dog/1.txt": "a dog", "dog/2": "a dog"},
    ),
    "below a folder of their own": ("image", {f"data/test/{name}": data for name, data in PETS.items()}),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_folder_for_each_class_is_a_dataset(
    tmp_path: Path, init: Init, checked: Callable[[Found], str], name: str
) -> None:
    modality, files = EXAMPLES[name]
    found = init(put(tmp_path / "pets", files))
    assert found.status == 0, found.error
    assert found.manifest.modality == modality
    assert found.classes == ["cat", "dog"]
    index = found.json("index.json")
    assert index == sorted(files)
    assert found.labels == [path.split("/")[-2] for path in index]
    said = checked(found)
    assert f"example 0: cat; {index[0].removeprefix('data/')}" in said.replace("; data/", "; ")
    assert "cannot be shown" not in said.replace("joint cannot be shown", "")


def test_a_dataset_that_was_found_is_added_with_its_media(
    tmp_path: Path, init: Init, query_of: Callable[[Path], Callable[..., list[object]]]
) -> None:
    """Each picture is stored beside the label of its folder, also where names sort otherwise as numbers."""
    found = init(put(tmp_path / "pets", PETS))
    given = np.load(found.out / "labels.npy")
    np.save(found.out / "pred_probs.npy", np.eye(2)[1 - given] * 0.8 + 0.1)
    manifest = found.out / "dataset.toml"
    manifest.write_text(
        manifest.read_text()
        .replace("[files]\n", '[files]\npred_probs = "pred_probs.npy"\n')
        .replace("\nmodality", "\nflag = 6\nmodality")
    )
    catalogue = tmp_path / "catalogue.sqlite"
    assert main(found.command("add", "--catalogue", str(catalogue))) == 0
    query = query_of(catalogue)
    rows = query("SELECT key, given FROM issues ORDER BY idx")
    assert rows == [(path, ("cat", "dog").index(path.split("/")[0])) for path in sorted(PETS)]
    assert query("SELECT count(*) FROM media WHERE kind = 'image'") == [(6,)]


def test_what_is_no_example_is_left_out_and_said(tmp_path: Path, init: Init, checked: Callable[[Found], str]) -> None:
    folder = put(
        tmp_path / "pets",
        PETS
        | {
            "cat/.DS_Store": b"x",
            "cat/zero.png": b"",
            "cat/notes.txt": "mine",
            "README.md": "Pets.",
            "dog/raw": bytes(40),
        },
    )
    (folder / "empty").mkdir()
    (folder / "cat/lfs.png").write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'1' * 64}\nsize 9\n")
    put(tmp_path, {"elsewhere.png": picture(1)})
    (folder / "cat/link.png").symlink_to(tmp_path / "elsewhere.png")
    (folder / "cat/nowhere.png").symlink_to(folder / "none.png")
    (folder / "bird").symlink_to(tmp_path)
    found = init(folder)
    assert found.json("index.json") == sorted(PETS)
    for said in (
        "hidden and system files: 'cat/.DS_Store'",
        "files that cannot be read: 'cat/lfs.png is a pointer of Git'",
        "'cat/zero.png is empty'",
        "files that are no pictures: 'cat/notes.txt', 'dog/raw'",
        "files in no class folder: 'README.md'",
        "class folders without examples: 'empty'",
        "links that lead out of the folder: 'cat/link.png'",
        "links to nowhere: 'cat/nowhere.png'",
        "links to folders: 'bird'",
    ):
        assert said in found.said
    checked(found)


def test_names_that_cannot_be_written_are_left_out(tmp_path: Path, init: Init) -> None:
    folder = put(tmp_path / "pets", PETS | {"cat/a\nb.png": picture(3)})
    (Path(os.fsdecode(bytes(folder) + b"/cat/\xff.png"))).write_bytes(picture(4))
    found = init(folder)
    assert found.json("index.json") == sorted(PETS)
    assert "files with names that are no text" in found.said
    assert "files with a line break or a backslash in their names" in found.said


def test_a_part_to_learn_from_is_not_looked_at(tmp_path: Path, init: Init, checked: Callable[[Found], str]) -> None:
    files = {f"{part}/{name}": data for part in ("test", "train", "val") for name, data in PETS.items()}
    found = init(put(tmp_path / "pets", files | {"train/unsup/1.png": picture(5)}))
    assert found.json("index.json") == sorted(f"test/{name}" for name in PETS)
    assert found.json("train_index.json") == sorted(f"train/{name}" for name in PETS)
    train = found.manifest.train
    assert train is not None
    assert (found.media["path"], train.path) == ("test", "train")
    assert "found: 6 pictures in 'train' to learn from, which nobody looks at" in found.said
    assert "neither looked at nor learnt from: 'val'" in found.said
    assert "of classes that 'test' does not have: 'unsup'" in found.said
    assert "6 examples" in checked(found)


def test_deeper_parts_are_found_by_their_whole_paths(
    tmp_path: Path, init: Init, checked: Callable[[Found], str]
) -> None:
    files = {f"data/20x-{part}/{name}": data for part in ("test", "train") for name, data in PETS.items()}
    found = init(put(tmp_path / "pets", files))
    assert found.json("index.json")[0] == "data/20x-test/cat/1.png"
    assert found.media["path"] == "data/20x-test"
    assert "example 0: cat; cat/1.png" in checked(found)


def test_folders_called_train_may_be_classes(tmp_path: Path, init: Init) -> None:
    files = {f"{name}/{n}.png": picture(n) for name in ("train", "bus", "test") for n in range(3)}
    assert init(put(tmp_path / "vehicles", files)).classes == ["bus", "test", "train"]


@pytest.mark.parametrize(
    ("names", "classes", "said"),
    [
        (("class10", "class2"), ["class10", "class2"], "classes are in the order of text, as in torchvision and Keras"),
        (("10", "9", "8"), ["8", "9", "10"], "class 0 is called '8'"),
        (("0", "1"), ["0", "1"], None),
        (("Cat", "cat"), ["Cat", "cat"], "differ in capitals only, 'Cat', 'cat'"),
    ],
)
def test_doubts_about_names_of_classes_are_said(
    tmp_path: Path,
    init: Init,
    checked: Callable[[Found], str],
    names: tuple[str, ...],
    classes: list[str],
    said: str | None,
) -> None:
    found = init(put(tmp_path / "some", {f"{name}/{n}.png": picture(n) for name in names for n in range(3)}))
    assert found.classes == classes
    assert found.labels == [path.split("/")[0] for path in found.json("index.json")]
    assert said in found.said if said else "unsure" not in found.said
    checked(found)


def test_a_class_of_one_example_is_named(tmp_path: Path, init: Init) -> None:
    found = init(put(tmp_path / "pets", PETS | {"eel/1.png": picture(9)}))
    assert "classes with one example only, 'eel'" in found.said
    assert found.labels.count("eel") == 1


def test_folders_within_class_folders_count_to_the_class(tmp_path: Path, init: Init) -> None:
    found = init(put(tmp_path / "pets", PETS | {"dog/puppies/1.png": picture(9)}))
    assert found.labels.count("dog") == 4
    assert "folders within class folders count to the class, such as 'dog/puppies'" in found.said


@pytest.mark.parametrize(
    ("letters", "encoding"), [("café", "utf-8"), ("café", "latin-1"), ("“é”", "cp1252"), ("é", "utf-16")]
)
def test_the_encoding_of_texts_is_found(
    tmp_path: Path, init: Init, checked: Callable[[Found], str], letters: str, encoding: str
) -> None:
    files: dict[str, bytes | str] = {
        f"{name}/{n}.txt": f"{letters} {n}".encode(encoding) for name in "ab" for n in range(3)
    }
    found = init(put(tmp_path / "texts", files))
    assert found.media.get("encoding", "utf-8") == encoding
    assert letters in checked(found)


def test_no_text_is_lost_where_only_latin_1_reads_all(tmp_path: Path, init: Init) -> None:
    curly, odd = "“é”".encode("cp1252"), b"caf\xe9 \x81"  # no letter of cp1252
    files: dict[str, bytes | str] = {f"{name}/{n}.txt": curly for name in "ab" for n in range(3)}
    found = init(put(tmp_path / "texts", files | {"a/odd.txt": odd}))
    assert found.media["encoding"] == "latin-1"
    assert len(found.labels) == 7


def test_a_text_with_characters_of_a_terminal_is_a_text(tmp_path: Path, init: Init) -> None:
    files: dict[str, bytes | str] = {f"{name}/{n}.txt": f"text {n}" for name in "ab" for n in range(3)}
    binary = bytes(range(1, 256))  # no NUL, no UTF-8
    found = init(
        put(
            tmp_path / "texts",
            files | {"a/cut.txt": "a letter with \x01\x02, and words after it " * 40, "b/x.bin": binary},
        )
    )
    assert len(found.labels) == 7
    assert "'b/x.bin'" in found.said


def test_texts_of_another_encoding_than_most_are_left_out(tmp_path: Path, init: Init) -> None:
    files: dict[str, bytes | str] = {f"{name}/{n}.txt": f"café {n}" for name in "ab" for n in range(3)}
    found = init(put(tmp_path / "texts", files | {"a/old.txt": "café".encode("latin-1")}))
    assert "texts in another encoding than utf-8: 'a/old.txt'" in found.said
    assert len(found.labels) == 6


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "expected folders of pictures, sounds or texts, found no files"),
        (
            {"a/1\n.png": picture(1)},
            "found no files; left out were files with a line break or a backslash in their names: 'a/1\\n.png'",
        ),
        ({"cat/1.png": picture(1), "cat/2.png": picture(2)}, "expected labels of two classes at least, found"),
        ({"1.png": picture(1), "2.png": picture(2)}, "found pictures in none, such as '1.png'"),
        (
            {"a/1.bin": bytes(9), "b/1.bin": bytes(9)},
            "expected folders of pictures, sounds or texts, found 2 other files",
        ),
        ({f"{n}/1.png": picture(n) for n in range(12)}, "expected classes, found 12 different labels of 12 examples"),
        ({"pets.tar.gz": b"\x1f\x8b123"}, "files for each class, found 'pets.tar.gz': unpack it"),
    ],
)
def test_what_is_no_dataset_is_refused(tmp_path: Path, init: Init, files: Mapping[str, bytes | str], said: str) -> None:
    (tmp_path / "some").mkdir()
    found = init(put(tmp_path / "some", files))
    assert found.status == 1
    assert said in found.error
    assert not found.out.exists()


def test_classes_that_look_the_same_are_named(tmp_path: Path, init: Init) -> None:
    names = ("caf\u00e9", "cafe\u0301", "tea")
    found = init(put(tmp_path / "some", {f"{name}/{n}.png": picture(n) for name in names for n in range(2)}))
    assert len(found.classes) == 3
    assert (
        "unsure: classes whose names look the same and are written otherwise, 'cafe\\u0301', 'caf\\xe9'," in found.said
    )
