"""Parameters of the pages and API of changes: the versions to compare, and the kind of change."""

from sqlalchemy import Connection

from app.catalogue.records import Dataset
from app.catalogue.version_log import Version, VersionStep, by_name, step_from, step_to
from app.domain.review.changes import Change
from app.domain.review.corrections import Policy
from app.errors import FilterError, NotFound


def kind_of(word: str | None) -> Change | None:
    """Parse a kind of change, None for all. Raises FilterError for anything else."""
    if not word:
        return None
    if word not in list(Change):
        raise FilterError("change", word, [change.value for change in Change])
    return Change(word)


def step_of(
    connection: Connection,
    dataset: Dataset,
    policy: Policy,
    found: tuple[Version, ...],
    version: str | None,
    former: str | None,
) -> VersionStep:
    """The step to a version from the previous one, or from a version to the current one; by default the last one.

    Raises NotFound for a version that is not in the log, and FilterError if both are given.
    """
    if version and former:
        raise FilterError("from", former, [], "version and from cannot be combined; expected one of them.")
    if not found:
        raise NotFound(f"This catalogue has no version log of {dataset.title}.")
    name = version or former
    if not name:
        return step_to(found[0])
    chosen = by_name(found).get(name)
    if chosen is None:
        near = [(f"Versions of {dataset.title}", f"/{dataset.name}/changes")]
        raise NotFound(f"Version {name[:40]!r} of {dataset.title} was never in this catalogue.", near)
    return step_to(chosen) if version else step_from(connection, dataset, found, chosen, policy)
