"""``python -m ingest check``: report what would be loaded, what is missing and what is wrong.

Arguments in, a report out; nothing is written. ``dataset_preview`` does the checking.
"""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingest.commands.arguments import add_datasets, add_media
from ingest.progress import progress_for_terminal

if TYPE_CHECKING:
    from ingest.commands.dataset_preview import DatasetPreview
    from ingest.pipeline import IngestJob

# Modules that need the database are imported where they are used, as in ``commands.main``.

EXAMPLES: Final = """\
examples:
  %(prog)s label-errors --dataset imagenet
  %(prog)s label-errors --media downloads
  %(prog)s mine/dataset.toml mine --media mine

One folder is a clone of the release: everything is read and checked as `release` would; archives of media are read to
their end, and nothing in them is decoded. A manifest and a folder are a dataset of your own: everything is read as
`add` would, media are decoded, and the first three examples are shown with their labels and files; look whether they
belong together. Of more than 10,000 media some are decoded, and it is said how many. Nothing is written. Exit status 1
when something is wrong.
"""

NO_PROBABILITIES: Final = (
    "There are no predicted probabilities yet, so nothing is flagged: label-errors predict makes them."
)

_USAGE: Final = """%(prog)s [-h] [--media DIR] [--dataset NAME] DIR
       %(prog)s [-h] [--media DIR] MANIFEST.toml DIR"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.usage = _USAGE
    says = "the release, as cloned; or what a dataset of your own is, and where its files are"
    parser.add_argument("places", metavar="DIR | MANIFEST.toml DIR", nargs="+", type=Path, help=says)
    add_media(parser)
    add_datasets(parser)
    parser.set_defaults(refuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Check everything and print a report. 0 when nothing is wrong, else 1."""
    from ingest.commands.dataset_preview import check

    checked = check(_orders(arguments), progress_for_terminal())
    print("\n".join(line for one in checked for line in _lines(one)))
    if arguments.media is None and any(one.has_unread_media for one in checked):
        print("media were not looked for: name their folder with --media DIR")
    wrong = any(one.wrong for one in checked)
    if not wrong and arguments.media is not None and checked[0].awaits_matrix:
        print(f"next: label-errors predict {shlex.join(map(str, (*arguments.places, '--media', arguments.media)))}")
    return 1 if wrong else 0


def _orders(arguments: argparse.Namespace) -> "list[IngestJob]":
    from ingest.manifest.parse import read_manifest
    from ingest.pipeline import IngestJob, jobs_of_release

    places: list[Path] = arguments.places
    if len(places) > 2:
        arguments.refuse(f"expected DIR, or MANIFEST.toml and DIR, found {len(places)} of them")
    if len(places) == 1:
        if places[0].suffix.lower() == ".toml":
            arguments.refuse(f"expected the folder of its files after the manifest {places[0]}, found none")
        manifests = [] if (places[0] / "mturk").is_dir() else sorted(places[0].glob("*.toml"))
        if manifests:
            arguments.refuse(f"one folder is the release; of a dataset of your own say {manifests[0]} {places[0]}")
        return jobs_of_release(places[0], arguments.media, arguments.dataset)
    if arguments.dataset:
        arguments.refuse("--dataset is for the release; a manifest is one dataset")
    return [IngestJob(read_manifest(places[0]), places[1], arguments.media, complete=True)]


def _lines(checked: "DatasetPreview") -> list[str]:
    from ingest.commands.nouns import counted
    from ingest.commands.reports import problem_lines, review_lines
    from ingest.datasets.media import NOT_AT_HAND

    name = checked.manifest.name
    if checked.build is None:
        return [f"{name}: wrong: {checked.error}"]
    counts, inputs = checked.build.counts, checked.build.inputs
    roles = ", ".join(dict.fromkeys([source.role for source in inputs.sources] + ["media"] * checked.media))
    issues, errors = counted(len(checked.build.issues), "issue"), counted(counts.errors, "error")
    found = f"{issues}, {counts.checked:,} checked, {errors}"
    if counts.checked and counts.waiting:
        found += f", {counts.waiting:,} waiting for review"
    word = "wrong" if checked.wrong else "good"
    lines = [f"{name}: {word}: {counted(inputs.size, 'example')}, {found}; from {roles}"]
    lines += [f"{name}: {sentence}" for sentence in review_lines(checked.build)]
    lines += [f"{name}: warning: {caution}" for caution in checked.build.cautions]
    if inputs.flagging is not None and inputs.flagging.tolerance is not None:
        lines.append(f"{name}: {inputs.flagging.beyond_sentence()}")
    told = [NO_PROBABILITIES] if checked.awaits_matrix else inputs.missing
    absent = (*told, *(sentence for sentence in checked.missing if sentence != NOT_AT_HAND))
    lines += [f"{name}: missing: {sentence}" for sentence in absent]
    if checked.shown is not None and checked.shown[1]:
        lines.append(f"{name}: {checked.shown[0]:,} of {counted(checked.shown[1], 'issue')} with a medium")
    if checked.opened is not None:
        lines.append(f"{name}: {_opened(*checked.opened, inputs.size or 0)}")
    lines += [f"{name}: wrong: {line}" for line in problem_lines([p for p in checked.problems if not p.absent])]
    lines += [f"{name}: missing: {line}" for line in problem_lines([p for p in checked.problems if p.absent])]
    lines += [f"{name}: {line}" for line in (*checked.notes, *checked.first)]
    return lines


def _opened(n: int, tried: int, size: int) -> str:
    """How many examples' media were opened, and how many of these could not be read."""
    some = f"{tried:,} of {size:,} media were opened" if tried < size else f"all {size:,} media were opened"
    return f"{some}, and {f'{tried - n:,} cannot be read' if n < tried else 'each can be read'}"
