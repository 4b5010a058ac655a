"""Datasets with a folder for each class: ``FOLDER/CLASS/*``, perhaps once to look at and once to learn from."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

import numpy as np

from ingest.datasets.survey.dataset_draft import DatasetDraft, TrainDraft
from ingest.datasets.survey.file_kinds import ONLY_LATIN_1
from ingest.datasets.survey.label_classes import FoundClasses, classes_of
from ingest.datasets.survey.listing import Listing, ending
from ingest.datasets.survey.remarks import Remarks, some
from ingest.datasets.survey.splits import split_of
from ingest.datasets.survey.unread_files import advice, first_with_advice, refuse_packed
from ingest.errors import DataError, shown
from ingest.manifest.layouts import LAYOUTS
from ingest.media.audio import snippets
from ingest.media.images import thumbnails

#: What examples are called, by modality.
NOUNS: Final = {"image": "pictures", "audio": "sounds", "text": "texts", "tabular": "rows"}
_USUAL: Final = {
    "image": frozenset(f".{suffix}" for suffix in thumbnails.SUFFIXES),
    "audio": frozenset(f".{suffix}" for suffix in snippets.SUFFIXES),
    "text": frozenset((".txt",)),
}


def class_folders(listing: Listing, remarks: Remarks) -> DatasetDraft:
    """The dataset in class folders. Raises DataError if there are not two classes at least."""
    base = _descend(listing, "")
    split = split_of([one for one in listing.children.get(base, ()) if _has_classes(listing, one)])
    looked_at = base if split is None else _descend(listing, split.looked_at)
    kind = listing.main_kind(listing.below(looked_at))
    if kind is None:
        left_out = "".join(f"; left out were {what}: {some(names)}" for what, names in remarks.left_out.items())
        hint = first_with_advice(listing.contents) + left_out
        raise DataError(listing.folder, f"expected folders of pictures, sounds or texts, found {_what(listing)}{hint}")
    options = media_options(listing, looked_at, kind, remarks)
    if split is not None:
        options["path"] = looked_at
    paths, texts = _examples(listing, looked_at, kind, remarks)
    if not paths:
        loose = listing.of_kind(kind, looked_at)
        finding = f"found {NOUNS[kind]} in none, such as {shown(loose[0])}{advice(loose[0])}"
        if besides := refuse_packed(listing.contents):
            finding = f"{besides}; and {finding}"
        expected = "expected a folder for each class, or a table that names files and labels"
        raise DataError(listing.folder / looked_at, f"{expected}; {finding}")
    source = str(listing.folder / looked_at)
    paths, texts = _readable(listing, paths, texts, options, remarks)
    if len(set(texts)) < 2 and remarks.left_out:
        found_in = some(sorted(set(texts))) or "none"
        finding = f"expected {NOUNS[kind]} in two class folders at least, found them in {found_in} alone"
        others = "; ".join(f"{what}: {some(names)}" for what, names in remarks.left_out.items())
        raise DataError(source, f"{finding}; left out were {others}")
    found = classes_of(f"{source}: its folders", texts, remarks)
    where = f"the folders in {shown(looked_at or listing.folder.name)}"
    remarks.find(f"{len(paths):,} {NOUNS[kind]} in {len(found.names)} classes, {where}: {counted(found)}")
    _remark_on_folders(listing, looked_at, found, remarks)
    train = None
    if split is not None:
        train = _train(listing, split.train, kind, found, options, remarks)
        for other in split.others:
            remarks.leave_out("parts that are neither looked at nor learnt from", other)
    return DatasetDraft(kind, f"{kind}-folder", found.names, found.ids, options, paths, train=train)


def media_options(listing: Listing, base: str, kind: str, remarks: Remarks) -> dict[str, object]:
    """The options of the layout for files below ``base``: how their names end, and how texts are encoded."""
    options: dict[str, object] = {}
    files = listing.of_kind(kind, base)
    endings = {ending(path) for path in files}
    if kind == "text":
        encoding = _encoding(listing, files, remarks)
        if encoding != LAYOUTS["text-folder"].encoding:
            options["encoding"] = encoding
        if ".txt" in endings and len(endings) > 1:
            options["endings"] = sorted(endings)
    elif not endings <= _USUAL[kind]:
        options["endings"] = sorted(endings)
    return options


def _encoding(listing: Listing, files: Sequence[str], remarks: Remarks) -> str:
    """The encoding of most of the texts that are not plain ASCII."""
    counts = Counter(listing.contents[path].encoding for path in files)
    if counts[ONLY_LATIN_1]:
        counts["latin-1"] += counts.pop(ONLY_LATIN_1) + counts.pop("cp1252", 0)  # no text is lost in it
    elif counts["cp1252"]:
        counts["cp1252"] += counts.pop("latin-1", 0)  # whose letters are the same in it
    del counts["ascii"]
    if not counts:
        return "utf-8"
    encoding = counts.most_common(1)[0][0]
    if encoding in ("latin-1", "cp1252"):
        remarks.doubt(f"texts are not in UTF-8 and are read as {encoding}; encoding in [media] says otherwise")
    return encoding


def _readable(
    listing: Listing, paths: Sequence[str], texts: Sequence[str], options: dict[str, object], remarks: Remarks
) -> tuple[list[str], list[str]]:
    """The examples that the stated encoding can read."""
    encoding = options.get("encoding", "utf-8")
    more = {"cp1252": {"latin-1"}, "latin-1": {"cp1252", ONLY_LATIN_1}}
    fitting = {encoding} | more.get(str(encoding), set())
    kept = []
    for place, path in enumerate(paths):
        own = listing.contents[path].encoding
        if own and own not in fitting and (own != "ascii" or encoding == "utf-16"):
            remarks.leave_out(f"texts in another encoding than {encoding}", path)
        else:
            kept.append(place)
    return [paths[place] for place in kept], [texts[place] for place in kept]


def _descend(listing: Listing, base: str) -> str:
    """The folder below which there is more than one: a folder with one folder and no examples is passed through."""
    while True:
        only = _holding(listing, base)
        if len(only) != 1 or not _has_classes(listing, only[0]):
            return base
        base = only[0]


def _has_classes(listing: Listing, base: str) -> bool:
    return bool(_holding(listing, base))


def _holding(listing: Listing, base: str) -> list[str]:
    """The folders in a folder that have pictures, sounds or texts."""
    return [one for one in listing.children.get(base, ()) if one in listing.holding]


def _examples(listing: Listing, base: str, kind: str, remarks: Remarks) -> tuple[list[str], list[str]]:
    """The files of a kind in class folders, and the class folder of each; others are said to be left out."""
    depth = len(PurePosixPath(base).parts) if base else 0
    paths, texts = [], []
    for path in listing.below(base):
        content = listing.contents[path]
        parts = PurePosixPath(path).parts[depth:]
        if content.kind == "unreadable":
            remarks.leave_out("files that cannot be read", f"{path} {content.words}")
        elif len(parts) == 1:
            remarks.leave_out("files in no class folder", path)
        elif content.kind != kind:
            remarks.leave_out(f"files that are no {NOUNS[kind]}", path)
        else:
            paths.append(path)
            texts.append(parts[0])
    return paths, texts


def _remark_on_folders(listing: Listing, base: str, found: FoundClasses, remarks: Remarks) -> None:
    names = [PurePosixPath(one).name for one in listing.children.get(base, ())]
    if empty := [name for name in names if " ".join(name.split()) not in found.names]:
        remarks.leave_out("class folders without examples", *empty)
    below = [inner for one in listing.children.get(base, ()) for inner in _holding(listing, one)]
    if below:
        remarks.doubt(f"folders within class folders count to the class, such as {some(below, 1)}")


def _train(
    listing: Listing, base: str, kind: str, found: FoundClasses, options: dict[str, object], remarks: Remarks
) -> TrainDraft:
    paths, texts = _examples(listing, _descend(listing, base), kind, remarks)
    paths, texts = _readable(listing, paths, texts, options, remarks)
    ids = {name: class_id for class_id, name in enumerate(found.names)}
    known = [place for place, text in enumerate(texts) if " ".join(text.split()) in ids]
    if unknown := sorted({text for text in texts if " ".join(text.split()) not in ids}):
        looked_at = shown(options["path"])
        remarks.leave_out(f"folders to learn from, of classes that {looked_at} does not have", *unknown)
    if not known:
        raise DataError(listing.folder / base, f"expected folders of the classes {some([*found.names])}, found none")
    remarks.find(f"{len(known):,} {NOUNS[kind]} in {shown(base)} to learn from, which nobody looks at")
    labels = np.array([ids[" ".join(texts[place].split())] for place in known], np.int64)
    return TrainDraft(labels, [paths[place] for place in known], base)


def counted(found: FoundClasses, most: int = 5) -> str:
    """The first classes with their numbers of examples, in words."""
    counts = np.bincount(found.ids[found.ids >= 0], minlength=len(found.names))
    listed = ", ".join(f"{name} {n:,}" for name, n in zip(found.names[:most], counts[:most].tolist(), strict=True))
    return listed + (", ..." if len(found.names) > most else "")


def _what(listing: Listing) -> str:
    kinds = Counter(content.kind for content in listing.contents.values())
    return ", ".join(f"{n:,} {kind} files" for kind, n in kinds.items()) or "no files"
