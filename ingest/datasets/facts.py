"""Facts about a dataset that pages print unchanged, as JSON texts and sentences."""

import json
from collections.abc import Mapping
from decimal import Decimal

from app.domain.confident_learning.flag_choice import percent
from app.domain.confident_learning.joint import COUNTING_RULES, FlagRule
from app.schema.slice_tables import SLICES
from ingest.flagging.engine import FlagResult
from ingest.manifest.about import About

NO_LABELS = (
    "The given labels of all examples are not here, so no corrected test set can be made and classes have no counts."
)
NO_MATRIX = (
    "The predicted probabilities are not here, so margins, ranks, class thresholds and the confident joint cannot be "
    "shown; the flagged examples are those of the published list."
)
NO_INDEX = "The names of the examples are not here, so they go by their numbers only."
NO_WEIGHTS = "The weights of the linear model are not here, so no words are marked as speaking for a label."
NO_JOINT_OF_SETS = (
    "Examples with several labels have no normalized margin and no confident joint: they are ranked by "
    "self-confidence, pooled over the labels given or guessed."
)


def compact(value: object) -> str:
    """JSON without spaces and without escaped letters."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def about_json(about: About, slices: Mapping[str, object] | None = None, layout: str | None = None) -> str:
    """The manifest's information for readers: summary, model, citation, licence, notes, links and paper figures.

    ``layout`` is that of the media, by which a page reads a visitor's own copy of them.
    """
    return compact(
        {
            "summary": about.summary,
            "homepage": about.homepage,
            "model": about.model,
            "citation": about.citation,
            "bibtex": about.bibtex,
            "licence": about.licence.model_dump(),
            "notes": list(about.notes),
            "links": [link.model_dump() for link in about.links],
            "verdicts": None if about.verdicts is None else about.verdicts.model_dump(),
            "loader": None if about.loader is None else about.loader.model_dump(),
            "paper": None if about.paper is None else about.paper.model_dump(exclude={"differs"}),
            "differs": None if about.paper is None else about.paper.differs,
            **({} if layout is None else {"layout": layout}),
            **({} if slices is None else {SLICES: slices}),
        }
    )


def flag_sentence(flagging: FlagResult) -> str:
    """The flag rule used, as a sentence for readers."""
    n, size = flagging.n_flagged, len(flagging.labels)
    these = f"The {n:,} of {size:,} examples with the lowest normalized margin are flagged"
    if not isinstance(flagging.rule, FlagRule):
        if isinstance(flagging.rule, Decimal):
            return f"{these}; {percent(flagging.rule)} of the examples, rounded down, were asked for, not estimated."
        return f"{these}; the number was given, not estimated."
    if flagging.rule not in COUNTING_RULES:
        return f"{n:,} of {size:,} examples are flagged by the rule {flagging.rule.value.replace('_', ' ')}."
    share = flagging.facts()["rho"]
    rho = share[flagging.rule.value] if isinstance(share, dict) else 0.0
    off = "calibrated" if flagging.rule is FlagRule.CALIBRATED else "uncalibrated"
    return f"{these}: {100 * rho:.2f} % of the {off} confident joint lies off the diagonal."
