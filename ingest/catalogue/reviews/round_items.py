"""Choose the examples of a round from a catalogue, and say what is asked and shown of each."""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from app.reviews.questions import BOTH, NEITHER, Question, QuestionKind
from app.reviews.rounds import NewItem, Shelf
from app.schema import tables
from app.schema.packing import unpack_labels
from app.schema.prediction_report import labels_beside, report_of
from ingest.catalogue.reviews.plan import MOST_EXAMPLES, RoundPlan
from ingest.catalogue.reviews.plan_words import fewer_told, in_words
from ingest.catalogue.reviews.shown_media import there, to_show
from ingest.errors import CatalogueError
from ingest.manifest.parse import DATASETS, read_manifests

#: Votes for names of classes: with so many classes at most, a rater chooses among all of them.
_MOST_CHOICES: Final = 10
#: Exemplars of each class that are kept to be shown, and are never gold items.
_LEFT_TO_SHOW: Final = 2
#: Examples that an error names, of many.
_NAMED: Final = 3
_ON_SHELVES: Final = ("thumbnail", "image", "audio", "row", "excerpt")


@dataclass(frozen=True)
class Chosen:
    """The examples of a round, with what is shown of their classes, and what to tell who opens it.

    ``words`` says for readers which examples they are.
    """

    items: Sequence[NewItem]
    shelves: Mapping[int, Shelf]
    words: str
    told: Sequence[str] = field(default_factory=tuple)


def dataset_row(connection: Connection, name: str) -> Row[Any]:
    """A dataset's row. Raises CatalogueError, naming those there are."""
    d = tables.datasets
    row = connection.execute(select(d).where(d.c.name == name)).one_or_none()
    if row is None:
        known = ", ".join(connection.scalars(select(d.c.name).order_by(d.c.position)))
        raise CatalogueError(f"expected a dataset of the catalogue, found {name!r}; it holds {known}")
    return row


def choose(
    connection: Connection, dataset: Row[Any], plan: RoundPlan, beside: Mapping[int, Sequence[str]] | None = None
) -> Chosen:
    """The examples of a round by its plan. Raises CatalogueError where the plan does not fit the dataset.

    ``beside`` are names of classes, by example, that are asked about as well where examples have several labels.
    """
    return _Chooser(connection, dataset, plan, beside or {}).chosen()


