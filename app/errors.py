"""All errors that a visitor can see, each as a JSON problem object (RFC 9457) and as an HTML page.

``title`` and ``detail`` are written for the visitor; they never contain a traceback or SQL.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class SiteError(Exception):
    """An error shown to the visitor: a status, a short title and a sentence that says what to do about it."""

    status = 500
    type = "internal"
    title = "Something went wrong"
    #: Whether the rest of the request is not waited for.
    hangs_up = False
    #: Seconds after which a retry is worthwhile; None if not known.
    retry_after: int | None = None
    #: What a page says before the addresses in ``near``.
    near_title = "Did you mean"

    def __init__(self, detail: str, near: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.near = tuple(near)  # (label, address) of what may have been meant instead

    def problem(self, instance: str) -> dict[str, Any]:
        """The error as a problem object (RFC 9457); ``instance`` is the requested path."""
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
    """There is nothing at this address."""

    status = 404
    type = "not-found"
    title = "Not found"


class Gone(SiteError):
    """This version is no longer kept; ``current`` and ``changes`` link to the current one and to what changed."""

    status = 410
    type = "gone"
    title = "No longer here"

    def __init__(self, detail: str, near: Sequence[tuple[str, str]], facts: Mapping[str, str | None]) -> None:
        super().__init__(detail, near)
        self.facts = dict(facts)

    def problem(self, instance: str) -> dict[str, Any]:
        return super().problem(instance) | self.facts


class FilterError(SiteError):
    """A parameter of the query string is unknown or has an invalid value."""

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

    def problem(self, instance: str) -> dict[str, Any]:
        return super().problem(instance) | {"parameter": self.parameter, "allowed": list(self.allowed[:50])}


class NotOffered(FilterError):
    """A threshold or a rule by which there are no verdicts: votes stopped early, or it is not known who gave them."""

    status = 422
    type = "not-offered"
    title = "Verdicts not offered"


class NotInCatalogue(SiteError):
    """The catalogue was built without the files that this needs."""

    status = 409
    type = "not-loaded"
    title = "Not in this catalogue"


class InReview(SiteError):
    """An open review holds this example, or these labels, back; it says until when."""

    status = 409
    type = "in-review"
    title = "In review"
    near_title = "Meanwhile"


class NotAcceptable(SiteError):
    """None of the formats in the Accept header is available."""

    status = 406
    type = "not-acceptable"
    title = "Format not available"


class BadRequest(SiteError):
    """The request is not valid HTTP, or its parts contradict each other."""

    status = 400
    type = "bad-request"
    title = "Request not understood"


class UnknownTransferCoding(SiteError):
    """The request body uses a transfer coding that this server does not support."""

    status = 501
    type = "unknown-coding"
    title = "Transfer coding not supported"


class AddressTooLong(SiteError):
    """The requested address is longer than any address of this site."""

    status = 414
    type = "address-too-long"
    title = "Address too long"


class HeadersTooLarge(SiteError):
    """The request has too many headers, or they are too long."""

    status = 431
    type = "headers-too-large"
    title = "Headers too large"


class WrongHost(SiteError):
    """The request is for a host name that is not this site's."""

    status = 421
    type = "wrong-host"
    title = "Wrong host"


class RequestTimeout(SiteError):
    """The request did not arrive completely within the time limit."""

    status = 408
    type = "too-slow"
    title = "Too slow"
    hangs_up = True


class TooLarge(SiteError):
    """The request sends or asks for more than one request may."""

    status = 413
    type = "too-large"
    title = "Too large"


class UnsupportedMediaType(SiteError):
    """The request sends content of a kind that is not read at this address."""

    status = 415
    type = "unsupported-media-type"
    title = "Kind of content not read here"


class Unreadable(SiteError):
    """The content of the request cannot be used."""

    status = 422
    type = "unreadable"
    title = "Content not understood"


class TooManyRequests(SiteError):
    """This address has sent too many requests in a minute; Retry-After says when to try again."""

    status = 429
    type = "too-many-requests"
    title = "Too many requests"


class RangeNotSatisfiable(SiteError):
    """The Range header asks for bytes beyond the end of the file."""

    status = 416
    type = "no-such-part"
    title = "Range not satisfiable"


class NoLink(SiteError):
    """The request carries no link of a rater, or one that is not accepted."""

    status = 401
    type = "no-link"
    title = "Link not accepted"


class Forbidden(SiteError):
    """The request comes from a page of another site."""

    status = 403
    type = "forbidden"
    title = "Not allowed"


class LeaseLapsed(SiteError):
    """The example is no longer lent to this rater, or needs no more votes."""

    status = 409
    type = "lease-lapsed"
    title = "No longer yours"


class EnoughWaiting(SiteError):
    """So many disputes wait to be decided, of this example or in all, that no more are taken."""

    status = 409
    type = "enough-waiting"
    title = "Enough is waiting"


class KeyTaken(SiteError):
    """The key of a vote was used for another vote."""

    status = 422
    type = "key-taken"
    title = "Key used before"


class Busy(SiteError):
    """The server is working on too many requests to start this one."""

    status = 503
    type = "busy"
    title = "Busy"
    retry_after = 5


class CatalogueChanging(SiteError):
    """The catalogue file is being written to, or was while it was read."""

    status = 503
    type = "being-replaced"
    title = "Data being replaced"
    retry_after = 2

    def __init__(self) -> None:
        super().__init__("The data of this site are being replaced; try again in a few seconds.")


class TookTooLong(SiteError):
    """The request needs more reading time than one request may take."""

    status = 503
    type = "took-too-long"
    title = "Took too long"


class NoCatalogue(SiteError):
    """The server has no readable catalogue."""

    status = 503
    type = "no-catalogue"
    title = "No catalogue that can be read"


def _twin(href: str, instance: str) -> str:
    """The address of a page, or of its JSON if the API was requested."""
    within = "/api/v1/datasets"
    page = href.startswith("/") and not href.startswith("/api")
    return within + href if page and instance.startswith(within) else href


def near_names(wanted: str, names: Iterable[str], most: int = 5, cutoff: float = 0.5) -> list[str]:
    """The names closest to ``wanted``, best first, ignoring case.

    >>> near_names("cifra10", ["mnist", "cifar10", "cifar100"])
    ['cifar10', 'cifar100']
    """
    by_folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(wanted[:100].casefold(), by_folded, n=most, cutoff=cutoff)
    return [by_folded[name] for name in found]
