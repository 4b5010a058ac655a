"""What the page and the API say of a dataset's errors by rank."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from app.catalogue.current import Catalogue
from app.catalogue.open_file import require_reader
from app.catalogue.records import Dataset
from app.domain.review.error_ranks import (
    Forecast,
    RankBin,
    RankCurve,
    checked_throughout,
    next_ranks,
    rank_bins,
    rank_curve,
)
from app.issues.reviewed.checked_ranks import CheckedRanks, checked_ranks
from app.issues.reviewed.judged_flags import ErrorsFlagged, judged_flags

#: How many further examples the forecast is about.
NEXT: Final = 100
#: The share of errors below which the page calls a further look hardly worth it: one in twenty.
FEW: Final = 0.05
#: Fewer checked examples say too little about the next ones.
LEAST_CHECKED: Final = 20
_POINTS: Final = 48


class NoForecast(StrEnum):
    """Why nothing is said of the examples that nobody checked."""

    NO_RANKS = "no ranks"
    NOT_REVIEWED = "not reviewed"
    FEW_CHECKED = "few checked"
    SEVERAL_LABELS = "several labels"
    OTHER_MODEL = "other model"
    ALL_CHECKED = "all checked"


@dataclass(frozen=True, slots=True)
class ErrorsByRank:
    """Errors by rank at one agreement threshold."""

    agreement: int
    checked: int  # with a rank
    errors: int
    without_rank: int
    throughout: int  # the first ranks were checked without a gap, up to this one
    last: int  # the last rank that was checked
    bins: tuple[RankBin, ...]
    fitted: tuple[float, ...]  # the fitted share at the middle rank of each bin; empty without a forecast
    curve: tuple[tuple[float, float], ...]  # points (rank, fitted share), up to the end of the forecast
    forecast: Forecast | None
    no_forecast: NoForecast | None
    few_from: int | None  # the rank from which on the fitted share is below FEW; None if it is nowhere, or without fit
    flags: tuple[ErrorsFlagged, ...] | None  # how many errors were flagged; None where not every example was judged

    @property
    def gaps(self) -> bool:
        """Whether examples before the last checked one were not checked."""
        return self.throughout < self.last


def errors_by_rank(catalogue: Catalogue, dataset: Dataset, agreement: int) -> ErrorsByRank:
    """Computed once for a catalogue; reads on a reader's thread."""

    def make() -> ErrorsByRank:
        require_reader()
        checked = checked_ranks(catalogue, dataset, agreement)
        return _found(dataset, agreement, checked, judged_flags(catalogue, dataset, agreement))

    return catalogue.pages.get(("errors by rank", dataset.id, agreement), make)


def _found(
    dataset: Dataset, agreement: int, checked: CheckedRanks, flags: tuple[ErrorsFlagged, ...] | None
) -> ErrorsByRank:
    ranks, errors, n_without, n_held_back = checked
    bins = tuple(rank_bins(ranks, errors))
    size = (dataset.size or 0) - n_held_back
    following = next_ranks(ranks, NEXT, size)
    reason = _no_forecast(dataset, checked, len(following))
    fit = rank_curve(ranks, errors) if reason is None else None
    forecast = None if fit is None else fit.forecast(following)
    last = int(ranks[-1]) if len(ranks) else 0
    middles = np.array([(one.first + one.last) // 2 for one in bins])
    return ErrorsByRank(
        agreement=agreement,
        checked=len(ranks),
        errors=int(errors.sum()),
        without_rank=n_without,
        throughout=checked_throughout(ranks),
        last=last,
        bins=bins,
        fitted=() if fit is None else tuple(fit.shares(middles).tolist()),
        curve=() if fit is None or forecast is None else _points(fit, max(last, forecast.last)),
        forecast=forecast,
        no_forecast=reason,
        few_from=None if fit is None else fit.falls_below(FEW, size),
        flags=flags,
    )


def _no_forecast(dataset: Dataset, checked: CheckedRanks, n_following: int) -> NoForecast | None:
    if not dataset.ranked:
        return NoForecast.NO_RANKS
    if not len(checked.ranks):
        return NoForecast.NO_RANKS if checked.n_without else NoForecast.NOT_REVIEWED
    if dataset.multi_label:
        return NoForecast.SEVERAL_LABELS
    if dataset.n_guesses_changed:
        return NoForecast.OTHER_MODEL
    if not n_following:
        return NoForecast.ALL_CHECKED
    return NoForecast.FEW_CHECKED if len(checked.ranks) < LEAST_CHECKED else None


def _points(fit: RankCurve, last: int) -> tuple[tuple[float, float], ...]:
    ranks = np.unique(np.geomspace(1, last, _POINTS).round().astype(np.int64))
    return tuple(zip(ranks.astype(float).tolist(), fit.shares(ranks).tolist(), strict=True))
