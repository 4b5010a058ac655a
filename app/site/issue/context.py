"""Template context of an issue's page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from app.catalogue.access import notice
from app.catalogue.media_gaps import sentence
from app.catalogue.possible_categories import category_word
from app.catalogue.records import ClassInfo, Dataset, Issue, IssueDetail, VoteFor
from app.domain.review.corrections import action
from app.issues.filter import IssueFilter
from app.site.components.captions import badge, caption, label_name
from app.site.components.cards import EMPTY, elsewhere, picture, sound
from app.site.components.charts import share_bar, vote_bar
from app.site.components.finding import finding
from app.site.components.missing_pictures import copy_of, lacks_pictures
from app.site.components.question_cards import cut, option_name, question_caption, whole_question
from app.site.components.row_values import MEANING, row_values
from app.site.components.youtube import clip_of
from app.site.issue.exemplars import LABEL_BESIDE
from app.site.issue.highlight import highlight
from app.web.templates import issue_path, media_prefix, media_url

#: The side, in pixels, to which smaller pictures are enlarged, with square pixels.
_LARGE: Final = 560
#: The height, in pixels, above which a picture is scaled down, so that the text about it fits beside it.
_HIGHEST: Final = 720
_ANSWERS: Final = {
    "given": "given label",
    "guessed": "guessed label",
    "both": "both labels",
    "neither": "neither label",
}
#: The longest option in a table, in characters.
_LONGEST_OPTION: Final = 80
#: The guess that reviewers were shown, if the model now guesses another label.
_GUESSED_THEN: Final = "label guessed then"


class NamedClass(NamedTuple):
    """A class and the query string of the issues with this given label."""

    name: str
    query: str


def issue_context(
    dataset: Dataset,
    f: IssueFilter,
    detail: IssueDetail,
    neighbours: tuple[int | None, int | None],
    choices: Sequence[tuple[str, int]],
) -> dict[str, Any]:
    """The template context of an issue within the filter ``f``, with the models' ``choices`` of a class for it."""
    previous, following = neighbours
    issue = detail.issue
    clip = clip_of(issue.url)
    query = f.query(dataset)
    exhibit, medium = _exhibit(dataset, detail, choices)
    question = issue.question
    guessed = option_name(question, issue.guessed) if issue.guessed else None
    shown = option_name(question, issue.alternative) if issue.alternative else None
    now_guessed = guessed if issue.guess_not_shown else None
    corrected = option_name(question, issue.corrected) if issue.corrected else None
    given = option_name(question, issue.given)
    sentence_ = finding(dataset, issue)
    return {
        "dataset": dataset,
        "issue": issue,
        "issue_agreement": f.agreement,
        "detail": detail,
        "query": query,
        "finding": sentence_,
        "finding_text": sentence_.striptags(),
        "exhibit": exhibit,
        "medium": medium,
        "lacking": lacks_pictures(dataset),
        "copy": copy_of(dataset),
        "reading": _reading(highlight(detail.text, detail.spans) if detail.text is not None else issue.excerpt),
        "meaning": MEANING if any(value.unusual for value in issue.row or ()) else None,
        "elsewhere": elsewhere(issue.url) if issue.url and clip is None else "",
        "clip": clip,
        # Visitors who have the clip itself here need no other host for it.
        "offers_player": clip is not None and exhibit != "audio",
        "notice": notice(dataset),
        "absence": sentence(dataset, issue.idx) if exhibit == "plain" else None,
        "caption": _caption(issue, exhibit, given, shown, corrected, now_guessed),
        "judge": None if question is None else question.judge,
        "given_name": given,
        "guessed_name": guessed,
        "shown_name": shown,
        "corrected_name": corrected,
        "votes": _votes(dataset, detail),
        "twins": _twins(dataset, issue.idx),
        "verdicts": [
            (
                v.agreement,
                badge(v.category, word=category_word(dataset, v.category)),
                option_name(question, v.corrected) if v.corrected else None,
                action(v.category).value,
            )
            for v in detail.verdicts
        ],
        "thresholds": _thresholds(issue),
        "bars": _bars(dataset, detail, f),
        "previous_url": None if previous is None else issue_path(dataset, previous, query),
        "next_url": None if following is None else issue_path(dataset, following, query),
        "json_url": f"/api/v1/datasets/{dataset.name}/issues/{issue.idx}{_agreement(dataset, f)}",
        "original_url": _original(dataset, issue),
    }


def _caption(
    issue: Issue, exhibit: str, given: str, shown: str | None, corrected: str | None, now_guessed: str | None
) -> Markup:
    """The category; with the labels where nothing else can be looked at, for the headline says them too.

    The votes stand in a table beside it.
    """
    if issue.question is not None:
        return question_caption(issue, issue.question)
    if exhibit != "plain":
        return badge(issue.category, issue.consensus)
    return caption(issue.category, given, shown, corrected, None, issue.consensus, None, now_guessed)


def _twins(dataset: Dataset, index: int) -> list[tuple[int, str, float]]:
    """(index, given label, similarity) of near-duplicates with another given label."""
    report = dataset.prediction_report
    found = () if report is None else report.twins_of(index)
    return [(other, label_name(dataset.labels[given]), similarity) for other, given, similarity in found]


def _agreement(dataset: Dataset, f: IssueFilter) -> str:
    return "" if f.agreement == dataset.default_agreement else f"?agreement={f.agreement}"


