"""Explain which of a dataset's media are missing, and why.

Ingest counted them; this module puts the counts into words. Media that the licence does not allow us to show are not
reported as missing.
"""

from typing import Final

from app.catalogue import access
from app.catalogue.records import Dataset

#: Modality -> what one medium is called, and several.
NOUNS: Final = {
    "image": ("picture", "pictures"),
    "text": ("text", "texts"),
    "audio": ("sound", "sounds"),
    "tabular": ("row", "rows"),
    "question": ("question", "questions"),
}
UNREADABLE: Final = "Unreadable in the distribution"
NOT_THERE: Final = "Not in the distribution given"
NOT_FETCHED: Final = "Not fetched from the web"
NOT_ASKED: Final = "Not stored: this catalogue has those of some issues only"
_EITHER: Final = "Not in the distribution given, or unreadable there"


def n_with_medium(dataset: Dataset) -> int:
    """Issues whose medium is kept; 0 where no distribution was read."""
    return int((dataset.media_report or {}).get("issues", 0))


def was_read(dataset: Dataset) -> bool:
    """Whether a distribution of the dataset was given and could be read as a whole."""
    return dataset.media_report is not None and "unread" not in dataset.media_report


def why(dataset: Dataset, idx: int) -> str | None:
    """Why an issue that has no medium has none, in a few words; None where all of the dataset have none."""
    if not was_read(dataset) or not access.may_show(dataset, "excerpt"):
        return None
    if idx in dataset.broken:
        return UNREADABLE
    if _asked(dataset) is not None:
        return NOT_ASKED
    if _only_fetched(dataset):
        return NOT_FETCHED
    # Only the first of many unreadable ones are named: any of the others may be among those that are not.
    return NOT_THERE if _n_unreadable(dataset) <= len(dataset.broken) else _EITHER


def sentence(dataset: Dataset, idx: int) -> str | None:
    """The same for an issue's own page, with what is wrong; None where the terms say why nothing is shown."""
    if not access.may_show(dataset, "excerpt"):
        return None
    one = f"The {NOUNS.get(dataset.modality, ('medium',))[0]}"
    reason = why(dataset, idx)
    if reason is None:
        return f"{one} itself is not in this catalogue."
    if reason is UNREADABLE:
        verb = "played" if dataset.modality == "audio" else "shown"
        return f"{one} in the dataset's distribution cannot be {verb}: {dataset.broken[idx]}."
    verb = "was" if reason is NOT_FETCHED else "is"
    return f"{one} {verb} {reason[0].lower()}{reason[1:]}."


def not_here(dataset: Dataset) -> tuple[str, ...]:
    """What is not in the catalogue of a dataset, in sentences: as ingest said, and how many media of its issues."""
    asked = _asked(dataset)
    n_issues = dataset.n_issues if asked is None else asked
    lacking = n_issues - n_with_medium(dataset)
    if not was_read(dataset) or not access.may_show(dataset, "excerpt"):
        return dataset.missing
    one, several = NOUNS.get(dataset.modality, ("medium", "media"))
    said = dataset.missing
    if asked is not None:
        chosen = (dataset.media_report or {}).get("asked_for")
        which = "the reviewed ones" if chosen == "reviewed" else f"the {chosen:,} most suspicious and the reviewed ones"
        said = (*said, f"The {several} of {asked:,} of {dataset.n_issues:,} issues are stored: {which}.")
    if lacking <= 0:
        return said
    subject = f"The {several} of {lacking:,} of {'these ' if asked is not None else ''}{n_issues:,} issues are not here"
    if lacking == 1:
        subject = f"The {one} of 1 of {'these ' if asked is not None else ''}{n_issues:,} issues is not here"
    return (*said, f"{subject}: {_reason(dataset, lacking)}.")


def _asked(dataset: Dataset) -> int | None:
    """How many issues media were stored for; None for all of them."""
    asked = (dataset.media_report or {}).get("asked")
    return None if asked is None or asked >= dataset.n_issues else int(asked)


def _reason(dataset: Dataset, lacking: int) -> str:
    unreadable, absent = _n_unreadable(dataset), int((dataset.media_report or {}).get("absent", 0))
    if _only_fetched(dataset):
        return "not fetched from the web"
    if not unreadable:
        return "not in the distribution that was given"
    if not absent:
        return "unreadable in the distribution"
    if unreadable + absent == lacking:
        return f"{absent:,} not in the distribution that was given, {unreadable:,} unreadable in it"
    # Of very many unreadable ones it is not known which of them were fetched since.
    return "not in the distribution that was given, or unreadable in it"


def _only_fetched(dataset: Dataset) -> bool:
    """Whether what is here came from the web, file by file, and no distribution was ever given."""
    report = dataset.media_report or {}
    return bool(report.get("fetched_from")) and not report.get("absent") and not _n_unreadable(dataset)


def _n_unreadable(dataset: Dataset) -> int:
    return int((dataset.media_report or {}).get("n_problems", 0))
