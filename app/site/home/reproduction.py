"""The reproduction page: the paper's figures beside those of the loaded data."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.catalogue.current import current
from app.catalogue.open_file import require_reader
from app.evaluation.opinions.paper_claims import TABLE as CLAIMS
from app.evaluation.opinions.paper_claims import compare_claims
from app.evaluation.paper_figures import Comparison, Outcome, compare
from app.evaluation.redux_figures import TABLE as REDUX
from app.evaluation.redux_figures import compare_redux
from app.openapi.page_parameters import refuse_unread
from app.site.components.in_review import held_back_of
from app.web.plain_route import PlainRoute
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)


TABLES: Final = {
    "1": "Table 1: errors found",
    "2": "Table 2: what reviewers said",
    "S1": "Table S1: models on ImageNet's correctable set",
    "S2": "Table S2: models on CIFAR-10's correctable set",
    "text": "In the text and the figures",
    CLAIMS: "In words: what the paper claims",
    REDUX: "MMLU-Redux: MMLU's answer keys",
}


class Part(NamedTuple):
    """The figures of a table that fare alike, each with the name of its row."""

    outcome: Outcome  # of those that differ, that it does
    folded: bool
    rows: list[tuple[str, Comparison]]


@router.get("/reproduction")
def reproduction(request: Request) -> HTMLResponse:
    """Every published figure beside the one computed from the loaded data."""
    refuse_unread(request, ())
    catalogue = current(request)

    def read() -> list[Comparison]:
        require_reader()
        return [part for one in (compare, compare_claims, compare_redux) for part in one(catalogue.connection)]

    found, held = catalogue.pages.get(("reproduction",), read), held_back_of(catalogue.datasets.values())
    counts = Counter(one.outcome for one in found)
    groups = [(table, title, [one for one in found if one.table == table]) for table, title in TABLES.items()]
    return render(
        request,
        "reproduction.html",
        place="reproduction",
        held_back=held,
        differing=_differing(found),
        groups=[
            (
                _slug(table),
                title,
                _parts(rows),
                Counter(one.reason for one in rows if one.outcome is Outcome.NOT_LOADED),
                len(rows),
            )
            for table, title, rows in groups
        ],
        counts=counts,
        row_name=row_name,
    )


def _parts(rows: Sequence[Comparison]) -> list[Part]:
    """What differs, then what is the same, then what is not loaded; without the parts that are empty."""
    found = []
    for folded, outcomes in (
        (False, (Outcome.BROKEN, Outcome.DIFFERS)),
        (True, (Outcome.SAME,)),
        (True, (Outcome.NOT_LOADED,)),
    ):
        of = [(row_name(one), one) for outcome in outcomes for one in rows if one.outcome is outcome]
        if of:
            found.append(Part(outcomes[-1], folded, of))
    return found


def row_name(one: Comparison) -> str:
    """The name of a figure's row, for addresses.

    >>> row_name(Comparison("S1", "pytorch/resnet18", "Acc@1", "1", "1", Outcome.SAME, None))
    's1-pytorch-resnet18-acc-1'
    """
    return _slug(f"{one.table} {one.subject} {one.figure}")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _differing(found: Sequence[Comparison]) -> list[tuple[str, str | None, list[Comparison]]]:
    """The differing figures, grouped by subject and reason."""
    groups: dict[tuple[str, str | None], list[Comparison]] = {}
    for one in found:
        if one.outcome in (Outcome.DIFFERS, Outcome.BROKEN):
            groups.setdefault((one.subject, one.reason), []).append(one)
    return [(subject, reason, ones) for (subject, reason), ones in groups.items()]
