"""Examples to learn from only, and groups: read with the manifest, checked by ``add``, stored nowhere."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ingest.datasets.train_rows import read_groups, read_train_rows
from ingest.errors import ManifestError
from ingest.labels.class_names import read_classes
from ingest.manifest.parse import read_manifest
from tests.ingest.conftest import Query, Tiny

TRAIN = '[train]\nlabels = "train_labels.npy"'


def with_train(tiny: Tiny, train: str = TRAIN) -> Tiny:
    tiny.top = f"flag = 8\n{train}"
    tiny.extra["train_labels.npy"] = np.array([2, 0, 1])
    return tiny


def test_train_rows_and_groups_are_read(tiny: Tiny) -> None:
    tiny.files = 'groups = "groups.json"\nindex = "names.json"'
    tiny.examples = 'key = "stem"'
    tiny.extra["groups.json"] = [f"writer {index // 4}" for index in range(40)]
    tiny.extra["names.json"] = [f"test/{index}.png" for index in range(40)]
    tiny.extra["train_names.json"] = ["train/a.png", "train/b.png", "train/c.png"]
    manifest = read_manifest(with_train(tiny, f'{TRAIN}\nindex = "train_names.json"').write())
    classes = read_classes(manifest.classes, tiny.folder, manifest.path)
    found = read_train_rows(manifest, tiny.folder, classes)
    assert found is not None
    assert (found.labels.tolist(), found.keys) == ([2, 0, 1], ["a", "b", "c"])
    assert read_groups(manifest, tiny.folder, 40) == [f"writer {index // 4}" for index in range(40)]


def test_a_dataset_without_either_has_none(tiny: Tiny) -> None:
    manifest = read_manifest(tiny.write())
    assert read_groups(manifest, tiny.folder, 40) is None
    assert read_train_rows(manifest, tiny.folder, read_classes(manifest.classes, tiny.folder, manifest.path)) is None


def test_train_rows_are_in_no_catalogue(tiny: Tiny, tmp_path: Path, query_of: Callable[[Path], Query]) -> None:
    assert tiny.add(tmp_path / "without.sqlite") == 0
    assert with_train(tiny).add(tmp_path / "with.sqlite") == 0
    for statement in (
        "SELECT size, n_issues FROM datasets",
        "SELECT class_id, n_examples FROM classes",
        "SELECT path FROM sources ORDER BY path",
    ):
        assert query_of(tmp_path / "with.sqlite")(statement) == query_of(tmp_path / "without.sqlite")(statement)


@pytest.mark.parametrize(
    ("files", "train", "extra", "said"),
    [
        ('groups = "groups.json"', "", {}, "groups.json: expected a JSON file, found none"),
        ('groups = "groups.json"', "", {"groups.json": ["a"]}, "groups.json: expected 40 examples, found 1"),
        ("", TRAIN.replace("train_labels", "no"), {}, "no.npy: expected a file of labels, found none"),
        ("", TRAIN, {"train_labels.npy": np.array([3])}, "train_labels.npy: example 0"),
    ],
)
def test_files_that_do_not_fit_are_refused_by_add(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str], files: str, train: str, extra: object, said: str
) -> None:
    with_train(tiny, train)
    tiny.files = files
    tiny.extra |= extra  # type: ignore[operator]
    assert tiny.add(tmp_path / "catalogue.sqlite") == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "train", "said"),
    [
        ("", f'{TRAIN}\nindex = "x.json"', "train.index: expected where files.index names the other examples"),
        ('index = "x.json"', TRAIN, "train.index: expected where files.index names the other examples"),
        ("", f'{TRAIN}\n[media]\nlayout = "image-folder"\norder = "text"', "train.path: expected another place"),
        ("", f'{TRAIN}\nfolder = "train"', "train.folder: unknown key"),
        ("", "[train]", "train.labels: missing"),
    ],
)
def test_manifests_that_do_not_fit_are_refused(tiny: Tiny, files: str, train: str, said: str) -> None:
    tiny.files = files
    with_train(tiny, train)
    tiny.extra["x.json"] = json.dumps([])
    with pytest.raises(ManifestError, match=said.replace("[", r"\[")):
        read_manifest(tiny.write())


def test_one_label_each_is_what_can_be_learnt_from(tiny: Tiny) -> None:
    tiny.top = f'labels = "multiple"\n{TRAIN}'
    with pytest.raises(ManifestError, match="train: expected where examples have one label each"):
        read_manifest(tiny.write())
