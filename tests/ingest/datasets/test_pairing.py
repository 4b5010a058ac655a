"""Files and labels of a dataset of one's own: paired by name or by a stated order, never by a guess."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.schema.packing import unpack_keys
from ingest.commands.main import main
from tests.ingest.conftest import Query, Tiny

N = 40


def picture(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (2, 2), shade).save(file, "PNG")
    return file.getvalue()


def manifest_of(tiny: Tiny, media: str) -> list[str]:
    """Write the dataset with pictures of its own; the arguments that name it and its media."""
    tiny.top = f"flag = 8\n[media]\n{media}"
    path = tiny.write()
    path.write_text(path.read_text().replace('media = "none"', 'media = "host"'))
    return [str(path), str(tiny.folder), "--media", str(tiny.folder)]


def put(tiny: Tiny, names: list[str]) -> None:
    """A picture for each example, of its own shade of grey."""
    for index, name in enumerate(names):
        path = tiny.folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(index * 6))


def shades(query: Query) -> dict[int, int]:
    found = {}
    for index, data in query("SELECT idx, bytes FROM media WHERE kind = 'image'"):
        with Image.open(io.BytesIO(data)) as image:
            found[index] = int(np.asarray(image)[0, 0]) // 6
    return found


FOLDER = 'layout = "image-folder"\npath = "images"'


def test_unpadded_numbers_are_refused_until_an_order_is_said(
    tiny: Tiny, old: Path, query_of: Callable[[Path], Query], capsys: pytest.CaptureFixture[str]
) -> None:
    put(tiny, [f"{index}.png" for index in range(N)])
    before = old.read_bytes()
    assert main(["add", *manifest_of(tiny, f'{FOLDER}\norder = "sorted"'), "--catalogue", str(old)]) == 1
    assert old.read_bytes() == before
    error = capsys.readouterr().err
    assert "example 2 would be '2.png' by number and '10.png' as text, example 3 '3.png' and '11.png'" in error
    assert main(["add", *manifest_of(tiny, f'{FOLDER}\norder = "numbers"'), "--catalogue", str(old)]) == 0
    found = shades(query_of(old))
    assert len(found) >= 8
    assert all(index == shade for index, shade in found.items())
    assert main(["add", *manifest_of(tiny, f'{FOLDER}\norder = "text"'), "--catalogue", str(old)]) == 0
    as_text = sorted(range(N), key=str)
    assert all(as_text[index] == shade for index, shade in shades(query_of(old)).items())


def test_names_in_an_index_are_what_pairs_files(
    tiny: Tiny, old: Path, query_of: Callable[[Path], Query], capsys: pytest.CaptureFixture[str]
) -> None:
    """In whatever order they sort; with an order beside them nobody could say which of the two is meant."""
    names = [f"{(index * 7) % N}.png" for index in range(N)]
    put(tiny, names)
    tiny.files, tiny.extra["names.json"] = 'index = "names.json"', names
    assert main(["add", *manifest_of(tiny, f'{FOLDER}\norder = "sorted"'), "--catalogue", str(old)]) == 1
    expected = "media.order: expected none where files.index names the examples, by which their media are found; found"
    assert expected in capsys.readouterr().err
    assert main(["add", *manifest_of(tiny, FOLDER), "--catalogue", str(old)]) == 0
    found = shades(query_of(old))
    assert len(found) >= 8
    assert all(index == shade for index, shade in found.items())


def test_names_that_become_one_key_are_refused(tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two entries may be the same, as some of IMDB's are; different ones cut down to one name are two examples."""
    names = [f"{'ab'[index % 2]}/{index // 2:02}.png" for index in range(N)]
    tiny.files, tiny.examples = 'index = "names.json"', 'key = "stem"'
    tiny.extra["names.json"] = names
    assert main(["add", *manifest_of(tiny, FOLDER), "--catalogue", str(old)]) == 1
    told = "names.json: entry 1: expected a name of its own for each example, found that 'a/00.png' (entry 0) and "
    assert f"{told}'b/00.png' both become '00'" in capsys.readouterr().err
    tiny.extra["names.json"] = [names[0], names[0], *names[2:]]
    tiny.examples = 'key = "path"'
    assert main(["check", *manifest_of(tiny, FOLDER)[:2]]) == 0


