"""Find models' predictions in a folder: which models there are, of which dataset, and how to read their files.

There are two forms. The published one is that of github.com/cgnorthcutt/benchmarking-keras-pytorch: folders
PLATFORM_DATASET with ``MODEL_PLATFORM_DATASET_top5preds.npy`` and ``..._top5probs.npy``. The plain one is a folder of
MODEL.npy, .npz, .csv, .parquet, .json or .jsonl, read like any upload, with an optional ``models.toml``:

    dataset = "pets"
    platform = "sklearn"            # of all models that do not say otherwise
    title = "scikit-learn 1.5"      # the platform as a reader knows it
    classes_are = "names"           # or "numbers": only needed where a class in a file could be either

    [[models]]
    file = "forest.csv"
    name = "random-forest"
    parameters = 120_000
    source = "https://example.org/"

Raises DataError naming the file. Nothing is computed or stored here.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from app.domain.ranking.accuracy import Ranked
from app.evaluation.prediction_files import open_npy, read_predictions
from app.evaluation.prediction_rows import Target, UploadError
from app.evaluation.tables.class_spelling import CLASSES_ARE, ClassesAre
from app.evaluation.tables.json_rows import LINES
from app.package_files import DATA
from ingest.datasets.load import Inputs
from ingest.errors import DataError, ManifestError, MissingFileError, shown
from ingest.git_pointers import refuse_pointers

PUBLISHED: Final = DATA / "benchmarks" / "benchmarking-keras-pytorch.toml"
_PREDS, _PROBS = "_top5preds.npy", "_top5probs.npy"
_PLAIN: Final = (".npy", ".npz", ".csv", ".parquet", ".json", *sorted(LINES))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
_SAID: Final = {
    "file": str,
    "name": str,
    "platform": str,
    "title": str,
    "parameters": int,
    "source": str,
    "classes_are": str,
}


@dataclass(frozen=True)
class ModelFiles:
    """A model's files: its name, and how its predictions are read for a test set."""

    dataset: str
    platform: str
    name: str
    title: str
    parameters: int | None
    source: str | None
    files: tuple[Path, ...]
    read: Callable[[Target], Ranked]

    @property
    def key(self) -> str:
        return f"{self.platform}/{self.name}"

    def sha256(self) -> str:
        """The SHA-256 of the concatenated bytes of the files."""
        digest = hashlib.sha256()
        for file in self.files:
            digest.update(file.read_bytes())
        return digest.hexdigest()


def find(folder: Path, dataset: str | None) -> list[ModelFiles]:
    """The models in a folder, of one dataset or of all, by dataset, platform and name.

    Raises DataError for a folder without any, a repeated name, or a file without its counterpart.
    """
    if not folder.is_dir():
        raise MissingFileError(folder, "expected a folder, found " + ("a file" if folder.exists() else "nothing"))
    published = [one for place in (folder, *sorted(folder.iterdir())) if place.is_dir() for one in _published(place)]
    found = published or _plain(folder, dataset)
    found = [one for one in found if dataset is None or one.dataset == dataset]
    if not found:
        what = "predictions of any model" if dataset is None else f"predictions of any model for {dataset}"
        raise MissingFileError(
            folder, f"expected {what} (folders like pytorch_cifar10, or files like MODEL.csv), found none"
        )
    found.sort(key=lambda one: (one.dataset, one.platform, one.name))
    for first, second in pairwise(found):
        if (first.dataset, first.key) == (second.dataset, second.key):
            raise DataError(second.files[0], f"expected one {second.key}, found another in {first.files[0]}")
    return found


def answering_models(inputs: Inputs) -> list[ModelFiles]:
    """The models whose answers came with a dataset's labels."""
    told, answers = inputs.manifest.answers, inputs.answers
    if told is None or answers is None:
        return []
    found = []
    for column, key in enumerate(answers.models):
        platform, _, name = key.rpartition("/")
        ranked = np.ascontiguousarray(answers.options[:, column : column + 1])
        found.append(
            ModelFiles(
                dataset=inputs.manifest.name,
                platform=_valid(answers.file, "platform", platform or "models"),
                name=_valid(answers.file, "name", name),
                title=told.titles.get(platform, platform or "Models"),
                parameters=None,
                source=told.source,
                files=(answers.file,),
                read=_reader_of_answers(ranked),
            )
        )
    return found


def _reader_of_answers(ranked: Ranked) -> Callable[[Target], Ranked]:
    return lambda _: ranked


def _published(folder: Path) -> list[ModelFiles]:
    platform, _, dataset = folder.name.partition("_")
    ending = f"_{platform}_{dataset}"
    preds = {p.name.removesuffix(_PREDS): p for p in sorted(folder.glob(f"*{_PREDS}"))}
    probs = {p.name.removesuffix(_PROBS): p for p in sorted(folder.glob(f"*{_PROBS}"))}
    for stem in sorted(set(preds) ^ set(probs)):
        there, absent = (preds[stem], _PROBS) if stem in preds else (probs[stem], _PREDS)
        raise MissingFileError(folder / f"{stem}{absent}", f"expected the twin of {there.name}, found none")
    if not preds:
        return []
    said = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))
    found = []
    for stem, file in preds.items():
        if not platform or not dataset or not stem.endswith(ending) or stem == ending:
            raise DataError(file, f"expected a name MODEL_PLATFORM_DATASET{_PREDS} in a folder PLATFORM_DATASET")
        name = _valid(file, "name", stem.removesuffix(ending))
        found.append(
            ModelFiles(
                dataset=dataset,
                platform=_valid(file, "platform", platform),
                name=name,
                title=said["platforms"].get(platform, platform),
                parameters=said["parameters"].get(dataset, {}).get(platform, {}).get(name),
                source=said["source"],
                files=(file, probs[stem]),
                read=_reader_of_twins(file, probs[stem]),
            )
        )
    return found


