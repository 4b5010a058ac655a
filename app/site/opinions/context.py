"""Template context of the page of second opinions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset, Issue
from app.domain.opinions.stances import CATEGORIES, Stance, Support
from app.domain.review.verdicts import Category
from app.issues import queries
from app.issues.filter import IssueFilter
from app.issues.filter_parameters import CONFIDENCE, SUSPICION
from app.site.components.captions import badge
from app.site.components.cards import card_wall
from app.site.components.charts import share_bar
from app.site.opinions.issue_opinions import second_opinions

_SHOWN: Final = 12
#: Opposed corrections that are read to find the most opposed ones.
_READ: Final = 400
#: The order of the opposed corrections in words, by whether the opinion counts raters, and the filter's order.
_DOUBT: Final = {
    (True, SUSPICION): ", and most of its people for the given label come first",
    (False, f"-{CONFIDENCE}"): ", and those that fewest votes support come first",
    (False, SUSPICION): "",
}


def opinions_context(
    catalogue: Catalogue, dataset: Dataset, agreement: int, report: Mapping[str, Any]
) -> dict[str, Any]:
    """The template context at an agreement threshold."""
    infos = dataset.opinions.sources
    return {
        "sources": [
            _source(catalogue, dataset, agreement, one, infos[place].about)
            for place, one in enumerate(report["sources"])
        ],
        "differing": _differing(dataset, agreement),
        "stances": list(Stance),
        "at_agreement": "" if agreement == dataset.default_agreement else f"agreement={agreement}&",
        "agreements": [(a, "" if a == dataset.default_agreement else f"?agreement={a}") for a in dataset.agreements],
    }


def _source(
    catalogue: Catalogue, dataset: Dataset, agreement: int, found: Mapping[str, Any], about: Mapping[str, Any]
) -> dict[str, Any]:
    corrections = found["table"][Category.CORRECTABLE.value]
    n = sum(corrections.values())
    counted = dataset.opinions.sources[dataset.opinions.places[found["name"]]].counted
    # Where the opinion counts nobody, the doubt is that of the votes.
    doubted = f"-{CONFIDENCE}" if dataset.confidence.known and not counted else SUSPICION
    opposed = IssueFilter(agreement=agreement, opinion=(f"opposed:{found['name']}",), sort=doubted)
    return {
        **found,
        "about": about,
        "n": n,
        "confirmed": corrections["guessed"],
        "opposed": corrections["given"],
        "spoken": n - corrections["silent"],
        "rows": [
            (badge(c), found["table"][c.value], sum(found["table"][c.value].values()))
            for c in CATEGORIES
            if c.value in found["table"]
        ],
        "votes": [(one, share_bar(round(1000 * (one["share"] or 0)), "votes-fill")) for one in found["by_votes"]],
        "wall": _most_opposed(catalogue, dataset, opposed, found["name"]),
        "opposed_query": opposed.query(dataset),
        "doubt": _DOUBT[counted, doubted],
        "confirmed_query": opposed.but(sort=SUSPICION, opinion=(f"confirmed:{found['name']}",)).query(dataset),
        "examples": [_missed(dataset, one) for one in found["missed"]["examples"]],
    }


def _most_opposed(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, name: str) -> Markup:
    """The corrections that most of a source's raters oppose, or, where it counts none, those in the filter's order."""
    counted = dataset.opinions.sources[dataset.opinions.places[name]].counted
    issues: Sequence[Issue] = queries.issue_page(catalogue, dataset, f, _READ if counted else _SHOWN).items
    if not issues:
        return Markup("")
    if counted:
        issues = sorted(issues, key=lambda issue: -_share_of_given(catalogue, dataset, issue, name))
    return card_wall(dataset, issues[:_SHOWN], f.query(dataset))


def _share_of_given(catalogue: Catalogue, dataset: Dataset, issue: Issue, name: str) -> float:
    (found,) = (one for one in second_opinions(catalogue, dataset, issue) if one.source.name == name)
    weights = {class_.id: weight for class_, weight in found.classes}
    return weights.get(issue.given.id, 0) / max(1, sum(weights.values()))


def _missed(dataset: Dataset, found: Mapping[str, Any]) -> tuple[int, str, str, float | None]:
    names = dataset.classes
    held = " · ".join(names[class_id].name for class_id in found["held"])
    return found["index"], names[found["given"]].name, held, found["share"]


def _differing(dataset: Dataset, agreement: int) -> tuple[int, str]:
    """How many corrections some sources confirm and others oppose, and the query that lists them."""
    counts = dataset.opinions.corrections.get(agreement, {})
    n = sum(times for signs, times in counts.items() if dataset.opinions.support(signs) is Support.DIFFER)
    return n, IssueFilter(agreement=agreement, opinion=(Support.DIFFER.value,)).query(dataset)
