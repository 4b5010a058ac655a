"""The pages about a dataset's models: how stable their ranking is, in four pages."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.catalogue.cache import Cache
from app.catalogue.current import current
from app.catalogue.open_file import require_reader
from app.issues import queries
from app.openapi.page_parameters import refuse_unread
from app.site.stability.context import stability_context
from app.site.stability.parameters import MOVED, PAGES, PARAMETERS, Choice, agreement_of
from app.site.stability.results import keys_of, results_of
from app.web.plain_route import PlainRoute
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

#: Contexts cached per catalogue: visitors can choose more combinations than fit into memory.
_KEPT: Final = 64
_PERMANENTLY: Final = 301


@router.get("/{name}/stability")
def ranking(request: Request, name: str) -> Response:
    """The ranking by original and by corrected labels, and its controls.

    Addresses from when all was on this page lead to the page that has what they ask for.
    """
    params = request.query_params
    moved = next((page for parameter, page in MOVED.items() if params.get(parameter)), "")
    return _page(request, name, "", moved)


@router.get("/{name}/stability/prevalence")
def prevalence(request: Request, name: str) -> Response:
    """Accuracies and crossings if wrong labels were commoner."""
    return _page(request, name, "prevalence")


@router.get("/{name}/stability/pair")
def pair(request: Request, name: str) -> Response:
    """Two models, and the corrected examples on which they differ."""
    return _page(request, name, "pair")


@router.get("/{name}/stability/repeated")
def repeated(request: Request, name: str) -> Response:
    """The wrong labels that models repeat."""
    return _page(request, name, "repeated")


def _page(request: Request, name: str, page: str, moved: str = "") -> Response:
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    params = request.query_params
    refuse_unread(request, PARAMETERS)
    agreement = agreement_of(dataset, params.get("agreement") or str(dataset.default_agreement))
    results = results_of(catalogue, dataset, agreement)
    choice = Choice.parse(dataset, keys_of(results), params.multi_items())
    if choice.confirmed_by is not None:
        results = results_of(catalogue, dataset, agreement, choice.confirmed_by)
    if moved:
        return RedirectResponse(choice.path(dataset, moved), _PERMANENTLY)
    kept: Cache = catalogue.pages.get(("stability pages",), lambda: Cache(_KEPT))

    def make() -> dict[str, Any]:
        require_reader()
        return stability_context(catalogue, dataset, results, choice, page)

    return render(
        request,
        f"stability_{page or 'ranking'}.html",
        dataset=dataset,
        tab="stability",
        view=PAGES[page],
        choice=choice,
        json_url=f"/api/v1/datasets/{name}/stability?{choice.api_query}",
        **kept.get((dataset.id, choice, page), make),
    )
