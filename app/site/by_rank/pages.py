"""The page of errors by rank: how many examples are worth a look."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.catalogue.current import current
from app.issues import queries
from app.issues.filter import IssueFilter
from app.openapi.page_parameters import AGREEMENT, refuse_unread
from app.site.by_rank.charts import cumulative_chart, share_chart
from app.site.by_rank.context import FEW, LEAST_CHECKED, NEXT, errors_by_rank
from app.web.plain_route import PlainRoute
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)


@router.get("/{name}/ranks")
def ranks(request: Request, name: str) -> HTMLResponse:
    """The page, at the agreement threshold asked for."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    refuse_unread(request, AGREEMENT)
    f = IssueFilter.parse(dataset, [("agreement", request.query_params.get("agreement", ""))])
    found = errors_by_rank(catalogue, dataset, f.agreement)

    def make() -> dict[str, Any]:
        return {"shares": share_chart(found), "cumulative": cumulative_chart(found)} if found.bins else {}

    query = "" if f.agreement == dataset.default_agreement else f"?agreement={f.agreement}"
    return render(
        request,
        "ranks.html",
        dataset=dataset,
        tab="ranks",
        found=found,
        n_next=NEXT,
        few=FEW,
        least=LEAST_CHECKED,
        agreements=[(a, "" if a == dataset.default_agreement else f"?agreement={a}") for a in dataset.agreements],
        json_url=f"/api/v1/datasets/{name}/ranks{query}",
        **catalogue.galleries.get(("ranks", dataset.id, f.agreement), make),
    )
