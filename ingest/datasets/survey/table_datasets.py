"""Datasets in a table: with the names of files, with texts, with files in it, or with numbers and categories."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.datasets.survey.class_folders import NOUNS, counted
from ingest.datasets.survey.column_roles import Told, features, label_column, no_label, require_told, text_column
from ingest.datasets.survey.dataset_draft import DatasetDraft, TrainDraft
from ingest.datasets.survey.label_classes import FoundClasses, classes_of, label_texts, named_classes
from ingest.datasets.survey.remarks import Remarks, some
from ingest.datasets.survey.splits import role_of
from ingest.datasets.survey.table_columns import TableColumns
from ingest.errors import DataError, shown
from ingest.manifest.layouts import LAYOUTS
from ingest.media import MediaError, digest_of, open_media

#: The word for a group where its cell is empty: the example is in a group of its own.
_ALONE = "row {row} of {file}"
#: A column of more different words does not say which part a row is of.
_MOST_PARTS = 4


def table_dataset(
    table: TableColumns, train: TableColumns | None, folder: Path, told: Told, remarks: Remarks
) -> DatasetDraft:
    """The dataset of a table, with rows of another one to learn from. Paths are written below ``folder``."""
    label = _label(table, told, remarks)
    found = found_classes(table, label, remarks)
    if label in found.names:
        remarks.doubt(f"the column of labels is called {shown(label)}, as a class is: has the table no line of names?")
    refuse_missing(table, label, found)
    draft = _contents(table, label, found, folder, told, remarks)
    remarks.find(
        f"{table.n_rows:,} {NOUNS[draft.modality]} in {len(found.names)} classes, the column {shown(label)} of "
        f"{table.path.name}: {counted(found)}"
    )
    draft = replace(draft, groups=groups_of(table, folder, told, remarks))
    if train is None:
        return draft
    learnt = _train(train, label, found, draft, folder, remarks)
    return replace(draft, train=replace(learnt, groups=groups_of_train(train, folder, told, remarks)))


def found_classes(table: TableColumns, label: str, remarks: Remarks) -> FoundClasses:
    """The classes in the column of labels."""
    if label not in table.cells:
        raise DataError(table.path, f"expected a label in each row, found lists or files in column {shown(label)}")
    source = f"{table.path}: column {shown(label)}"
    if label in table.classes:
        return named_classes(source, table.classes[label], table.cells[label], remarks)
    return classes_of(source, label_texts(table.cells[label]), remarks)


def refuse_missing(table: TableColumns, label: str, found: FoundClasses) -> None:
    """Raises DataError if a row has no label: rows and labels are paired by their place."""
    if len(found.missing):
        rows = ", ".join(f"{row:,}" for row in found.missing[:5]) + (", ..." if len(found.missing) > 5 else "")
        finding = (
            f"expected a label in column {shown(label)}, found none in {len(found.missing):,} of {table.n_rows:,} rows"
        )
        raise DataError(table.path, f"{finding}, counted from 0: {rows}; label them, or take them out of the table")


def groups_of_train(table: TableColumns, folder: Path, told: Told, remarks: Remarks) -> list[str] | None:
    """The same of rows to learn from, whose table may not have the column."""
    if told.group is not None and told.group not in table.names:
        remarks.doubt(
            f"{table.path.name} has no column {shown(told.group)}, so groups of rows to learn from are unknown"
        )
        return None
    return groups_of(table, folder, told, remarks)


def groups_of(table: TableColumns, folder: Path, told: Told, remarks: Remarks) -> list[str] | None:
    """The group of each row, if the user names a column of groups. The table lies below ``folder``."""
    if told.group is None:
        return None
    cells = table.cells.get(told.group)
    if cells is None:
        raise DataError(table.path, f"expected groups, found lists or files in column {shown(told.group)}")
    groups = [text or "" for text in label_texts(cells)]
    if alone := groups.count(""):
        remarks.doubt(f"{alone:,} rows without a group are each in one of their own")
    remarks.find(f"{len(set(groups) - {''}):,} groups, by the column {shown(told.group)} of {table.path.name}")
    file = table.path.relative_to(folder).as_posix()  # two tables may have one name, each in a folder of its own
    return [group or _ALONE.format(row=row, file=file) for row, group in enumerate(groups)]


def _label(table: TableColumns, told: Told, remarks: Remarks) -> str:
    require_told(table, told)
    label = label_column(table, told, remarks)
    if label is not None:
        return label
    others = [name for name in table.cells if name != told.text]
    if len(others) == 1 and (told.text is not None or len(table.files) == 1):
        remarks.doubt(f"the column {shown(others[0])} is taken for the label, as the only other one")
        return others[0]
    raise no_label(table)


def _contents(
    table: TableColumns, label: str, found: FoundClasses, folder: Path, told: Told, remarks: Remarks
) -> DatasetDraft:
    """The dataset by what the other columns are."""
    path = table.path.relative_to(folder).as_posix()
    media: dict[str, object]
    order = {"order": "rows"} if table.is_renumbered else {}
    if order:
        remarks.doubt("a column numbers the rows in another order than theirs; labels are those of the rows themselves")
    files = {name: kind for name, kind in table.files.items() if kind in ("image", "audio")}
    if files and told.text is None:
        if len(files) > 1:
            remarks.doubt(f"of the columns {some([*files])} the first is read")
        column, kind = next(iter(files.items()))
        _leave_out_others(table, (column, label), remarks)
        media = {"path": path, "column": column, **order}
        return _as_it_is(DatasetDraft(kind, f"{kind}-table", found.names, found.ids, media), folder)
    text = text_column(table, told, (label, told.group), remarks)
    if text is not None:
        if empty := sum(not str(cell or "").strip() for cell in table.cells.get(text, ())):
            remarks.doubt(f"{empty:,} rows have no text in column {shown(text)}")
        _leave_out_others(table, (text, label, told.group), remarks)
        encoded = {"encoding": table.encoding} if table.encoding != LAYOUTS["text-table"].encoding else {}
        media = {"path": path, "column": text, **encoded, **order}
        return _as_it_is(DatasetDraft("text", "text-table", found.names, found.ids, media), folder)
    labels = label_texts(table.cells[label])
    columns, categories = features(table, labels, (label, told.group), remarks)
    numeric = [name for name in columns if name not in categories]
    remarks.find(f"columns of numbers: {some(numeric, 12) or 'none'}; of categories: {some(categories, 12) or 'none'}")
    media = {"path": path, "columns": columns, "categories": categories, **order}
    return _as_it_is(DatasetDraft("tabular", "row-table", found.names, found.ids, media), folder)


def _as_it_is(draft: DatasetDraft, folder: Path) -> DatasetDraft:
    """The same, with the SHA-256 of the table: sorted or edited later, its rows would be paired with other labels."""
    try:
        source = open_media(draft.layout, folder, draft.media)
    except MediaError:  # told by whoever reads it
        return draft
    return draft if source is None else replace(draft, media={**draft.media, "sha256": digest_of(source.sources)})


def _leave_out_others(table: TableColumns, but: Sequence[str | None], remarks: Remarks) -> None:
    """Say which columns are not read; a column that says what is to be learnt from may be meant otherwise."""
    others = [name for name in table.names if name not in but]
    for name in others:
        values = {str(cell) for cell in table.cells.get(name, ())}
        if 1 < len(values) <= _MOST_PARTS and all(role_of(value) is not None for value in values):
            remarks.doubt(
                f"the column {shown(name)} says {some(sorted(values))}, and all rows are looked at: make a table of "
                "each to look at one and learn from another"
            )
    if others:
        remarks.leave_out("columns besides", *others)


def _train(
    table: TableColumns, label: str, found: FoundClasses, draft: DatasetDraft, folder: Path, remarks: Remarks
) -> TrainDraft:
    labels = train_labels(table, label, found)
    if (labels < 0).any():
        rows = np.flatnonzero(labels < 0)
        cell = shown(table.cells[label][rows[0]])
        finding = f"expected a label of {len(found.names)} known classes, found {cell} in row {rows[0]:,}"
        raise DataError(table.path, f"{finding} and {len(rows) - 1:,} more rows")
    wanted = draft.media.get("columns", [draft.media.get("column")])
    for name in wanted if isinstance(wanted, list) else ():
        if name not in table.names:
            raise DataError(
                table.path, f"expected a column {shown(name)} as in the table that is looked at, found none"
            )
    remarks.find(f"{table.n_rows:,} {NOUNS[draft.modality]} in {table.path.name} to learn from, which nobody looks at")
    return TrainDraft(labels, None, table.path.relative_to(folder).as_posix())


def train_labels(table: TableColumns, label: str, found: FoundClasses) -> NDArray[np.int64]:
    """The class ids of labels in another table, -1 for those that are no class of the first."""
    if label not in table.cells:
        raise DataError(table.path, f"expected a column {shown(label)} of labels, found none")
    cells: Sequence[Any] = table.cells[label]
    if label in table.classes:
        names = table.classes[label]
        texts: Sequence[str | None] = [None if cell is None or cell < 0 else names[cell] for cell in cells]
    else:
        texts = label_texts(cells)
    ids = {name: class_id for class_id, name in enumerate(found.names)}
    return np.array([-1 if text is None else ids.get(text, -1) for text in texts], np.int64)
