"""The log of disputes as an Atom feed (RFC 4287), an entry a decided dispute."""

from collections.abc import Sequence

from app.catalogue.records import Dataset
from app.issues.reviewed.dispute_log import LoggedDispute
from app.schema.change_log import REOPENED
from app.site.components.atom_entries import MEDIA_TYPE, add, entry, link, new_feed, urn, written
from app.site.components.dispute_words import claim_words, outcome_words, verdict_words


def log_feed(site: str, dataset: Dataset | None, found: Sequence[LoggedDispute], since: str) -> bytes:
    """The feed of the newest disputes, of a dataset or of all. ``since`` stands where there is none yet."""
    title = "Disputed labels" if dataset is None else f"{dataset.title}: disputed labels"
    here = f"{site}/disputes" if dataset is None else f"{site}/{dataset.name}/disputes"
    root = new_feed(site, title, urn("disputes", "" if dataset is None else dataset.name))
    # What is in review changed the feed by leaving it, and must not turn its time back.
    add(root, "updated", found[0].decided if found else since)
    found = [one for one in found if one.claim is not None]  # the others are back when their review is over
    link(root, "self", f"{here}.atom", MEDIA_TYPE)
    link(root, "alternate", here, "text/html")
    for one in found:
        # A dispute that comes to another end is an entry of its own.
        name = urn("dispute", one.code, one.round or "", "" if one.became == "rejected" else one.became)
        told = entry(root, _title(one), name, one.decided)
        link(told, "alternate", f"{site}/{one.dataset}/disputes#{one.code}", "text/html")
        add(told, "summary", _summary(one))
    return written(root)


def _title(one: LoggedDispute) -> str:
    return f"{outcome_words(one.became)}: {one.title}, example {one.idx}"


def _summary(one: LoggedDispute) -> str:
    claimed = "" if one.claim is None else f"A visitor said: {claim_words(one.claim, one.proposed)}."
    if one.became == REOPENED:
        return f"{claimed} It was {outcome_words(one.history[-1].what).lower()} before, and is to be decided anew."
    if one.outcome is None:
        return f"{claimed} Rejected because: {one.why}"
    return f"{claimed} Asked again in {one.round}, reviewers {verdict_words(one)}."
