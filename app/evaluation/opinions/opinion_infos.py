"""What the site keeps in memory of second opinions: their names and terms, and how they divide the corrections."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, func, select

from app.domain.opinions.stances import Stance, Support, stances_of, support
from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.opinions import opinion_sources


class OpinionInfo(NamedTuple):
    """A second opinion on a dataset, without what it says of single examples."""

    name: str
    title: str
    independent: bool
    about: Mapping[str, Any]  # licence, citation, address, caveats
    covered: int
    agreeing: float
    counted: bool  # its weights are numbers of raters


@dataclass(frozen=True, eq=False)
class DatasetOpinions:
    """The opinions on a dataset, by position. ``corrections`` counts, by agreement threshold, what they say of these.

    What they say is spelled with a letter each, as in ``verdicts.opinions``.
    """

    sources: tuple[OpinionInfo, ...] = ()
    corrections: Mapping[int, Mapping[str, int]] = field(default_factory=dict)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Name -> position."""
        return {source.name: place for place, source in enumerate(self.sources)}

    @cached_property
    def patterns(self) -> tuple[str, ...]:
        """All that they say together of any correction."""
        return tuple(sorted({signs for counts in self.corrections.values() for signs in counts}))

    def stance(self, signs: str | None, name: str) -> Stance | None:
        """What one of them says; None where it was asked nothing."""
        return stances_of(signs)[self.places[name]] if signs else None

    def support(self, signs: str | None) -> Support:
        """What the independent ones among them say together of a correction."""
        said = zip(self.sources, stances_of(signs), strict=False)
        return support([stance for source, stance in said if source.independent])


NO_OPINIONS: Final = DatasetOpinions()


def opinions_by_dataset(connection: Connection) -> dict[int, DatasetOpinions]:
    """The opinions on each dataset that has any, by its id."""
    o, v = opinion_sources.c, tables.verdicts.c
    columns = (o.dataset_id, o.name, o.title, o.independent, o.about, o.covered, o.agreeing, o.counted)
    infos: dict[int, list[OpinionInfo]] = {}
    for row in connection.execute(select(*columns).order_by(o.dataset_id, o.position)):
        about = json.loads(row.about)
        info = OpinionInfo(
            row.name, row.title, bool(row.independent), about, row.covered, row.agreeing, bool(row.counted)
        )
        infos.setdefault(row.dataset_id, []).append(info)
    found = {}
    for dataset_id, sources in infos.items():
        here = (v.dataset_id == dataset_id, v.category == Category.CORRECTABLE.value, v.opinions.is_not(None))
        counted = select(v.agreement, v.opinions, func.count().label("n")).where(*here)
        corrections: dict[int, dict[str, int]] = {}
        for row in connection.execute(counted.group_by(v.agreement, v.opinions)):
            corrections.setdefault(row.agreement, {})[row.opinions] = row.n
        found[dataset_id] = DatasetOpinions(tuple(sources), corrections)
    return found
