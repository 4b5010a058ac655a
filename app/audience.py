"""Who asks, and what a dataset's licence lets them see.

Whoever runs a site for themselves sees all that was ingested; everyone else sees what the licence in the manifest
allows: "host" everything, "local" the beginnings of texts, "link" and "none" nothing but a link to the source. The rule
is applied where rows become records (``queries``), so that no page and no answer can pass by it.
"""

from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from app.masking import masked
from app.records import Dataset, IssueRow


def is_public(scope: Any) -> bool:
    """Whether a request (an ASGI scope) comes to a server that everyone may reach.

    The setting ``public`` says so; where it says nothing, a server is private as long as it is bound to this machine.
    """
    public: bool | None = scope["app"].state.settings.public
    if public is not None:
        return public
    server = scope.get("server")
    return server is not None and _reachable(server[0], server[1])


@lru_cache(maxsize=64)
def _reachable(host: str, port: int | None) -> bool:
    if port is None:
        return True  # a socket file, behind which another server stands
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return False  # no network: an application called in its own process


def may_show(dataset: Dataset, kind: str) -> bool:
    """Whether a medium of this kind may be shown to whom the dataset was opened for."""
    return not dataset.restricted or dataset.media_terms == "host" or (kind == "excerpt" and _as_excerpts(dataset))


def may_search(dataset: Dataset) -> bool:
    """Whether the texts of a dataset may be searched: where they may be read whole, and where there are none."""
    return dataset.modality != "text" or may_show(dataset, "text")


def _as_excerpts(dataset: Dataset) -> bool:
    return dataset.modality == "text" and dataset.media_terms == "local"


def shown(dataset: Dataset, row: IssueRow) -> IssueRow:
    """The row with as much of its media as may be shown; addresses and numbers of people in excerpts are masked."""
    if may_show(dataset, "image"):
        return row
    return (*row[:-3], excerpt(dataset, row[-3]), None, row[-1])


def excerpt(dataset: Dataset, text: str | None) -> str | None:
    """An excerpt as it may be shown, None where it may not."""
    if text is None or not dataset.restricted or dataset.media_terms == "host":
        return text
    return masked(text) if _as_excerpts(dataset) else None


def notice(dataset: Dataset) -> str | None:
    """Why a dataset's media are not shown in full, in a sentence; None where they are. Its terms stand elsewhere."""
    if may_show(dataset, "image"):
        return None
    if _as_excerpts(dataset):
        masked_parts = "addresses and telephone numbers masked"
        return f"This site is open to everyone, so it shows only how the texts begin, with {masked_parts}."
    does_not = {"image": "show the pictures", "text": "show the texts", "audio": "play the sounds"}
    return f"This site is open to everyone, so it does not {does_not.get(dataset.modality, 'show the media')}."
