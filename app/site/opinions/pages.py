"""The pages of second opinions on a dataset's corrections, and of how sure these are."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.catalogue.current import current
from app.catalogue.open_file import require_reader
from app.errors import NotInCatalogue
from app.issues import queries
from app.issues.filter import IssueFilter
from app.openapi.page_parameters import AGREEMENT, refuse_unread
from app.site.opinions.confidence_context import confidence_context
from app.site.opinions.context import opinions_context
from app.site.opinions.stored_results import report_of
from app.web.plain_route import PlainRoute
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)


@router.get("/{name}/opinions")
def opinions(request: Request, name: str) -> HTMLResponse:
    """What independent relabellings say, at the agreement threshold asked for."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    refuse_unread(request, AGREEMENT)
    f = IssueFilter.parse(dataset, [("agreement", request.query_params.get("agreement", ""))])
    if not dataset.opinions.sources:
        raise NotInCatalogue(
            f"There is no second opinion on {dataset.title} in this catalogue. "
            f"`label-errors opinions {dataset.name} --from published` says which are known."
        )

    def make() -> dict[str, Any]:
        require_reader()
        return opinions_context(catalogue, dataset, f.agreement, report_of(catalogue, dataset, f.agreement))

    query = "" if f.agreement == dataset.default_agreement else f"?agreement={f.agreement}"
    return render(
        request,
        "opinions.html",
        dataset=dataset,
        tab="opinions",
        agreement=f.agreement,
        json_url=f"/api/v1/datasets/{name}/opinions{query}",
        **catalogue.galleries.get(("opinions", dataset.id, f.agreement), make),
    )


@router.get("/{name}/confidence")
def confidence(request: Request, name: str) -> HTMLResponse:
    """How sure corrections are at the agreement threshold asked for, or why nobody can say."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    refuse_unread(request, AGREEMENT)
    f = IssueFilter.parse(dataset, [("agreement", request.query_params.get("agreement", ""))])

    def make() -> dict[str, Any]:
        return confidence_context(dataset, f.agreement)

    return render(
        request,
        "confidence.html",
        dataset=dataset,
        tab="confidence",
        agreement=f.agreement,
        json_url=f"/api/v1/datasets/{name}/confidence",
        **catalogue.galleries.get(("confidence", dataset.id, f.agreement), make),
    )
