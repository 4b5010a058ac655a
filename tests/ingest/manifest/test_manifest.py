"""Manifests: read strictly, refused by file and key."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.domain.confident_learning.joint import FlagRule
from ingest.commands.main import main
from ingest.errors import ManifestError
from ingest.manifest.parse import read_manifest, read_manifests
from ingest.pipeline import DATASETS


def test_the_ten_datasets_in_the_order_of_the_paper_and_then_mmlu() -> None:
    names = " ".join(manifest.name for manifest in read_manifests(DATASETS))
    assert names == "mnist cifar10 cifar100 caltech256 imagenet quickdraw 20news imdb amazon audioset mmlu"


def test_the_ten_datasets_demand_every_guess() -> None:
    """Their votes were published with these very guesses, so one that differs is a wrong join."""
    papers = [manifest for manifest in read_manifests(DATASETS) if manifest.paper is not None]
    assert {manifest.votes.guesses for manifest in papers} == {"must-match"}
    assert len(papers) == 10
    corrected = {manifest.name: manifest.votes.corrects for manifest in read_manifests(DATASETS)}
    assert [name for name, corrects in corrected.items() if corrects != "any"] == ["amazon"]


def test_no_module_of_ingest_knows_a_dataset_by_name() -> None:
    """Names may stand in help texts, nowhere else: what differs between datasets stands in their manifests."""
    names = {manifest.name for manifest in read_manifests(DATASETS)}
    for module in (DATASETS.parents[1] / "ingest").glob("*.py"):
        if module.name == "layouts.py":
            continue  # names layouts, as manifests do; some are published for one dataset and called after it
        source = module.read_text()
        for name in names:
            assert f'"{name}"' not in source, f"{module.name} knows {name}"
            assert f"'{name}'" not in source, f"{module.name} knows {name}"


def test_a_manifest_may_leave_out_what_has_a_usual_value(tiny: Any) -> None:
    tiny.top = ""
    manifest = read_manifest(tiny.write())
    assert (manifest.raters, manifest.agreements, manifest.labels) == (5, (3, 4, 5), "single")
    assert manifest.flag is FlagRule.CALIBRATED
    assert manifest.votes.options == ("given", "guessed", "both", "neither")
    assert (manifest.votes.guesses, manifest.votes.corrects) == ("may-differ", "any")
    assert (manifest.sample, manifest.logits, manifest.media, manifest.paper) == (False, False, None, None)


def test_agreements_follow_the_number_of_raters(tiny: Any) -> None:
    tiny.top = "raters = 3"
    assert read_manifest(tiny.write()).agreements == (2, 3)


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ("colour = 1", "colour: unknown key; known here are agreements"),
        ("size = 0", "size: expected at least 1, found 0"),
        ("size = 10000000000000000", "size: expected at most 9007199254740991"),
        ("raters = 101", "raters: expected at most 100, found 101"),
        ("size = true", "size: expected a whole number, found True"),
        ('size = "10"', "size: expected a whole number, found '10'"),
        ("size = 1.5", "size: expected a whole number, found 1.5"),
        ('flag = "some"', "flag: expected calibrated, uncalibrated, prune_by_class"),
        ("agreements = [2, 3]", "agreements: expected ascending numbers from 3 to 5"),
        ("agreements = [3, 3]", "agreements: expected ascending numbers from 3 to 5"),
        ("agreements = [3, 6]", "agreements: expected at most 5, the number of raters, found 6"),
        ('labels = "several"', "labels: expected 'single' or 'multiple', found 'several'"),
        ('homepage = "javascript:alert(1)"', "homepage: expected an http or https address"),
        ("notes = [1]", "notes[0]: expected a text, found 1"),
        ('links = [{ title = "x" }]', "links[0].url: missing; expected a text"),
        ('links = [{ title = "x", url = "https://x.org", rel = "me" }]', "links[0].rel: unknown key"),
        ("paper = 3", "paper: expected a table, found 3"),
        ("[paper]\nsize = -1", "paper.size: expected at least 0, found -1"),
        ("[paper]\npercent_error = nan", "paper.percent_error: expected a finite number, found nan"),
        ("[paper]\npercent_error = -inf", "paper.percent_error: expected a finite number, found -inf"),
        (f"[paper]\npercent_error = 1{'0' * 400}", "paper.percent_error: expected a number, found 1000"),
        ("[paper]\npercent_error = 100.5", "paper.percent_error: expected at most 100.0, found 100.5"),
        ("tolerance = nan", "tolerance: expected a finite number, found nan"),
        ("tolerance = inf", "tolerance: expected a finite number, found inf"),
        ('[media]\nlayout = "audio-folder"\nseconds = nan', "media.seconds: expected a number up to 60, found nan"),
        ("[paper.categories]\nfine = 1", "paper.categories.fine: unknown key"),
        ('[votes]\ndialect = "label-sets"', 'votes.dialect: "label-sets" goes with labels = "multiple"'),
        ('[votes]\noptions = ["guessed", "given"]', "votes.options: expected different words"),
        ('[votes]\noptions = ["given", "guessed", "given"]', "votes.options: expected different words"),
        ('[votes]\ndialect = "class-names"', 'votes.options: expected "other" third'),
        (
            '[votes]\nguesses = "some"',
            "votes.guesses: expected 'must-match', 'may-differ' or 'unchecked', found 'some'",
        ),
        ('[votes]\ncorrects = "guessed"', 'votes.corrects: "guessed" goes with dialect = "class-names"'),
        ("[media]", "media.layout: missing; expected a text"),
        ("size = = 3", "expected TOML"),
        ('title = "again"', "expected TOML"),
    ],
)
def test_what_a_manifest_must_not_say(top: str, said: str, tiny: Any) -> None:
    tiny.top = top
    path = tiny.write()
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    "flag", ["-1", '"top"', '"top 0.5"', '"top -5"', '"5%"', '"0.0"', '"1.0"', "1.5", "nan", "true", "[5]"]
)
def test_flag_is_a_rule_a_number_or_a_share(flag: str, tiny: Any) -> None:
    tiny.top = f"flag = {flag}"
    with pytest.raises(ManifestError, match=r'"top 500", or a share of them like "0.05", above 0 and below 1, found '):
        read_manifest(tiny.write())


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ("[votes]\nraters = 3", "; raters stands at the top of the manifest"),
        ("[votes]\nagreements = [2, 3]", "; agreements stands at the top of the manifest"),
        ('options = ["given", "guessed"]', "; options stands in [votes]"),
        ('[votes]\nclasses_are = "names"', "; classes_are stands in [files] or in [[opinions]]"),
        ('[words]\nweights = "w"\nnames = ["a"]', "; names stands in [classes]"),
        ('[words]\nweights = "w"\nrel = "me"', "; known here are beginning, shortest, weights"),
        ("neither = 3", "; neither stands in [paper.categories]"),
        ('url = "https://x.org"', "; url stands in [licence] or in [[links]] or in [[opinions]]"),
        ("count = 3", "; count stands in [media]"),
        ("[votes]\ncolour = 1", ": unknown key; known here are corrects, dialect, guesses, options"),
    ],
)
def test_a_key_that_stands_elsewhere_is_refused_with_its_place(top: str, said: str, tiny: Any) -> None:
    tiny.top = top
    with pytest.raises(ManifestError, match=r"unknown key( \(is 'opinions' meant\?\))?; known here are") as caught:
        read_manifest(tiny.write())
    assert str(caught.value).endswith(said)


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ("nots = []", "nots: unknown key (is 'notes' meant?); known here are agreements, "),
        ("FLAG = 8", "FLAG: unknown key (is 'flag' meant?); known here are agreements, "),
        ("[votes]\ngueses = 1", "votes.gueses: unknown key (is 'guesses' meant?); known here are corrects, "),
        (
            "[paper.categories]\nneiter = 1",
            "paper.categories.neiter: unknown key (is 'neither' meant?); known here are ",
        ),
        (
            'links = [{ titel = "x", url = "https://x.org" }]',
            "links[0].title: missing; expected a text (is 'titel' meant",
        ),
    ],
)
def test_a_misspelt_key_is_answered_with_the_one_meant(top: str, said: str, tiny: Any) -> None:
    tiny.top = top
    path = tiny.write()
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ('pred_probs = ["a.npy", "../b.npy"]', "files.pred_probs[1]: expected a path inside the folder"),
        ('pred_probs = "../b.npy"', "files.pred_probs: expected a path inside the folder"),
        ('pred_probs = ["a.npy", 3]', "files.pred_probs[1]: expected a text, found 3"),
        ("pred_probs = 3", "files.pred_probs: expected a list, found 3"),
        ('pred_probs = ["a.npy", "a.npy"]', "files.pred_probs: expected each part once"),
    ],
)
def test_a_value_in_a_list_is_named_by_its_place(values: str, said: str, tiny: Any) -> None:
    path = tiny.write()
    path.write_text(path.read_text().replace('pred_probs = "probs.npy"', values))
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"size = 0x{'f' * 6_000}", "size: "),
        ('"\\u001b[31mX\\n" = 1', r"'\x1b[31mX\n': unknown key"),
        (f"{'k' * 100_000} = 1", f"'{'k' * 56}...: unknown key"),
    ],
)
def test_what_is_wrong_is_told_in_one_short_line(line: str, said: str, tiny: Any) -> None:
    path = tiny.write()
    path.write_text(f"{line}\n{path.read_text()}")
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2_000


#: Values that lenient readers take for one another.
OTHERS = {"a text": "'x'", "a whole number": "3", "a number": "1.0", "true or false": "true", "a list": "[]"}


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("size", "a whole number"),
        ("flagged", "a whole number"),
        ("raters", "a whole number"),
        ("sample", "true or false"),
        ("logits", "true or false"),
        ("model", "a text"),
        ("notes", "a list"),
        ("agreements", "a list"),
        ("links", "a list"),
        ("tolerance", "a number"),
    ],
)
def test_no_value_is_turned_into_another_type(key: str, kind: str, tiny: Any) -> None:
    for other, value in OTHERS.items():
        if other == kind or (kind, other) == ("a number", "a whole number"):
            continue
        tiny.top = f"{key} = {value}"
        with pytest.raises(ManifestError, match=rf"tiny.toml: {key}: expected {kind}, found"):
            read_manifest(tiny.write())


def test_a_manifest_never_changes_and_tells_its_file(tiny: Any) -> None:
    path = tiny.write()
    manifest = read_manifest(path)
    assert (manifest.path, manifest.text) == (path, path.read_text())
    for name, value in (("title", "Another"), ("path", Path())):
        with pytest.raises((ValidationError, AttributeError)):
            setattr(manifest, name, value)
    again = pickle.loads(pickle.dumps(manifest))
    assert again == manifest
    assert again.path == path


@pytest.mark.parametrize(
    ("line", "other", "said"),
    [
        ('name = "tiny"', "", "name: missing; expected a text"),
        ("summary = ", "sumary = ", "summary: missing; expected a text (is 'sumary' meant for it?)"),
        ('name = "tiny"', 'name = "Tiny set"', "name: expected lower-case letters"),
        ('name = "tiny"', 'name = "api"', "name: expected one that no address of the site's own takes, found 'api'"),
        ('name = "tiny"', 'name = "../x"', "name: expected lower-case letters"),
        ('title = "Tiny"', 'title = " "', "title: expected a text, found an empty one"),
        (
            'modality = "image"',
            'modality = "smell"',
            "modality: expected 'image', 'text', 'audio', 'tabular' or 'question', found 'smell'",
        ),
        ('media = "none"', 'media = "all"', "licence.media: expected 'host', 'local', 'link' or 'none', found 'all'"),
        ('file = "classes.json"', "", 'classes.names: expected either "names" or "file", found neither'),
        ('file = "classes.json"', 'file = "c.json"\nnames = ["a"]', "found both"),
        ("[examples]", '[examples]\nrecords = "key"', 'files.index: needed because examples.records = "key"'),
        ('labels = "labels.npy"', "labels = 3", "files.labels: expected a text, found 3"),
    ],
)
def test_what_a_manifest_must_say(line: str, other: str, said: str, tiny: Any) -> None:
    path = tiny.write()
    path.write_text(path.read_text().replace(line, other))
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert said in str(caught.value)


def test_two_manifests_of_one_name(tiny: Any, tmp_path: Path) -> None:
    text = tiny.write().read_text()
    folder = tmp_path / "manifests"
    folder.mkdir()
    for name in ("a.toml", "b.toml"):
        (folder / name).write_text(text)
    with pytest.raises(ManifestError, match=r"b\.toml: name: 'tiny' is taken by a\.toml"):
        read_manifests(folder)


@pytest.mark.parametrize(
    ("media", "said"),
    [
        ('layout = "image-foldr"', "media.layout: 'image-foldr' is unknown; expected one of 20news-bydate, aclimdb"),
        ('layout = "image-folder"\nsorted = true', "media.sorted: is unknown; expected one of path, order"),
        (
            'layout = "image-folder"\norder = "random"',
            'media.order: expected "sorted", "numbers" or "text", found \'random\'',
        ),
        ('layout = "image-folder"\npath = "../x"', "media.path: expected a path inside the folder"),
        ('layout = "audio-folder"', 'media.layout: expected one for modality = "image" (caltech256, cifar10'),
    ],
)
def test_what_is_wrong_about_media_is_said_before_anything_is_read(
    tiny: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], media: str, said: str
) -> None:
    """Neither the files of the dataset, which are not even there, nor a folder of media come first."""
    tiny.top = f"flag = 8\n[media]\n{media}"
    manifest = tiny.write()
    assert main(["add", str(manifest), str(tmp_path / "nowhere"), "--catalogue", str(tmp_path / "c.sqlite")]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("part", ["[3]", "[4, 3]", '"3-4"', "[-1, 3]", "[0, inf]"])
def test_a_clip_is_two_moments_in_their_order(tiny: Any, part: str) -> None:
    tiny.top = f'flag = 8\n[media]\nlayout = "audioset"\n[media.clips]\n"lL5jq1TDiXQ" = {part}'
    path = tiny.write()
    path.write_text(path.read_text().replace('modality = "image"', 'modality = "audio"'))
    with pytest.raises(ManifestError, match=r"media.clips: expected a table with \[begin, end\]"):
        read_manifest(path)


def test_a_manifest_may_say_where_clips_lie(tiny: Any) -> None:
    tiny.top = 'flag = 8\n[media]\nlayout = "audioset"\n[media.clips]\n"lL5jq1TDiXQ" = [30, 40.5]'
    path = tiny.write()
    path.write_text(path.read_text().replace('modality = "image"', 'modality = "audio"'))
    media = read_manifest(path).media
    assert media is not None
    assert media.options == {"clips": {"lL5jq1TDiXQ": [30, 40.5]}}
