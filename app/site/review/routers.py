"""All addresses of reviews, those that are told apart by their first part before those of raters."""

from typing import Final

from app.site.review import api, mturk_pages, pages, prolific_pages
from app.site.review.owner import round_pages

ROUTERS: Final = (api.router, round_pages.router, prolific_pages.router, mturk_pages.router, pages.router)
