"""The pages of the documentation, and the files they link.

They need no catalogue, so they are available without one.
"""

from pathlib import PurePosixPath

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.errors import NotFound, near_names
from app.openapi.page_parameters import refuse_unread
from app.site.docs.library import library, linked_files
from app.site.docs.markdown import INDEX, ROOT, address
from app.web.plain_route import PlainRoute
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)


@router.get(ROOT)
def index(request: Request) -> HTMLResponse:
    """The first page of the documentation."""
    return _page(request, INDEX)


@router.get(ROOT + "/{folder}/{name}")
def file_in_folder(request: Request, folder: str, name: str) -> Response:
    """A file that pages link. Raises NotFound."""
    return page(request, f"{folder}/{name}")


@router.get(ROOT + "/{name}")
def page(request: Request, name: str) -> Response:
    """One page, or a file that pages link. Raises NotFound with similar names."""
    if (file := linked_files().get(name)) is not None:
        headers = {"Content-Disposition": f'inline; filename="{PurePosixPath(name).name}"'}
        return Response(file.content, media_type=file.media_type, headers=headers)
    if name == INDEX or name not in library():
        near = [one for one in near_names(name, library()) if one != INDEX] + [INDEX]
        raise NotFound(
            f"There is no page {name[:80]!r} in the documentation.",
            [(library()[one].title, address(one)) for one in near],
        )
    return _page(request, name)


def _page(request: Request, name: str) -> HTMLResponse:
    refuse_unread(request, ())
    pages = [(one.title, address(other), other == name) for other, one in library().items()]
    return render(request, "docs.html", place="docs", page=library()[name], pages=pages)
