"""The examples whose pictures pages show, for the browser of a visitor who has the dataset's files.

It looks for them in the files by index or key, and compares labels of files with the given ones before it shows any.
"""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from app.catalogue.current import Catalogue, current
from app.catalogue.open_file import require_reader
from app.catalogue.records import Dataset
from app.errors import NotFound
from app.issues import queries
from app.schema import tables
from app.schema.packing import unpack_keys
from app.site.components.missing_pictures import copy_of
from app.web.json_response import json_response
from app.web.plain_route import PlainRoute

router = APIRouter(include_in_schema=False, route_class=PlainRoute)

#: Of more issues than this, pictures of the most suspicious and of all reviewed ones are looked for.
MOST: Final = 20_000

_Example = tuple[int, str | None, int]


@router.get("/{name}/pictures")
def pictures(request: Request, name: str) -> Response:
    """Index, key and given class of each example that has a place for a picture on some page."""
    require_reader()
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    copy = copy_of(dataset)
    if copy is None:
        why = f"Pictures of {dataset.title} cannot be read from a copy of its files here."
        raise NotFound(why, [(dataset.title, f"/{name}")])
    return json_response(wanted_pictures(catalogue, dataset) | {"things": copy.things})


def wanted_pictures(catalogue: Catalogue, dataset: Dataset) -> dict[str, Any]:
    """The facts by which files are recognised, and the examples to look for: (index, key, given class)."""
    return {
        "title": dataset.title,
        "size": dataset.size,
        "layout": dataset.about["layout"],
        "classes": [c.name for c in dataset.classes],
        "examples": sorted([*_issues(catalogue, dataset), *_exemplars(catalogue, dataset)], key=lambda one: one[0]),
    }


def _issues(catalogue: Catalogue, dataset: Dataset) -> list[_Example]:
    i, v = tables.issues.c, tables.verdicts.c
    columns = select(i.idx, i.key, i.given).where(i.dataset_id == dataset.id)
    found = {*catalogue.connection.execute(columns.order_by(i.by_margin).limit(MOST))}
    if dataset.n_issues > MOST:
        reviewed = select(v.issue_id).where(v.dataset_id == dataset.id, v.agreement == dataset.default_agreement)
        found |= {*catalogue.connection.execute(columns.where(i.id.in_(reviewed)))}
    place = _places(dataset)
    return [(idx, key, _class(dataset, given, place)) for idx, key, given in found]


def _places(dataset: Dataset) -> dict[int, int]:
    return {c.id: n for n, c in enumerate(dataset.classes)}


def _class(dataset: Dataset, label: int, place: dict[int, int]) -> int:
    """The place of a label's one class among all; -1 for a label of several, which no file says."""
    classes = dataset.labels[label].classes
    return place[classes[0].id] if len(classes) == 1 else -1


def _exemplars(catalogue: Catalogue, dataset: Dataset) -> list[_Example]:
    e = tables.exemplars.c
    rows = catalogue.connection.execute(select(e.idx, e.class_id).where(e.dataset_id == dataset.id)).all()
    keys = _keys(catalogue, dataset, [row.idx for row in rows])
    place = _places(dataset)
    return [(row.idx, keys.get(row.idx), place[row.class_id]) for row in rows]


def _keys(catalogue: Catalogue, dataset: Dataset, indices: Sequence[int]) -> dict[int, str]:
    """The keys of examples, read block by block; empty where examples have none of their own."""
    x = tables.examples.c
    starts = {idx - idx % tables.EXAMPLES_PER_BLOCK for idx in indices}
    blocks = select(x.start, x["keys"].label("packed")).where(x.dataset_id == dataset.id, x.start.in_(starts))
    found: dict[int, str] = {}
    for block in catalogue.connection.execute(blocks):
        if block.packed is not None:
            found |= dict(enumerate(unpack_keys(block.packed), block.start))
    return {idx: found[idx] for idx in indices if idx in found}