def test_files_name_the_examples_where_nothing_else_does(
    tiny: Tiny, old: Path, query_of: Callable[[Path], Query], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    order = np.argsort(tiny.labels, kind="stable")
    tiny.labels, tiny.probs = tiny.labels[order], tiny.probs[order]
    tiny.records = [tiny.record(index, 2, 2, 1, 0) for index in range(6)]
    names = [f"{tiny.classes[label]}/{index:02} \u00e9.png" for index, label in enumerate(tiny.labels)]
    put(tiny, names)
    (tiny.folder / "images/notes.md").write_text("mine")
    (tiny.folder / "images/Thumbs.db").write_text("the system's")
    manifest = manifest_of(tiny, f'{FOLDER}\norder = "sorted"')
    assert main(["add", *manifest, "--catalogue", str(old)]) == 0
    told = "tiny: passed over another file, whose kind is not read, such as 'notes.md'\n"
    assert told in capsys.readouterr().out
    query = query_of(old)
    where = "JOIN datasets d ON d.id = dataset_id WHERE d.name = 'tiny'"
    issues = query(f"SELECT idx, key FROM issues i {where}")
    assert issues
    assert all(key == names[index] for index, key in issues)
    ((packed,),) = query(f"SELECT keys FROM examples e {where}")
    assert unpack_keys(packed) == names
    found = query("SELECT count(*) FROM issue_search WHERE issue_search MATCH 'png'")
    assert found == [(len(issues),)]
    table = tmp_path / "corrected.csv"
    assert main(["export", "tiny", "--out", str(table), "--catalogue", str(old)]) == 0
    rows = [row.split(",") for row in table.read_text().splitlines()[1:]]
    assert rows
    assert all(names[int(row[0])] == row[1] for row in rows)
    assert main(["add", *manifest[:2], "--drop-media", "--catalogue", str(old)]) == 0
    assert query(f"SELECT count(key) FROM issues i {where}") == [(0,)], "no longer here to name them"


def test_a_name_that_cannot_be_written_names_nothing(
    tiny: Tiny, old: Path, query_of: Callable[[Path], Query], capsys: pytest.CaptureFixture[str]
) -> None:
    put(tiny, [f"{index:02}\n.png" for index in range(N)])
    assert main(["add", *manifest_of(tiny, f'{FOLDER}\norder = "sorted"'), "--catalogue", str(old)]) == 0
    assert "go by their numbers only, since the name of a file is no text: '00\\n.png'" in capsys.readouterr().out
    assert query_of(old)("SELECT count(key) FROM issues") == [(0,)]


def test_a_file_that_is_missing_among_numbered_ones_is_told(
    tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tiny, [f"{index:02}.png" for index in range(N)])
    (tiny.folder / "images/05.png").rename(tiny.folder / "images/40.png")
    sorted_by_name = f'{FOLDER}\norder = "sorted"'
    assert main(["add", *manifest_of(tiny, sorted_by_name), "--catalogue", str(old)]) == 0
    told = "tiny: numbers are left out where '06.png' follows '04.png'; files are paired by place\n"
    assert told in capsys.readouterr().out
    (tiny.folder / "images/40.png").unlink()
    assert main(["check", *manifest_of(tiny, sorted_by_name)]) == 1
    assert "found 39, and '06.png' follows '04.png': pictures" in capsys.readouterr().out


@pytest.mark.parametrize("ending", [".7z", ".rar", ".tar.zst"])
def test_an_archive_that_is_not_read_is_named(
    tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    manifest = manifest_of(tiny, FOLDER)
    (tiny.folder / f"images{ending}").write_bytes(b"packed")
    assert main(["add", *manifest, "--catalogue", str(old)]) == 0
    assert f"What lies there is in a format that is not read, images{ending}; unpack it" in capsys.readouterr().out


def check(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    capsys.readouterr()
    status = main(["check", *arguments])
    return status, capsys.readouterr().out.splitlines()


def test_check_shows_the_first_examples_with_their_labels_and_files(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tiny, [f"{index:02}.png" for index in range(N)])
    manifest = manifest_of(tiny, f'{FOLDER}\norder = "sorted"')
    before = sorted(path.relative_to(tiny.folder.parent) for path in tiny.folder.parent.rglob("*"))
    status, lines = check(manifest, capsys)
    assert status == 0
    assert lines[0].startswith("tiny: good: 40 examples, 8 issues, 6 checked, 5 errors, 2 waiting for review; from ")
    assert lines[0].endswith(", media")
    assert "tiny: 8 of 8 issues with a medium" in lines
    names = [tiny.classes[label] for label in tiny.labels[:3]]
    assert lines[-3:] == [f"tiny: example {index}: {names[index]}; {index:02}.png" for index in range(3)]
    assert before == sorted(path.relative_to(tiny.folder.parent) for path in tiny.folder.parent.rglob("*"))
    status, lines = check(manifest[:2], capsys)
    assert status == 0
    assert lines[-2:] == [
        f"tiny: example 2: {names[2]}",
        "media were not looked for: name their folder with --media DIR",
    ]
    assert not any("at hand" in line for line in lines)


def test_check_finds_what_add_would(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{index:02}.png" for index in range(N)]
    put(tiny, names)
    tiny.files, tiny.extra["names.json"] = 'index = "names.json"', names
    manifest = manifest_of(tiny, FOLDER)
    (tiny.folder / "images/02.png").write_bytes(b"broken")
    (tiny.folder / "images/03.png").unlink()
    status, lines = check(manifest, capsys)
    assert status == 1
    assert lines[0].startswith("tiny: wrong: 40 examples")
    assert "tiny: 6 of 8 issues with a medium" in lines
    (damaged,) = [line for line in lines if line.startswith("tiny: wrong: ") and "example" in line and "02.png" in line]
    assert "expected an image" in damaged
    assert any(
        line.startswith("tiny: missing: ") and "expected a file named '03.png', found none" in line for line in lines
    )
    assert f"tiny: example 2: {tiny.classes[tiny.labels[2]]}; 02.png" in lines
    for name in names:
        (tiny.folder / "images" / name).unlink(missing_ok=True)
    (tiny.folder / "images").rmdir()
    status, lines = check(manifest, capsys)
    assert status == 1
    assert any("The media were not found" in line for line in lines)
    (tiny.folder / "votes.json").unlink()
    status, lines = check(manifest, capsys)
    assert (status, len(lines)) == (1, 1)
    assert "votes.json: expected the file of votes that the manifest names, found none" in lines[0]


def test_check_shows_how_texts_begin(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = manifest_of(tiny, 'layout = "text-table"\npath = "t.jsonl"')
    Path(manifest[0]).write_text(Path(manifest[0]).read_text().replace('"image"', '"text"'))
    rows = [json.dumps({"text": f"the text of {index}"}) + "\n" for index in range(N)]
    (tiny.folder / "t.jsonl").write_text("".join(rows))
    status, lines = check(manifest, capsys)
    assert status == 0
    assert lines[-1] == f"tiny: example 2: {tiny.classes[tiny.labels[2]]}; t.jsonl, record 2; 'the text of 2'"


def test_check_of_a_folder_with_a_manifest_says_how(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = tiny.write()
    with pytest.raises(SystemExit, match="2"):
        main(["check", str(tiny.folder)])
    assert f"of a dataset of your own say {manifest} {tiny.folder}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x.toml"], "expected the folder of its files after the manifest x.toml, found none"),
        (["x.toml", "a", "b"], "expected DIR, or MANIFEST.toml and DIR, found 3 of them"),
        (["x.toml", "a", "--dataset", "mnist"], "--dataset is for the release"),
    ],
)
def test_wrong_usage_of_check_is_status_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["check", *arguments])
    assert said in capsys.readouterr().err


def indexed(tiny: Tiny, names: list[object], files: list[str]) -> list[str]:
    put(tiny, files)
    tiny.files, tiny.extra["names.json"] = 'index = "names.json"', names
    return manifest_of(tiny, FOLDER)


def test_whole_numbers_in_an_index_are_names(tiny: Tiny, old: Path, query_of: Callable[[Path], Query]) -> None:
    arguments = indexed(tiny, list(range(N)), [f"{index}.png" for index in range(N)])
    assert main(["add", *arguments, "--catalogue", str(old)]) == 0
    found = shades(query_of(old))
    assert len(found) >= 8
    assert all(index == shade for index, shade in found.items())


@pytest.mark.parametrize("entry", [0.5, True, None, ["0"]])
def test_what_is_no_name_in_an_index_is_refused(tiny: Tiny, entry: object, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = indexed(tiny, [*range(N - 1), entry], ["0.png"])
    assert main(["check", *arguments]) == 1
    assert f"names.json: entry {N - 1}: expected a name, as text or a whole number" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([f"N{index}.png" for index in range(N)], ".png', which has other capitals"),
        ([f"{folder}/n{index}.png" for folder in "ab" for index in range(N)], "2 files in folders that"),
        ([f"a/n{index}.png" for index in range(N)], "which lies in a folder that the name has to say"),
        ([f"{index:02}.png" for index in range(N)], "found none of them among files such as '"),
    ],
    ids=["capitals", "two folders", "a folder", "others"],
)
def test_an_index_of_which_no_file_is_found_is_wrong(
    tiny: Tiny,
    old: Path,
    query_of: Callable[[Path], Query],
    capsys: pytest.CaptureFixture[str],
    files: list[str],
    told: str,
) -> None:
    arguments = indexed(tiny, [f"n{index}.png" for index in range(N)], [])
    for file in files:
        (tiny.folder / "images" / file).parent.mkdir(parents=True, exist_ok=True)
        (tiny.folder / "images" / file).write_bytes(picture(7))
    for command in (["check", *arguments], ["add", *arguments, "--catalogue", str(old)]):
        assert main(command) == 1
        said = "".join(capsys.readouterr())
        assert "expected media of the names that the examples have, such as 'n" in said
        assert told in said
    assert query_of(old)("SELECT count(*) FROM media") == [(0,)]


