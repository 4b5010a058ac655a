"""``docs/manifest.md`` lists every key of a manifest, with its type, and its default where it has one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from markdown_it import MarkdownIt
from pydantic import BaseModel

from app.domain.confident_learning.flag_choice import FlagChoice
from ingest.manifest.fields import InnerPaths, Text
from ingest.manifest.layouts import ORDERS, Options
from ingest.manifest.messages import _is_list, _table_in
from ingest.manifest.model import Manifest, Media
from ingest.manifest.opinion import Check
from tests.conftest import ROOT

PAGE = ROOT / "docs/manifest.md"
#: How types are called on the page, by how they are annotated.
TYPES = {
    str: {"text", "path", "address"},
    int: {"whole number"},
    FlagChoice: {"text or number"},
    float: {"number"},
    bool: {"true or false"},
    tuple[str, ...]: {"list of texts"},
    get_args(InnerPaths)[0]: {"path, or list of paths"},
    tuple[int, ...]: {"list of whole numbers"},
    Mapping[str, str]: {"table of texts"},
    Mapping[str, Sequence[float]]: {"table of pairs"},
    Check.model_fields["example"].annotation: {"whole number or text"},
    Check.model_fields["classes"].annotation: {"list of whole numbers and texts"},
    Mapping[Text, InnerPaths]: {"table of paths or lists of paths"},
}
#: Defaults that other keys decide; the page says them in words.
DECIDED = {
    ("", "agreements"),
    ("votes", "dialect"),
    ("votes", "options"),
    ("media", "path"),
    ("media", "column"),
    ("media", "columns"),
    ("media", "count"),
}


def tables(table: type[BaseModel], name: str = "") -> Iterator[tuple[str, str, type[BaseModel]]]:
    """Every table of a manifest: its dotted name, how it is written in a file, and its model."""
    yield name, f"[{name}]", table
    for key, one in table.model_fields.items():
        within = _table_in(one.annotation)
        if within is not None:
            for inner, written, model in tables(within, f"{name}.{key}".removeprefix(".")):
                yield inner, f"[{written}]" if _is_list(one.annotation) else written, model


def keys(table: type[BaseModel]) -> dict[str, tuple[Any, Any]]:
    """The keys of a table that are no tables themselves: the type of each, and its default."""
    found = {}
    for name, one in table.model_fields.items():
        if _table_in(one.annotation) is None:
            default = one.default_factory() if one.default_factory else one.default  # type: ignore[call-arg]
            found[one.alias or name] = one.annotation, MISSING if one.is_required() else default
    if table is Media:
        for option in fields(Options):
            default = option.default_factory() if option.default_factory is not MISSING else option.default
            found[option.name] = Literal[ORDERS] if option.name == "order" else option.type, default
    return found


def rows() -> dict[str, dict[str, list[str]]]:
    """The rows of the page by heading and key."""
    found: dict[str, dict[str, list[str]]] = {}
    heading, cells = "", list[str]()
    tokens = MarkdownIt().enable("table").parse(PAGE.read_text(encoding="utf-8"))
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[place + 1].content
        elif token.type == "tr_open":
            cells = []
        elif token.type == "td_open":
            cells.append(tokens[place + 1].content)
        elif token.type == "tr_close" and cells:
            found.setdefault(heading, {})[cells[0].strip("`")] = cells[1:]
    return found


ALL = list(tables(Manifest))


def words_of(annotation: Any) -> set[str]:
    """How the type of a key may be called on the page."""
    if hasattr(annotation, "__metadata__"):
        return words_of(annotation.__origin__)
    if annotation in TYPES:
        return TYPES[annotation]
    if get_origin(annotation) is Literal:
        *others, last = (f'`"{one}"`' for one in get_args(annotation))
        return {f"{', '.join(others)} or {last}"}
    if get_origin(annotation) in (Union, UnionType):
        [words] = [words_of(one) for one in get_args(annotation) if one is not type(None)]
        return words
    raise KeyError(annotation)


def test_every_table_has_a_section() -> None:
    headings = {"At the top of the file" if not name else written for name, written, _ in ALL}
    assert set(rows()) == headings
    assert len(headings) > 10


@pytest.mark.parametrize(("name", "written", "table"), ALL, ids=[name or "top" for name, _, _ in ALL])
def test_every_key_has_a_row_that_is_true(name: str, written: str, table: type[BaseModel]) -> None:
    listed, known = rows()[written if name else "At the top of the file"], keys(table)
    assert set(listed) == set(known)
    for key, (annotation, default) in known.items():
        kind, told, meaning = listed[key]
        assert meaning, key
        assert kind in words_of(annotation), f"{written} {key}"
        if (name, key) in DECIDED:
            continue
        if default is MISSING:
            assert told == "", f"{written} {key} is required"
        elif default is None or default in ((), {}):
            assert told == "–", f"{written} {key} has no default"
        else:
            assert told == f"`{json.dumps(default)}`", f"{written} {key}"
