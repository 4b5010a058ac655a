"""The embedded sample through the command that anybody runs first."""

import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Connection, create_engine, func, select

from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.packing import unpack_labels
from ingest.sample import write_sample
from tests.conftest import ingest
from tests.paper_rule import paper_category

NAMES = ("sample-digits", "sample-texts", "sample-sounds")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.fixture
def stored(sample_catalogue: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///file:{sample_catalogue}?mode=ro&uri=true")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _id_of(stored: Connection, name: str) -> int:
    return stored.scalars(select(tables.datasets.c.id).where(tables.datasets.c.name == name)).one()


def test_all_three_are_there_complete_and_marked_as_a_sample(stored: Connection) -> None:
    found = stored.execute(select(tables.datasets).order_by(tables.datasets.c.position)).all()
    assert [(row.name, row.modality) for row in found] == list(zip(NAMES, ("image", "text", "audio"), strict=True))
    for row in found:
        assert row.sample
        assert json.loads(row.missing) == []
        assert row.n_checked < row.n_flagged == row.n_issues


@pytest.mark.parametrize("name", NAMES)
def test_the_verdicts_are_those_of_the_votes_file(stored: Connection, folder: Path, name: str) -> None:
    records = json.loads((folder / name / "votes.json").read_text())
    kinds = tables.verdicts.c.category
    for agreement in (3, 4, 5):
        of = (tables.verdicts.c.dataset_id == _id_of(stored, name), tables.verdicts.c.agreement == agreement)
        counts = dict(stored.execute(select(kinds, func.count()).where(*of).group_by(kinds)).all())
        assert counts == Counter(paper_category(record["mturk"], agreement) for record in records)
        if agreement == 3:
            assert set(counts) == set(Category) - {Category.UNREVIEWED, Category.NOT_ASKED}


@pytest.mark.parametrize("name", NAMES)
def test_the_given_labels_of_all_examples_are_kept(stored: Connection, folder: Path, name: str) -> None:
    of = tables.examples.c.dataset_id == _id_of(stored, name)
    packed = stored.scalars(select(tables.examples.c.labels).where(of)).one()
    assert np.array_equal(unpack_labels(packed), np.load(folder / name / "labels.npy"))


@pytest.mark.parametrize(("name", "kind"), list(zip(NAMES, ("image", "text", "audio"), strict=True)))
def test_every_issue_shows_the_file_of_its_own_index(stored: Connection, folder: Path, name: str, kind: str) -> None:
    files = sorted((folder / name / "media").iterdir())
    of = tables.media.c.dataset_id == _id_of(stored, name)
    contents = select(tables.media.c.idx, tables.media.c.bytes).where(of, tables.media.c.kind == kind)
    shown = dict(stored.execute(contents).all())
    issues = select(tables.issues.c.idx).where(tables.issues.c.dataset_id == _id_of(stored, name))
    exemplars = select(tables.exemplars.c.idx).where(tables.exemplars.c.dataset_id == _id_of(stored, name))
    assert set(shown) == set(stored.scalars(issues)) | set(stored.scalars(exemplars))
    if kind == "text":
        assert all(files[index].read_bytes() == gzip.decompress(content) for index, content in shown.items())
    if kind == "image":
        assert all(_pixels(files[index].read_bytes()) == _pixels(content) for index, content in shown.items())


def _pixels(content: bytes) -> list[int]:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("L")).ravel().tolist()


def test_adding_one_by_hand_gives_the_same_rows(stored: Connection, folder: Path, tmp_path: Path) -> None:
    """What `ingest sample` does to these files is what anybody's own `ingest add` does."""
    by_hand, dataset = tmp_path / "by-hand.sqlite", folder / "sample-texts"
    ingest("add", dataset / "dataset.toml", dataset, "--media", dataset, "--catalogue", by_hand)
    columns = [column for column in tables.issues.c if column.name not in ("id", "dataset_id")]
    query = select(*columns).order_by(tables.issues.c.idx)
    engine = create_engine(f"sqlite:///{by_hand}")
    with engine.connect() as alone:
        rows = alone.execute(query).all()
    engine.dispose()
    assert rows == stored.execute(query.where(tables.issues.c.dataset_id == _id_of(stored, "sample-texts"))).all()