class _Chooser:
    def __init__(
        self, connection: Connection, dataset: Row[Any], plan: RoundPlan, beside: Mapping[int, Sequence[str]]
    ) -> None:
        self._connection = connection
        self._beside = beside
        self._dataset = dataset
        self._plan = plan
        self._draw = random.Random(plan.seed)  # noqa: S311 - a sample, nothing secret
        c, s = tables.classes, tables.label_sets
        here = c.c.dataset_id == dataset.id
        self._names = {row.class_id: row.name for row in connection.execute(select(c).where(here))}
        sets = connection.execute(select(s).where(s.c.dataset_id == dataset.id))
        self._members = {row.label_id: tuple(json.loads(row.members)) for row in sets}
        self._options = json.loads(dataset.vote_options)
        self._kind, self._choices, self._words = self._asked()
        self._beside_twins = labels_beside(report_of(dataset.prediction_report))
        self._corrects = plan.corrects or _corrects(dataset.name)

    def chosen(self) -> Chosen:
        """All of it."""
        rows = self._rows()
        self._require_given_among_choices(rows)
        asked = [one for one in map(self._item, rows) if one is not None]
        if not asked:
            raise CatalogueError(
                f"{self._dataset.name}: expected examples to ask about, found none that the plan chooses"
            )
        told = list(fewer_told(self._plan, len(rows)))
        if skipped := len(rows) - len(asked):
            s = "s" if skipped != 1 else ""
            told.append(f"{skipped:,} example{s} left out: nothing to choose between, the guess is the given label")
        if bare := sum(not one.media for one in asked):
            told.append(f"{bare:,} of {len(asked):,} examples have no picture, text or sound in the catalogue to show")
        asked = self._with_repeats(asked)
        self._exemplars = self._read_exemplars(asked)
        gold = self._gold(asked)
        shelves = self._shelves(gold)
        return Chosen([*asked, *gold, *self._practice(asked, shelves)], shelves, in_words(self._plan, len(rows)), told)

    def _require_given_among_choices(self, rows: Sequence[Row[Any]]) -> None:
        """Whoever could not choose the given label would call each label an error."""
        without = [row for row in rows if not set(self._members[row.given]) <= set(self._choices)]
        if not self._choices or not without:
            return
        first = ", ".join(
            f"{row.idx} labelled {', '.join(self._names[one] for one in self._members[row.given])!r}"
            for row in without[:_NAMED]
        )
        more = f" and {len(without) - _NAMED:,} more" if len(without) > _NAMED else ""
        raise CatalogueError(
            f"{self._dataset.name}: expected the given label of each example among the choices, found examples {first}"
            f"{more}; add their classes to choices, or choose examples of one class with class"
        )

    def _asked(self) -> tuple[QuestionKind, tuple[int, ...], tuple[str, ...]]:
        """The kind of question, its choices, and the answers beside the classes."""
        plan, options = self._plan, self._options
        if not options or any(len(members) != 1 for members in self._members.values()):
            if plan.kind not in (None, "set"):
                raise CatalogueError(f"{self._dataset.name} has several labels an example: expected kind = 'set'")
            return "set", (), ()
        if plan.kind == "set":
            raise CatalogueError(f"{self._dataset.name} has one label an example: expected kind = 'pair' or 'options'")
        by_name = options[2:3] == ["other"]
        few = len(self._names) <= _MOST_CHOICES
        if plan.choices or plan.kind == "options" or (plan.kind is None and by_name and few):
            choices = tuple(map(self._class_id, plan.choices)) or tuple(sorted(self._names))
            if len(choices) > _MOST_CHOICES * 3:
                raise CatalogueError(f"expected choices, a short list of classes; {len(choices)} are too many to read")
            words = options[3:] if by_name else ([] if len(choices) == len(self._names) else [NEITHER])
            return "options", choices, tuple(words if plan.words is None else plan.words)
        words = [NEITHER, *options[3:]] if by_name else options[2:] or [BOTH, NEITHER]
        return "pair", (), tuple(words if plan.words is None else plan.words)

    def _class_id(self, name: str) -> int:
        found: list[int] = [class_id for class_id, known in self._names.items() if known == name]
        if len(found) != 1:
            raise CatalogueError(f"{self._dataset.name}: expected the name of a class, found {name!r}")
        return found[0]

    def _rows(self) -> Sequence[Any]:
        plan, i, v = self._plan, tables.issues.c, tables.verdicts.c
        columns = (i.id, i.idx, i.given, i.guessed, i.shown, i.url, i.excerpt, i.media)
        statement = select(*columns).where(i.dataset_id == self._dataset.id).order_by(i.id)
        if plan.class_ is not None:
            wanted = self._class_id(plan.class_)
            labels = [label for label, members in self._members.items() if wanted in members]
            statement = statement.where(i.given.in_(labels))
        if plan.category is not None:
            least = json.loads(self._dataset.agreements)[0]
            at = (v.dataset_id == self._dataset.id, v.agreement == least, v.category == plan.category.value)
            statement = statement.where(i.id.in_(select(v.issue_id).where(*at)))
        if plan.examples:
            found: dict[int, Any] = {}
            for start in range(0, len(plan.examples), 500):
                some = plan.examples[start : start + 500]
                found |= {row.idx: row for row in self._connection.execute(statement.where(i.idx.in_(some)))}
            lacking = [idx for idx in plan.examples if idx not in found]
            if lacking:
                expected = "expected examples that are flagged or reviewed, whose media are here"
                raise CatalogueError(f"{self._dataset.name}: {expected}, found {lacking[0]}, which is not")
            return list({idx: found[idx] for idx in plan.examples}.values())
        limit = plan.lowest or (None if plan.sample else MOST_EXAMPLES + 1)
        rows = self._connection.execute(statement.limit(limit) if plan.sample is None else statement).all()
        if plan.sample is not None:
            rows = self._draw.sample(rows, min(plan.sample, len(rows)))
        if len(rows) > MOST_EXAMPLES:
            raise CatalogueError(
                f"expected at most {MOST_EXAMPLES:,} examples in a round; choose with --lowest or --sample"
            )
        return rows

    def _item(self, row: Row[Any]) -> NewItem | None:
        given = self._members[row.given]
        other = self._other(row)
        guessed = None if other is None else self._members[other]
        eligible = guessed if self._corrects == "guessed" else None
        if self._kind == "set":
            named = map(self._class_id, self._beside.get(row.idx, ()))
            classes = tuple(dict.fromkeys((*given, *(guessed or ()), *named)))
        elif self._kind == "options":
            classes = self._choices
        else:
            classes = tuple(sorted({*given, *(guessed or ())}))
            if len(classes) != 2:
                return None
        if not classes:
            return None
        media = json.loads(row.media or "{}")
        if row.excerpt is not None:
            media.setdefault("excerpt", None)
        question = Question(self._kind, given, guessed, classes, self._words, eligible)
        return NewItem(row.idx, question, to_show(media), row.url)

    def _other(self, row: Row[Any]) -> int | None:
        """The label beside the given one: what reviewers were shown, or the guess, or that of a near-duplicate."""
        beside = self._beside_twins.get(row.idx) if row.shown is None and row.guessed == row.given else None
        return beside[0] if beside else row.guessed if row.shown is None else row.shown

    def _with_repeats(self, asked: list[NewItem]) -> list[NewItem]:
        n = round(self._plan.repeats * len(asked))
        again = set(self._draw.sample(range(len(asked)), n))
        return [
            NewItem(one.idx, one.question, one.media, one.url, repeated=place in again)
            for place, one in enumerate(asked)
        ]

    def _read_exemplars(self, asked: Sequence[NewItem]) -> dict[int, list[tuple[int, str]]]:
        """The exemplars that can be shown, the surest first, of the classes that are asked about or given."""
        classes = {one for item in asked for one in (*item.question.classes, *item.question.given)}
        classes |= {one for item in asked for one in item.question.guessed or ()}
        e = tables.exemplars.c
        columns = (e.class_id, e.idx, e.media, e.excerpt)
        rows = self._connection.execute(
            select(*columns).where(e.dataset_id == self._dataset.id).order_by(e.class_id, e.position)
        )
        found: dict[int, list[tuple[int, str]]] = {class_id: [] for class_id in sorted(classes)}
        for row in rows:
            media = there(row)
            kind = next((kind for kind in _ON_SHELVES if kind in media), None)
            # Of questions a class is the letter of an option, of which no other question is typical.
            if kind is not None and row.class_id in found and "question" not in media:
                found[row.class_id].append((row.idx, kind))
        return found

    def _shelves(self, gold: Sequence[NewItem]) -> dict[int, Shelf]:
        """What is shown of each class: no gold item, which would be known again as typical of its class.

        A class that gold items are taken from shows no fewer than others, or its shelf would tell them.
        """
        hidden, most = {one.idx for one in gold}, self._plan.exemplars
        shown = {c: [one for one in known if one[0] not in hidden] for c, known in self._exemplars.items()}
        most = min([most, *(len(kept) for c, kept in shown.items() if len(kept) < len(self._exemplars[c]))])
        return {class_id: Shelf(self._names[class_id], tuple(kept[:most])) for class_id, kept in shown.items()}

    def _gold(self, asked: Sequence[NewItem]) -> list[NewItem]:
        """Exemplars as examples whose label is sure, the least sure of each class: nothing tells them from others.

        They have the media that others have, and the other class is one that this class is confused with in the round.
        """
        n_gold = round(self._plan.gold / (1 - self._plan.gold) * len(asked))
        if not n_gold:
            return []
        if self._kind == "set":
            raise CatalogueError("gold items need questions with one answer: expected gold = 0 with kind = 'set'")
        usual = Counter(one.media for one in asked).most_common(1)[0][0]
        sure = []  # with how many of their class are left, the more the better
        for class_id, known in self._exemplars.items():
            if not self._others(class_id, asked):
                continue
            for place in range(_LEFT_TO_SHOW, len(known)):
                item = self._known(known[place][0], class_id, asked, gold=True)
                sure += [(place, item)] if item.media == usual else []
        if n_gold > len(sure):
            finding = (
                f"{n_gold} exemplars as gold items beside {_LEFT_TO_SHOW} of each class to show, found {len(sure)}"
            )
            raise CatalogueError(f"{self._dataset.name}: expected {finding}; ask for a smaller share")
        self._draw.shuffle(sure)
        return [item for _, item in sorted(sure, key=lambda one: -one[0])[:n_gold]]

    def _practice(self, asked: Sequence[NewItem], shelves: Mapping[int, Shelf]) -> list[NewItem]:
        """Exemplars to practise on, whose answer is told."""
        if self._kind == "set":
            return self._practice_of_sets()
        shown = [(idx, class_id) for class_id, shelf in shelves.items() for idx, _ in shelf.exemplars[::-1]]
        shown = [(idx, class_id) for idx, class_id in shown if self._others(class_id, asked)]
        chosen = self._draw.sample(shown, min(self._plan.practice, len(shown)))
        return [self._known(*one, asked, gold=False) for one in chosen]

    def _practice_of_sets(self) -> list[NewItem]:
        """Exemplars whose labels are all asked about, each with one class more, which it does not carry."""
        known = {idx: self._labels_of(idx) for shelf in self._exemplars.values() for idx, _ in shelf}
        fitting = [idx for idx, labels in sorted(known.items()) if set(labels) < set(self._exemplars)]
        chosen = self._draw.sample(fitting, min(self._plan.practice, len(fitting)))
        found = []
        for idx in chosen:
            other = self._draw.choice(sorted(set(self._exemplars) - set(known[idx])))
            question = Question("set", known[idx], None, (*known[idx], other), ())
            found.append(NewItem(idx, question, self._media_of(idx), practice=True))
        return found

    def _labels_of(self, idx: int) -> tuple[int, ...]:
        """The given labels of an example."""
        x = tables.examples.c
        here = (x.dataset_id == self._dataset.id, x.start <= idx)
        block = self._connection.execute(select(x.start, x.labels).where(*here).order_by(x.start.desc()).limit(1)).one()
        return self._members[int(unpack_labels(block.labels)[idx - block.start])]

    def _media_of(self, idx: int) -> tuple[str, ...]:
        """The kinds of media to show of an exemplar."""
        e = tables.exemplars.c
        here = (e.dataset_id == self._dataset.id, e.idx == idx)
        row = self._connection.execute(select(e.media, e.excerpt).where(*here).limit(1)).one()
        return to_show(there(row))

    def _others(self, class_id: int, asked: Sequence[NewItem]) -> list[int]:
        """The classes that one can be taken for: those that it is beside in the round, as often; else any."""
        if self._choices:
            return [one for one in self._choices if one != class_id] if class_id in self._choices else []
        beside = [set(item.question.classes) - {class_id} for item in asked if class_id in item.question.classes]
        return [one for classes in beside for one in sorted(classes)] or [c for c in self._exemplars if c != class_id]

    def _known(self, idx: int, class_id: int, asked: Sequence[NewItem], *, gold: bool) -> NewItem:
        classes = self._choices
        if self._kind == "pair":
            classes = tuple(sorted((class_id, self._draw.choice(self._others(class_id, asked)))))
        question = Question(self._kind, (class_id,), None, classes, self._words)
        return NewItem(idx, question, self._media_of(idx), gold=gold, practice=not gold)


def _corrects(name: str) -> str:
    """Which classes reviewers can correct a label to: "any", unless a manifest of the release says "guessed"."""
    return next((one.votes.corrects for one in read_manifests(DATASETS) if one.name == name), "any")
