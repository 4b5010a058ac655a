"""Datasets of files that a table names: a row for each picture, sound or text, with its label."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ingest.datasets.survey.class_folders import NOUNS, counted, media_options
from ingest.datasets.survey.column_roles import Told, file_column, label_column, no_label, require_told
from ingest.datasets.survey.dataset_draft import DatasetDraft, TrainDraft
from ingest.datasets.survey.label_classes import FoundClasses, classes_of, label_texts, named_classes
from ingest.datasets.survey.listing import Listing
from ingest.datasets.survey.remarks import Remarks
from ingest.datasets.survey.table_columns import TableColumns
from ingest.datasets.survey.table_datasets import groups_of, groups_of_train, train_labels
from ingest.errors import DataError, shown


class NamedFiles:
    """Finds the files below a folder that a table means, by their path from some folder or by their name alone."""

    def __init__(self, listing: Listing, table: Path) -> None:
        self._listing = listing
        self._beside = table.parent.relative_to(listing.folder).as_posix().removeprefix(".")

    @cached_property
    def _by_ending(self) -> Mapping[str, Sequence[str]]:
        """Paths by each of their ends, with and without the ending of the file's name."""
        found = defaultdict[str, list[str]](list)
        for path, content in self._listing.contents.items():
            if content.kind not in ("image", "audio", "text", "unreadable"):
                continue
            parts = PurePosixPath(path).parts
            for begin in range(len(parts)):
                end = "/".join(parts[begin:])
                for spelled in {end, end.removesuffix(PurePosixPath(path).suffix)}:
                    found[spelled].append(path)
        return found

    def path(self, cell: Any) -> str | None:
        """The one file that a cell means; None if there is none, or if several may be meant."""
        if not isinstance(cell, str) or not cell.strip():
            return None
        name = PurePosixPath(cell.strip().replace("\\", "/")).as_posix().removeprefix("./").lstrip("/")
        beside = f"{self._beside}/{name}" if self._beside else name
        for spelled in (beside, name):
            if spelled in self._listing.contents:
                return spelled
        found = self._by_ending.get(name, ())
        return found[0] if len(found) == 1 else None

    def are_files(self, cells: Sequence[Any]) -> bool:
        """Whether at least half of the first cells, and more than one, are names of files."""
        first = cells[:100]
        known = sum(self.path(cell) is not None for cell in first)
        return known > 1 and known >= len(first) / 2


def file_table(
    table: TableColumns, train: TableColumns | None, listing: Listing, told: Told, remarks: Remarks
) -> DatasetDraft | None:
    """The dataset of the files that a table names; None if it names none."""
    require_told(table, told)
    files = NamedFiles(listing, table.path)
    label = told.label
    column = file_column(table, told, files.are_files, (label, told.group))
    if column is None:
        return None
    label = label_column(table, told, remarks) or _only_other(table, column, told, remarks)
    paths = [files.path(cell) for cell in table.cells[column]]
    kind = listing.main_kind([path for path in paths if path is not None])
    if kind is None:
        raise DataError(
            table.path, f"expected pictures, sounds or texts of the names in column {shown(column)}, found none"
        )
    kept = _kept(table, column, paths, kind, listing, remarks)
    cells = [table.cells[label][row] for row in kept]
    source = f"{table.path}: column {shown(label)}"
    found = (
        named_classes(source, table.classes[label], cells, remarks)
        if label in table.classes
        else classes_of(source, label_texts(cells), remarks)
    )
    if len(found.missing):
        remarks.leave_out("rows without a label", *(str(table.cells[column][kept[one]]) for one in found.missing))
        kept = [row for row, class_id in zip(kept, found.ids, strict=True) if class_id >= 0]
        found = replace(found, ids=found.ids[found.ids >= 0])
    remarks.find(
        f"{len(kept):,} {NOUNS[kind]} in {len(found.names)} classes, by the columns {shown(column)} and {shown(label)} "
        f"of {table.path.name}: {counted(found)}"
    )
    groups = groups_of(table, listing.folder, told, remarks)
    index = [str(paths[row]) for row in kept]
    _remark_on_repeated(index, remarks)
    draft = DatasetDraft(
        kind,
        f"{kind}-folder",
        found.names,
        found.ids,
        media_options(listing, "", kind, remarks),
        index,
        None if groups is None else [groups[row] for row in kept],
    )
    if train is None:
        return draft
    return replace(draft, train=_train(train, column, label, draft, listing, told, remarks))


def _kept(
    table: TableColumns, column: str, paths: Sequence[str | None], kind: str, listing: Listing, remarks: Remarks
) -> list[int]:
    """The rows whose files are there and of the kind of most; others are said to be left out."""
    kept = []
    for row, path in enumerate(paths):
        content = None if path is None else listing.contents[path]
        if path is None or content is None:
            remarks.leave_out("rows whose file is not there", str(table.cells[column][row]))
        elif content.kind == "unreadable":
            remarks.leave_out("files that cannot be read", f"{path} {content.words}")
        elif content.kind != kind:
            remarks.leave_out(f"files that are no {NOUNS[kind]}", path)
        else:
            kept.append(row)
    named = {path for path in paths if path is not None}
    if besides := [path for path in listing.of_kind(kind) if path not in named]:
        remarks.leave_out(f"{NOUNS[kind]} that {table.path.name} does not name", *besides)
    return kept


def _only_other(table: TableColumns, column: str, told: Told, remarks: Remarks) -> str:
    others = [name for name in table.cells if name not in (column, told.group)]
    if len(others) != 1:
        raise no_label(table)
    remarks.doubt(f"the column {shown(others[0])} is taken for the label, as the only one beside {shown(column)}")
    return others[0]


def _remark_on_repeated(index: Sequence[str], remarks: Remarks) -> None:
    seen: dict[str, int] = {}
    twice = [path for place, path in enumerate(index) if seen.setdefault(path, place) != place]
    if twice:
        remarks.doubt(f"files named by several rows, such as {shown(twice[0])}, are that many examples")


def _train(
    table: TableColumns,
    column: str,
    label: str,
    draft: DatasetDraft,
    listing: Listing,
    told: Told,
    remarks: Remarks,
) -> TrainDraft:
    for name in (column, label):
        if name not in table.cells:
            raise DataError(
                table.path, f"expected a column {shown(name)} as in the table that is looked at, found none"
            )
    files: Callable[[Any], str | None] = NamedFiles(listing, table.path).path
    paths = [files(cell) for cell in table.cells[column]]
    ids = train_labels(table, label, FoundClasses(draft.classes, draft.labels))
    kept = [row for row, path in enumerate(paths) if path is not None and ids[row] >= 0]
    if len(kept) < len(paths):
        remarks.leave_out(f"{len(paths) - len(kept):,} rows to learn from, without a file or a known label")
    remarks.find(f"{len(kept):,} {NOUNS[draft.modality]} by {table.path.name} to learn from, which nobody looks at")
    groups = groups_of_train(table, listing.folder, told, remarks)
    own = None if groups is None else [groups[row] for row in kept]
    return TrainDraft(np.array([ids[row] for row in kept], np.int64), [str(paths[row]) for row in kept], "", own)
