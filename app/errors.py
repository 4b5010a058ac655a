"""All errors a visitor can see, each with one JSON form (RFC 9457) and one HTML page.

``title`` and ``detail`` are written for the visitor; they never contain a traceback or SQL.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.path_prefix import in_problem


class SiteError(Exception):
    """A refusal with a status, a short title and a sentence that says what to do about it."""

    status = 500
    type = "internal"
    title = "Something went wrong"
    #: Whether the rest of what a visitor sends is not waited for.
    hangs_up = False
    #: Seconds after which it is worth asking again; None where that is not known.
    retry_after: int | None = None

    def __init__(self, detail: str, near: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.near = tuple(near)  # (label, address) of what may have been meant

    def problem(self, instance: str) -> dict[str, Any]:
        """The error as a problem object (RFC 9457); ``instance`` is the path that was asked for."""
        return in_problem(self._problem(instance))

    def _problem(self, instance: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"/about/errors#{self.type}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.near:
            body["near"] = [{"label": label, "href": _twin(href, instance)} for label, href in self.near]
        return body


class NotFound(SiteError):
    """An address under which nothing stands."""

    status = 404
    type = "not-found"
    title = "Not found"


class Gone(SiteError):
    """A version that was current once and is not kept; ``current`` and ``changes`` say where to go on."""

    status = 410
    type = "gone"
    title = "No longer here"

    def __init__(self, detail: str, near: Sequence[tuple[str, str]], facts: Mapping[str, str | None]) -> None:
        super().__init__(detail, near)
        self.facts = dict(facts)

    def _problem(self, instance: str) -> dict[str, Any]:
        return super()._problem(instance) | self.facts


class FilterError(SiteError):
    """A parameter of the query string with a value it cannot have."""

    status = 400
    type = "bad-parameter"
    title = "Parameter not understood"

    def __init__(self, parameter: str, value: str, allowed: Sequence[str], explanation: str = "") -> None:
        shown = ", ".join(allowed[:12]) + (", ..." if len(allowed) > 12 else "")
        found = value if len(value) <= 80 else value[:77] + "..."
        detail = explanation or f"{parameter} is {found!r}; expected {shown}."
        super().__init__(detail)
        self.parameter = parameter
        self.value = value
        self.allowed = tuple(allowed)

    def _problem(self, instance: str) -> dict[str, Any]:
        return super()._problem(instance) | {"parameter": self.parameter, "allowed": list(self.allowed[:50])}


class NotInCatalogue(SiteError):
    """Something this catalogue cannot give, because the files it was built from were not there."""

    status = 409
    type = "not-loaded"
    title = "Not in this catalogue"


class NotAcceptable(SiteError):
    """The Accept header asks for forms in which this cannot be had."""

    status = 406
    type = "not-acceptable"
    title = "Not to be had in that form"


class BadRequest(SiteError):
    """What was sent is no request of HTTP, or one whose parts contradict each other."""

    status = 400
    type = "bad-request"
    title = "Request not understood"


class UnknownTransferCoding(SiteError):
    """The body of the request is coded for its way in a manner that this server does not know."""

    status = 501
    type = "unknown-coding"
    title = "Transfer coding not known"


class AddressTooLong(SiteError):
    """The address that was asked for is longer than any that this site gives out."""

    status = 414
    type = "address-too-long"
    title = "Address too long"


class HeadersTooLarge(SiteError):
    """The headers of the request are more, or longer, than any client needs."""

    status = 431
    type = "headers-too-large"
    title = "Headers too large"


class WrongHost(SiteError):
    """The request names a host that this site does not answer for."""

    status = 421
    type = "wrong-host"
    title = "Not the host of this site"


class RequestTimeout(SiteError):
    """What was to be sent did not arrive in the time there is for it."""

    status = 408
    type = "too-slow"
    title = "Too slow"
    hangs_up = True


class TooLarge(SiteError):
    """More was sent, or asked for, than one request may."""

    status = 413
    type = "too-large"
    title = "Too large"


class Unreadable(SiteError):
    """What was sent is not what is expected here."""

    status = 422
    type = "unreadable"
    title = "Not understood"


class TooManyRequests(SiteError):
    """One address has asked for more than this site answers in a minute; Retry-After says when it will again."""

    status = 429
    type = "too-many-requests"
    title = "Too many requests"


class RangeNotSatisfiable(SiteError):
    """The bytes that a Range header asks for lie behind the end of the file."""

    status = 416
    type = "no-such-part"
    title = "No such part"


class Busy(SiteError):
    """Too much is being worked on at the moment to begin with this as well."""

    status = 503
    type = "busy"
    title = "Busy"
    retry_after = 5


class CatalogueChanging(SiteError):
    """The catalogue's file was written to while it was read, or is being written to."""

    status = 503
    type = "being-replaced"
    title = "Data being replaced"
    retry_after = 2

    def __init__(self) -> None:
        super().__init__("The data of this site are being replaced at this moment; ask again in a few seconds.")


class TookTooLong(SiteError):
    """What was asked for takes more reading than one request may."""

    status = 503
    type = "took-too-long"
    title = "Took too long"


class NoCatalogue(SiteError):
    """There is no catalogue that this server can read."""

    status = 503
    type = "no-catalogue"
    title = "No catalogue yet"


def _twin(href: str, instance: str) -> str:
    """The address of a page, or of its JSON for who asked the API."""
    within = "/api/v1/datasets"
    page = href.startswith("/") and not href.startswith("/api")
    return within + href if page and instance.startswith(within) else href


def near_names(wanted: str, names: Iterable[str], most: int = 5, cutoff: float = 0.5) -> list[str]:
    """The names closest to what was asked for, best first; capitals do not matter.

    >>> near_names("cifra10", ["mnist", "cifar10", "cifar100"])
    ['cifar10', 'cifar100']
    """
    by_folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(wanted[:100].casefold(), by_folded, n=most, cutoff=cutoff)
    return [by_folded[name] for name in found]
