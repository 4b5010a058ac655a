"""Read class names, and find the class that a name in another file refers to.

Names come from JSON, from a CSV column, from a text file with one per line, from the manifest itself, or from a Python
file, which is parsed and never run.
"""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.errors import DataError, MissingFileError, shown
from ingest.labels.files import read_json
from ingest.labels.label_columns import read_csv_column, read_lines, require_names
from ingest.labels.record_location import SEPARATED
from ingest.manifest.model import Classes


@dataclass(frozen=True)
class ClassNames:
    """The names of a dataset's classes, by id, and the file they were read from (None for the manifest)."""

    names: tuple[str, ...]
    source: str | None
    _ids: dict[str, int]
    _ignore: str

    def __len__(self) -> int:
        return len(self.names)

    def find(self, name: str) -> int | None:
        """The id of a named class: exact, by an alias, or ignoring case and the ignored characters."""
        found = self._ids.get(name)
        return self._ids.get(_folded(name, self._ignore)) if found is None else found


def read_classes(description: Classes, folder: Path, manifest_path: Path) -> ClassNames:
    """The class names a manifest describes. Raises MissingFileError or DataError."""
    source = None
    names: list[str] = list(description.names)
    file = manifest_path
    if description.files:
        source = next((name for name in description.files if (folder / name).is_file()), None)
        if source is None:
            raise MissingFileError(
                folder / description.files[0], f"expected class names, found none of {_listed(description.files)}"
            )
        file = folder / source
        names = _read(file, description)
    if description.sort_as is not None:
        names.sort(key=lambda name: name + (description.sort_as or ""))
    if description.first is not None:
        names = names[: description.first]
    return _class_names(names, source, description, file)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def _class_names(names: list[str], source: str | None, description: Classes, file: Path) -> ClassNames:
    ids: dict[str, int] = {}
    for class_id, name in enumerate(names):
        if not name.strip():
            raise DataError(file, f"expected a class name, found {shown(name)}", record=f"class {class_id}")
        if name in ids:
            raise DataError(
                file, f"expected different class names, found {shown(name)} twice", record=f"class {class_id}"
            )
        ids[name] = class_id
    for other, name in description.aliases.items():
        if name not in ids:
            raise DataError(file, f"expected class {shown(name)}, for which the manifest has an alias, found none")
        ids[other] = ids[name]
    folded: dict[str, list[int]] = {}
    for name, class_id in ids.items():
        folded.setdefault(_folded(name, description.ignore), []).append(class_id)
    loose = {name: found[0] for name, found in folded.items() if len(set(found)) == 1}
    return ClassNames(tuple(names), source, loose | ids, description.ignore)


def _folded(name: str, ignore: str) -> str:
    for character in ignore:
        name = name.replace(character, "")
    return name.casefold()


def _read(file: Path, description: Classes) -> list[str]:
    suffix = file.suffix.lower()
    if suffix in SEPARATED:
        if description.column is None:
            raise DataError(file, "expected to be told which column holds the names: column, under [classes]")
        content: Any = read_csv_column(file, description.column, or_only=False)
    elif suffix == ".txt":
        content = read_lines(file)
        require_names(file, content)
    else:
        content = _python_literal(file, description.variable) if suffix == ".py" else read_json(file)
        if description.key is not None:
            if not isinstance(content, dict) or description.key not in content:
                raise DataError(file, f"expected an entry {shown(description.key)}, found none")
            content = content[description.key]
    if not isinstance(content, list) or not content:
        raise DataError(file, f"expected a list of class names, found {shown(content)}")
    for class_id, name in enumerate(content):
        if isinstance(name, bool) or not isinstance(name, str | int) or not str(name).strip():
            raise DataError(file, f"expected a class name, found {shown(name)}", record=f"class {class_id}")
    return [str(name) for name in content]


def _python_literal(file: Path, variable: str) -> Any:
    """The value of a variable of a Python file, if it is a literal or built from names of earlier literals."""
    try:
        module = ast.parse(file.read_bytes())  # in whatever encoding it says
    except (SyntaxError, ValueError, RecursionError) as error:
        raise DataError(file, f"expected Python source: {error}") from error
    values: dict[str, Any] = {}
    for statement in module.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name):
                values[target.id] = _evaluated(statement.value, values)
    if values.get(variable) is None:
        raise DataError(file, f"expected a variable {variable} with a literal value, found none")
    return values[variable]


def _evaluated(node: ast.expr, known: dict[str, Any]) -> Any:
    """A literal, which may use names of known literals as dictionary values; None for anything else."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Dict):
        keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        return {key: _evaluated(value, known) for key, value in zip(keys, node.values, strict=True)}
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
