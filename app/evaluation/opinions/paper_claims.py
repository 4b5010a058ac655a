"""What the paper claims in words, beside what the data say: less to review, systematic errors, top-5, capacity.

A claim has no printed digits to match, so each says what is measured for it, and when that counts as the same. A claim
that does not come out differs, with the reason; it is no fault of the program.
"""

import json
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any, Final

from sqlalchemy import Connection, select

from app.domain.controls.confused_pairs import PAIRS, Concentration, can_tell, concentration
from app.domain.ranking.evidence import turns
from app.domain.review.verdicts import Category
from app.evaluation.evaluate import read_results
from app.evaluation.opinions.capacity_claim import CONFIRMED, CORRECTED, KEPT, Claim, OnSet, Standing, capacity_claim
from app.evaluation.opinions.opinions_store import read_reviewed
from app.evaluation.paper_figures import (
    Comparison,
    LoadedDataset,
    Outcome,
    loaded_datasets,
    title_of,
    why_absent,
    why_no_models,
)
from app.evaluation.stability import too_few
from app.schema.opinions import controls as stored_controls

#: The name of the table on the page and in the command.
TABLE: Final = "claims"
_IMAGES: Final = ("mnist", "cifar10", "cifar100", "caltech256", "imagenet", "quickdraw")
_TEN: Final = (*_IMAGES, "20news", "imdb", "amazon", "audioset")
#: Datasets with more ordered pairs of classes, and more corrections, than the pairs that are counted.
_SYSTEMATIC: Final = ("cifar10", "cifar100", "caltech256", "imagenet", "quickdraw", "20news")
#: Datasets whose models the paper ranks.
_RANKED: Final = ("imagenet", "cifar10")
_LESS: Final = 90
_SURE: Final = 0.05
_THRESHOLDS: Final = (3, 4, 5)


def compare_claims(connection: Connection) -> list[Comparison]:
    """Every claim, in the order of the paper."""
    loaded = loaded_datasets(connection)
    return [
        *(_lower_capacity(connection, name, loaded.get(name)) for name in _RANKED),
        *(_systematic(connection, name, loaded.get(name)) for name in _SYSTEMATIC),
        _less_to_review(loaded),
        *_rankings(connection, loaded.get("imagenet")),
    ]


def _lower_capacity(connection: Connection, name: str, at: LoadedDataset | None) -> Comparison:
    """The claim holds where capacity correlates negatively with right predictions on C, and controls do not undo it."""
    title = title_of(at, name)
    words = (
        f"{title}, corrected labels: “lower capacity models may be practically more useful”: Kendall's τ of the number "
        "of parameters and right predictions"
    )
    place, published = "Abstract", "below 0"
    found = None if at is None else _controls(connection, at)
    claim = None if found is None else capacity_claim(found)
    computed = None if claim is None else _tau(claim.on(CORRECTED))
    if found is None or claim is None or computed is None:
        absent = why_no_models(at, name) if found is None else _no_capacity(title, found)
        return Comparison(TABLE, place, words, published, None, Outcome.NOT_LOADED, absent)
    note = capacity_note(claim, found["capacity"]["known"])
    outcome = Outcome.SAME if claim.standing is Standing.SURVIVES else Outcome.DIFFERS
    return Comparison(TABLE, place, words, published, computed, outcome, claim.because, note)


def capacity_note(claim: Claim, known: int) -> str:
    """What the claim about capacity was tested on: the interval of each set that decides it."""
    said = [f"On {claim.on(CORRECTED).n:,} corrected examples, of {known} models whose number of parameters is known."]
    for one in claim.sets:
        tau = _tau(one)
        if tau is not None and one.name == KEPT:
            said.append(f"On {one.n:,} flagged examples whose label was kept, right meaning the guess, it is {tau}.")
        elif tau is not None and one.name.startswith(CONFIRMED):
            said.append(f"On the {one.n:,} corrections {one.name} it is {tau}.")
    return " ".join(said)


def _controls(connection: Connection, at: LoadedDataset) -> dict[str, Any] | None:
    c = stored_controls.c
    where = (c.dataset_id == at.id, c.agreement == at.agreements[0])
    text = connection.scalar(select(c.results).where(*where))
    return None if text is None else dict(json.loads(text))


def _no_capacity(title: str, found: Mapping[str, Any]) -> str:
    if found["capacity"] is None:
        return f"The number of parameters of too few models of {title} is known."
    few = too_few(found[CORRECTED]["n"])
    return f"It is {few}." if few else "Resampled examples give it no interval."


def _tau(one: OnSet) -> str | None:
    if one.tau is None or one.interval is None:
        return None
    return f"{one.tau:.2f} ({one.interval[0]:.2f} to {one.interval[1]:.2f})"


