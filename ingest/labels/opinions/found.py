"""A second opinion on a dataset before it is read: its manifest and its file."""

from pathlib import Path
from typing import NamedTuple

from ingest.manifest.opinion import OpinionManifest


class FoundOpinion(NamedTuple):
    """An opinion as its manifest describes it, and the file it is in."""

    manifest: OpinionManifest
    path: Path
