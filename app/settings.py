"""Settings of the server, read once from the environment.

Each variable is named ``LABELERRORS_`` and the field's name in capitals; the comment above a field documents it.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from app.errors import near_names

PREFIX = "LABELERRORS_"
#: What stands for standard output in place of the access log's name.
STANDARD_OUTPUT = "json"


class SettingsError(ValueError):
    """A variable of the environment that cannot be used."""


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _yes_or_no(value: object) -> object:
    return value == "1" if value in ("0", "1") else value


#: Variables are texts. What is no digits, or neither 1 nor 0, is left as it is and refused.
Whole = Annotated[int, BeforeValidator(_number)]
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Seconds = Annotated[Whole, Field(ge=1, le=3600)]


class Settings(BaseModel):
    """What can be set from outside."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    # The catalogue to serve, a file made by ``python -m ingest``.
    catalogue: Annotated[Path, Field(strict=False)] = Path("var/catalogue.sqlite")
    # Issues on a page of the gallery.
    page_size: Annotated[Whole, Field(ge=1, le=200)] = 48
    # Megabytes of answers kept in memory so as not to be made again.
    kept_answers: Annotated[Whole, Field(ge=0, le=4096)] = 64
    # Megabytes of files kept on disk for those who read them in parts.
    kept_files: Annotated[Whole, Field(ge=16, le=1_000_000)] = 2_000
    # How long the reads of one request may take, or of one piece of a file, before 503 is answered.
    read_seconds: Seconds = 20
    # Connections open at a time in each process; those that let it wait longest make room for new ones.
    connections: Annotated[Whole, Field(ge=8, le=100_000)] = 1_000
    # How long the headers of a request may take to arrive.
    header_seconds: Seconds = 10
    # How long a connection is kept open for another request.
    idle_seconds: Seconds = 20
    # How long a client may neither send any of its request nor take any of its answer.
    stall_seconds: Seconds = 60
    # Requests a minute that one address may make of the API; 0 sets no limit. This machine itself is never limited.
    requests_a_minute: Annotated[Whole, Field(ge=0, le=1_000_000)] = 0
    # How long predictions sent to be evaluated may take to arrive.
    upload_seconds: Seconds = 300
    # How long their evaluation may take.
    evaluation_seconds: Seconds = 60
    # 1: everyone may reach this server, so it shows only those media that their licences let it show. 0: all of them,
    # and nothing to scripts of other sites. Empty: 1, unless ``app.serve`` listens to this machine alone.
    public: YesOrNo | None = None
    # Names of this site, with commas between them: requests for other hosts are refused. "*.example.org" is all names
    # below example.org. Empty: every name where the site is public, else this machine's own where it is asked there.
    hosts: str = ""
    # Addresses or networks of proxies, with commas between them, whose X-Forwarded-... or Forwarded are believed.
    trusted_proxies: str = ""
    # Where a line of JSON for each request goes: "json" is standard output, all else a file. Empty: nowhere.
    access_log: str = ""
    # Who may read /metrics: 1 is this machine, else addresses or networks with commas between them. Empty or 0: nobody.
    metrics: str = ""
    # Where people can write to; an address or an e-mail link shown on the about page. Empty shows none.
    contact: str = ""

    @property
    def is_public(self) -> bool:
        """Whether everyone may reach this server: so it is taken to be where nothing says that it is not."""
        return self.public is not False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Settings from ``LABELERRORS_...`` variables; an empty one is one that is not set.

        Raises SettingsError with a line for each variable that cannot be used. One that is no setting is refused too:
        a misspelt limit would otherwise change nothing, and nobody would know.

        >>> Settings.from_environment({"LABELERRORS_PAGE_SIZE": "24"}).page_size
        24
        """
        found = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in (os.environ if environment is None else environment).items()
            if name.startswith(PREFIX)
        }
        given = {name: value for name, value in found.items() if value or name not in cls.model_fields}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError(
                "\n".join(_line(str(one["loc"][0]), found, cls.model_fields) for one in error.errors())
            ) from error


def _line(name: str, found: Mapping[str, str], fields: Mapping[str, FieldInfo]) -> str:
    """What is wrong with one variable."""
    if name not in fields:
        near = near_names(name, fields, most=1, cutoff=0.75)
        question = f"did you mean {PREFIX}{near[0].upper()}? " if near else ""
        known = ", ".join(f"{PREFIX}{known.upper()}" for known in fields)
        return f"{PREFIX}{name.upper()} is no setting; {question}expected one of {known}"
    limits = {
        bound: getattr(one, bound) for one in fields[name].metadata for bound in ("ge", "le") if hasattr(one, bound)
    }
    expected = f"a whole number from {limits['ge']} to {limits['le']}" if limits else "1 or 0"
    return f"{PREFIX}{name.upper()} is {found[name]!r}; expected {expected}"
