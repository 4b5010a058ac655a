"""Jinja templates, compiled once, and the helpers all pages need: addresses and numbers as text.

Everything that comes from a dataset is escaped, by Jinja's autoescape or, where markup is made in Python, by
``markupsafe.escape``. This module reads no catalogue and knows no page.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup, escape
from starlette.types import Receive, Scope, Send

from app.catalogue.access import notice
from app.catalogue.credit import credit_of, verdict_credit
from app.catalogue.media_gaps import not_here
from app.catalogue.possible_categories import votes_words
from app.catalogue.records import Dataset, Issue
from app.domain.review.verdicts import NO_VOTES, Category
from app.evaluation.crossings import in_words
from app.package_files import STATIC, TEMPLATES
from app.schema.held_back import held_back_words
from app.web.server.path_prefix import here, in_page, prefix_of

#: Shown for an unknown figure. A dash alone would say nothing in a screen reader, so pages explain it once.
UNKNOWN: Final = "–"
EXAMPLES: Final = {"image": "images", "text": "texts", "audio": "clips", "tabular": "rows", "question": "questions"}
CATEGORY_TITLES: Final = {
    Category.CORRECTABLE: "correctable",
    Category.MULTI_LABEL: "multi-label",
    Category.NEITHER: "neither",
    Category.NON_AGREEMENT: "non-agreement",
    Category.NOT_ASKED: "not asked",
    Category.NON_ERROR: "non-error",
    Category.UNREVIEWED: "unreviewed",
}


#: Marks a gap. No dataset can contain it, because it is random for each run of the program.
_GAP: Final = secrets.token_hex(16)


#: Per cent behind a number: the space does not break, so that no line begins with the sign.
PER_CENT: Final = "\N{NO-BREAK SPACE}%"
#: The same as templates write it, behind a number, a printed value or the end of an element.
_WRITTEN: Final = re.compile(r"(?<=[\d}>]) %(?![}a-z\d])")


class UnbrokenPercent(Extension):
    """Every template has a no-break space before a per cent sign, whichever space its author typed."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        return _WRITTEN.sub(PER_CENT, source)


def unbroken(text: str | None) -> str:
    """A sentence of ours with a no-break space before each per cent sign.

    >>> unbroken("the lowest margins, 5 % of the examples")
    'the lowest margins, 5\\xa0% of the examples'
    """
    return re.sub(r"(?<=\d) %", PER_CENT, text or "")


def _crossing(first: str, second: str, prevalence: float) -> str:
    return unbroken(in_words(first, second, prevalence))


@lru_cache(maxsize=64)
def static_url(name: str) -> str:
    """The address of a file in ``static``, with a version that changes with its content.

    Raises FileNotFoundError for a missing file, so a template cannot name one by mistake.
    """
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{quote(name)}?v={digest}"


def media_url(dataset: Dataset, issue: Issue, kind: str) -> str:
    """The permanent address of one medium of an issue: "image", "thumbnail", "text", "audio" or "waveform"."""
    return f"{media_prefix(dataset)}{issue.idx}/{kind}"


def media_prefix(dataset: Dataset) -> str:
    """The beginning of all addresses of a dataset's media; it contains a version, so they can be cached for ever."""
    return f"/media/{quote(dataset.name)}/{quote(dataset.version)}/"


def issue_path(dataset: Dataset, idx: int | None = None, query: str = "") -> str:
    """The address of an issue's page within the filter of ``query``, if any; without ``idx``, its beginning.

    The query string is canonical already, so the template only has to escape it.
    """
    return f"/{dataset.name}/issues/{'' if idx is None else idx}{'?' + query if query else ''}"


def number(value: int | None) -> str:
    """A count with thousands separators: 50,426,266; a dash if it is unknown."""
    return UNKNOWN if value is None else f"{value:,}"


def counted(n: int | None, one: str, several: str = "") -> str:
    """How many of something: a count and the noun in its number.

    >>> counted(1, "vote"), counted(2_000, "vote"), counted(3, "class", "classes"), counted(None, "vote")
    ('1 vote', '2,000 votes', '3 classes', '– votes')
    """
    return f"{number(n)} {one if n == 1 else several or one + 's'}"


