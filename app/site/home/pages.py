"""Pages that do not belong to a single dataset.

Each route reads its values through ``queries`` and passes them to a template. No rule and no SQL is stated here.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from app import errors
from app.catalogue.current import current
from app.catalogue.open_file import require_reader
from app.domain.review.verdicts import Category
from app.openapi import reference
from app.openapi.page_parameters import refuse_unread
from app.site.components.captions import badge
from app.site.components.in_review import held_back_of
from app.site.components.share_tags import share_tags
from app.site.home.dataset_tables import TABLE_1, average_percent, paper_average, table, table_2
from app.site.home.datasets import doors, entry, specimens, telling
from app.site.opinions.in_short import backings, turn_without_errors
from app.web.plain_route import PlainRoute
from app.web.server.path_prefix import prefix_of
from app.web.templates import render, static_url
from app.web.urls import base_url

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

#: Errors that API users can look up, by the last part of their ``type``.
ERROR_TYPES: Final = (
    errors.NotFound,
    errors.Gone,
    errors.BadRequest,
    errors.FilterError,
    errors.NoLink,
    errors.NotOffered,
    errors.AddressTooLong,
    errors.HeadersTooLarge,
    errors.WrongHost,
    errors.Forbidden,
    errors.NotInCatalogue,
    errors.InReview,
    errors.LeaseLapsed,
    errors.EnoughWaiting,
    errors.NotAcceptable,
    errors.RequestTimeout,
    errors.TooLarge,
    errors.RangeNotSatisfiable,
    errors.UnsupportedMediaType,
    errors.Unreadable,
    errors.KeyTaken,
    errors.TooManyRequests,
    errors.UnknownTransferCoding,
    errors.Busy,
    errors.CatalogueChanging,
    errors.TookTooLong,
    errors.NoCatalogue,
    errors.SiteError,
)

#: What the categories mean, in the order of the method page.
KINDS: Final = (
    (
        Category.CORRECTABLE,
        "Enough people see the same other class, usually the guessed one, which becomes the corrected label.",
    ),
    (Category.MULTI_LABEL, "Enough people see both labels."),
    (Category.NEITHER, "Enough people see neither label."),
    (Category.NON_AGREEMENT, "No answer has enough votes."),
    (Category.NOT_ASKED, "An error; the votes stopped there, before it was settled what is right instead."),
    (Category.NON_ERROR, "Not an error: a majority (three of five people in the paper) keeps the given label."),
    (
        Category.UNREVIEWED,
        "Not reviewed. The example keeps its given label, like all examples that were not flagged.",
    ),
)


#: Those that read a page once, because somebody shared a link to it; of them X's and Facebook's obey robots.txt.
_PREVIEWERS: Final = ("Twitterbot", "facebookexternalhit", "LinkedInBot", "Slackbot", "Discordbot", "TelegramBot")
#: Filters make endlessly many pages, all with the same issues: nothing for search engines, but people share them.
_FOR_CRAWLERS: Final = (
    "User-agent: *\nAllow: {0}/static/\nDisallow: {0}/*?\nDisallow: {0}/api/\n\n"
    + "".join(f"User-agent: {name}\n" for name in _PREVIEWERS)
    + "Disallow: {0}/api/\n\nSitemap: {1}/sitemap.xml\n"
)


@router.get("/robots.txt")
def robots(request: Request) -> PlainTextResponse:
    """What search engines may index: every page, but not every filter of it."""
    return PlainTextResponse(
        _FOR_CRAWLERS.format(prefix_of(request.scope), base_url(request)),
        headers={"Cache-Control": "public, max-age=86400"},
    )


@router.get("/favicon.ico")
def favicon(_: Request) -> RedirectResponse:
    """The icon, for clients that request it without reading a page that names it."""
    return RedirectResponse(static_url("favicon.svg"), 307, headers={"Cache-Control": "public, max-age=86400"})


_DESCRIPTION: Final = (
    "Browse label errors in well-known test sets, see how reviewers voted, and download corrected test sets."
)
_UNREVIEWED: Final = "Browse examples one by one whose label is suspected to be wrong. Nobody has reviewed them yet."


@router.get("/")
def home(request: Request) -> HTMLResponse:
    """Three doors, and the datasets, each with a telling example."""
    refuse_unread(request, ())
    catalogue = current(request)
    every = list(catalogue.datasets.values())
    real = [d for d in every if not d.sample]
    samples = [d for d in every if d.sample]
    rows = real or samples
    # Where every example was judged, reviewers did not look at flagged ones.
    suspected = [d for d in rows if d.n_checked != d.n_shown]
    issues = telling(catalogue, every)
    entries = {d.name: entry(catalogue, d, issues.get(d.name)) for d in every}
    reviewed = any(d.n_checked or d.held_back for d in rows)
    description = _DESCRIPTION if reviewed else _UNREVIEWED
    return render(
        request,
        "home.html",
        place="home",
        seen_elsewhere=share_tags(request, "/", "The test is wrong", description, "/share/home.png"),
        reviewed=reviewed,
        description=description,
        real=[entries[d.name] for d in real],
        samples=[entries[d.name] for d in samples],
        specimens=specimens(rows, issues),
        doors=doors(rows),
        average=average_percent([d for d in real if d.about.get("paper")] or real),
        paper_average=paper_average(real),
        differing=[(d, why) for d in real if (why := _why_different(d.about))],
        backed=[(d, found) for d in real if (found := backings(d, d.default_agreement))],
        turning=[(d, turn) for d in real if (turn := turn_without_errors(catalogue, d)) is not None],
        n_errors=sum(d.n_errors for d in suspected),
        held_back=held_back_of(rows),
        n_checked=sum(d.n_checked for d in suspected),
    )


@router.get("/figures")
def figures(request: Request) -> HTMLResponse:
    """Tables 1 and 2 of the paper, for the datasets here."""
    refuse_unread(request, ("table1", "table2"))
    every = list(current(request).datasets.values())
    real = [d for d in every if not d.sample]
    return render(
        request,
        "figures.html",
        place="figures",
        held_back=held_back_of(real or every),
        real=real,
        table_1=table("table1", TABLE_1, real or every, request.query_params),
        table_2=table("table2", table_2(real or every), real or every, request.query_params),
    )


def _why_different(about: Mapping[str, Any]) -> str | None:
    paper = about.get("paper")
    why = about.get("differs") or (paper.get("differs") if isinstance(paper, Mapping) else None)
    return why if isinstance(why, str) else None


@router.get("/method")
def method(request: Request) -> HTMLResponse:
    """How flagging, voting and correcting work."""
    refuse_unread(request, ())
    return render(request, "method.html", place="method", kinds=[(badge(c), words) for c, words in KINDS])


@router.get("/about")
def about(request: Request) -> HTMLResponse:
    """The paper, the datasets' sources and licences, and whom to contact."""
    refuse_unread(request, ())
    catalogue = current(request)
    return render(
        request,
        "about.html",
        place="about",
        datasets=list(catalogue.datasets.values()),
        written_at=catalogue.written_at,
        version=catalogue.version,
        contact=request.app.state.settings.contact,
    )


@router.get("/about/errors")
def about_errors(request: Request) -> HTMLResponse:
    """What each error type of the API means."""
    refuse_unread(request, ())
    return render(request, "problems.html", place="about", types=ERROR_TYPES)


@router.get("/api")
def api(request: Request) -> HTMLResponse:
    """The API reference, with example requests that this catalogue can answer."""
    refuse_unread(request, ())
    catalogue = current(request)
    require_reader()
    return render(
        request,
        "api.html",
        place="api",
        operations=reference.operations(request.app.openapi(), catalogue),
        example=reference.example_dataset(catalogue),
        base_url=base_url(request),
    )
