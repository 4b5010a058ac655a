"""Response models of the API, for its documentation.

``app.site.gallery.api`` writes answers of these models.
"""

from typing import Annotated

from pydantic import BaseModel, Field

from app.domain.review.estimates import Basis
from app.openapi.held_back_out import HeldBackField
from app.openapi.model import Count, LabelOut, Model
from app.openapi.opinion_models import ConfidenceOut, SecondOpinionOut
from app.openapi.rater_agreement_out import RaterAgreementOut, WeighedOut
from app.openapi.terms_out import TermsOut

Fraction = Annotated[float, Field(ge=0, le=1)]


class CategoryCounts(Model):
    """Errors by category at one agreement threshold; null if reviewers had no such choice."""

    correctable: Count | None
    multi_label: Count | None
    neither: Count | None
    non_agreement: Count | None
    not_asked: Count | None = Field(default=None, description="Of no category; only where a round stopped there.")


class DatasetLinks(Model):
    self: str
    page: str
    issues: str
    classes: str
    corrected: str | None = Field(description="Corrected test set as CSV; null where the given labels are not loaded.")
    prediction_report: str | None = Field(description="How probabilities were predicted; null where it is not known.")


class MediaOut(Model):
    """How many issues have their picture, text or sound in this catalogue."""

    issues: Count = Field(description="Issues whose medium is kept.")
    of: Count = Field(description="All issues.")
    shown: str = Field(description="What of them is shown to you by their terms: whole, excerpts or nothing.")


class DatasetOut(Model):
    """A dataset and what was found in its test set."""

    name: str
    title: str
    modality: str = Field(description="image, text, audio, tabular or question")
    sample: bool = Field(description="Planted errors and simulated raters, made to try the site with.")
    size: Count | None = Field(description="Examples in the test set.")
    classes: Count = Field(description="Number of classes.")
    flagged: Count | None = Field(description="Examples that confident learning flagged.")
    checked: Count = Field(description="Examples that reviewers looked at.")
    checked_of_flagged: Count = Field(description="Flagged examples that reviewers looked at.")
    errors: Count = Field(description="Checked examples whose given label reviewers did not keep.")
    non_errors: Count
    guesses_changed: Count = Field(description="Checked examples whose guess is no longer the one reviewers saw.")
    unreviewed: Count = Field(
        description="Flagged examples that wait for review, flagged - checked_of_flagged. Where it is not known which "
        "they are, they are not among the issues."
    )
    estimated_errors: Count | None = Field(
        description="flagged x errors / checked, over the flagged examples, and the errors found beside them. Where "
        "the model now guesses other labels than reviewers were shown, the errors found. Null where no flagged example "
        "was checked."
    )
    basis: Basis = Field(
        description='What estimated_errors rests on: "counted" where every flagged example was checked, "estimated" '
        'where those that were checked stand for the others, "at least" where nothing does.'
    )
    percent_error: float | None = Field(description="100 x estimated_errors / size.")
    categories: dict[str, CategoryCounts] = Field(description="By agreement threshold.")
    agreements: list[int]
    rater_agreement: RaterAgreementOut | None = Field(description="Null where nobody has reviewed anything.")
    flag_rule: str | None
    missing: list[str] = Field(description="What is not in this catalogue, in sentences.")
    media: MediaOut | None = Field(description="Null where no distribution of the dataset was read.")
    version: str
    built_at: str
    terms: TermsOut
    links: DatasetLinks
    held_back: HeldBackField = None


class DatasetList(Model):
    items: list[DatasetOut]
    next: str | None
    total: Count


class ClassOut(Model):
    """A class, how many examples have it, and its issues by role of the label."""

    id: Count
    name: str
    examples: Count | None
    threshold: float | None = Field(description="t_j of confident learning (Eq. 1 of the paper).")
    issues: dict[str, Count] = Field(description='Issues by role: "given", "guessed", "corrected".')


class ClassList(Model):
    items: list[ClassOut]
    next: str | None
    total: Count
    limit: Count
    most: Count
    held_back: HeldBackField = None


Labels = LabelOut | list[LabelOut]


class IssueLinks(Model):
    self: str
    page: str
    media: dict[str, str] = Field(description="Addresses by kind: image, thumbnail, text, audio, waveform.")
    source: str | None = Field(description="Where the example stands elsewhere.")


class IssueOut(Model):
    """A flagged or reviewed example. In multi-label datasets, labels are lists."""

    index: Count = Field(description="Index in the test set.")
    key: str | None = Field(description="The dataset's own name of the example.")
    given: Labels
    guessed: Labels | None = Field(description="By the model that flags now.")
    reviewed_guess: Labels | None = Field(description="The guess that reviewers were shown; null where nobody looked.")
    corrected: Labels | None = Field(description="The label that reviewers agreed on, guessed or not.")
    category: str = Field(description="At the agreement threshold asked for.")
    consensus: str | None = Field(description="The answer most reviewers gave, as a word.")
    votes: dict[str, Count] | None
    self_confidence: float | None
    normalized_margin: float | None
    rank: int | None = Field(description="1 = lowest normalized margin of all examples.")
    flagged: bool
    opinions: dict[str, str] | None = Field(description="Second opinions by source; null where nobody looked.")
    confidence: Fraction | None = Field(
        description="Probability that a majority of unlimited raters would make this correction, by the votes alone. "
        "Null unless it is corrected."
    )
    probability_right: Fraction | None = Field(
        description="Probability that the correction is right, learnt from second opinions on others. Null without."
    )
    links: IssueLinks


