"""Access rules: which visitors see which parts of a dataset, according to its licence.

On a private site everything that was ingested is visible. On a public site the licence in the manifest decides: "host"
shows everything, "local" only excerpts of texts, "link" and "none" only a link to the source. ``app.issues.queries``
applies the rule where database rows become records, so every page and every API answer goes through it.
"""

from typing import Any

from app.catalogue.masking import masked
from app.catalogue.records import Dataset, IssueRow


def is_public(scope: Any) -> bool:
    """Whether a request (an ASGI scope) comes to a server that everyone may reach: it does, unless a setting says no.

    What a connection shows is no proof: behind a proxy each one comes from this machine. ``app.serve``, which knows to
    what it listens, sets it.
    """
    public: bool = scope["app"].state.settings.is_public
    return public


def may_show(dataset: Dataset, kind: str) -> bool:
    """Whether a medium of this kind may be shown to whom the dataset was opened for."""
    return not dataset.restricted or dataset.media_terms == "host" or (kind == "excerpt" and _as_excerpts(dataset))


def may_search(dataset: Dataset) -> bool:
    """Whether the texts of a dataset may be searched: where they may be read whole, and where there are none."""
    return dataset.modality not in ("text", "tabular", "question") or may_show(dataset, "text")


def _as_excerpts(dataset: Dataset) -> bool:
    return dataset.modality == "text" and dataset.media_terms == "local"


def shown(dataset: Dataset, row: IssueRow) -> IssueRow:
    """The row with as much of its media as may be shown; addresses and numbers of people in excerpts are masked."""
    if may_show(dataset, "image"):
        return row
    return row._replace(excerpt=excerpt(dataset, row.excerpt), media=None)


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
        return f"This site is public, so it shows only excerpts of the texts, with {masked_parts}."
    does_not = {
        "image": "show the pictures",
        "text": "show the texts",
        "audio": "play the sounds",
        "tabular": "show the rows",
        "question": "show the questions",
    }
    return f"This site is public, so it does not {does_not.get(dataset.modality, 'show the media')}."