def _reader_of_twins(preds: Path, probs: Path) -> Callable[[Target], Ranked]:
    return lambda target: _ranked_twins(preds, probs, target)


def _ranked_twins(preds: Path, probs: Path, target: Target) -> Ranked:
    """(n, k) classes by falling probability; the order of columns in the files is not reliable."""
    refuse_pointers([preds, probs])
    try:
        classes, weights = open_npy(preds), open_npy(probs)
    except UploadError as error:
        raise DataError(preds, f"or its twin: {error}") from error
    if classes.ndim != 2 or classes.shape[0] != target.n or not 1 <= classes.shape[1] <= target.n_classes:
        raise DataError(preds, f"expected classes of {target.n:,} examples, (n, 5); found shape {classes.shape}")
    if weights.shape != classes.shape:
        raise DataError(probs, f"expected the shape of its twin, {classes.shape}; found {weights.shape}")
    if classes.dtype.kind not in "iu":
        raise DataError(preds, f"expected whole numbers, found {classes.dtype}")
    wrong = np.argwhere((classes < 0) | (classes >= target.n_classes))
    if len(wrong):
        row, column = wrong[0].tolist()
        finding = f"expected a class from 0 to {target.n_classes - 1}, found {classes[row, column]}"
        raise DataError(preds, finding, record=f"example {row}")
    unsure = np.flatnonzero(~np.isfinite(weights).all(axis=1)) if weights.dtype.kind == "f" else np.zeros(0, int)
    if weights.dtype.kind != "f" or len(unsure):
        where = f"example {unsure[0]}" if len(unsure) else None
        raise DataError(probs, f"expected finite probabilities, found {weights.dtype} that are not", record=where)
    order = np.argsort(-weights, axis=1, kind="stable")
    return np.take_along_axis(classes, order, axis=1).astype(np.int32)


def _plain(folder: Path, dataset: str | None) -> list[ModelFiles]:
    manifest = folder / "models.toml"
    said = _said(manifest) if manifest.is_file() else {}
    of = said.get("dataset", dataset)
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _PLAIN and path.is_file())
    if not files:
        return []
    if not isinstance(of, str):
        raise ManifestError(manifest, 'expected to read which dataset the models are for: dataset = "..." or --dataset')
    entries = _entries(manifest, said)
    unknown = sorted(set(entries) - {path.name for path in files})
    if unknown:
        raise MissingFileError(
            folder / unknown[0], "expected the file of predictions that models.toml names, found none"
        )
    platform = said.get("platform", re.sub(r"[^A-Za-z0-9.+-]", "-", folder.resolve().name) or "models")
    found = []
    for path in files:
        entry: dict[str, Any] = {key: said.get(key) for key in ("title", "classes_are")}
        entry |= {"platform": platform, "name": path.stem, **entries.get(path.name, {})}
        found.append(
            ModelFiles(
                dataset=of,
                platform=_valid(path, "platform", entry["platform"]),
                name=_valid(path, "name", entry["name"]),
                title=entry["title"] or entry["platform"],
                parameters=entry.get("parameters"),
                source=entry.get("source"),
                files=(path,),
                read=_reader_of_file(path, entry["classes_are"]),
            )
        )
    return found


def _reader_of_file(path: Path, classes_are: ClassesAre | None) -> Callable[[Target], Ranked]:
    def read(target: Target) -> Ranked:
        try:
            return read_predictions(path, path.name, replace(target, classes_are=classes_are))
        except UploadError as error:
            raise DataError(path, str(error)) from error

    return read


def _said(manifest: Path) -> dict[str, Any]:
    try:
        said = tomllib.loads(manifest.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise ManifestError(manifest, f"expected TOML, found something else: {error}") from error
    _check(manifest, said, ("dataset", "platform", "title", "classes_are"), None, also=("models",))
    return said


def _entries(manifest: Path, said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    models = said.get("models", [])
    if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
        raise ManifestError(manifest, "expected [[models]], found something else at models")
    entries: dict[str, dict[str, Any]] = {}
    for place, model in enumerate(models):
        record = f"model {place + 1}"
        _check(manifest, model, tuple(_SAID), record)
        if "file" not in model or model["file"] in entries:
            raise ManifestError(manifest, "expected a file of its own for each model", record=record)
        if model.get("parameters", 0) < 0:
            raise ManifestError(manifest, f"expected a count of parameters, found {model['parameters']}", record=record)
        entries[model["file"]] = {key: value for key, value in model.items() if key != "file"}
    return entries


def _check(
    manifest: Path, said: dict[str, Any], known: Sequence[str], record: str | None, also: Sequence[str] = ()
) -> None:
    for key, value in said.items():
        if key in also:
            continue
        if key not in known:
            raise ManifestError(manifest, f"expected {', '.join((*known, *also))}; found {shown(key)}", record=record)
        wanted = _SAID.get(key, str)
        if not isinstance(value, wanted) or isinstance(value, bool):
            words = "a whole number" if wanted is int else "text"
            raise ManifestError(manifest, f"expected {words} at {key}, found {shown(value)}", record=record)
        if key == "classes_are" and value not in CLASSES_ARE:
            finding = f"expected {' or '.join(CLASSES_ARE)} at {key}, found {shown(value)}"
            raise ManifestError(manifest, finding, record=record)


def _valid(file: Path, what: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise DataError(
            file,
            f"expected a {what} of letters, digits and . _ + - only, as it becomes an address; found {shown(name)}",
        )
    return name
