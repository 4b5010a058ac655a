"""The routers of a dataset's gallery and classes, in the order in which their routes are matched."""

from typing import Final

from app.site.gallery import api, class_page, classes, issue_downloads, pages, wanted_pictures

API: Final = (issue_downloads.router, api.router)
PAGES: Final = (pages.router, classes.router, class_page.router, wanted_pictures.router)
