"""The page of a corrected test set: choose a policy, see its effect on every example, download the files.

Counts come from the domain's set sizes and hashes from the files themselves. No rule is stated here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from app.catalogue.current import Catalogue, current
from app.catalogue.possible_categories import is_possible
from app.catalogue.records import Dataset
from app.corrected.formats import Format
from app.corrected.policy import ExportOptions, offers
from app.domain.confidence.hundredths import spell_hundredths
from app.domain.opinions.stances import SIGN_OF, Stance
from app.domain.review.corrections import TREATMENTS, Action, Rule, Treatment, decision, sizes
from app.domain.review.verdicts import Category
from app.errors import Busy, NotInCatalogue
from app.issues import queries
from app.issues.filter import IssueFilter
from app.issues.reviewed.rater_agreement import categories_under, rater_agreement
from app.openapi.page_parameters import OF_CORRECTED, of_this_site
from app.site.components.captions import badge
from app.site.components.cards import card_wall, cards_on_a_page
from app.site.components.charts import sets_bar
from app.site.corrected.changes.pages import recent_changes
from app.site.corrected.croissant import structured_data
from app.site.corrected.downloads import HASHED_AT_ONCE, checksum
from app.site.corrected.label_rows import corrections, has_keys
from app.site.corrected.request import offered_here, open_request, wanted_of
from app.site.share.badges import badge_width, summary
from app.web.plain_route import PlainRoute
from app.web.templates import render
from app.web.urls import base_url

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

_PREVIEWED: Final = 12
#: Least confidences to choose from.
_LEAST: Final = (0.8, 0.9, 0.95, 0.99)
_NUMBERS: Final = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_TREATMENT_WORDS: Final = {
    Treatment.DROP: "leave out",
    Treatment.GIVEN: "keep the given label",
    Treatment.BOTH: "give both labels",
}
_RULE_WORDS: Final = {
    Rule.VOTES: "count votes",
    Rule.DAWID_SKENE: "weigh them (Dawid-Skene)",
}
_FIXED: Final = {
    Action.CORRECTED: "get the label that {} on",
    Action.KEPT: "keep the given label",
    Action.REMOVED: "are left out",
}
_ORDER: Final = (
    Category.CORRECTABLE,
    Category.MULTI_LABEL,
    Category.NEITHER,
    Category.NON_AGREEMENT,
    Category.NOT_ASKED,
    Category.NON_ERROR,
    Category.UNREVIEWED,
)


@dataclass(frozen=True, slots=True)
class Row:
    """A category in the table of effects: how many examples, and which treatments can be chosen for them."""

    name: str
    badge: Markup
    count: int
    action: Action
    choices: tuple[tuple[str, str, bool], ...]  # (value, words, chosen); empty if there is no choice
    fixed: str  # what happens, in words, if there is no choice


@dataclass(frozen=True, slots=True)
class Download:
    """A file to download."""

    form: Format
    path: str
    fixed: str  # the same for this version, whose bytes never change
    file_name: str
    sha256: str | None


@router.get("/{name}/corrected")
def corrected(request: Request, name: str) -> HTMLResponse:
    """The page of the corrected test set under a policy."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    wanted = wanted_of(of_this_site(request, OF_CORRECTED), dataset)
    counts = categories_under(catalogue, dataset, wanted.policy)
    found = None
    if dataset.n_shown is not None:
        found = sizes(dataset.n_shown, counts, wanted.policy, corrections(dataset, wanted.policy))
    downloads, refusal = _downloads(request, dataset, wanted)
    by_votes = replace(wanted, policy=replace(wanted.policy, rule=Rule.VOTES))
    recent = recent_changes(request, dataset, by_votes)
    agreement = rater_agreement(catalogue, dataset)
    query = wanted.query(dataset.default_agreement)
    return render(
        request,
        "corrected.html",
        dataset=dataset,
        tab="corrected",
        structured_data=structured_data(request, dataset),
        badge_width=badge_width(f"{dataset.title} test set", summary(dataset)),
        wanted=wanted,
        agreements=[(a, a == wanted.policy.agreement) for a in dataset.agreements],
        rules=_rules(wanted) if agreement is not None and agreement.weighed else [],
        is_paper=wanted == ExportOptions(type(wanted.policy)(dataset.default_agreement)),
        rows=[_row(dataset, category, wanted, counts) for category in _ORDER if is_possible(category, dataset)],
        others=None if dataset.n_shown is None else dataset.n_shown - sum(counts.values()) - dataset.n_unlisted,
        opinion_choices=_opinion_choices(dataset, wanted),
        sure_choices=_sure_choices(dataset, wanted),
        sizes=found,
        bar=sets_bar(found) if found and found.all else "",
        downloads=downloads,
        refusal=refusal,
        recent=recent,
        sets=dataset.multi_label or wanted.policy.multi_label is Treatment.BOTH,
        preview=_preview(catalogue, dataset, wanted),
        preview_query=_preview_query(dataset, wanted),
        of_rows=_NUMBERS[sum(download.form.lists_rows for download in downloads)],
        api=f"/api/v1/datasets/{name}",
        **_snippets(request, catalogue, dataset, wanted, downloads),
        query="?" + query if query else "",
        json_url=f"/api/v1/datasets/{name}/corrected.json" + ("?" + query if query else ""),
    )


def _rules(wanted: ExportOptions) -> list[tuple[str, str, bool]]:
    """The rules to choose from, where the dataset offers more than one."""
    return [(rule.value, words, rule is wanted.policy.rule) for rule, words in _RULE_WORDS.items()]


