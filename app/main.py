"""Create the application: routers, templates, catalogue and error handlers are put together here.

``python -m app`` serves it with the limits that any server on a network needs (``app.serve``).
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.catalogue.current import CurrentCatalogue, current
from app.catalogue.reader_threads import ReaderThreads
from app.catalogue.write_guard import CatalogueGuard
from app.corrected.formats import FORMATS
from app.errors import FilterError, NoCatalogue, NotFound, SiteError, near_names
from app.openapi import document
from app.package_files import DOCS, STATIC, TEMPLATES
from app.schema.site_names import SITE_NAMES, first_name
from app.settings import Settings, SettingsError
from app.site import media, monitoring
from app.site.by_rank import api as by_rank_api
from app.site.by_rank import pages as by_rank_pages
from app.site.corrected import croissant, downloads, labels_api, page
from app.site.corrected.changes import api as changes_api
from app.site.corrected.changes import pages as changes_pages
from app.site.docs import pages as docs_pages
from app.site.docs.library import library, linked_files
from app.site.evaluate import api as evaluate_api
from app.site.evaluate import pages as evaluate_pages
from app.site.evaluate.upload import Evaluations
from app.site.gallery import api as gallery_api
from app.site.gallery import in_order as gallery
from app.site.home import media_coverage, reproduction
from app.site.home import pages as home_pages
from app.site.issue import pages as issue_pages
from app.site.opinions import api as opinions_api
from app.site.opinions import pages as opinions_pages
from app.site.quiz import pages as quiz_pages
from app.site.review.disputes import log_api, log_pages
from app.site.review.routers import routers_of
from app.site.review.service import ReviewService
from app.site.share import pages as share_pages
from app.site.slices import api as slices_api
from app.site.slices import pages as slices_pages
from app.site.stability import api as stability_api
from app.site.stability import pages as stability_pages
from app.web import templates
from app.web.compression import Compression
from app.web.file_cache import FileCache
from app.web.middleware import CrossOrigin, Head, Safety, program_version
from app.web.plain_route import PlainRoute
from app.web.rate_limit import RateLimit
from app.web.response_cache import CatalogueResponses, KeptAnswers
from app.web.server.allowed_hosts import AllowedHosts, hosts_of
from app.web.server.client_addresses import networks_of
from app.web.server.connection_limits import Limits
from app.web.server.path_prefix import here, in_headers, prefix_of, under, without_prefix
from app.web.server.problem_response import problem_response
from app.web.server.request_head import RefusedHeads
from app.web.server.request_record import Recorder
from app.web.server.scratch_folder import ScratchFolder, remove_left_over
from app.web.server.telemetry import Telemetry
from app.web.server.trusted_proxies import TrustedProxies
from app.web.static_files import HashedStaticFiles
from app.web.urls import without_parameter

T = TypeVar("T")
_APP: Final = Path(__file__).resolve().parent
_DESCRIPTION: Final = "Label errors in test sets: what confident learning flagged, verdicts, corrected test sets."


def create_app(settings: Settings | None = None) -> FastAPI:
    """The site for the catalogue that the settings name. Raises SettingsError or TemplateError before it serves."""
    settings = settings or Settings.from_environment()
    templates.compile_templates()
    library(), linked_files()  # read now, so that an invalid page stops the start instead of failing a request
    reviews = ReviewService(settings) if settings.opens_votes else None
    catalogue = CurrentCatalogue(settings.catalogue, reviews.withheld if reviews else tuple)
    program = program_version(_APP, TEMPLATES, STATIC, DOCS)
    kept = KeptAnswers(settings.kept_answers * 1_000_000)
    owner = {"is_owner": reviews.is_owner} if reviews else {}
    served: dict[str, Any] = {"catalogue": catalogue, "program": program, "kept": kept, **owner}
    app = _Site(
        title="Label errors",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=_UNTOLD,
        routes=_routes(settings),
        lifespan=_lifespan,
        middleware=[
            Middleware(Head),
            Middleware(TrustedProxies, networks=_read("trusted_proxies", networks_of, settings.trusted_proxies)),
            Middleware(AllowedHosts, hosts=_read("hosts", hosts_of, settings.hosts), public=settings.is_public),
            *([_FOR_OTHER_SITES] if settings.is_public else []),
            Middleware(RefusedHeads, refuse=_answer),
            Middleware(RateLimit, a_minute=settings.requests_a_minute, refuse=_answer),
            Middleware(CatalogueResponses, public=settings.is_public, **served),
            Middleware(Compression, as_they_are=tuple(f".{one.suffix}" for one in FORMATS.values() if one.binary)),
            Middleware(CatalogueGuard, answer=_answer),
        ],
    )
    app.state.settings, app.state.limits = settings, Limits.of(settings)
    app.state.telemetry = Telemetry(settings)
    app.state.catalogue, app.state.program, app.state.reviews = catalogue, program, reviews
    app.state.readers = ReaderThreads(settings.read_seconds)
    app.state.folder = ScratchFolder()
    app.state.spool = FileCache(settings.kept_files * 1_000_000, app.state.folder)
    app.state.evaluations = Evaluations(settings.upload_seconds, settings.evaluation_seconds, app.state.folder)
    monitoring.have_counted(app.state.telemetry.traffic, kept, app.state.evaluations)
    app.add_exception_handler(SiteError, _site_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)
    return app


#: FastAPI sends visitors' requests to no one, and does not check on every request whether somebody listens.
_UNTOLD: Final[Any] = {"tracing": False, "metrics": False, "logs": False}

#: What scripts of other sites may read: nothing on a private server.
_FOR_OTHER_SITES: Final = Middleware(CrossOrigin, closed=(monitoring.METRICS,))


def _read(name: str, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except ValueError as error:
        raise SettingsError((name, f"is {text!r}: {error}")) from error


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await run_in_threadpool(remove_left_over)
    await app.state.catalogue.renew()  # opened now, so that the first visitor does not wait for it
    async with app.state.telemetry:
        try:
            yield
        finally:
            app.state.folder.remove()
            if app.state.reviews is not None:
                app.state.reviews.store.close()  # a database counts the connections of those who went without a word


_API: Final = (  # in the order of its documentation
    downloads.router,
    labels_api.router,
    croissant.router,
    changes_api.router,
    by_rank_api.router,
    slices_api.router,
    stability_api.router,
    opinions_api.router,
    log_api.router,
    evaluate_api.router,
    *gallery.API,
)
_PAGES: Final = (  # addresses of datasets begin at the root, so their routes come last
    home_pages.router,
    media_coverage.router,
    reproduction.router,
    share_pages.router,
    quiz_pages.router,
    docs_pages.router,
    changes_pages.router,
    log_pages.router,
    by_rank_pages.router,
    slices_pages.router,
    stability_pages.router,
    opinions_pages.router,
    evaluate_pages.router,
    page.router,
    *gallery.PAGES,
    issue_pages.router,
)


def _routes(settings: Settings) -> list[BaseRoute]:
    """All routes in the order in which they are matched, the most requested ones near the beginning.

    The list is flat, because FastAPI searches an included router twice for each request.
    """
    own = APIRouter(include_in_schema=False, route_class=PlainRoute)
    own.get("/api/openapi.json")(document.document)
    own.mount("/static", HashedStaticFiles(directory=STATIC))
    voting = routers_of(settings)
    most_asked = (*voting, media.router, gallery_api.router, labels_api.router, own, monitoring.router, *_PAGES)
    in_order = (*most_asked, *(one for one in _API if one not in most_asked), gallery_api.nothing_else)
    routes = [route for router in in_order for route in router.routes]
    for name in _first_names(routes):
        if name not in SITE_NAMES and not name.startswith("{"):
            raise LookupError(f"/{name} is not in app.schema.site_names, so a dataset could be called {name}")
    return routes


def _first_names(routes: Iterable[BaseRoute]) -> set[str]:
    """The first parts of the routes' paths, except that of the home page."""
    return {first_name(path) for route in routes if (path := getattr(route, "path", "/"))} - {""}


