"""Files that no dataset is found in, though people keep theirs in them: what to do about them."""

from collections.abc import Iterable
from typing import Final

from ingest.datasets.survey.listing import ending
from ingest.datasets.survey.remarks import Remarks, some
from ingest.errors import shown

_PACKED: Final = (".gz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".rar", ".tar", ".tgz")
_ADVICE: Final = {
    **dict.fromkeys(_PACKED, "unpack it"),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "save it as .csv"),
    **dict.fromkeys((".arrow", ".feather"), "write it as .parquet, as to_parquet of pandas and of Hugging Face does"),
    **dict.fromkeys((".npz", ".npy", ".pkl", ".mat", ".h5", ".hdf5"), "write a file for each example, or a .csv"),
    ".json": "write an object on each line, as .jsonl",
    **dict.fromkeys((".txt", ".data", ".dat", ".tab", ".psv"), "if it is a table, call it .csv"),
}
#: Files that may be texts, or say something about a dataset.
_COMMON: Final = frozenset((".json", ".txt", ".data", ".dat"))


def advice(path: str) -> str:
    """What to do about a file that is not read, to follow its name; "" for one that is nothing usual.

    >>> advice("reviews.csv.gz"), advice("reviews.md")
    (': unpack it', '')
    """
    words = _ADVICE.get(ending(path))
    return "" if words is None else f": {words}"


def first_with_advice(paths: Iterable[str]) -> str:
    """A file of which somebody may have thought that it is read, and what to do about it; "" without any.

    >>> first_with_advice(["README", "table.xlsx"])
    "; found 'table.xlsx': save it as .csv"
    """
    found = next((path for path in paths if advice(path)), None)
    return "" if found is None else f"; found {shown(found)}{advice(found)}"


def leave_out_unread(paths: Iterable[str], remarks: Remarks) -> None:
    """Say which files beside a table may be tables too, and are not read."""
    for path in paths:
        if ending(path) in _ADVICE and ending(path) not in _COMMON:
            remarks.leave_out(f"files of a kind that is not read ({_ADVICE[ending(path)]})", path)


def refuse_packed(paths: Iterable[str]) -> str | None:
    """The finding about a folder in which files are packed or of another program; None without any."""
    packed = [path for path in paths if ending(path) in _ADVICE and ending(path) not in _COMMON]
    return None if not packed else f"found {some(packed)}{advice(packed[0])}"
