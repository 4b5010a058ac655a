"""The page that offers a quiz for each dataset, and the quiz; answers stay in the browser."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.catalogue.current import current
from app.catalogue.open_file import require_reader
from app.errors import FilterError, NotFound
from app.issues import queries
from app.openapi.page_parameters import refuse_unread
from app.site.components.share_tags import share_tags
from app.site.quiz.quiz_items import offers_quiz, questions
from app.web.plain_route import PlainRoute
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

_LAST_SEED: Final = 9_999


@router.get("/quiz")
def offers(request: Request) -> HTMLResponse:
    """The datasets that one can be asked about."""
    refuse_unread(request, ())
    require_reader()
    catalogue = current(request)
    asked = [d for d in catalogue.datasets.values() if offers_quiz(d) and questions(catalogue, d, 1)]
    return render(
        request,
        "quiz_offers.html",
        place="quiz",
        datasets=sorted(asked, key=lambda d: d.sample),
        last_seed=_LAST_SEED,
        seen_elsewhere=share_tags(
            request,
            "/quiz",
            "Can you beat the label?",
            "Ten examples, two labels each. Which one is right?",
            "/share/home.png",
        ),
    )


@router.get("/quiz/{name}")
def quiz(request: Request, name: str) -> HTMLResponse:
    """Ten questions; the same seed asks the same ones."""
    refuse_unread(request, ("seed",))
    require_reader()
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    seed = _seed(request.query_params.get("seed") or "1")
    asked = questions(catalogue, dataset, seed) if offers_quiz(dataset) else []
    if not asked:
        why = f"{dataset.title} has no examples here that reviewers corrected or kept and that can be shown."
        raise NotFound(why, [("Quizzes of other datasets", "/quiz")])
    return render(
        request,
        "quiz.html",
        place="quiz",
        dataset=dataset,
        questions=asked,
        seed=seed,
        next_seed=seed % _LAST_SEED + 1,
        seen_elsewhere=share_tags(
            request,
            f"/quiz/{name}",
            f"Can you beat the label? {dataset.title}",
            f"Ten examples of {dataset.title}, two labels each. Which one is right?",
            f"/share/{name}.png",
            f"seed={seed}",
        ),
    )


def _seed(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 5 and int(value) > 0):
        raise FilterError("seed", value, [f"a whole number from 1 to {_LAST_SEED}"])
    return int(value)