class _Site(FastAPI):
    """The application, documented by ``app.openapi.document``; it works below any path prefix of a proxy."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope.get("root_path", "").strip("/"):
            await super().__call__(scope, receive, send)
            return
        # A new catalogue is opened in another thread, so its names are stored here.
        await self.state.catalogue.renew()
        scope = without_prefix(scope, self._first_names)
        with under(prefix_of(scope)):
            await super().__call__(scope, receive, in_headers(send, prefix_of(scope)))

    def _first_names(self) -> set[str]:
        """All first parts that the site's own paths can have."""
        of_routes = _first_names(self.routes)
        try:
            return of_routes | set(self.state.catalogue.opened().datasets)
        except NoCatalogue:
            return of_routes

    def openapi(self) -> dict[str, Any]:
        return document.description(self, [route for router in _API for route in router.routes])

    def build_middleware_stack(self) -> ASGIApp:
        """The middleware: every answer, internal errors included, is sent with the security headers."""
        safe = Safety(super().build_middleware_stack())
        telemetry: Telemetry = self.state.telemetry
        return Recorder(safe, telemetry.tell) if telemetry.of_requests else safe


async def _site_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, SiteError):
        raise error
    return _answer(request, error)


async def _gone(_request: Request, _: Exception) -> Response:
    # The client disconnected during the request: no one reads this, and nothing went wrong here.
    return Response(status_code=400)


async def _http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 404:
        return _answer(request, _nothing_at(request))
    refusal = SiteError(f"{error.detail} at {here(request.url.path)}.")
    refusal.status, refusal.type, refusal.title = error.status_code, "refused", str(error.detail)
    response = _answer(request, refusal)
    response.headers.update(error.headers or {})
    if response.headers.get("allow") == "GET":
        response.headers["Allow"] = "GET, HEAD"  # routes see a HEAD as the GET that it is answered like
    return response


async def _validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    return _answer(request, FilterError(str(first["loc"][-1]), str(first.get("input", ""))[:80], [], str(first["msg"])))


async def _unexpected(request: Request, _: Exception) -> Response:
    # Starlette logs the traceback; the visitor is only told that it was not their fault.
    return _answer(request, SiteError("An internal error occurred. It was logged; try again later."))


def _nothing_at(request: Request) -> NotFound:
    path = request.url.path
    first = path.strip("/").partition("/")[0]
    try:
        datasets = current(request).datasets
    except SiteError:
        datasets = {}
    near = [(datasets[name].title, f"/{name}") for name in near_names(first, datasets)]
    return NotFound(f"There is nothing at {here(path)[:120]}.", near)


def _answer(request: Request, error: SiteError) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"Connection": "close"} if error.hangs_up else {})
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if _wants_json(request):
        return problem_response(error, request.url.path, headers)
    refused = error if isinstance(error, FilterError) else None
    return templates.render(
        request,
        "error.html",
        status=error.status,
        headers=headers,
        code=error.status,
        title=error.title,
        detail=error.detail,
        near=error.near,
        near_title=error.near_title,
        parameter=refused.parameter if refused else None,
        allowed=refused.allowed if refused else (),
        without=without_parameter(request, refused.parameter) if refused else None,
    )


def _wants_json(request: Request) -> bool:
    if (path := request.url.path).startswith(("/api/", "/review/api/")) or path == "/healthz":
        return True
    return "json" in (accept := request.headers.get("accept", "")) and "text/html" not in accept
