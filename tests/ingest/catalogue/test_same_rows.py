"""Every table holds, row for row, what a plain loop over the issues would write."""

import gzip
import io
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.schema.facet_tables import unpack_unreviewed
from app.schema.packing import unpack_top
from ingest.datasets.load import load
from ingest.datasets.media import find_media, named_by_files
from ingest.manifest.parse import read_manifest
from ingest.pipeline import IngestJob, jobs_of_release
from ingest.sample import write_sample
from tests.ingest.catalogue.plain_writer import PlainWriter, Row


class Quiet:
    """Says nothing of what is done."""

    @contextmanager
    def task(self, what: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
        yield lambda _: None

    def say(self, line: str) -> None:
        pass


def plain_rows(job: IngestJob, dataset_id: int) -> dict[str, list[Row]]:
    inputs = load(job.manifest, job.folder, Quiet(), complete=job.complete)
    media = find_media(inputs, job.media, [], None)
    return PlainWriter(named_by_files(inputs, media, []), dataset_id, media).rows()


def stored_rows(catalogue: Path, table: str, dataset_id: int) -> list[Row]:
    """The rows of a dataset, with what is packed unpacked: probabilities as published, texts as text."""
    where, columns = f"dataset_id = {dataset_id}", "*"
    if table == "issues":
        where += " ORDER BY id"
    if table == "issue_search":
        where, columns = f"rowid >> 32 = {dataset_id}", "rowid, body"
    with closing(sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute(f"SELECT {columns} FROM {table} WHERE {where}")]
    for row in rows:
        if table == "unreviewed":
            row |= {name: column.tolist() for name, column in unpack_unreviewed(row).items()}
        if row.get("top_probs") is not None:
            row["top_probs"] = unpack_top(row["top_probs"])
        if row.get("encoding") == "gzip":
            row["bytes"] = gzip.decompress(row["bytes"])
    return rows


def require_same(catalogue: Path, job: IngestJob) -> None:
    with closing(sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True)) as connection:
        asked = connection.execute("SELECT id FROM datasets WHERE name = ?", [job.manifest.name])
        dataset_id = asked.fetchone()[0]
    for table, expected in plain_rows(job, dataset_id).items():
        found = stored_rows(catalogue, table, dataset_id)
        if table == "issues":  # in the order in which the gallery shows them
            assert found == expected
        assert sorted(map(repr, found)) == sorted(repr({k: row[k] for k in found[0]}) for row in expected), table


def job_of(manifest: Path, media: Path | None = None) -> IngestJob:
    return IngestJob(read_manifest(manifest), manifest.parent, media, complete=True)


def test_the_sample(sample_catalogue: Path, tmp_path: Path) -> None:
    """Three datasets with media, words that speak for a label, keys and votes."""
    for manifest in write_sample(tmp_path):
        require_same(sample_catalogue, job_of(manifest, manifest.parent))


RELEASE = [
    "mnist",
    "cifar10",
    "cifar100",
    "caltech256",
    "imagenet",
    "quickdraw",
    "20news",
    "imdb",
    "amazon",
    "audioset",
]


@pytest.mark.parametrize("name", RELEASE)
def test_the_release(name: str, release_catalogue: Path, shared: Path) -> None:
    """With and without a matrix, labels, keys and addresses; label sets."""
    [job] = jobs_of_release(shared / "label-errors", None, [name])
    require_same(release_catalogue, job)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist", "cifar10", "20news", "imdb"])
def test_the_release_with_media(name: str, real_catalogue: Path, shared: Path) -> None:
    [job] = jobs_of_release(shared / "label-errors", shared / "media", [name])
    require_same(real_catalogue, job)


def asked(tiny: Any, indices: Any, *votes: int) -> None:
    """Reviewers were shown another guess than the given label, whatever the model says now."""
    tiny.records = [tiny.record(index, *votes) for index in indices]
    for record in tiny.records:
        record["our_guessed_label"] = (record["given_original_label"] + 1) % 3
    tiny.examples = '[votes]\nguesses = "unchecked"'


def not_flagged(tiny: Any) -> None:
    """Reviewed examples that the model does not doubt, beside flagged ones that nobody looked at."""
    tiny.top = "flag = 4"
    asked(tiny, (0, 20, 21, 39), 3, 1, 1, 0)


def nobody_reviewed(tiny: Any) -> None:
    tiny.files = ""
    tiny.records = None


