"""The page on which visitors compare their own model with corrected labels."""

from functools import partial
from typing import Any

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.catalogue import reader_threads
from app.catalogue.current import current
from app.domain.ranking.evidence import stuck
from app.errors import SiteError
from app.evaluation.tables.class_spelling import ClassSpelling
from app.issues import queries
from app.openapi.page_parameters import refuse_unread
from app.site.corrected.label_rows import has_keys
from app.site.evaluate.upload import MOST_BYTES_WORDS, evaluated
from app.site.share.badges import badge_width
from app.site.stability.looks import looks_of
from app.site.stability.prevalence import evaluation_charts
from app.site.stability.results import require_known, results_of
from app.web.plain_route import PlainRoute
from app.web.templates import render
from app.web.urls import base_url

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)


@router.get("/{name}/evaluate")
async def evaluate(request: Request, name: str) -> HTMLResponse:
    """The form for a visitor's own predictions."""
    dataset = queries.dataset_named(current(request), name)
    require_known(dataset)
    refuse_unread(request, ())
    # Visitors of the form may submit it: load the libraries now, so that they need not wait for that.
    await anyio.to_thread.run_sync(request.app.state.evaluations.workers.prepare)
    return await reader_threads.run(request, partial(_form, request, name))


@router.post("/{name}/evaluate")
async def evaluation(request: Request, name: str) -> HTMLResponse:
    """The results of a visitor's predictions on original and corrected labels. Nothing is stored."""
    require_known(queries.dataset_named(current(request), name))
    try:
        found = await evaluated(request, name)
    except SiteError as error:
        return await reader_threads.run(
            request, partial(_form, request, name, status=error.status, refusal=error.detail)
        )
    return await reader_threads.run(request, partial(_form, request, name, found=found))


def _form(request: Request, name: str, status: int = 200, **context: Any) -> HTMLResponse:
    dataset = queries.dataset_named(current(request), name)
    values: dict[str, Any] = {"found": None, "refusal": None, "chart": None} | context
    if values["found"] and dataset.n_models:
        results = results_of(current(request), dataset, values["found"]["agreement"])
        looks = looks_of(results_of(current(request), dataset, dataset.default_agreement))
        values["chart"] = evaluation_charts(results, values["found"], looks)
    return render(
        request,
        "evaluate.html",
        status=status,
        headers={"Cache-Control": "no-store"} if request.method == "POST" else None,
        dataset=dataset,
        tab="evaluate",
        most=MOST_BYTES_WORDS,
        has_keys=has_keys(current(request).connection, dataset.id),
        confusable=ClassSpelling(len(dataset.classes), [one.name for one in dataset.classes]).confusable,
        json_url=f"/api/v1/datasets/{name}",
        base_url=base_url(request),
        badge_width=badge_width,
        stuck=stuck,
        **values,
    )
