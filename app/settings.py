"""Settings of the server, read once from the environment.

Each variable is named ``LABELERRORS_`` and the field's name in capitals; the comment above a field documents it.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from app.errors import near_names

PREFIX = "LABELERRORS_"
#: No setting is larger.
_LARGEST: Final = 1_000_000_000
#: The value that means standard output, in place of the access log's name.
STANDARD_OUTPUT = "json"


class SettingsError(ValueError):
    """Settings with invalid values: for each its name, that of a field of ``Settings``, and what is wrong with it.

    >>> error = SettingsError(("metrics", "is 'x': expected addresses"))
    >>> str(error), error.told({"metrics": "--metrics"})
    ("LABELERRORS_METRICS is 'x': expected addresses", "--metrics is 'x': expected addresses")
    """

    def __init__(self, *findings: tuple[str, str]) -> None:
        self.findings = findings
        super().__init__(self.told({}))

    def told(self, options: Mapping[str, str]) -> str:
        """A line for each setting, named by its variable, or by the option that it was given with."""
        return "\n".join(f"{options.get(name, f'{PREFIX}{name.upper()}')} {finding}" for name, finding in self.findings)


def whole_number(text: str, least: int, most: int) -> int | None:
    """The number that ASCII digits write, or None for any other text and for numbers outside these limits.

    >>> [whole_number(text, 1, 20) for text in ("7", "0", "21", "+7", "٧", "9" * 5000)]
    [7, None, None, None, None, None]
    """
    digits = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    return int(text) if digits and least <= int(text) <= most else None


def _number(value: object) -> object:
    return value if not isinstance(value, str) or (found := whole_number(value, 0, _LARGEST)) is None else found


def _yes_or_no(value: object) -> object:
    return value == "1" if value in ("0", "1") else value


#: Variables are text. What is not digits, or neither 1 nor 0, is passed on unchanged and refused by validation.
Whole = Annotated[int, BeforeValidator(_number)]
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Seconds = Annotated[Whole, Field(ge=1, le=3600)]


class Settings(BaseModel):
    """All settings of the server."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    # The catalogue file to serve, made by ``python -m ingest``.
    catalogue: Annotated[Path, Field(strict=False)] = Path("var/catalogue.sqlite")
    # Issues per page of the gallery; of texts, whose cards are twice as wide, two thirds of them.
    page_size: Annotated[Whole, Field(ge=1, le=200)] = 36
    # Megabytes of answers cached in memory.
    kept_answers: Annotated[Whole, Field(ge=0, le=4096)] = 64
    # Megabytes of generated files cached on disk, for clients that read them in parts.
    kept_files: Annotated[Whole, Field(ge=16, le=1_000_000)] = 2_000
    # How long the reads of one request, or of one piece of a file, may take before the answer is 503.
    read_seconds: Seconds = 20
    # Open connections per process; beyond it, those that have waited longest are closed for new ones.
    connections: Annotated[Whole, Field(ge=8, le=100_000)] = 1_000
    # How long the headers of a request may take to arrive.
    header_seconds: Seconds = 10
    # How long a connection is kept open for another request.
    idle_seconds: Seconds = 20
    # How long a client may neither send any of its request nor read any of its answer.
    stall_seconds: Seconds = 60
    # API requests a minute per address; 0 sets no limit. Requests from this machine itself are never limited.
    requests_a_minute: Annotated[Whole, Field(ge=0, le=1_000_000)] = 0
    # How long the upload of predictions to evaluate may take.
    upload_seconds: Seconds = 300
    # How long their evaluation may take.
    evaluation_seconds: Seconds = 60
    # 1: everyone may reach this server, so it shows only media that their licences allow it to show. 0: it shows all
    # media, but not to scripts of other sites. Empty: 1, unless ``app.serve`` listens on a loopback address.
    public: YesOrNo | None = None
    # Host names of this site, separated by commas; requests for others are refused. "*.example.org" is all names below
    # example.org. Empty: any name if the site is public, else this machine's own names for requests made on it.
    hosts: str = ""
    # Proxy addresses or networks, separated by commas, whose X-Forwarded-... or Forwarded headers are trusted.
    trusted_proxies: str = ""
    # Where one line of JSON per request is written: "json" is standard output, else a file name. Empty: no log.
    access_log: str = ""
    # Who may read /metrics: 1 is this machine, else addresses or networks separated by commas. Empty or 0: nobody.
    metrics: str = ""
    # 1: raters come to this server, with links that `label-errors review links` makes. Empty: they do not.
    serve_reviews: YesOrNo | None = None
    # The store of votes: a file, or a database URL such as postgresql+psycopg://host/name. Empty: reviews.sqlite beside
    # the catalogue.
    reviews: str = ""
    # Requests a minute for the link of one rater; 0 sets no limit.
    review_requests_a_minute: Annotated[Whole, Field(ge=0, le=1_000_000)] = 6_000
    # 1: visitors can dispute verdicts with a form on this server. Empty: they cannot.
    disputes: YesOrNo | None = None
    # Disputes an hour per address, of each process; 0 sets no limit.
    disputes_an_hour: Annotated[Whole, Field(ge=0, le=1_000_000)] = 10
    # How to contact the operator; an address or an e-mail link shown on the about page, and, where visitors cannot
    # dispute verdicts, on the page of each issue. Empty shows none.
    contact: str = ""

    @property
    def opens_votes(self) -> bool:
        """Whether the server opens the store of votes: for raters, for disputes, or for both."""
        return bool(self.serve_reviews or self.disputes)

    @property
    def is_public(self) -> bool:
        """Whether everyone may reach this server; assumed if no setting says otherwise."""
        return self.public is not False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Settings from ``LABELERRORS_...`` variables; an empty variable counts as not set.

        Raises SettingsError with a line for each invalid variable. Unknown variables are refused too: otherwise a
        misspelt limit would have no effect, and nobody would notice.

        >>> Settings.from_environment({"LABELERRORS_PAGE_SIZE": "24"}).page_size
        24
        """
        found = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in (os.environ if environment is None else environment).items()
            if name.startswith(PREFIX)
        }
        given = {name: value for name, value in found.items() if value or name not in cls.model_fields}
        # Bytes that are no UTF-8 would fail later, in each page and log that shows them.
        broken = [(name, f"is {value!r}; expected UTF-8") for name, value in given.items() if not _is_utf8(value)]
        if broken:
            raise SettingsError(*broken)
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            names = [str(one["loc"][0]) for one in error.errors()]
            raise SettingsError(*((name, _finding(name, found, cls.model_fields)) for name in names)) from error


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _finding(name: str, found: Mapping[str, str], fields: Mapping[str, FieldInfo]) -> str:
    """What is wrong with one variable."""
    if name not in fields:
        near = near_names(name, fields, most=1, cutoff=0.75)
        question = f"did you mean {PREFIX}{near[0].upper()}? " if near else ""
        known = ", ".join(f"{PREFIX}{known.upper()}" for known in fields)
        return f"is no setting; {question}expected one of {known}"
    limits = {
        bound: getattr(one, bound) for one in fields[name].metadata for bound in ("ge", "le") if hasattr(one, bound)
    }
    expected = f"a whole number from {limits['ge']} to {limits['le']}" if limits else "1 or 0"
    return f"is {found[name]!r}; expected {expected}"