def half_precision(tiny: Any) -> None:
    """Many equal margins, some of them of reviewed examples, which come before others."""
    tiny.top = "flag = 30"
    tiny.probs = (np.round(tiny.probs * 8) / 8).astype(np.float16)
    tiny.probs[:, 2] = 1 - tiny.probs[:, 0] - tiny.probs[:, 1]
    asked(tiny, range(0, 40, 3), 1, 2, 0, 1)
    for place, record in enumerate(tiny.records):
        record["mturk"]["given"] = place % 3


def by_a_rule(tiny: Any) -> None:
    """The flagged ones are not those of lowest margin: ranks have gaps."""
    tiny.top = 'flag = "prune_by_class"'
    tiny.labels[10:20] = (tiny.labels[10:20] + 1) % 3
    asked(tiny, (11, 38), 1, 4, 0, 0)


def keys_and_addresses(tiny: Any) -> None:
    tiny.files = 'index = "names.json"'
    tiny.examples = 'key = "entry"\nurls = "index"'
    tiny.extra = {"names.json": [f"https://example.org/{index}.png" for index in range(40)]}
    for index, record in enumerate(tiny.records):
        record["url"] = f"https://example.org/{index}.png"


def no_matrix(tiny: Any) -> None:
    """Published guesses alone, and addresses of records."""
    tiny.top = ""
    tiny.probs = None
    tiny.examples = 'urls = "records"'
    for index, record in enumerate(tiny.records):
        record["our_guessed_label"] = int((tiny.labels[index] + 1) % 3)
        record["url"] = f"https://example.org//static/{index}.png"


def none_flagged(tiny: Any) -> None:
    tiny.top = "flag = 0"
    tiny.files, tiny.records = "", None


def several_models(tiny: Any) -> None:
    """Each guesses for itself; labels are doubted by none, some or all."""
    rng = np.random.default_rng(5)
    tiny.probs = (np.round(tiny.probs * 4) / 4).astype(np.float32)
    tiny.probs[:, 2] = 1 - tiny.probs[:, 0] - tiny.probs[:, 1]
    tiny.extra = {f"{name}.npy": rng.dirichlet(np.ones(3), 40) for name in "ab"}
    tiny.top = "flag = 30"
    tiny.files = 'pred_probs_of = {one = "probs.npy", a = "a.npy", b = "b.npy"}'
    asked(tiny, (11, 38), 1, 4, 0, 0)


KINDS = [
    several_models,
    not_flagged,
    nobody_reviewed,
    half_precision,
    by_a_rule,
    keys_and_addresses,
    no_matrix,
    none_flagged,
]


def written(tiny: Any) -> Path:
    """The manifest without the files that are not there."""
    manifest: Path = tiny.write()
    lines = manifest.read_text().splitlines()
    gone = {"votes": tiny.records is None, "pred_probs": tiny.probs is None or "pred_probs_of" in tiny.files}
    manifest.write_text("\n".join(line for line in lines if not gone.get(line.split(" ")[0], False)))
    return manifest


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another"])
@pytest.mark.parametrize("change", KINDS, ids=lambda change: change.__name__)
def test_made_up_ones(change: Callable[[Any], None], beside: bool, tiny: Any, old: Path, tmp_path: Path) -> None:
    """Into an empty catalogue, and into one that holds another dataset; and there once more, in its own place."""
    from ingest.commands.main import main

    change(tiny)
    manifest = written(tiny)
    catalogue = old if beside else tmp_path / "empty.sqlite"
    for _ in range(2 if beside else 1):
        assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(catalogue)]) == 0
        require_same(catalogue, job_of(manifest))


def test_pictures_in_files_of_their_own(tiny: Any, tmp_path: Path) -> None:
    """Some are missing, some damaged; what is there names the examples."""
    from ingest.commands.main import main

    media = tmp_path / "pictures"
    media.mkdir()
    with zipfile.ZipFile(media / "pictures.zip", "w") as archive:
        for index in range(40):
            stream = io.BytesIO()
            Image.fromarray(np.full((9, 7 + index % 3), index * 6, np.uint8)).save(stream, "PNG")
            archive.writestr(f"{index:03}.png", stream.getvalue() if index != 3 else b"no picture")
    tiny.top = "flag = 12"
    manifest = written(tiny)
    text = manifest.read_text().replace('media = "none"', 'media = "host"')
    manifest.write_text(f'{text}\n[media]\nlayout = "image-folder"\npath = "pictures.zip"\n')
    catalogue = tmp_path / "pictures.sqlite"
    where = ["--media", str(media), "--catalogue", str(catalogue)]
    assert main(["add", str(manifest), str(tiny.folder), *where]) == 0
    require_same(catalogue, job_of(manifest, media))
