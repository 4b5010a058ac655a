"""Attribution of a dataset's media and verdicts, as its manifest states it."""

from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

from app.catalogue.records import Dataset

#: What the media of a dataset are called, and what was done to them for the pages, which licences want to be told.
_SHOWN: Final = {
    "image": ("Pictures", "resized"),
    "text": ("Texts", None),
    "audio": ("Sounds", "cut and levelled"),
    "tabular": ("Rows", None),
    "question": ("Questions", None),
}


class Credit(NamedTuple):
    """The line beside media: what they are, their source and their licence."""

    what: str
    changed: str | None
    title: str
    homepage: str | None
    licence: str
    licence_url: str | None


def credit_of(dataset: Dataset) -> Credit:
    """The credit of a dataset's media; a manifest that names no licence is told so."""
    what, changed = _SHOWN.get(dataset.modality, ("Media", None))
    licence = _licence(dataset)
    return Credit(
        what=what,
        changed=changed,
        title=dataset.title,
        homepage=dataset.about.get("homepage") or None,
        licence=licence.get("name") or "No licence stated",
        licence_url=licence.get("url") or None,
    )


@dataclass(frozen=True, slots=True)
class VerdictCredit:
    """Who reviewed the labels of a dataset, and how their verdicts may be used; None or empty where not stated."""

    reviewers: str
    authors: tuple[str, ...]
    licence: str | None
    licence_url: str | None
    source: str | None
    citation: str | None
    bibtex: str | None


def verdict_credit(dataset: Dataset) -> VerdictCredit | None:
    """The credit of the verdicts; None where nobody has reviewed anything, or nobody says who did."""
    found = dataset.about.get("verdicts")
    if not found or not dataset.n_checked:
        return None
    told = {field.name: found.get(field.name) for field in fields(VerdictCredit)}
    return VerdictCredit(**told | {"authors": tuple(found.get("authors") or ())})


def credit_json(dataset: Dataset) -> dict[str, Any]:
    """The same for programs, with where the licence was found and how dataset and verdicts want to be cited."""
    licence = _licence(dataset)
    return {
        "licence": licence.get("name") or None,
        "licence_url": licence.get("url") or None,
        "licence_source": licence.get("source") or None,
        "homepage": dataset.about.get("homepage") or None,
        "citation": dataset.about.get("citation") or None,
        "verdicts": verdict_credit(dataset),
    }


def _licence(dataset: Dataset) -> dict[str, Any]:
    return dict(dataset.about.get("licence") or {})