def percent(value: float | None) -> str:
    """A percentage as the paper prints it, to two decimals; a dash if it is unknown.

    >>> percent(3.4215), percent(0.002)
    ('3.42', '< 0.01')
    """
    if value is None:
        return UNKNOWN
    return "< 0.01" if 0 < value < 0.005 else f"{value:.2f}"


def decimal(value: float | None) -> str:
    """A probability or margin, to four decimals, with a true minus sign; a dash if it is unknown.

    >>> decimal(-0.98765), decimal(0.00001)
    ('−0.9877', '< 0.0001')
    """
    if value is None:
        return UNKNOWN
    return "< 0.0001" if 0 < value < 0.00005 else f"{value:.4f}".replace("-", "−")


def size_of(n_bytes: int) -> str:
    """The size of a file for readers: 8.3 MB."""
    amount = float(n_bytes)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def moment(iso: str) -> str:
    """A time of a catalogue, for readers.

    >>> moment("2021-11-07T09:30:00+00:00")
    '7 November 2021, 09:30 UTC'
    """
    at = datetime.fromisoformat(iso).astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def safe_url(address: str) -> str:
    """An address that a link may use; "#" for anything but http and https, such as a script."""
    return address if address.startswith(("https://", "http://")) else "#"


def code(text: str) -> Markup:
    """A sentence with text between backticks as code.

    >>> code("`ls` lists & more")
    Markup('<code>ls</code> lists &amp; more')
    """
    if text.count("`") % 2:
        return escape(text)
    parts = [
        f"<code>{escape(part)}</code>" if place % 2 else escape(part) for place, part in enumerate(text.split("`"))
    ]
    return Markup("".join(parts))  # noqa: S704 - escaped in its parts


class Page(HTMLResponse):
    """A page of the site. Its own addresses begin with a slash; a proxy's prefix is added when it is sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if prefix := prefix_of(scope):
            self.body = self.render(in_page(bytes(self.body).decode(), prefix))
            self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def render(
    request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> HTMLResponse:
    """The page that a template makes from ``context`` and ``request``."""
    return Page(_templates()[template].render(request=request, **context), status, headers)


def fragment(template: str, **context: Any) -> Markup:
    """A part of a page, rendered once to be inserted into many."""
    return Markup(_templates()[template].render(**context))  # noqa: S704 - the template has escaped its values


class PrerenderedPage:
    """A page rendered once, except for a few values that change from visit to visit and are filled in each time.

    The template may print the values named in ``gaps`` and test whether they are given, and nothing else.
    """

    def __init__(self, template: str, gaps: Iterable[str], **context: Any) -> None:
        marks = {name: Markup(f"{_GAP}{name}{_GAP}") for name in gaps}  # noqa: S704 - a number and a name of ours
        # Text at even indices, names of gaps at odd ones.
        self._pieces: list[str] = _templates()[template].render(**context, **marks).split(_GAP)

    def filled(self, values: Mapping[str, str], headers: Mapping[str, str] | None = None) -> HTMLResponse:
        """The page with its gaps filled; values are escaped unless they are Markup."""
        pieces = self._pieces.copy()
        pieces[1::2] = [escape(values[name]) for name in pieces[1::2]]
        return Page("".join(pieces), headers=headers)


@lru_cache(maxsize=1)
def _templates() -> Mapping[str, Any]:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        extensions=[UnbrokenPercent],
        cache_size=-1,
    )
    environment.filters.update(
        number=number, counted=counted, percent=percent, decimal=decimal, size_of=size_of, safe_url=safe_url
    )
    environment.filters.update(code=code, moment=moment, unbroken=unbroken)
    environment.globals.update(
        static_url=static_url,
        media_url=media_url,
        media_notice=notice,
        credit_of=credit_of,
        verdict_credit=verdict_credit,
        held_back_words=held_back_words,
        not_here=not_here,
        no_votes=NO_VOTES,
        issue_path=issue_path,
        path_here=here,
        examples=EXAMPLES,
        category_titles=CATEGORY_TITLES,
        crossing_words=_crossing,
        votes_words=votes_words,
    )
    # A template that does not compile must stop the server at its start instead of failing a request.
    return {name: environment.get_template(name) for name in environment.list_templates(extensions=["html"])}


def compile_templates() -> None:
    """Compile all templates now. Raises jinja2.TemplateError naming file and line if one is invalid."""
    _templates()
