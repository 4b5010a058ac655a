"""The documentation keeps its word: what it shows runs and prints what it says, and what it points to is there."""

import contextlib
import io
import re
import shutil
from pathlib import Path

import httpx
import pytest

from app.settings import PREFIX, Settings
from ingest.commands.console import _parser
from tests import documents
from tests.conftest import ROOT, ingest
from tests.serving import serving

TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in documents.PAGES}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", documents.PAGES, ids=name_of)
def test_what_a_page_shows_does_what_it_says(page: Path, sample_catalogue: Path, tmp_path: Path):
    (tmp_path / "var").mkdir()
    catalogue = shutil.copy(sample_catalogue, tmp_path / "var/catalogue.sqlite")
    with serving(catalogue) as site:
        documents.Reader(tmp_path, site).follow(page)


def test_the_dataset_of_ones_own_can_be_loaded_without_votes(tmp_path: Path):
    found = {block.file: block.text for block in documents.blocks(ROOT / "docs/own-dataset.md") if block.file}
    reader = documents.Reader(tmp_path, "")
    with contextlib.chdir(tmp_path):
        made_up = [
            b for b in documents.blocks(ROOT / "docs/own-dataset.md") if b.kind == "python" and "mine/" in b.text
        ]
        reader.execute(made_up[0], "here")
    manifest = found["mine/dataset.toml"].replace('votes = "votes.json"\n', "")
    manifest = re.sub(r"\[votes\].+?(?=\[media\])", "", manifest, flags=re.S)
    mine = tmp_path / "mine"
    (mine / "dataset.toml").write_text(manifest, encoding="utf-8")
    catalogue = tmp_path / "catalogue.sqlite"
    ingest("add", mine / "dataset.toml", mine, "--media", mine, "--catalogue", catalogue)
    with serving(catalogue) as site:
        issue = httpx.get(f"{site}/api/v1/datasets/pets/issues/5", timeout=60).json()
        assert (issue["guessed"]["name"], issue["category"]) == ("hamster", "unreviewed")
        assert httpx.get(issue["links"]["media"]["image"], timeout=60).status_code == 200


def test_no_reason_for_not_running_a_command_is_left_over():
    shown = [one for page in documents.PAGES for b in documents.blocks(page) for one in documents.commands(b)]
    for beginning in documents.NOT_RUN:
        assert any(command.startswith(beginning) for command in shown), beginning


@pytest.mark.parametrize("page", documents.PAGES, ids=name_of)
def test_what_a_page_links_is_there(page: Path):
    for file, anchor in documents.links(page):
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), file
        assert target.is_relative_to(ROOT)
        if anchor:
            assert anchor in documents.anchors(target), f"{file}#{anchor}"


def test_the_first_page_links_all_others():
    index = ROOT / "docs/index.md"
    assert {page.name for page in ROOT.glob("docs/*.md")} - {index.name} <= {file for file, _ in documents.links(index)}


def test_settings_are_listed_with_their_defaults():
    text = TEXTS["docs/operating.md"]
    rows = dict(re.findall(rf"^\| `({PREFIX}\w+)` \|.+\| ?(.*?) ?\|$", text, re.M))
    assert set(rows) == {PREFIX + name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default = str(field.default) if field.default is not None else ""
        assert rows[PREFIX + name.upper()].strip("`") == default


@pytest.mark.parametrize("page", TEXTS)
def test_targets_of_make_and_scripts_exist(page: str):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([\w-]+)|`make ([\w-]+)", TEXTS[page], re.M):
        assert re.search(rf"^{''.join(target)}:", makefile, re.M), target
    for module in re.findall(r"python -m ((?:benchmarks|tests)\.\w+)", TEXTS[page]):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file()


def test_the_table_of_changes_names_files_that_are_there():
    text = TEXTS["CONTRIBUTING.md"]
    rows = text[text.index("## Where is it changed?") :].splitlines()[4:]
    rows = rows[: rows.index("")]
    assert len(rows) == 13
    for row in rows:
        files = re.findall(r"`((?:app|ingest|templates)/[\w/.]+)`", row)
        assert files, row
        assert all((ROOT / file).exists() for file in files), row


def test_the_map_names_every_room():
    text = TEXTS["CONTRIBUTING.md"]
    for top in ("app", "ingest"):
        rooms = {room.parent for room in (ROOT / top).glob("*/*.py")}
        assert rooms
        for room in rooms:
            assert f"`{top}/{room.name}`" in text, f"{top}/{room.name} is not on the map"


def test_the_readme_is_short():
    assert len(TEXTS["README.md"].splitlines()) <= 95


@pytest.mark.parametrize("page", TEXTS)
def test_commands_within_sentences_have_the_options_they_name(page: str):
    assert "python -m ingest" not in TEXTS[page], "the command is label-errors"
    for command in re.findall(r"`label-errors ([a-z]+[^`]*)`", TEXTS[page]):
        words = command.split()
        told = io.StringIO()
        with contextlib.redirect_stdout(told), pytest.raises(SystemExit) as ended:
            _parser(None).parse_args([*words[: 2 if words[0] == "review" else 1], "--help"])
        assert ended.value.code == 0
        for option in [word for word in words if word.startswith("--") and word != "--help"]:
            assert option in told.getvalue(), command
