"""What `list` prints of a catalogue, which needs nothing of what makes one."""

import json
from pathlib import Path

from sqlalchemy import RowMapping, select

from app.schema import tables
from ingest.catalogue.open import open_catalogue
from ingest.commands.nouns import counted


def catalogue_report(path: Path) -> str:
    """What a catalogue holds: datasets with their counts, when they were built, and from which files.

    Raises MissingFileError or CatalogueError if there is none, or none of this version.
    """
    with open_catalogue(path) as connection:
        meta = {row.key: row.value for row in connection.execute(select(tables.meta))}
        datasets = connection.execute(select(tables.datasets).order_by(tables.datasets.c.position)).mappings().all()
        lines = [f"{path}: written {meta['written_at']}, version {meta['version']}"]
        for dataset in datasets:
            lines.append(
                f"\n{dataset['name']}: {dataset['title']}, {counted(dataset['size'], 'example')}, "
                f"{counted(dataset['n_issues'], 'issue')}, {dataset['n_checked']:,} checked, "
                f"{counted(dataset['n_errors'], 'error')}, built {dataset['built_at']}"
            )
            if dataset["n_guesses_changed"]:
                lines.append(f"  {dataset['n_guesses_changed']:,} checked, whose guess has changed since")
            lines += [f"  media: {told}" for told in _media_told(dataset)]
            lines += [f"  missing: {sentence}" for sentence in json.loads(dataset["missing"])]
            files = select(tables.sources).where(tables.sources.c.dataset_id == dataset["id"])
            for file in connection.execute(files.order_by(tables.sources.c.path)).mappings():
                lines.append(f"  {file['sha256']}  {file['path']} ({file['role']}, {file['bytes']:,} bytes)")
    return "\n".join(lines)


def _media_told(dataset: RowMapping) -> list[str]:
    """How many issues, and how many exemplars, have a medium; nothing if none were read."""
    if dataset["media_report"] is None:
        return []
    told = json.loads(dataset["media_report"])
    of = "" if told.get("exemplars_wanted") in (None, told["exemplars"]) else f" of {told['exemplars_wanted']:,}"
    return [
        f"{told['issues']:,} of {counted(dataset['n_issues'], 'issue')} with a medium, "
        f"{told['exemplars']:,}{of} exemplars, {told['bytes']:,} bytes"
    ]