def _less_to_review(loaded: Mapping[str, LoadedDataset]) -> Comparison:
    """The claim holds where in at least half of the ten datasets so many examples are not flagged."""
    words, published = "Per cent of the examples that nobody has to review, “often as much as”", str(_LESS)
    shares = {}
    for name in _TEN:
        row = loaded[name].row if name in loaded else None
        if row is not None and row["size"] and row["n_flagged"] is not None:
            shares[str(row["title"])] = 100 * (1 - row["n_flagged"] / row["size"])
    if len(shares) < len(_TEN):
        few = f"It is of all ten datasets; this catalogue knows of {len(shares)} how many examples were flagged."
        return Comparison(TABLE, "Section 3", words, published, None, Outcome.NOT_LOADED, few)
    n = sum(share >= _LESS for share in shares.values())
    often = 2 * n >= len(shares)
    listed = ", ".join(f"{title} {share:.1f}" for title, share in shares.items())
    note = f"The median. It is {_LESS} or more for {n} of the {len(shares)}: {listed}."
    outcome = Outcome.SAME if often else Outcome.DIFFERS
    reason = None if often else f"It is {_LESS} or more for fewer than half of the datasets."
    return Comparison(TABLE, "Section 3", words, published, f"{median(shares.values()):.1f}", outcome, reason, note)


def _systematic(connection: Connection, name: str, at: LoadedDataset | None) -> Comparison:
    """The claim holds where wrong labels gather in fewer pairs of classes than shuffled ones do."""
    title = title_of(at, name)
    words = f"{title}: wrong labels are “systematic mislabeling, not just random noise”"
    found = None if at is None else _concentration(connection, at)
    if found is None:
        return Comparison(TABLE, "Section 2", words, "systematic", None, Outcome.NOT_LOADED, _uncorrected(at, name))
    holds = found.p < _SURE
    computed = f"{100 * found.share:.1f} %, shuffled {100 * found.shuffled:.1f} %, p = {found.p:.3f}"
    note = (
        f"The share of {found.n:,} corrections that are one of the {PAIRS} most frequent pairs of classes. It says "
        "that wrong labels are not random alone, not that most are systematic."
    )
    reason = None if holds else "The data do not tell: shuffled labels often gather as much."
    outcome = Outcome.SAME if holds else Outcome.DIFFERS
    return Comparison(TABLE, "Section 2", words, "systematic", computed, outcome, reason, note)


def _concentration(connection: Connection, at: LoadedDataset) -> Concentration | None:
    reviewed = read_reviewed(connection, at.id, at.agreements[0])
    corrected = reviewed.having(Category.CORRECTABLE)
    if not corrected.any():
        return None
    found = concentration(reviewed.given[corrected], reviewed.other[corrected])
    return found if can_tell(found.share, found.shuffled) else None


def _uncorrected(at: LoadedDataset | None, name: str) -> str:
    if at is None:
        return why_absent(at, name)
    return f"The corrections of {title_of(at, name)} that are here have too few different pairs of classes."


def _rankings(connection: Connection, at: LoadedDataset | None) -> Iterator[Comparison]:
    """The ranking of ImageNet's models on its corrected examples, by first choices and by the first five."""
    for top, published in (("top1", "below 0"), ("top5", "not below 0")):
        for agreement in _THRESHOLDS:
            results = None if at is None else read_results(connection, at.id, agreement)
            yield _ranking(results, top, published, agreement, why_no_models(at, "imagenet"))


def _ranking(results: Mapping[str, Any] | None, top: str, published: str, agreement: int, absent: str) -> Comparison:
    """A reversal is one where the interval of tau lies below 0, and only there."""
    words = (
        f"ImageNet, {agreement} of 5 agreeing: Kendall's τ of the rankings by given and by corrected labels, "
        f"{top.replace('top', 'top-')}"
    )
    place = "Appendix C"
    tau = None if results is None else results["agreement_of_rankings"]["correctable"][top]
    if tau is None or tau["kendall"] is None or tau["intervals"]["kendall"] is None:
        few = None if results is None else too_few(results["sizes"]["C"])
        return Comparison(TABLE, place, words, published, None, Outcome.NOT_LOADED, f"It is {few}." if few else absent)
    low, high = tau["intervals"]["kendall"]
    computed = f"{tau['kendall']:.2f} ({low:.2f} to {high:.2f})"
    turned = results is not None and turns(results["sizes"]["C"], (low, high))
    if turned == (published == "below 0"):
        return Comparison(TABLE, place, words, published, computed, Outcome.SAME, None)
    reason = "Its 95 % interval lies below 0." if turned else "Its 95 % interval does not lie below 0."
    return Comparison(TABLE, place, words, published, computed, Outcome.DIFFERS, reason)
