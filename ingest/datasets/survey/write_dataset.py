"""Write the manifest of a dataset that was found, and the files that it names, into a folder of their own.

A manifest begins with a mark that holds the SHA-256 of what follows, so that one which nobody changed can be written
anew, and one that was changed by hand is never lost.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from app.schema.site_names import SITE_NAMES
from ingest.datasets.survey.class_folders import NOUNS
from ingest.datasets.survey.dataset_draft import DatasetDraft
from ingest.errors import DataError, shown, writing

MANIFEST: Final = "dataset.toml"
_MARK: Final = "# Written by label-errors init. Change what you like: it is then kept. "
_SHA256: Final = re.compile(rf"{re.escape(_MARK)}sha256 ([0-9a-f]{{64}})\n")
_FILES: Final = (
    *("classes.json", "labels.npy", "index.json", "groups.json"),
    *("train_labels.npy", "train_index.json", "train_groups.json"),
)


def require_free(out: Path, place: Path, *, force: bool) -> None:
    """Raises DataError if the folder lies within ``place``, or holds files that ``write_dataset`` did not write."""
    if place.is_dir() and out.resolve().is_relative_to(place.resolve()):
        raise DataError(out, f"expected a folder outside of {place}, in which nothing is written; --out names another")
    if out.exists() and not out.is_dir():
        raise DataError(out, "expected a folder, or nothing, found a file")
    taken = [name for name in (MANIFEST, *_FILES) if (out / name).exists()]
    found = _mark(_text(out / MANIFEST))
    if not taken or force or (found is not None and _is_unchanged(found)):
        return
    why = "which was changed since it was written" if found else "which this command did not write"
    raise DataError(
        out / taken[0],
        f"expected nothing here, found a file, {why}; --out names another folder, and --force writes over it",
    )


def write_dataset(draft: DatasetDraft, out: Path, place: Path) -> list[str]:
    """Write the files of a dataset; the names of those written."""
    out.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        (out / name).unlink(missing_ok=True)
    _write_json(out / "classes.json", draft.classes)
    _write_labels(out / "labels.npy", draft.labels, len(draft.classes))
    if draft.index is not None:
        _write_json(out / "index.json", draft.index)
    if draft.groups is not None:
        _write_json(out / "groups.json", draft.groups)
    if draft.train is not None:
        _write_labels(out / "train_labels.npy", draft.train.labels, len(draft.classes))
        if draft.train.index is not None:
            _write_json(out / "train_index.json", draft.train.index)
        if draft.train.groups is not None:
            _write_json(out / "train_groups.json", draft.train.groups)
    _write_text(out / MANIFEST, _marked(manifest_text(draft, place)))
    return [MANIFEST, *(name for name in _FILES if (out / name).exists())]


def manifest_text(draft: DatasetDraft, place: Path) -> str:
    """The manifest as TOML, without its mark."""
    title = title_of(place)
    files: dict[str, object] = {"labels": "labels.npy"}
    files |= {"index": "index.json"} if draft.index is not None else {}
    files |= {"groups": "groups.json"} if draft.groups is not None else {}
    # The class ids in labels.npy would be ambiguous beside names that are numbers too.
    files |= {"classes_are": "numbers"} if any(name.strip().lstrip("+-").isdigit() for name in draft.classes) else {}
    noun = NOUNS[draft.modality]
    tables: dict[str, Mapping[str, object]] = {
        "": {
            "name": name_of(title),
            "title": title,
            "modality": draft.modality,
            "summary": f"{noun.capitalize()} from {place.resolve().name or place}.",
        },
        "licence": {
            "name": "Not stated",
            "source": "Write here where the terms of use are stated.",
            "media": "local",
        },
        "classes": {"file": "classes.json"},
        "files": files,
        "media": {"layout": draft.layout, **draft.media},
    }
    if draft.train is not None:
        train = {"labels": "train_labels.npy"}
        train |= {"index": "train_index.json"} if draft.train.index is not None else {}
        train |= {"groups": "train_groups.json"} if draft.train.groups is not None else {}
        tables["train"] = {**train, **({"path": draft.train.path} if draft.train.path else {})}
    remarks = {"licence": '# media = "local" shows the media on your own machine, and "host" to everyone.\n'}
    return "\n".join(
        (f"[{name}]\n" if name else "")
        + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
        + remarks.get(name, "")
        for name, table in tables.items()
    )


def title_of(place: Path) -> str:
    """What a dataset is called: as its folder, or as its file without the ending."""
    found = place.resolve()
    return (found.stem if place.is_file() else found.name) or "dataset"


def name_of(title: str) -> str:
    """The name of a dataset in addresses.

    >>> name_of("My Pets (2026)"), name_of("Ж"), name_of("media")
    ('my-pets-2026', 'dataset', 'media-dataset')
    """
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:64].strip("-") or "dataset"
    return f"{name[:56]}-dataset" if name in SITE_NAMES else name


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_toml, value))}]"
    raise TypeError(shown(value))


def _write_json(path: Path, values: Sequence[str]) -> None:
    _write_text(path, json.dumps(list(values), ensure_ascii=False, indent=0) + "\n")


def _write_text(path: Path, text: str) -> None:
    with writing(path):
        path.write_text(text, encoding="utf-8")


def _write_labels(path: Path, labels: Any, n_classes: int) -> None:
    with writing(path):
        np.save(path, labels.astype(np.min_scalar_type(n_classes - 1)))


def marked_again(before: str, after: str) -> str:
    """A manifest that a command of ours changed, with a new mark if nobody had changed it by hand.

    >>> body = 'name = "pets"\\n'
    >>> marked_again(body, body + "x = 1\\n") == body + "x = 1\\n"
    True
    >>> marked_again(_marked(body), _marked(body) + "x = 1\\n") == _marked(body + "x = 1\\n")
    True
    """
    was, found = _mark(before), _mark(after)
    return after if was is None or found is None or not _is_unchanged(was) else _marked(found[1])


def _marked(body: str) -> str:
    return f"{_MARK}sha256 {hashlib.sha256(body.encode()).hexdigest()}\n{body}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _mark(text: str) -> tuple[str, str] | None:
    """The SHA-256 in the mark of a manifest, and what follows; None for one without a mark."""
    match = _SHA256.match(text)
    return None if match is None else (match[1], text[match.end() :])


def _is_unchanged(found: tuple[str, str]) -> bool:
    return hashlib.sha256(found[1].encode()).hexdigest() == found[0]
