"""The pages about models: benchmark stability of a dataset, a visitor's own model, and the paper's figures again."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app import queries, readers
from app.catalogue_file import require_reader
from app.database import current
from app.errors import SiteError
from app.http import base_url
from app.measuring.class_spelling import ClassSpelling
from app.measuring.reproduction import Comparison, Outcome, compare
from app.memo import Memo
from app.rendering import render
from app.routes import PlainRoute
from app.rows import has_keys
from app.stability.choice import Choice, agreement_of
from app.stability.evaluation import MOST_BYTES_WORDS, evaluated
from app.stability.page import stability_context
from app.stability.prevalence import evaluation_charts
from app.stability.results import keys_of, require_known, results_of

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

#: Contexts kept a catalogue: visitors can choose more combinations than there is memory.
_KEPT: Final = 64
TABLES: Final = {
    "1": "Table 1: errors found",
    "2": "Table 2: what reviewers said",
    "S1": "Table S1: models on ImageNet's correctable set",
    "S2": "Table S2: models on CIFAR-10's correctable set",
    "text": "In the text and the figures",
}


@router.get("/reproduction")
def reproduction(request: Request) -> HTMLResponse:
    """Every published figure beside the one that the loaded data give."""
    catalogue = current(request)

    def read() -> list[Comparison]:
        require_reader()
        return compare(catalogue.connection)

    found = catalogue.pages.get(("reproduction",), read)
    counts = Counter(one.outcome for one in found)
    groups = [(title, [one for one in found if one.table == table]) for table, title in TABLES.items()]
    return render(
        request,
        "reproduction.html",
        place="reproduction",
        differing=_differing(found),
        groups=[
            (title, rows, Counter(one.reason for one in rows if one.outcome is Outcome.NOT_LOADED))
            for title, rows in groups
        ],
        counts=counts,
        outcomes=list(Outcome),
        not_loaded=Outcome.NOT_LOADED,
    )


def _differing(found: Sequence[Comparison]) -> list[tuple[str, str | None, list[Comparison]]]:
    """What differs, by what it is about and for which reason."""
    groups: dict[tuple[str, str | None], list[Comparison]] = {}
    for one in found:
        if one.outcome in (Outcome.DIFFERS, Outcome.BROKEN):
            groups.setdefault((one.subject, one.reason), []).append(one)
    return [(subject, reason, ones) for (subject, reason), ones in groups.items()]


@router.get("/{name}/stability")
def stability(request: Request, name: str) -> HTMLResponse:
    """How the ranking of a dataset's models depends on its label errors."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    params = request.query_params
    agreement = agreement_of(dataset, params.get("agreement") or str(dataset.default_agreement))
    results = results_of(catalogue, dataset, agreement)
    choice = Choice.parse(dataset, keys_of(results), params.multi_items())
    kept: Memo = catalogue.pages.get(("stability pages",), lambda: Memo(_KEPT))

    def make() -> dict[str, Any]:
        require_reader()
        return stability_context(catalogue, dataset, results, choice)

    return render(
        request,
        "stability.html",
        dataset=dataset,
        tab="stability",
        choice=choice,
        json_url=f"/api/v1/datasets/{name}/stability?agreement={agreement}",
        **kept.get((dataset.id, choice), make),
    )


@router.get("/{name}/evaluate")
async def evaluate(request: Request, name: str) -> HTMLResponse:
    """The form for a visitor's own predictions."""
    dataset = queries.dataset_named(current(request), name)
    require_known(dataset)
    # Whoever looks at the form may send it: let nobody wait for libraries to load.
    await anyio.to_thread.run_sync(request.app.state.evaluations.workers.prepare)
    return await readers.run(request, partial(_form, request, name))


@router.post("/{name}/evaluate")
async def evaluation(request: Request, name: str) -> HTMLResponse:
    """A visitor's predictions held against original and corrected labels. Nothing is stored."""
    require_known(queries.dataset_named(current(request), name))
    try:
        found = await evaluated(request, name)
    except SiteError as error:
        return await readers.run(request, partial(_form, request, name, status=error.status, refusal=error.detail))
    return await readers.run(request, partial(_form, request, name, found=found))


def _form(request: Request, name: str, status: int = 200, **context: Any) -> HTMLResponse:
    dataset = queries.dataset_named(current(request), name)
    values: dict[str, Any] = {"found": None, "refusal": None, "chart": None} | context
    if values["found"] and dataset.n_models:
        results = results_of(current(request), dataset, values["found"]["agreement"])
        values["chart"] = evaluation_charts(results, values["found"])
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
        **values,
    )
