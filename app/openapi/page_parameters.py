"""Parameters of pages: those that the site knows and a page does not read are refused, those of others are let be.

A page that swallowed ``confirmed_by`` would show other figures than its address asks for. Parameters that mean nothing
anywhere here, such as those that other sites append to links to count visitors, do no harm and are ignored, unless one
looks like a slip of the pen.
"""

from collections.abc import Iterable
from typing import Final

from fastapi import Request

from app.catalogue.records import Dataset
from app.corrected.policy import PARAMETERS
from app.errors import FilterError, near_names
from app.issues.facets import FACETS
from app.issues.filter import readers

#: What a corrected test set is asked for with: a policy, and what its rows say.
OF_CORRECTED: Final = (*PARAMETERS, "removed", "opinions", "confidences")
#: What pages and API read somewhere: filters, policies, columns of files, choices among models, and versions.
_OURS: Final = frozenset(
    {*readers(), *OF_CORRECTED, "top", "scale", "reach", "first", "second", "prevalence", "find", "limit", "fields"}
    | {"version", "change"}
)
#: As alike as "agreemnt" and "agreement".
_ALIKE: Final = 0.8
AGREEMENT: Final = ("agreement",)
#: How a gallery is walked through, beside its filter.
WALKING: Final = ("after", "before", "page")


def filter_parameters(dataset: Dataset) -> tuple[str, ...]:
    """The parameters of a gallery's filter, as a dataset calls them."""
    return tuple(FACETS[name].parameter(dataset) if name in FACETS else name for name in readers())


def refuse_unread(request: Request, known: Iterable[str]) -> None:
    """Raise FilterError for a parameter of this site that a page does not read, and for one like those that it reads.

    ``known`` are the parameters that the page reads. Empty values say nothing.
    """
    read = tuple(dict.fromkeys(known))
    for name, value in request.query_params.multi_items():
        if name in read or value == "":
            continue
        if _concerns(name, read):
            expected = f"it reads {', '.join(read)}" if read else "it reads none"
            raise FilterError(name, value, read, f"{name[:40]!r} is no parameter of this page; {expected}.")


def of_this_site(request: Request, known: Iterable[str]) -> list[tuple[str, str]]:
    """The parameters of a request without those of other sites, for pages whose own reader refuses what it lacks.

    ``known`` are the parameters that the page reads.
    """
    read = tuple(dict.fromkeys(known))
    return [(name, value) for name, value in request.query_params.multi_items() if _concerns(name, read)]


def _concerns(name: str, read: tuple[str, ...]) -> bool:
    """Whether a parameter means something here, or looks like a slip of the pen for one that a page reads."""
    return name in read or name in _OURS or bool(near_names(name, read, cutoff=_ALIKE))
