"""The pages about a dataset's models: benchmark stability."""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.catalogue.cache import Cache
from app.catalogue.current import current
from app.catalogue.open_file import require_reader
from app.issues import queries
from app.site.stability.context import stability_context
from app.site.stability.parameters import Choice, agreement_of
from app.site.stability.results import keys_of, results_of
from app.web.plain_route import PlainRoute
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

#: Contexts cached per catalogue: visitors can choose more combinations than fit into memory.
_KEPT: Final = 64


@router.get("/{name}/stability")
def stability(request: Request, name: str) -> HTMLResponse:
    """How the ranking of a dataset's models depends on its label errors."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    params = request.query_params
    agreement = agreement_of(dataset, params.get("agreement") or str(dataset.default_agreement))
    results = results_of(catalogue, dataset, agreement)
    choice = Choice.parse(dataset, keys_of(results), params.multi_items())
    kept: Cache = catalogue.pages.get(("stability pages",), lambda: Cache(_KEPT))

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
