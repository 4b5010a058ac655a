"""Read a dataset's manifest from its TOML file into frozen values.

A manifest contains everything that is particular to a dataset, so no code needs to know its name. It is read strictly:
a missing key, an unknown key or a value of the wrong type is refused, naming file and key. This module opens no other
file; ``ingest.datasets.load`` checks that the files a manifest names exist and are valid.
"""

import tomllib
from pathlib import Path

from pydantic import ValidationError

from app.package_files import DATA
from ingest.errors import ManifestError, MissingFileError
from ingest.git_pointers import refuse_pointers
from ingest.manifest.messages import explained
from ingest.manifest.model import Manifest
from ingest.manifest.opinion import SHIPPED, OpinionManifest

#: The manifests of the ten datasets of the paper.
DATASETS = DATA / "datasets"


def read_manifest(path: Path) -> Manifest:
    """The manifest in a TOML file.

    Raises MissingFileError if there is no such file, ManifestError naming file and key if it is not a valid manifest.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise MissingFileError(path, "expected a manifest (a TOML file), found none") from error
    except UnicodeDecodeError as error:
        raise ManifestError(path, f"expected UTF-8 text: {error}") from error
    try:
        refuse_pointers([path])
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError(path, f"expected TOML: {error}") from error
    try:
        return Manifest.of(path, text, values)
    except ValidationError as error:
        record, finding = explained(error.errors()[0], values)
        raise ManifestError(path, finding, record=record) from None


def read_manifests(folder: Path) -> list[Manifest]:
    """All manifests in a folder, in the order of their positions. Refuses two with the same name."""
    manifests = sorted((read_manifest(path) for path in folder.glob("*.toml")), key=lambda m: (m.position, m.name))
    seen: dict[str, Path] = {}
    for manifest in manifests:
        if manifest.name in seen:
            raise ManifestError(manifest.path, f"name: {manifest.name!r} is taken by {seen[manifest.name].name}")
        seen[manifest.name] = manifest.path
    return manifests


def read_opinion_manifest(source: str) -> OpinionManifest:
    """The manifest of a second opinion: one that comes with the program, by its name, or a TOML file.

    Raises MissingFileError or ManifestError naming the file and the key.
    """
    path = Path(source) if source.endswith(".toml") else SHIPPED / f"{source}.toml"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(path, f"expected UTF-8 text: {error}") from error
    except OSError as error:
        known = ", ".join(one.name for one in shipped_opinions())
        raise MissingFileError(
            source, f"expected {known} or a TOML file that describes a source, found none"
        ) from error
    return _opinion(path, text)


def shipped_opinions() -> list[OpinionManifest]:
    """The manifests of published opinions that come with the program, by name."""
    return [_opinion(path, path.read_text(encoding="utf-8")) for path in sorted(SHIPPED.glob("*.toml"))]


def _opinion(path: Path, text: str) -> OpinionManifest:
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError(path, f"expected TOML: {error}") from error
    try:
        return OpinionManifest.model_validate(values)
    except ValidationError as error:
        record, finding = explained(error.errors()[0], values, OpinionManifest)
        raise ManifestError(path, finding, record=record) from None
