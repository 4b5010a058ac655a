"""Turn pydantic's errors about a manifest into messages: where, what was expected and what was found."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from ingest.errors import shown
from ingest.manifest.fields import MisfitError
from ingest.manifest.layouts import Options
from ingest.manifest.model import Manifest, Media

#: What is expected, by pydantic's error types; names in braces come from the error's context.
_EXPECTED: Final = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    "mapping_type": "a table",
    "model_type": "a table",
    "literal_error": "{expected}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
}
#: The similarity from which an unknown key counts as a misspelt known one.
_NEAR: Final = 0.75

#: Longer ones are cut where they are told.
_LONGEST_KEY: Final = 60

_Place = tuple[str | int, ...]


def explained(error: Mapping[str, Any], values: Mapping[str, Any], root: type[BaseModel] = Manifest) -> tuple[str, str]:
    """The dotted path of a value and what is wrong with it; ``error`` is an entry of a ValidationError of ``root``.

    >>> explained({"type": "int_type", "loc": ("size",), "input": "x"}, {"size": "x"})
    ('size', "expected a whole number, found 'x'")
    """
    place = _written(error["loc"], values)
    match error["type"]:
        case "missing":
            finding = f"missing; expected {_kind_of(place, root)}{_misspelt(place, values, root)}"
        case "extra_forbidden":
            finding = f"unknown key{_meant(place, root)}"
        case "value_error":
            problem = error["ctx"]["error"]
            place += tuple(problem.key.split(".")) if isinstance(problem, MisfitError) else ()
            finding = str(problem)
        case kind if kind in _EXPECTED:
            finding = f"expected {_EXPECTED[kind].format(**error.get('ctx', {}))}, found {shown(error['input'])}"
        case _:
            finding = f"{error['msg']}, found {shown(error['input'])}"
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in place).removeprefix(
        "."
    ), finding


def _key(text: str) -> str:
    """A key as it may stand in a message of one line."""
    return text if text.isprintable() and len(text) <= _LONGEST_KEY else shown(text)


def _written(place: Sequence[str | int], values: Any) -> _Place:
    """The path in the file: a single text that stands for a list has no path within it."""
    for depth, part in enumerate(place):
        if isinstance(part, int) and isinstance(values, str):
            return tuple(place[:depth])
        values = values[part] if part in values or isinstance(part, int) else None
    return tuple(place)


def _meant(place: _Place, root: type[BaseModel]) -> str:
    """A suggestion for a key that is unknown in its table."""
    key, known = str(place[-1]), _keys(_table_at(place[:-1], root))
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=_NEAR)
    others = [name for name, table in _tables(root) if key in _keys(table)]
    return "".join(
        (
            f" (is {shown(near[0])} meant?)" if near else "",
            f"; known here are {', '.join(sorted(known))}",
            f"; {key} stands {' or '.join(others)}" if others else "",
        )
    )


def _misspelt(place: _Place, values: Any, root: type[BaseModel]) -> str:
    """A question whether an unknown key was meant for a missing one."""
    for part in place[:-1]:
        values = values[part]
    unknown = values.keys() - _keys(_table_at(place[:-1], root))
    near = difflib.get_close_matches(str(place[-1]), sorted(unknown), n=1, cutoff=_NEAR)
    return f" (is {shown(near[0])} meant for it?)" if near else ""


def _kind_of(place: _Place, root: type[BaseModel]) -> str:
    annotation = _fields(_table_at(place[:-1], root))[str(place[-1])]
    if get_origin(annotation) is Literal:
        *others, last = map(repr, get_args(annotation))
        return f"{', '.join(others)} or {last}"
    return "a text" if _table_in(annotation) is None else "a table"


def _table_at(place: _Place, root: type[BaseModel]) -> type[BaseModel]:
    table = root
    for part in place:
        if isinstance(part, str):
            table = _table_in(_fields(table)[part]) or table
    return table


def _tables(table: type[BaseModel], name: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """A table and all tables within it, with their paths in words."""
    yield f"in {name}" if name else "at the top of the manifest", table
    for key, annotation in _fields(table).items():
        within = _table_in(annotation)
        if within is not None:
            dotted = f"{name.strip('[]')}.{key}".removeprefix(".")
            yield from _tables(within, f"[[{dotted}]]" if _is_list(annotation) else f"[{dotted}]")


def _keys(table: type[BaseModel]) -> list[str]:
    return [*_fields(table), *((one.name for one in fields(Options)) if table is Media else ())]


def _fields(table: type[BaseModel]) -> dict[str, Any]:
    """The types of a table's keys, by the names used in the file."""
    return {field.alias or name: field.annotation for name, field in table.model_fields.items()}


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """The table type that a type is, contains as an option, or is a list of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    wraps = get_origin(annotation) in (Union, UnionType, tuple)
    return next(filter(None, map(_table_in, get_args(annotation))), None) if wraps else None


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is tuple
