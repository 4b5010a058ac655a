"""How probable it is that corrections are right, learnt from second opinions, and how good that is: a JSON object.

    {"method": "beta_binomial" or "dawid_skene", "why_not": null, or "no_votes", "one_rater" or "few",
     "prior": {"a", "b"}, "fitted": examples,
     "right": {"why_not": null, or "no_opinion" or "few", "sources": [name], "agreement": the threshold,
               "clear": corrections that independent opinions confirm or oppose, "confirmed": of these,
               "brier": {"share", "confidence", "base", "right"},
               "gains": {"share": {"difference", "interval"}, "confidence": ..., "base": ...},
               "confidence_gain": {"difference", "interval"},
               "reliability": {"share": [{"n", "said", "right", "interval"}], "confidence": ..., "right": ...}}}

"share" is the plain share of votes for the correction, "confidence" the number from votes alone, "right" the learnt
probability, and "base" the share of confirmed ones in the half that it was learnt from, the same for all. A gain is the
Brier score of the other less that of "right": above 0, "right" is better. "confidence_gain" is that of "share" less
that of "confidence". All are judged on the corrections at the
dataset's lowest agreement threshold on which the opinions are clear, each by what was learnt from the other half.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from app.domain.confidence.reliability import brier, compare_brier, reliability
from app.domain.confidence.right_or_wrong import CrossFit, cross_fit, vote_features
from app.domain.opinions.stances import Support, stances_of, support
from app.evaluation.opinions.correction_votes import DIGITS, Confidences, Correction

_CLEAR = (Support.CONFIRMED, Support.OPPOSED)


class Sources(NamedTuple):
    """Second opinions by position: their names, and which are independent."""

    names: Sequence[str]
    independent: Sequence[bool]

    def together(self, signs: str | None) -> Support:
        """What the independent ones say of a correction."""
        said = zip(self.independent, stances_of(signs), strict=False)
        return support([stance for counts, stance in said if counts])


class Learnt(NamedTuple):
    """The report, and the probability that each correction is right, by issue."""

    report: Mapping[str, Any]
    probabilities: Mapping[int, float]


def confidence_report(found: Confidences, sources: Sources, signs: Mapping[int, str]) -> Learnt:
    """The object described above. ``signs`` says what the sources hold of issues, a letter each."""
    right, probabilities = _right(found, sources, signs)
    report = {
        "method": found.method,
        "why_not": found.why_not,
        "prior": None if found.prior is None else {"a": found.prior.a, "b": found.prior.b},
        "fitted": found.fitted,
        "right": right,
    }
    return Learnt(report, probabilities)


def _right(
    found: Confidences, sources: Sources, signs: Mapping[int, str]
) -> tuple[Mapping[str, Any], Mapping[int, float]]:
    names = [name for name, independent in zip(sources.names, sources.independent, strict=True) if independent]
    if not names or found.method is None:
        return {"why_not": "no_opinion" if not names else "no_confidence", "sources": names}, {}
    lowest = min((one.agreement for one in found.corrections), default=0)
    corrections = [one for one in found.corrections if one.agreement == lowest]
    supported = [sources.together(signs.get(one.issue_id)) for one in corrections]
    clear = np.array([one in _CLEAR for one in supported], np.bool_)
    right = np.array([one is Support.CONFIRMED for one in supported], np.bool_)
    told = {"sources": names, "agreement": lowest, "clear": int(clear.sum()), "confirmed": int(right.sum())}
    fit = _fit(corrections, right, clear)
    if fit is None:
        return {"why_not": "few", **told}, {}
    rounded = fit.probabilities.round(DIGITS)
    by_issue = dict(zip((one.issue_id for one in corrections), rounded.tolist(), strict=True))
    return {"why_not": None, **told, **_judged(found, corrections, fit, right, clear)}, by_issue


def _fit(corrections: Sequence[Correction], right: Any, clear: Any) -> CrossFit | None:
    if not corrections:
        return None
    columns = np.array([(one.chosen, one.given, one.asked, one.idx) for one in corrections], np.int64).T
    return cross_fit(vote_features(columns[0], columns[1], columns[2]), right, clear, columns[3])


def _judged(
    found: Confidences, corrections: Sequence[Correction], fit: CrossFit, right: Any, clear: Any
) -> Mapping[str, Any]:
    """How good each probability is on the corrections on which opinions are clear."""
    said = {
        "share": np.array([one.chosen / one.asked for one in corrections]),
        "confidence": np.array([found.values[one.issue_id, one.agreement] for one in corrections]),
        "base": fit.base,
        "right": fit.probabilities,
    }
    said, happened = {name: values[clear] for name, values in said.items()}, right[clear]
    gains = {
        name: asdict(compare_brier(values, said["right"], happened)) for name, values in said.items() if name != "right"
    }
    of_confidence = asdict(compare_brier(said["share"], said["confidence"], happened))
    curves = {
        name: [asdict(point) for point in reliability(said[name], happened)]
        for name in ("share", "confidence", "right")
    }
    scores = {name: brier(values, happened) for name, values in said.items()}
    return {"brier": scores, "gains": gains, "confidence_gain": of_confidence, "reliability": curves}
