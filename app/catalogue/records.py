"""Immutable records returned by reads, named as the pages and the API name them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from app.catalogue.table_row import Question, RowValue
from app.domain.review.estimates import Basis, basis
from app.domain.review.verdicts import Category
from app.evaluation.opinions.confidence_infos import NO_CONFIDENCE, DatasetConfidence
from app.evaluation.opinions.opinion_infos import NO_OPINIONS, DatasetOpinions
from app.schema.held_back import HeldBack, content_version
from app.schema.prediction_report import PredictionReport

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class of a dataset."""

    id: int
    name: str
    n_examples: int | None
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Label:
    """A label set: one class, or, in a dataset with many labels an example, any number of them."""

    id: int
    classes: tuple[ClassInfo, ...]

    @property
    def name(self) -> str:
        """The names of its classes, apart by a dot, for names have commas; "(no label)" for the empty set."""
        return " · ".join(c.name for c in self.classes) or "(no label)"


@dataclass(frozen=True, slots=True)
class Source:
    """A file a dataset was built from."""

    path: str
    role: str
    sha256: str
    bytes: int


@dataclass(frozen=True, eq=False)
class Dataset:
    """Everything about a dataset that is small enough to be held in memory."""

    id: int
    name: str
    title: str
    position: int
    modality: str
    sample: bool
    size: int | None
    multi_label: bool  # some example carries a set of labels that is not one class
    labels_known: bool
    n_flagged: int | None
    n_checked: int
    n_flagged_checked: int  # of the flagged; reviewers may have seen others too, which an earlier model flagged
    n_errors: int
    n_issues: int
    n_guesses_changed: int  # checked examples for which the model now guesses another label than reviewers were shown
    estimated_errors: int | None
    percent_error: float | None
    agreements: tuple[int, ...]
    raters: int
    vote_options: tuple[str, ...]
    flag_rule: str | None
    confident_learning: Mapping[str, Any] | None
    prediction_report: PredictionReport | None  # how the probabilities were made; None if that is not known
    about: Mapping[str, Any]
    missing: tuple[str, ...]
    version: str
    built_at: str
    classes: tuple[ClassInfo, ...]
    labels: Mapping[int, Label]
    categories: Mapping[int, Mapping[Category, int]]  # agreement -> category -> issues, unreviewed included
    sources: tuple[Source, ...]
    media_report: Mapping[str, Any] | None  # what ingest tells of the media (see ingest.datasets.media.report)
    models: tuple[str, ...]  # "platform/name" of those whose predictions are known, in order
    opinions: DatasetOpinions = field(default=NO_OPINIONS, kw_only=True)
    confidence: DatasetConfidence = field(default=NO_CONFIDENCE, kw_only=True)
    restricted: bool = field(default=False, kw_only=True)  # opened for everyone: only what its licence lets them see

    @cached_property
    def held_back(self) -> HeldBack | None:
        """What open rounds hold back of it now; None where nothing is, and for who may see all."""
        return HeldBack.of(self.about)

    @property
    def n_shown(self) -> int | None:
        """The examples of the test set but for those that are held back; None where it is not known how many."""
        return None if self.size is None else self.size - (0 if self.held_back is None else self.held_back.examples)

    @property
    def content_version(self) -> str:
        """The version of the labels that can be taken now: another than ``version`` where some are held back."""
        return content_version(self.version, self.held_back)

    @property
    def media_terms(self) -> str:
        """What the licence says of the media: "host", "local", "link" or "none"; the last where it says nothing."""
        return str((self.about.get("licence") or {}).get("media") or "none")

    @cached_property
    def broken(self) -> Mapping[int, str]:
        """What is wrong with the media that are damaged, by index of the example; the first few hundred of them."""
        return {int(idx): str(why) for idx, why in (self.media_report or {}).get("problems", ())}

    @cached_property
    def silent(self) -> frozenset[int]:
        """The examples in whose sounds nothing is heard, by index."""
        return frozenset(map(int, (self.media_report or {}).get("silent", ())))

    @property
    def ranked(self) -> bool:
        """Whether the model says how suspect each issue is: whether its predicted probabilities were here."""
        return self.flag_rule is not None

    @property
    def n_non_errors(self) -> int:
        return self.n_checked - self.n_errors

    @property
    def n_unreviewed(self) -> int:
        """Issues that wait for review; as many at every agreement threshold."""
        return self.categories.get(self.default_agreement, {}).get(Category.UNREVIEWED, 0)

    @property
    def n_waiting(self) -> int:
        """Flagged examples that nobody has checked, also where it is not known here which they are."""
        return max(self.n_unreviewed, (self.n_flagged or 0) - self.n_flagged_checked)

    @property
    def n_unlisted(self) -> int:
        """Flagged examples that are no issues here, for nobody has checked them and which they are is not known."""
        return self.n_waiting - self.n_unreviewed

    @property
    def basis(self) -> Basis:
        """What the number of errors rests on; where it is that of those found, nothing was extrapolated."""
        as_found = self.n_guesses_changed or self.estimated_errors == self.n_errors > 0
        return basis(self.n_waiting, same_model=not as_found)

    @property
    def n_models(self) -> int:
        return len(self.models)

    @property
    def default_agreement(self) -> int:
        """The lowest agreement threshold offered: a bare majority, as in the paper."""
        return self.agreements[0]

    @cached_property
    def class_ids(self) -> Mapping[str, int]:
        """Names that belong to one class only -> its id."""
        return _unique((c.name, c.id) for c in self.classes)

    @cached_property
    def folded_class_ids(self) -> Mapping[str, int]:
        """As ``class_ids``, without regard to capitals."""
        return _unique((c.name.casefold(), c.id) for c in self.classes)

    @cached_property
    def labels_with(self) -> Mapping[int, tuple[int, ...]]:
        """Class id -> ids of the labels that have this class."""
        found: dict[int, list[int]] = {c.id: [] for c in self.classes}
        for label in self.labels.values():
            for member in label.classes:
                found[member.id].append(label.id)
        return {class_id: tuple(sorted(ids)) for class_id, ids in found.items()}

    def label(self, label_id: int | None) -> Label | None:
        """The label of an id, None for None."""
        return None if label_id is None else self.labels[label_id]


