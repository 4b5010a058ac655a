"""Settings of the server, read once from the environment.

Every variable is the field's name in capitals behind ``LABELERRORS_``; the line above a field documents it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

PREFIX = "LABELERRORS_"


class SettingsError(ValueError):
    """A variable of the environment that cannot be used."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set from outside."""

    # The catalogue to serve, a file made by ``python -m ingest``.
    catalogue: Path = Path("var/catalogue.sqlite")
    # Issues on a page of the gallery, 1 to 200.
    page_size: int = 48
    # Megabytes of answers kept in memory so as not to be made again, 0 to 4096.
    kept_answers: int = 64
    # Megabytes of files kept on disk for those who read them in parts, 16 to 1000000.
    kept_files: int = 2_000
    # Seconds that the reads of one request may take, or of one piece of a file, before 503 is answered, 1 to 3600.
    read_seconds: int = 20
    # Connections open at a time in each process, 8 to 100000; those that let it wait longest make room for new ones.
    connections: int = 1_000
    # Seconds that the headers of a request may take to arrive, 1 to 3600.
    header_seconds: int = 10
    # Seconds that a connection is kept open for another request, 1 to 3600.
    idle_seconds: int = 20
    # Seconds that a client may neither send any of its request nor take any of its answer, 1 to 3600.
    stall_seconds: int = 60
    # Requests a minute that one address may make of the API; 0 sets no limit. This machine itself is never limited.
    requests_a_minute: int = 0
    # Seconds that predictions sent to be evaluated may take to arrive, 1 to 3600.
    upload_seconds: int = 300
    # Seconds that their evaluation may take, 1 to 3600.
    evaluation_seconds: int = 60
    # 1: everyone may reach this server, so it shows only those media that their licences let it show. 0: all of them,
    # and nothing to scripts of other sites. Empty: 1, unless ``app.serve`` listens to this machine alone.
    public: bool | None = None
    # Names of this site, with commas between them: requests for other hosts are refused. "*.example.org" is all names
    # below example.org. Empty: every name where the site is public, else this machine's own where it is asked there.
    hosts: str = ""
    # Addresses or networks of proxies, with commas between them, whose X-Forwarded-... or Forwarded are believed.
    trusted_proxies: str = ""
    # Where people can write to; an address or an e-mail link shown on the about page. Empty shows none.
    contact: str = ""

    @property
    def is_public(self) -> bool:
        """Whether everyone may reach this server: so it is taken to be where nothing says that it is not."""
        return self.public is not False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Settings from ``LABELERRORS_...`` variables; a variable that is no setting is refused, so a typo is noticed.

        >>> Settings.from_environment({"LABELERRORS_PAGE_SIZE": "24"}).page_size
        24
        """
        found = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in (os.environ if environment is None else environment).items()
            if name.startswith(PREFIX)
        }
        known = [field.name for field in fields(cls)]
        for name in found:
            if name not in known:
                variables = ", ".join(f"{PREFIX}{k.upper()}" for k in known)
                raise SettingsError(f"{PREFIX}{name.upper()} is no setting; expected one of {variables}")
        settings = cls()

        def number(name: str, low: int, high: int) -> int:
            return _whole_number(name, found.get(name), getattr(settings, name), low, high)

        return cls(
            catalogue=Path(found.get("catalogue") or settings.catalogue),
            page_size=number("page_size", 1, 200),
            kept_answers=number("kept_answers", 0, 4096),
            kept_files=number("kept_files", 16, 1_000_000),
            read_seconds=number("read_seconds", 1, 3600),
            connections=number("connections", 8, 100_000),
            header_seconds=number("header_seconds", 1, 3600),
            idle_seconds=number("idle_seconds", 1, 3600),
            stall_seconds=number("stall_seconds", 1, 3600),
            requests_a_minute=number("requests_a_minute", 0, 1_000_000),
            upload_seconds=number("upload_seconds", 1, 3600),
            evaluation_seconds=number("evaluation_seconds", 1, 3600),
            public=_yes_or_no("public", found.get("public")),
            hosts=found.get("hosts", settings.hosts),
            trusted_proxies=found.get("trusted_proxies", settings.trusted_proxies),
            contact=found.get("contact", settings.contact),
        )


def _yes_or_no(name: str, given: str | None) -> bool | None:
    if given not in (None, "", "0", "1"):
        raise SettingsError(f"{PREFIX}{name.upper()} is {given!r}; expected 1 or 0")
    return None if not given else given == "1"


def _whole_number(name: str, given: str | None, default: int, low: int, high: int) -> int:
    if given is None or given == "":
        return default
    if not given.isdecimal() or not low <= int(given) <= high:
        raise SettingsError(f"{PREFIX}{name.upper()} is {given!r}; expected a whole number from {low} to {high}")
    return int(given)
