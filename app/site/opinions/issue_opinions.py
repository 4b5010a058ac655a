"""What second opinions say of one issue."""

import json
from typing import NamedTuple

from sqlalchemy import select

from app.catalogue.current import Catalogue
from app.catalogue.records import ClassInfo, Dataset, Issue
from app.domain.opinions.stances import Stance, stances_of
from app.evaluation.opinions.opinion_infos import OpinionInfo
from app.schema.opinions import opinions


class SecondOpinion(NamedTuple):
    """What a source says of an issue: the classes it names, the most weight first, and its stance on a reviewed one."""

    source: OpinionInfo
    classes: tuple[tuple[ClassInfo, int], ...]
    stance: Stance | None

    @property
    def raters(self) -> int | None:
        """How many raters it asked; None where it counts none."""
        return sum(weight for _, weight in self.classes) if self.source.counted else None


def second_opinions(catalogue: Catalogue, dataset: Dataset, issue: Issue) -> tuple[SecondOpinion, ...]:
    """What each source says of an issue, in the order of the sources."""
    sources = dataset.opinions.sources
    if not sources:
        return ()
    c = opinions.c
    rows = catalogue.connection.execute(
        select(c.source, c.classes).where(c.issue_id == issue.id).order_by(c.source)
    ).all()
    said = stances_of(issue.opinions)
    return tuple(
        SecondOpinion(
            sources[row.source],
            tuple((dataset.classes[class_id], weight) for class_id, weight in json.loads(row.classes)),
            said[row.source] if said else None,
        )
        for row in rows
    )