class AnswerOut(Model):
    """An answer that reviewers could give, the classes it names, and how many reviewers gave it."""

    answer: str
    classes: list[LabelOut] | None = Field(description="Empty for none of them; null for a word that names no class.")
    votes: Count


class VerdictOut(Model):
    category: str
    corrected: Labels | None


class ProbabilityOut(Model):
    id: Count
    name: str
    probability: float


class PredictionOut(Model):
    """What a stored model predicts for an example: its first choice."""

    platform: str
    name: str
    predicted: LabelOut | None = Field(description="Null where it gave no answer.")


class PredictingOut(Model):
    """How many of the stored models predict a label of an issue as their first choice."""

    of: Count = Field(description="Stored models.")
    given: Count
    corrected: Count | None = Field(description="Null where reviewers did not correct the label.")


class DoubtingOut(Model):
    """How many of the models whose mean probabilities are used guess another label than the given one."""

    of: list[str] = Field(description="The models.")
    doubting: Count


class RowValueOut(Model):
    """A value in a row of a table, null where it is missing."""

    column: str
    value: float | str | None
    unusual: str | None = Field(description="What is unusual about it for the given label, if anything.")


class QuestionOut(Model):
    """A multiple-choice question; class 0 is its first option, ``judge`` the words of its one judge."""

    text: str
    options: list[str]
    judge: dict[str, str] | None


class IssueDetailOut(IssueOut):
    """An issue with its verdict at every threshold, its top predicted probabilities and its text."""

    answers: list[AnswerOut] = Field(description="What reviewers said; empty where nobody looked.")
    verdicts: dict[str, VerdictOut] = Field(description="By agreement threshold.")
    weighed: WeighedOut | None = Field(description="Null unless it is known who gave each vote.")
    top_probabilities: list[ProbabilityOut]
    doubting_models: DoubtingOut | None = Field(description="Null where one model is used.")
    models: list[PredictionOut] = Field(description="Stored models' first choices; empty without any.")
    models_predicting: PredictingOut | None = Field(description="Null without stored models.")
    second_opinions: list[SecondOpinionOut]
    confidence_basis: ConfidenceOut | None = Field(description="Null without a confidence.")
    text: str | None
    question: QuestionOut | None = Field(description="Where examples are multiple-choice questions, else null.")
    row: list[RowValueOut] | None = Field(description="Where examples are rows of a table, else null.")
    terms: TermsOut


class IssueList(Model):
    items: list[IssueOut]
    next: str | None = Field(description="Address of the next page, null on the last one.")
    total: Count = Field(description="Issues that match the filter.")
    limit: Count
    most: Count = Field(description="The largest limit.")
    held_back: HeldBackField = None


class RowOut(Model):
    """An example of a corrected test set. In multi-label datasets, labels are lists."""

    index: Count = Field(description="Index in the original test set.")
    key: str | None = Field(description="The dataset's own name of the example.")
    given: Labels
    corrected: Labels | None = Field(description="Null where the example is removed.")
    action: str = Field(description="kept, corrected or removed")
    category: str
    confidence: float | None = Field(
        default=None, description="How sure a correction is, null of anything else. Only with ``confidences=include``."
    )
    probability_right: float | None = Field(default=None, description="That it is right, likewise.")
    opinions: dict[str, str | None] = Field(
        default={},
        description="What each second opinion holds, null if nobody reviewed it. Only with ``opinions=include``.",
    )


class PolicyOut(Model):
    """A policy with all its values; ``rule`` in place of ``agreement`` where votes are weighed."""

    agreement: Count | None = None
    rule: str | None = None
    multi_label: str
    neither: str
    non_agreement: str
    unreviewed: str
    confirmed_by: str = Field(default="", description="Not there without a second opinion that is asked.")
    opposed: str = ""
    confidence: float | None = Field(default=None, description="Not there where no confidence is asked for.")
    removed: str
    opinions: str = Field(default="", description="Not there unless rows say what second opinions hold.")
    confidences: str = Field(default="", description="Not there unless rows say how sure corrections are.")


class SizesOut(Model):
    """Sizes of the sets D, B, C, U and P of section 5 of the paper, under the policy."""

    all: Count
    benign: Count
    correctable: Count
    unknown: Count
    pruned: Count


class RowList(Model):
    items: list[RowOut]
    next: str | None
    total: Count = Field(description="Rows on all pages.")
    limit: Count
    most: Count = Field(description="The largest limit.")
    policy: PolicyOut
    sizes: SizesOut
    version: str
    held_back: HeldBackField = None


class LabelList(Model):
    items: list[RowOut]
    next: str | None
    total: Count
    policy: PolicyOut
    version: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str


class GoneProblem(Problem):
    """What has become of a version that is no longer kept."""

    since: str = Field(description="When it became the current one.")
    until: str = Field(description="When the next one came.")
    current: str = Field(description="The same of the current version.")
    changes: str = Field(description="What changed since, as JSON.")
