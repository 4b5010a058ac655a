"""Whose a dataset's media are, by its manifest: what must stand beside them where they are shown."""

from typing import Any, Final, NamedTuple

from app.records import Dataset

#: What the media of a dataset are called, and what was done to them for the pages, which licences want to be told.
_SHOWN: Final = {
    "image": ("Pictures", "resized"),
    "text": ("Texts", None),
    "audio": ("Sounds", "cut and levelled"),
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


def credit_json(dataset: Dataset) -> dict[str, str | None]:
    """The same for programs, with where the licence was found and how the dataset wants to be cited."""
    licence = _licence(dataset)
    return {
        "licence": licence.get("name") or None,
        "licence_url": licence.get("url") or None,
        "licence_source": licence.get("source") or None,
        "homepage": dataset.about.get("homepage") or None,
        "citation": dataset.about.get("citation") or None,
    }


def _licence(dataset: Dataset) -> dict[str, Any]:
    return dict(dataset.about.get("licence") or {})
