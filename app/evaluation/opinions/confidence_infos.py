"""What the site keeps in memory of confidence: what a dataset's rests on, and how it divides the corrections."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, func, select

from app.domain.confidence.correction_facts import CorrectionFacts
from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.opinions import confidence_reports
from app.schema.why_no_confidence import why_no_confidence


@dataclass(frozen=True, eq=False)
class DatasetConfidence:
    """The report on a dataset's confidence (see ``confidence_report``), and its corrections.

    ``corrections`` counts, by agreement threshold, the corrections of which the same is known.
    """

    report: Mapping[str, Any] = field(default_factory=dict)
    corrections: Mapping[int, Mapping[CorrectionFacts, int]] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether corrections have a confidence."""
        return bool(self.report.get("method"))

    @property
    def learnt(self) -> bool:
        """Whether they also have a probability of being right."""
        return "brier" in self.report.get("right", {})

    def why_not(self, title: str) -> str | None:
        """Why there is none, without a full stop; None where there is one."""
        return None if self.known else why_no_confidence(title, self.report.get("why_not"))

    def at_least(self, agreement: int, least: float) -> int:
        """How many corrections have so much confidence."""
        counts = self.corrections.get(agreement, {})
        return sum(n for one, n in counts.items() if one.confidence is not None and one.confidence >= least)


NO_CONFIDENCE: Final = DatasetConfidence()


def confidence_by_dataset(connection: Connection) -> dict[int, DatasetConfidence]:
    """The confidence of each dataset's corrections, by its id."""
    v, c = tables.verdicts.c, confidence_reports.c
    by = (v.dataset_id, v.agreement, v.opinions, v.confidence, v.probability_right)
    counted = select(*by, func.count().label("n")).where(v.category == Category.CORRECTABLE.value).group_by(*by)
    corrections: dict[int, dict[int, dict[CorrectionFacts, int]]] = {}
    for row in connection.execute(counted):
        known = CorrectionFacts(row.opinions, row.confidence, row.probability_right)
        corrections.setdefault(row.dataset_id, {}).setdefault(row.agreement, {})[known] = row.n
    return {
        row.dataset_id: DatasetConfidence(json.loads(row.results), corrections.get(row.dataset_id, {}))
        for row in connection.execute(select(c.dataset_id, c.results))
    }
