"""Find the dataset in a folder or a table: in class folders, in a table that names files, or in a table itself."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from ingest.datasets.survey.class_folders import class_folders
from ingest.datasets.survey.column_roles import Told, label_column
from ingest.datasets.survey.dataset_draft import DatasetDraft
from ingest.datasets.survey.file_tables import file_table
from ingest.datasets.survey.listing import Listing, ending, list_files
from ingest.datasets.survey.remarks import Remarks, some
from ingest.datasets.survey.splits import split_of
from ingest.datasets.survey.table_columns import SUFFIXES, TableColumns, read_columns_of
from ingest.datasets.survey.table_datasets import table_dataset
from ingest.datasets.survey.unread_files import advice, leave_out_unread, refuse_packed
from ingest.errors import DataError, MissingFileError, shown
from ingest.media.layouts.parquet_files import parquet_parts
from ingest.progress import Progress

#: More tables than this are the examples themselves, not descriptions of them.
_MOST_TABLES: Final = 12


def find_dataset(place: Path, told: Told, progress: Progress, remarks: Remarks) -> DatasetDraft:
    """The dataset in a folder, or in a single file, which is a table; nothing is written.

    Raises MissingFileError or DataError saying what was expected and what is there.
    """
    if place.is_file():
        table = _read(place)
        return table_dataset(table, None, table.path.parent, told, remarks)
    if not place.is_dir():
        raise MissingFileError(place, "expected a folder or a table, found nothing")
    listing = list_files(place, progress, remarks)
    tables = _tables(listing)
    pair = None if len(tables) > _MOST_TABLES else _chosen(listing, tables, told, remarks)
    if pair is not None:
        leave_out_unread(listing.contents, remarks)
        found = file_table(*pair, listing, told, remarks) if _has_files(listing) else None
        if found is not None:
            return found
        if not _has_classes(listing):
            return table_dataset(*pair, listing.folder, told, remarks)
        remarks.leave_out("tables beside class folders", pair[0].path.relative_to(listing.folder).as_posix())
    if not listing.holding and (finding := refuse_packed(listing.contents)) is not None:
        raise DataError(place, f"expected a table, or a folder of files for each class, {finding}")
    return class_folders(listing, remarks)


def _read(place: Path) -> TableColumns:
    if ending(place.name) not in SUFFIXES:
        expected = f"expected a table that ends in {', '.join(SUFFIXES)}, or a folder"
        raise DataError(place, f"{expected}, found {shown(place.name)}{advice(place.name)}")
    return read_columns_of(place.resolve())


def _tables(listing: Listing) -> list[str]:
    """The tables in the folder; of one in several Parquet files the first of these."""
    found, parts = [], set[Path]()
    for path in listing.contents:
        if ending(path) not in SUFFIXES or listing.folder / path in parts:
            continue
        found.append(path)
        if ending(path) == ".parquet":
            parts.update(parquet_parts(listing.folder / path))
    return found


def _chosen(
    listing: Listing, tables: Sequence[str], told: Told, remarks: Remarks
) -> tuple[TableColumns, TableColumns | None] | None:
    """The table of the dataset, and one with examples to learn from; None without any table."""
    if not tables:
        return None
    split = split_of(tables)
    if split is not None:
        looked_at, train = (_read(listing.folder / path) for path in (split.looked_at, split.train))
        others = list(split.others)
        if _labelled(looked_at, told):
            remarks.leave_out("tables besides", *others) if others else None
            return looked_at, train
        remarks.doubt(f"{split.looked_at} has no labels, so the examples of {split.train} are looked at")
        return train, None
    read = [(path, _read(listing.folder / path)) for path in tables]
    labelled = [(path, table) for path, table in read if _labelled(table, told)]
    if len(labelled) > 1 or (len(read) > 1 and not labelled):
        if _has_classes(listing):
            return None
        finding = f"expected one table with labels, found {some(list(tables))}: give the path of one of them"
        raise DataError(listing.folder, finding)
    path, table = (labelled or read)[0]
    if others := [one for one in tables if one != path]:
        remarks.leave_out("tables without labels", *others)
    return table, None


def _labelled(table: TableColumns, told: Told) -> bool:
    """Whether a table has a column of labels, and labels in it."""
    column = label_column(table, told, Remarks())
    if column is None or column not in table.cells:
        return False
    return any(cell not in (None, "", -1) for cell in table.cells[column])


def _has_files(listing: Listing) -> bool:
    """Whether there are pictures, sounds or texts other than tables."""
    return any(
        content.kind in ("image", "audio") or (content.kind == "text" and ending(path) not in SUFFIXES)
        for path, content in listing.contents.items()
    )


def _has_classes(listing: Listing) -> bool:
    """Whether two folders at least, side by side, have pictures, sounds or texts that are no tables."""
    holding = {
        PurePosixPath(path).parent
        for path, content in listing.contents.items()
        if content.kind in ("image", "audio") or (content.kind == "text" and ending(path) not in SUFFIXES)
    }
    beside = [folder.parent for folder in holding if folder.name]
    return any(beside.count(one) > 1 for one in beside)