def _exhibit(dataset: Dataset, detail: IssueDetail, choices: Sequence[tuple[str, int]]) -> tuple[str, Markup]:
    issue, media = detail.issue, detail.issue.media or {}
    if kind := next((k for k in ("image", "thumbnail") if k in media), None):
        width, height = _enlarged(*media[kind])
        if width > media[kind][0]:
            address = media_url(dataset, issue, kind)
            return "image pixels", picture(address, width, height, f"Example {issue.idx}", lazy=False)
        return "image", _photograph(dataset, issue, kind, media)
    if "audio" in media:
        base, silent = f"{media_prefix(dataset)}{issue.idx}", issue.idx in dataset.silent
        return "audio", sound(base, media, issue.idx, spectrum=True, silent=silent)
    if issue.question is not None:
        return "question", whole_question(issue.question, issue, choices)
    if issue.row is not None:
        return "row", row_values(issue.idx, issue.row)
    if detail.text is not None or issue.excerpt is not None:
        return "text", Markup("")
    return "plain", Markup("")


def _enlarged(width: int, height: int) -> tuple[int, int]:
    """The size to show a picture at: a whole multiple of its own size near ``_LARGE``, so pixels stay square."""
    times = max(1, _LARGE // max(width, height, 1))
    return width * times, height * times


def _photograph(dataset: Dataset, issue: Issue, kind: str, media: Mapping[str, list[int]]) -> Markup:
    """A large picture, at most as high as the screen, that links to its full size."""
    address, (width, height) = media_url(dataset, issue, kind), media[kind]
    times = min(1.0, _HIGHEST / max(height, 1))
    shown = max(1, round(width * times)), max(1, round(height * times))
    sources = ""
    small = media.get("thumbnail")
    if kind == "image" and small and small[0] < width:
        # The widths are those of the files; how wide the picture is on a page follows from the columns in site.css.
        sources = (
            f' srcset="{media_url(dataset, issue, "thumbnail")} {small[0]}w, {address} {width}w"'
            f' sizes="(min-width: 62rem) min({shown[0]}px, min(100vw, 88rem) - 25rem), min({shown[0]}px, 92vw)"'
        )
    return Markup(  # noqa: S704 - numbers and our own addresses
        f'<a class="full" href="{address}"><img src="{address}"{sources} width="{shown[0]}" height="{shown[1]}"'
        f' alt="Example {issue.idx}, in full" decoding="async"></a>'
    )


def _original(dataset: Dataset, issue: Issue) -> str | None:
    media = issue.media or {}
    kind = next((k for k in ("image", "text", "audio", "row", "question") if k in media), None)
    return media_url(dataset, issue, kind) if kind else None


def _votes(dataset: Dataset, detail: IssueDetail) -> list[tuple[str, str, int, Markup]]:
    """(answer, the label it stands for, votes, a mark for each) for every answer, in the order of the options."""
    return [
        (
            *(_answer(detail.issue, vote) if dataset.vote_options else (vote.word, _role(detail.issue, vote))),
            vote.n,
            vote_bar(((vote.option, vote.n),)) if vote.n else Markup(""),
        )
        for vote in detail.votes
    ]


def _answer(issue: Issue, vote: VoteFor) -> tuple[str, str]:
    """The words of an answer, and the one class that it names."""
    words = vote.word if vote.classes is None else _ANSWERS.get(vote.option, "another label")
    if vote.option == "guessed" and issue.guess_changed:
        words = _GUESSED_THEN
    if vote.option == "guessed" and issue.shown_beside:
        words = LABEL_BESIDE
    return words, vote.classes[0].name if vote.classes and vote.option not in ("both", "neither") else ""


def _reading(text: str | None) -> str | None:
    return EMPTY if text is not None and not text.strip() else text


def _role(issue: Issue, vote: VoteFor) -> str:
    labels = (("given", issue.given), (_role_of_shown(issue), issue.shown))
    return " and ".join(word for word, label in labels if label and set(vote.classes or ()) & set(label.classes))


def _role_of_shown(issue: Issue) -> str:
    """What the label was that reviewers were shown beside the given one."""
    return "near-duplicate" if issue.shown_beside else "guessed then" if issue.guess_changed else "guessed"


def _thresholds(issue: Issue) -> list[tuple[str, ClassInfo]]:
    if issue.question is not None:
        return []  # that of the third option says nothing of this question
    labels = (("the given label", issue.given), ("the guessed label", issue.guessed))
    found = {c.id: (role, c) for role, label in reversed(labels) if label for c in label.classes}
    return [entry for entry in found.values() if entry[1].threshold is not None][::-1]


def _bars(
    dataset: Dataset, detail: IssueDetail, f: IssueFilter
) -> list[tuple[NamedClass, Markup, float, tuple[str, ...]]]:
    issue = detail.issue
    shown = list(detail.top_probs)
    # The given label is what the others are compared with: it has its bar even if it is not among the first.
    if (
        shown
        and issue.self_confidence is not None
        and len(issue.given.classes) == 1
        and issue.given.classes[0] not in [c for c, _ in shown]
    ):
        shown.append((issue.given.classes[0], issue.self_confidence))
    rows = []
    for class_, p in shown:
        roles = tuple(
            word
            for word, label in (
                ("given", issue.given),
                ("guessed", issue.guessed),
                (_role_of_shown(issue), issue.shown if issue.guess_not_shown else None),
                ("corrected", issue.corrected),
            )
            if label and class_ in label.classes
        )
        kind = "given-fill" if "given" in roles else "guessed-fill" if "guessed" in roles else ""
        query = IssueFilter(agreement=f.agreement, given=class_.id).query(dataset)
        name = class_.name if issue.question is None else cut(issue.question.option(class_.id), _LONGEST_OPTION)
        rows.append(
            (NamedClass(name, query if issue.question is None else ""), share_bar(round(1000 * p), kind), p, roles)
        )
    return rows
