"""Controls of the models' ranking at one agreement threshold, as a JSON object.

    {"corrected": turnover on C, by given and by corrected labels,
     "non_errors": turnover on flagged examples whose given label reviewers kept, "right" meaning the guess,
     "confirmed", "opposed": {source: turnover on the part of C that an independent opinion confirms, or opposes},
     "flagger": [{"platform", "name", "agreement", "accuracy", "marked"}],
     "random": {"observed", "mean", "interval", "at_most", "draws"},
     "capacity": {"known", "of", "sets": {set: {"given": {"tau", "interval"}, "guessed": {"tau", "interval"}}}},
     "systematic": {"n", "pairs", "share", "shuffled", "p", "most": [{"given", "corrected", "n"}]}}

A turnover is {"n", "tau", "tau_interval", "top5": {"tau", "tau_interval"}, "models": [{"platform", "name", "given",
"guessed", "neither"}]}: tau-b between right-by-given and right-by-guess counts of first choices. Its taus and models
are null below five examples, and an interval where fewer than half of the replicates define its tau; "guessed" is the
corrected label where there is one. "flagger" is null where what the flagging model predicts is not kept, "random",
"capacity" and "systematic" where there is nothing to measure.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.controls.capacity import capacity_correlation
from app.domain.controls.confused_pairs import concentration, most_confused
from app.domain.controls.flagger import marked
from app.domain.controls.random_relabelling import random_relabelling
from app.domain.controls.turnover import marks_of, turnover
from app.domain.opinions.stances import STANCES, Stance
from app.domain.ranking.accuracy import TOP, Labels, knows_top
from app.domain.ranking.evidence import enough
from app.domain.review.verdicts import Category
from app.evaluation.opinions.opinions_store import OpinionSource, Reviewed, stances_on
from app.evaluation.predictions_store import Model

#: Models whose number of parameters is known, to correlate it with anything.
_FEWEST_MODELS: Final = 3
Marks = NDArray[np.bool_]


def controls(
    models: Sequence[Model],
    reviewed: Reviewed,
    sources: Sequence[OpinionSource],
    given: Labels,
    guesses: Labels | None,
    n_classes: int,
    *,
    questions: bool = False,
) -> dict[str, Any]:
    """The object described above, for models in their order; ``given`` and ``guesses`` are (n,), of all examples.

    Where examples are ``questions``, a class is the place of an option, and confusions of places mean nothing.
    """
    ranking = _Ranking(models, reviewed, n_classes)
    correctable, has_other = reviewed.having(Category.CORRECTABLE), reviewed.other >= 0
    # A judge may have seen all examples, whose guess mostly is the given label: there is nothing to confirm then.
    doubted = reviewed.flagged & has_other & (reviewed.other != reviewed.given)
    sets = {"corrected": correctable, "non_errors": reviewed.having(Category.NON_ERROR) & doubted}
    independent = [source for source in sources if source.independent]
    by_stance: dict[str, dict[str, Marks]] = {}
    for word, stance in (("confirmed", Stance.GUESSED), ("opposed", Stance.GIVEN)):
        place = STANCES.index(stance)
        by_stance[word] = {s.name: correctable & (stances_on(s, reviewed) == place) for s in independent}
    confirmed = {f"confirmed by {name}": marks for name, marks in by_stance["confirmed"].items()}
    return {
        **{name: ranking.turnover(members) for name, members in sets.items()},
        **{word: {name: ranking.turnover(one) for name, one in some.items()} for word, some in by_stance.items()},
        "flagger": None if guesses is None else _flagger(models, given, guesses),
        "random": ranking.random(correctable),
        "capacity": ranking.capacity(sets | confirmed),
        "systematic": None if questions else _systematic(reviewed, correctable),
    }


class _Ranking:
    """The models' predictions for reviewed issues."""

    def __init__(self, models: Sequence[Model], reviewed: Reviewed, n_classes: int) -> None:
        self._models = models
        self._reviewed = reviewed
        self._ranked = [model.ranked[reviewed.indices] for model in models]
        self._knows_top5 = bool(models) and all(knows_top(model.ranked, n_classes, TOP) for model in models)

    def turnover(self, members: Marks) -> dict[str, Any]:
        n = int(members.sum())
        if not enough(n):
            nothing = {"tau": None, "tau_interval": None}
            return {"n": n, **nothing, "top5": nothing, "models": None}
        found = turnover(*self._marks(members, 1))
        counts = zip(self._models, found.given.tolist(), found.other.tolist(), found.neither.tolist(), strict=True)
        top5 = turnover(*self._marks(members, TOP)) if self._knows_top5 else None
        return {
            "n": n,
            "tau": found.tau,
            "tau_interval": found.interval,
            "top5": {"tau": top5 and top5.tau, "tau_interval": top5 and top5.interval},
            "models": [
                {"platform": model.platform, "name": model.name, "given": own, "guessed": other, "neither": neither}
                for model, own, other, neither in counts
            ],
        }

    def random(self, members: Marks) -> dict[str, Any] | None:
        if not enough(int(members.sum())) or not self._models:
            return None
        firsts = np.stack([ranked[members, 0] for ranked in self._ranked], axis=1)
        return asdict(random_relabelling(firsts, self._reviewed.given[members], self._reviewed.other[members]))

    def capacity(self, sets: dict[str, Marks]) -> dict[str, Any] | None:
        """Rank correlations over the models whose number of parameters is known."""
        known = np.array([model.parameters is not None for model in self._models], np.bool_)
        if known.sum() < _FEWEST_MODELS:
            return None
        parameters = np.array([model.parameters for model in self._models if model.parameters is not None], np.int64)
        found: dict[str, dict[str, Any] | None] = {}
        for name, members in sets.items():
            if not enough(int(members.sum())):
                found[name] = None
                continue
            sides = zip(("given", "guessed"), self._marks(members, 1), strict=True)
            found[name] = {side: asdict(capacity_correlation(parameters, marks[:, known])) for side, marks in sides}
        return {"known": int(known.sum()), "of": len(known), "sets": found}

    def _marks(self, members: Marks, top: int) -> tuple[Marks, Marks]:
        inside = [ranked[members] for ranked in self._ranked]
        labels = (self._reviewed.given[members], self._reviewed.other[members])
        by_given, by_other = (marks_of(inside, side, top) for side in labels)
        return by_given, by_other


def _flagger(models: Sequence[Model], given: Labels, guesses: Labels) -> list[dict[str, Any]]:
    agreement = np.array([(model.ranked[:, 0] == guesses).mean() for model in models], np.float64)
    accuracy = np.array([(model.ranked[:, 0] == given).mean() for model in models], np.float64)
    rows = zip(models, agreement.tolist(), accuracy.tolist(), marked(agreement, accuracy).tolist(), strict=True)
    return [
        {"platform": model.platform, "name": model.name, "agreement": alike, "accuracy": right, "marked": mark}
        for model, alike, right, mark in rows
    ]


def _systematic(reviewed: Reviewed, correctable: Marks) -> dict[str, Any] | None:
    if not enough(int(correctable.sum())):
        return None
    given, corrected = reviewed.given[correctable], reviewed.other[correctable]
    most = [{"given": one, "corrected": other, "n": n} for one, other, n in most_confused(given, corrected)]
    return asdict(concentration(given, corrected)) | {"most": most}