def test_a_table_of_which_no_key_is_found_is_wrong(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.files, tiny.extra["names.json"] = 'index = "names.json"', [f"n{index}" for index in range(N)]
    arguments = manifest_of(tiny, 'layout = "text-table"\npath = "t.csv"\nkey_column = "id"')
    Path(arguments[0]).write_text(Path(arguments[0]).read_text().replace('"image"', '"text"'))
    (tiny.folder / "t.csv").write_text("id,text\n" + "".join(f"N{index},a text\n" for index in range(N)))
    assert main(["check", *arguments]) == 1
    assert "found none of them in column 'id', which begins with 'N0', 'N1', 'N2'" in capsys.readouterr().out


def test_one_name_of_two_examples_is_told(tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"n{index}.png" for index in range(N)]
    arguments = indexed(tiny, [names[0], names[0], *names[2:]], names)
    assert main(["add", *arguments, "--catalogue", str(old)]) == 0
    told = "an example has another's name and shows the same: 0 and 1 are both 'n0.png'"
    assert told in capsys.readouterr().out


def test_which_of_a_folder_and_an_archive_is_read_is_told(
    tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tiny, [f"{index:02}.png" for index in range(N)])
    (tiny.folder / "images.zip").write_bytes(b"of another day")
    arguments = manifest_of(tiny, f'{FOLDER}\norder = "sorted"')
    for command in (["check", *arguments], ["add", *arguments, "--catalogue", str(old)]):
        assert main(command) == 0
        assert "tiny: read 'images' and not 'images.zip', which lies beside it" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["images.foo", "Images", "image", "images-1.pack"])
def test_what_may_be_meant_is_named(tiny: Tiny, capsys: pytest.CaptureFixture[str], name: str) -> None:
    arguments = manifest_of(tiny, FOLDER)
    (tiny.folder / name).mkdir()
    assert main(["check", *arguments]) == 1
    assert f"found '{name}', which may be what is meant" in capsys.readouterr().out


def test_a_tar_called_tb2_is_read(tiny: Tiny, old: Path, query_of: Callable[[Path], Query]) -> None:
    arguments = manifest_of(tiny, f'{FOLDER}\norder = "sorted"')
    with tarfile.open(tiny.folder / "images.tb2", "w:bz2") as archive:
        for index in range(N):
            info = tarfile.TarInfo(f"images/{index:02}.png")
            info.size = len(picture(index * 6))
            archive.addfile(info, io.BytesIO(picture(index * 6)))
    assert main(["add", *arguments, "--catalogue", str(old)]) == 0
    found = shades(query_of(old))
    assert len(found) >= 8
    assert all(index == shade for index, shade in found.items())
