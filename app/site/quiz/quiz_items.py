"""Draw the questions of a quiz: examples that reviewers corrected, and examples whose label they confirmed."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset, Issue, Label
from app.domain.review.verdicts import Category
from app.issues import queries
from app.issues.filter import IssueFilter
from app.site.components.captions import label_name, vote_sentence
from app.site.components.cards import card
from app.site.components.finding import finding
from app.site.stability.predictions import choices_for
from app.web.templates import issue_path

QUESTIONS: Final = 10
#: The issues of each kind that questions are drawn from, most suspicious first.
_DRAWN_FROM: Final = 400


class Question(NamedTuple):
    """An example, the two labels to choose between, and what is told afterwards."""

    kind: str
    medium: Markup
    choices: tuple[str, str]  # in alphabetical order, so that the order tells nothing
    given: str
    right: str  # the label that reviewers see
    finding: Markup
    votes: str
    models: str | None  # what the dataset's models predict of it
    href: str
    idx: int


def offers_quiz(dataset: Dataset) -> bool:
    """Whether a dataset has corrected and confirmed examples, with one label each, to ask of."""
    kinds = dataset.categories.get(dataset.default_agreement, {})
    return not dataset.multi_label and min(kinds.get(c, 0) for c in (Category.CORRECTABLE, Category.NON_ERROR)) > 0


def questions(catalogue: Catalogue, dataset: Dataset, seed: int) -> list[Question]:
    """Ten questions, about half of them of wrong labels, the same for a seed; fewer if there are not as many.

    Only examples that can be seen or read here are asked of.
    """
    rng = random.Random(seed)  # noqa: S311 - a draw of questions, no secret
    wrong, right = (_askable(catalogue, dataset, c) for c in (Category.CORRECTABLE, Category.NON_ERROR))
    drawn = rng.sample(wrong, min(len(wrong), QUESTIONS // 2 + rng.randint(-1, 1)))
    drawn += rng.sample(right, min(len(right), QUESTIONS - len(drawn)))
    rng.shuffle(drawn)
    return [_question(catalogue, dataset, issue) for issue in drawn]


def _askable(catalogue: Catalogue, dataset: Dataset, category: Category) -> Sequence[Issue]:
    def read() -> list[Issue]:
        f = IssueFilter(agreement=dataset.default_agreement, category=(category.value,))
        found = queries.issue_page(catalogue, dataset, f, _DRAWN_FROM).items
        return [one for one in found if one.alternative is not None and card(dataset, one).kind in ("image", "text")]

    askable: Sequence[Issue] = catalogue.pages.get(("askable", dataset.id, category), read)
    return askable


def _question(catalogue: Catalogue, dataset: Dataset, issue: Issue) -> Question:
    second = issue.corrected or issue.alternative or issue.given
    given, other = label_name(issue.given), label_name(second)
    shown = card(dataset, issue)
    choices = sorted((given, other))
    votes = vote_sentence(tuple((issue.votes or {}).items()), given, other)
    right = other if issue.category is Category.CORRECTABLE else given
    href = issue_path(dataset, issue.idx)
    models = _models(choices_for(catalogue, dataset, issue.id), issue.given, second)
    return Question(
        shown.kind,
        shown.medium,
        (choices[0], choices[1]),
        given,
        right,
        finding(dataset, issue),
        votes,
        models,
        href,
        issue.idx,
    )


def _models(choices: Sequence[tuple[str, int]], given: Label, other: Label) -> str | None:
    """How many models predict each of the two labels: "Of 13 models, 1 predicts frog, 0 cat"; None without any."""
    if not choices:
        return None
    chosen = Counter(class_id for _, class_id in choices)
    most, least = sorted((given, other), key=lambda label: -chosen[label.id])
    of = f"Of {len(choices)} models" if len(choices) != 1 else "Of one model"
    predict = "predicts" if chosen[most.id] == 1 else "predict"
    return f"{of}, {chosen[most.id]} {predict} {label_name(most)}, {chosen[least.id]} {label_name(least)}"
