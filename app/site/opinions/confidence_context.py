"""Template context of the page about how sure corrections are, and the same as JSON."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from app.catalogue.records import Dataset
from app.domain.confidence.beta_binomial import Prior, expected_share, majority_probability
from app.domain.confidence.hundredths import rounded_down
from app.domain.opinions.stances import Support
from app.issues.filter import IssueFilter
from app.site.opinions.confidence_charts import reliability_chart
from app.site.opinions.confidence_words import gain_words

#: Least confidences that corrections are counted by.
LEAST: Final = (0.5, 0.8, 0.9, 0.95, 0.99)
#: Names of the probabilities whose reliability is shown, in words.
CURVES: Final = {
    "right": "the learnt probability",
    "share": "the plain share of votes",
    "confidence": "the confidence from votes alone",
}


class Level(NamedTuple):
    """Corrections with at least so much confidence."""

    least: float
    n: int
    query: str  # of the gallery that shows them


class Outcome(NamedTuple):
    """What a number of votes for a correction says of unlimited raters; ``confidence`` with four digits."""

    votes: int
    expected: float
    confidence: float


def levels(dataset: Dataset, agreement: int) -> list[Level]:
    """How many corrections have at least each of a few confidences."""
    return [
        Level(least, dataset.confidence.at_least(agreement, least), _query(dataset, agreement, confidence=least))
        for least in LEAST
    ]


def _query(dataset: Dataset, agreement: int, **asked: Any) -> str:
    return IssueFilter(agreement=agreement, category=("correctable",), **asked).query(dataset)


def confidence_context(dataset: Dataset, agreement: int) -> dict[str, Any]:
    """The template context at an agreement threshold."""
    report = dataset.confidence.report
    right = right_of(dataset)
    prior = report.get("prior") and Prior(report["prior"]["a"], report["prior"]["b"])
    titles = {source.name: source.title for source in dataset.opinions.sources}
    return {
        "report": report,
        "why_not": dataset.confidence.why_not(dataset.title),
        "n": dataset.confidence.at_least(agreement, 0.0),
        "levels": levels(dataset, agreement),
        "prior": prior,
        "outcomes": _outcomes(dataset, prior) if prior and dataset.vote_options else [],
        "right": right,
        "sources": [titles.get(name, name) for name in right.get("sources", ())],
        "gains": _gains(right),
        "curves": [
            (name, words, right["reliability"][name]) for name, words in CURVES.items() if "reliability" in right
        ],
        "charts": {
            name: reliability_chart(right["reliability"][name], words)
            for name, words in CURVES.items()
            if "reliability" in right
        },
        "doubtful": _query(dataset, agreement, sort="-confidence"),
        "surest": _query(dataset, agreement, sort="confidence"),
        "at_agreement": "" if agreement == dataset.default_agreement else f"agreement={agreement}&",
        "agreements": [(a, "" if a == dataset.default_agreement else f"?agreement={a}") for a in dataset.agreements],
    }


def right_of(dataset: Dataset) -> Mapping[str, Any]:
    """What is known of whether corrections are right, as ``RightOut`` of the API; empty where nothing was computed.

    While examples are held back, corrections are counted without them, as everywhere beside it. Scores stay those that
    were measured on all; what counts these, the points of the curves, would tell of what is held back by subtraction.
    """
    right: Mapping[str, Any] = dataset.confidence.report.get("right") or {}
    if dataset.held_back is None or "clear" not in right:
        return right
    said: dict[Support, int] = {}
    for one, n in dataset.confidence.corrections.get(right["agreement"], {}).items():
        support = dataset.opinions.support(one.signs)
        said[support] = said.get(support, 0) + n
    confirmed, opposed = said.get(Support.CONFIRMED, 0), said.get(Support.OPPOSED, 0)
    counted = {"clear": confirmed + opposed, "confirmed": confirmed}
    return {name: value for name, value in right.items() if name != "reliability"} | counted


def _gains(right: Mapping[str, Any]) -> list[str]:
    """What beats what, in sentences."""
    if "gains" not in right:
        return []
    found = [gain_words(name, gain) for name, gain in right["gains"].items()]
    return [*found, gain_words("share", right["confidence_gain"], "The confidence from votes alone")]


def _outcomes(dataset: Dataset, prior: Prior) -> list[Outcome]:
    """From a bare majority to all votes."""
    asked = dataset.raters
    return [
        Outcome(votes, expected_share(prior, votes, asked), rounded_down(majority_probability(prior, votes, asked), 4))
        for votes in range(dataset.default_agreement, asked + 1)
    ]


def confidence_object(dataset: Dataset) -> Mapping[str, Any]:
    """The report as ``DatasetConfidenceOut`` of the API."""
    report = dataset.confidence.report
    why_not = dataset.confidence.why_not(dataset.title)
    return {
        "method": report.get("method"),
        "why_not": None if why_not is None else f"{why_not}.",
        "prior": report.get("prior"),
        "fitted": report.get("fitted", 0),
        "corrections": {
            str(agreement): {
                "n": dataset.confidence.at_least(agreement, 0.0),
                "at_least": {f"{one.least:g}": one.n for one in levels(dataset, agreement)},
            }
            for agreement in dataset.agreements
        },
        "right": right_of(dataset) or {"why_not": "no_opinion", "sources": []},
    }
