"""The addresses that a server with the store of votes has."""

from typing import Final

from fastapi import APIRouter

from app.settings import Settings
from app.site.review import api, mturk_pages, pages, prolific_pages
from app.site.review.disputes import form_pages
from app.site.review.owner import round_pages

#: Those of reviews; the ones that are told apart by their first part stand before those of raters.
_OF_RATERS: Final = (api.router, round_pages.router, prolific_pages.router, mturk_pages.router, pages.router)


def routers_of(settings: Settings) -> tuple[APIRouter, ...]:
    """What raters and their owners ask for, and the form of disputes, as far as the settings let them."""
    return (*(_OF_RATERS if settings.serve_reviews else ()), *((form_pages.router,) if settings.disputes else ()))