def _opinion_choices(dataset: Dataset, wanted: ExportOptions) -> list[tuple[str, str, int, int]]:
    """Name and title of each second opinion, how many corrections it confirms, and of how many."""
    counts = dataset.opinions.corrections.get(wanted.policy.agreement, {})
    confirming = SIGN_OF[Stance.GUESSED]
    return [
        (source.name, source.title, sum(n for signs, n in counts.items() if signs[place] == confirming), counts_of)
        for place, source in enumerate(dataset.opinions.sources)
        for counts_of in (sum(counts.values()),)
    ]


def _sure_choices(dataset: Dataset, wanted: ExportOptions) -> list[tuple[str, str, int, int, bool]]:
    """A few least confidences and the one chosen: value, words, how many corrections have so much, of how many."""
    if not dataset.confidence.known:
        return []
    agreement, chosen = wanted.policy.agreement, wanted.policy.confidence
    offered_here = sorted({*_LEAST, *([] if chosen is None else [chosen])})
    of = sum(dataset.confidence.corrections.get(agreement, {}).values())
    spelled = [(spell_hundredths(least), least) for least in offered_here]
    return [
        (word, f"{word} or more", dataset.confidence.at_least(agreement, least), of, least == chosen)
        for word, least in spelled
    ]


def _settled(dataset: Dataset) -> str:
    """Who settled a label, as the words before "on"."""
    return "the expert settled" if dataset.raters == 1 else "reviewers agreed"


def _row(dataset: Dataset, category: Category, wanted: ExportOptions, counts: Mapping[Category, int]) -> Row:
    # Flagged examples that are not issues here cannot be told from the rest, so every policy keeps their labels.
    unlisted = dataset.n_unlisted if category is Category.UNREVIEWED else 0
    done = decision(category, wanted.policy, issue=not unlisted)
    offered_here = () if unlisted else offers((), removed=False).get(category.value, ())
    chosen = wanted.policy.treatment(category) if category in TREATMENTS else None
    return Row(
        name=category.value,
        badge=badge(category),
        count=counts.get(category, 0) + unlisted,
        action=done.action,
        choices=tuple((value, _TREATMENT_WORDS[Treatment(value)], value == chosen) for value in offered_here),
        fixed=_by_opinions(dataset, category, wanted) or _FIXED[done.action].format(_settled(dataset)),
    )


def _by_opinions(dataset: Dataset, category: Category, wanted: ExportOptions) -> str:
    """What becomes of the correctable examples where second opinions decide, in words."""
    found = corrections(dataset, wanted.policy) if category is Category.CORRECTABLE else None
    settled = _settled(dataset)
    return (
        "; ".join(f"{found[action]:,} {words.format(settled)}" for action, words in _FIXED.items() if found[action])
        if found
        else ""
    )


def _downloads(request: Request, dataset: Dataset, wanted: ExportOptions) -> tuple[list[Download], str | None]:
    pairs = wanted.pairs()
    try:
        taken = open_request(request, dataset.name, pairs)
    except (NotInCatalogue, Busy) as error:
        return [], error.detail
    with taken.connection:
        hashed = dataset.size is not None and dataset.size <= HASHED_AT_ONCE
        return [
            Download(
                form,
                _path(dataset, form, wanted),
                taken.path(form),
                taken.file_name(form),
                checksum(request, taken, form) if hashed else None,
            )
            for form in offered_here(taken)
        ], None


def _snippets(
    request: Request, catalogue: Catalogue, dataset: Dataset, wanted: ExportOptions, downloads: list[Download]
) -> dict[str, Any]:
    """The values for the code snippets. A loader that joins by key is left out if examples have no keys here."""
    loader = dataset.about.get("loader")
    by_key = loader is not None and loader["join"] == "key"
    if by_key and not has_keys(catalogue.connection, dataset.id):
        loader, by_key = None, False
    site, bare = base_url(request), ExportOptions(wanted.policy).query(dataset.default_agreement)
    return {
        "site": site,
        "address": f"{site}/api/v1/datasets/{dataset.name}/corrected",
        "bare": "?" + bare if bare else "",
        "loader": loader,
        "by_key": by_key,
        "files": {download.form.suffix: download for download in downloads},
    }


def _path(dataset: Dataset, form: Format, wanted: ExportOptions) -> str:
    query = (wanted if form.lists_rows else ExportOptions(wanted.policy)).query(dataset.default_agreement)
    return f"/api/v1/datasets/{dataset.name}/corrected.{form.suffix}" + ("?" + query if query else "")


def _changed(wanted: ExportOptions) -> tuple[str, ...]:
    done = {category: decision(category, wanted.policy).action for category in Category}
    return tuple(category.value for category in _ORDER if done[category] is Action.CORRECTED)


def _preview(catalogue: Catalogue, dataset: Dataset, wanted: ExportOptions) -> Markup:
    if wanted.policy.rule is not Rule.VOTES:
        return Markup("")  # the gallery knows verdicts by votes
    f = _previewed(wanted)
    page = queries.issue_page(catalogue, dataset, f, cards_on_a_page(dataset, _PREVIEWED))
    if not page.items:
        return Markup("")
    return card_wall(dataset, page.items, f.query(dataset))


def _preview_query(dataset: Dataset, wanted: ExportOptions) -> str:
    return f"/{dataset.name}?{_previewed(wanted).query(dataset)}"


def _previewed(wanted: ExportOptions) -> IssueFilter:
    """The issues that get another label; where more than votes is asked for, those that have it."""
    source = wanted.policy.confirmed_by
    opinion = () if source is None else (f"confirmed:{source}",)
    policy = wanted.policy
    return IssueFilter(
        agreement=policy.agreement, category=_changed(wanted), opinion=opinion, confidence=policy.confidence
    )
