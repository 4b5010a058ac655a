"""The page of changes between the versions of a dataset, and its Atom feed."""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.catalogue.records import Dataset
from app.catalogue.version_log import log, step_to
from app.corrected.policy import PARAMETERS, ExportOptions
from app.domain.review.changes import Change
from app.errors import Busy
from app.issues import cursors, queries
from app.issues.reviewed.dispute_log import dispute_log
from app.openapi import parameters
from app.openapi.page_parameters import of_this_site
from app.site.components.atom_entries import MEDIA_TYPE
from app.site.components.dispute_words import shown_disputes
from app.site.corrected.changes.atom import feed
from app.site.corrected.changes.parameters import kind_of, step_of
from app.site.corrected.changes.table import WORDS, change_rows, sentence
from app.site.corrected.request import opened, wanted_by_votes
from app.web.plain_route import PlainRoute
from app.web.templates import render
from app.web.urls import base_url

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

ROWS: Final = 100
#: Versions on the page and in the feed; the API lists all.
SHOWN: Final = 50
RECENT: Final = 12
#: Disputes on the page; the log of disputes has all.
DISPUTES: Final = 5
_OWN: Final = ("version", "from", "change", "after")


@router.get("/{name}/changes")
def changes(request: Request, name: str) -> HTMLResponse:
    """The versions of a dataset, and the examples that changed in one of them."""
    own, rest = parameters.split(of_this_site(request, (*PARAMETERS, *_OWN)), _OWN)
    kind = kind_of(own.get("change"))
    first = cursors.place_of(own["after"]) + 1 if own.get("after") else 0
    catalogue, connection = opened(request)
    with connection:
        dataset = queries.dataset_named(catalogue, name)
        wanted = wanted_by_votes(rest, dataset, also=_OWN)
        found = log(connection, dataset, wanted.policy)
        step = step_of(connection, dataset, wanted.policy, found, own.get("version"), own.get("from"))
        rows, last = change_rows(connection, dataset, step, wanted.policy, first, kind, ROWS)
        disputed, _ = dispute_log(catalogue, dataset, None, DISPUTES)
    policy, chosen = _pairs(wanted, dataset), [(key, own[key]) for key in ("version", "from") if own.get(key)]
    kinds = [("change", kind.value)] if kind else []
    return render(
        request,
        "changes.html",
        dataset=dataset,
        tab="corrected",
        versions=[
            (version, sentence(step_to(version)), _query(policy, [("version", version.name)]))
            for version in found[:SHOWN]
        ],
        more=len(found) - SHOWN,
        step=step,
        told=sentence(step),
        cumulative=bool(own.get("from")),
        kinds=_kinds(step.counts, kind, [*policy, *chosen]),
        rows=rows,
        disputed=shown_disputes(disputed),
        first=first,
        start_url=_query(policy, chosen, kinds),
        policy_query=_query(policy),
        policy_words=", ".join(f"{key.replace('_', ' ')} {value}" for key, value in policy),
        next_url=_query(policy, chosen, kinds, [("after", cursors.cursor(last))]) if last is not None else None,
        json_url=f"/api/v1/datasets/{name}/changes{_query(policy, chosen, kinds)}",
        feed_url=f"/{name}/changes.atom{_query(policy)}",
    )


def _kinds(counts: Any, chosen: Change | None, rest: list[tuple[str, str]]) -> list[tuple[str, int, str, bool]]:
    """Links that select one kind of change: words, count, address, and whether it is the chosen one."""
    if counts is None or not counts.all:
        return []
    every: list[tuple[str, int, str, bool]] = [("all", counts.all, _query(rest), chosen is None)]
    for change, words in WORDS.items():
        n = getattr(counts, change.value)
        if n:
            every.append((words, n, _query(rest, [("change", change.value)]), chosen is change))
    return every if len(every) > 2 else []


def _pairs(wanted: ExportOptions, dataset: Dataset) -> list[tuple[str, str]]:
    plain = ExportOptions(type(wanted.policy)(dataset.default_agreement)).pairs()
    return [pair for pair in wanted.pairs() if pair not in plain]


def _query(*pairs: Iterable[tuple[str, str]]) -> str:
    query = urlencode([pair for some in pairs for pair in some])
    return f"?{query}" if query else ""


@router.get("/{name}/changes.atom")
def atom(request: Request, name: str) -> Response:
    """One entry per version, under the paper's policy or another."""
    catalogue, connection = opened(request)
    with connection:
        dataset = queries.dataset_named(catalogue, name)
        wanted = wanted_by_votes(of_this_site(request, PARAMETERS), dataset)
        found = log(connection, dataset, wanted.policy)
    query = wanted.query(dataset.default_agreement)
    return Response(feed(base_url(request), dataset, query, found[:SHOWN], found[-1:]), media_type=MEDIA_TYPE)


def recent_changes(request: Request, dataset: Dataset, wanted: ExportOptions) -> dict[str, Any] | None:
    """What the page of the corrected test set says about its last version; None if there is no log to read."""
    try:
        _, connection = opened(request)
    except Busy:
        return None
    with connection:
        found = log(connection, dataset, wanted.policy)
        if not found:
            return None
        step = step_to(found[0])
        rows, last = change_rows(connection, dataset, step, wanted.policy, 0, None, RECENT)
    query = _query(_pairs(wanted, dataset))
    return {
        "step": step,
        "told": sentence(step),
        "rows": rows,
        "more": last is not None,
        "n_versions": len(found),
        "page": f"/{dataset.name}/changes{query}",
        "json": f"/api/v1/datasets/{dataset.name}/versions{query}",
        "feed": f"/{dataset.name}/changes.atom{query}",
    }
