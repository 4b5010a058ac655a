"""``python -m ingest init``: describe a folder of labelled files as a dataset, asking nothing.

Arguments in, files and a report out; the looking is done by ``ingest.datasets.survey``.
"""

import argparse
import shlex
from pathlib import Path
from typing import Final

EXAMPLES: Final = """\
examples:
  %(prog)s pets
  %(prog)s reviews.csv --out reviews-labels
  %(prog)s scans --label-column diagnosis --group-column patient

FOLDER may hold a folder of pictures, sounds or texts for each class; a table (CSV, TSV, JSON Lines, Parquet) of labels
and names of files, of texts, or of numbers and categories; or a dataset of Hugging Face in Parquet. Where there are
test and train, test is looked at and train is only learnt from. FOLDER may be one table too. Nothing is written
into it, and nothing is asked: what was found, what is unsure and what was left out is said.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="labelled files, or a table")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where to write (default: FOLDER-label-errors, here)")
    for what in ("label", "file", "text", "group"):
        says = {
            "label": "the column of a table that holds the labels",
            "file": "the column that names files",
            "text": "the column of texts",
            "group": "examples of the same value here belong together, such as those of one writer",
        }[what]
        parser.add_argument(f"--{what}-column", metavar="COLUMN", help=says)
    parser.add_argument("--force", action="store_true", help="write over files that were changed, or are others'")


def run(arguments: argparse.Namespace) -> int:
    """Look at the folder, write what describes it, and say what was found."""
    place: Path = arguments.folder
    manifest = described(arguments)
    media = place.parent if place.is_file() else place
    print(f"next: label-errors check {shlex.join([str(manifest), str(manifest.parent), '--media', str(media)])}")
    return 0


def described(arguments: argparse.Namespace) -> Path:
    """Write what describes the folder, say what was found, and return the manifest."""
    from ingest.datasets.survey.column_roles import Told
    from ingest.datasets.survey.find_dataset import find_dataset
    from ingest.datasets.survey.remarks import Remarks
    from ingest.datasets.survey.write_dataset import require_free, title_of, write_dataset
    from ingest.progress import progress_for_terminal

    place: Path = arguments.folder
    out = arguments.out or Path(f"{title_of(place)}-label-errors")
    require_free(out, place, force=arguments.force)
    told = Told(arguments.label_column, arguments.file_column, arguments.text_column, arguments.group_column)
    remarks = Remarks()
    draft = find_dataset(place, told, progress_for_terminal(), remarks)
    written = write_dataset(draft, out, place)
    print("\n".join(remarks.lines()))
    print(f"wrote {out}: {', '.join(written)}")
    return out / written[0]