def _unique(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    repeated = set()
    for name, class_id in pairs:
        if name in found:
            repeated.add(name)
        found[name] = class_id
    return {name: class_id for name, class_id in found.items() if name not in repeated}


class IssueRow(NamedTuple):
    """An issue as the catalogue holds it: labels by id, categories, votes and media as text, a Boolean as 0 or 1. The
    names are those of ``Issue``; ``selection`` reads a column for each, so a name more is a column more.
    """

    id: int
    idx: int
    key: str | None
    given: int
    guessed: int | None
    shown: int | None
    corrected: int | None
    category: str | None
    consensus: str | None
    votes: str | None
    flagged: int
    self_confidence: float | None
    normalized_margin: float | None
    rank: int | None
    url: str | None
    excerpt: str | None
    media: str | None
    opinions: str | None
    confidence: float | None
    probability_right: float | None
    position: int


class Issue(NamedTuple):
    """A flagged or reviewed example, as a card shows it. A tuple, because a page makes dozens of them a millisecond."""

    id: int
    idx: int
    key: str | None
    given: Label
    guessed: Label | None  # by the model that is here
    shown: Label | None  # what reviewers were shown as the guess; None where nobody looked
    corrected: Label | None
    category: Category  # at the agreement threshold asked for
    consensus: str | None
    votes: Mapping[str, int] | None  # option, or class name, -> count; None where nobody looked
    flagged: bool
    self_confidence: float | None
    normalized_margin: float | None
    rank: int | None
    url: str | None
    excerpt: str | None
    media: Mapping[str, list[int]] | None  # kind -> [width, height]
    opinions: str | None  # what second opinions say, a letter each (see app.schema.opinions); None where nobody looked
    confidence: float | None  # that a majority of unlimited raters would correct it so; None unless it is corrected
    probability_right: float | None  # that the correction is right, by what second opinions teach; None without
    position: int  # its place in the order of the page, what a cursor holds
    row: tuple[RowValue, ...] | None = None  # where examples are rows of a table
    question: Question | None = None  # where they are multiple-choice questions
    shown_beside: bool = False  # reviewers were shown the label of a near-duplicate and not a guess

    @property
    def guess_not_shown(self) -> bool:
        """Whether the model guesses another label than reviewers were shown."""
        return self.shown is not None and self.guessed is not None and self.shown.id != self.guessed.id

    @property
    def guess_changed(self) -> bool:
        """The same where reviewers were shown the guess of an earlier model."""
        return self.guess_not_shown and not self.shown_beside

    @property
    def alternative(self) -> Label | None:
        """The label beside the given one that there was to choose: the guess that reviewers were shown, if any were."""
        return self.guessed if self.shown is None else self.shown


@dataclass(frozen=True, slots=True)
class VoteFor:
    """An answer that reviewers could give, and how many did."""

    option: str  # what it is counted as in ``Issue.votes``
    word: str
    classes: tuple[ClassInfo, ...] | None  # that it names, () for none of them; None for a word that names no class
    n: int


@dataclass(frozen=True, slots=True)
class VerdictAt:
    """What the votes say at one agreement threshold."""

    agreement: int
    category: Category
    corrected: Label | None


@dataclass(frozen=True, slots=True)
class IssueDetail:
    """An issue with all there is to know of it."""

    issue: Issue
    row: IssueRow  # what it was read from
    votes: tuple[VoteFor, ...]  # in the order to show; empty where nobody looked
    verdicts: tuple[VerdictAt, ...]  # one a threshold offered; empty where nobody looked
    top_probs: tuple[tuple[ClassInfo, float], ...]  # largest first; empty without a matrix
    doubting: tuple[int, tuple[str, ...]] | None  # models that guess another label, of which; None of one model
    text: str | None  # the whole text of a text example
    #: (begin, end, share) of the words of ``text`` that speak for the guessed label, above 0, or for the given, below.
    spans: tuple[tuple[int, int, float], ...]
    seconds: float | None  # the length of an audio snippet


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list and the cursors of its neighbours, None where there is none."""

    items: Sequence[T]
    total: int
    before: str | None
    after: str | None
    first: int | None = None  # how many items stand before its own; None if that is not known


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """How many issues with one given label have one other label instead."""

    given: ClassInfo
    other: ClassInfo  # corrected or guessed class
    count: int
