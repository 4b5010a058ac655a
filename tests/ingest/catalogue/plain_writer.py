"""The rows of a dataset, one issue after the other: slow, obvious, and without an array that is not needed.

What ingest writes block by block must be these rows. Only what was read from files is taken from ingest, and the
formulas of ``app.domain``; nothing that orders, counts, ranks or formats.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from app.domain.confidence.beta_binomial import Prior, fit_prior, majority_probability
from app.domain.review.verdicts import Category
from app.schema.packing import pack_keys, pack_labels
from app.schema.tables import EXAMPLES_PER_BLOCK, issue_id
from ingest.datasets.load import Inputs
from ingest.datasets.suspects.sort_orders import disagreement
from ingest.labels.vote_files import Review
from ingest.media import MediaItem, MediaProblem, MediaSource, excerpt

Row = dict[str, Any]
LabelSet = tuple[int, ...]


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class PlainWriter:
    """The tables of one dataset that grow with its issues, as lists of rows."""

    def __init__(self, inputs: Inputs, dataset_id: int, media: MediaSource | None = None) -> None:
        self.inputs, self.dataset_id = inputs, dataset_id
        self.reviews = {review.index: review for review in inputs.reviews}
        self.agreements = inputs.manifest.agreements
        self.flagging = inputs.flagging or inputs.set_flagging
        self.flagged = set(self.reviews if self.flagging is None else map(int, self.flagging.flagged))
        self.indices = sorted({*self.reviews, *self.flagged})
        self.margins = dict(self._margins())
        self.scores = dict(self._scores())
        self.label_ids = self._label_ids()
        self.order = sorted(self.indices, key=self._suspicion)
        self.position = {index: position for position, index in enumerate(self.order)}
        self.sizes: dict[int, dict[str, list[int]]] = {}
        self.texts: dict[int, str] = {}
        self.media = list(self._media(media))

    def rows(self) -> dict[str, list[Row]]:
        """Table -> its rows."""
        return {
            "issues": list(self._issues()),
            "verdicts": list(self._verdicts()),
            "votes": list(self._votes()),
            "facets": list(self._facets()),
            "unreviewed": list(self._unreviewed()),
            "examples": list(self._examples()),
            "label_sets": list(self._label_sets()),
            "exemplars": list(self._exemplars()),
            "media": self.media,
            "issue_search": list(self._searches()),
        }

    def _margins(self) -> Iterator[tuple[int, float]]:
        """The margin of every example of the dataset; label sets have none."""
        if self.inputs.flagging is not None:
            own = self.inputs.flagging.scores.own.astype(float) - self.inputs.flagging.scores.other.astype(float)
            yield from enumerate(own.tolist())

    def _scores(self) -> Iterator[tuple[int, float]]:
        """What examples are ranked by: the margin, or for label sets their self-confidence."""
        if self.inputs.set_flagging is not None:
            yield from enumerate(self.inputs.set_flagging.self_confidence.tolist())
        yield from self.margins.items()

    def _suspicion(self, index: int) -> tuple[Any, ...]:
        review = self.reviews.get(index)
        confirmed = None if review is None else review.ballot.confirmations
        score = self.scores.get(index)
        return (score is None, score or 0.0, confirmed is None, confirmed or 0, index)

    def _ranks(self, numbers: Mapping[int, float | None], among: Sequence[int]) -> dict[int, int]:
        """The place of each index by its number, lowest first, those without a number last, then by index."""

        def key(index: int) -> tuple[bool, float, int]:
            number = numbers.get(index)
            return (number is None, 0.0 if number is None else number, index)

        return {index: place for place, index in enumerate(sorted(among, key=key))}

    def _label_ids(self) -> dict[LabelSet, int]:
        inputs = self.inputs
        found = {inputs.labels[index] for index in range(len(inputs.labels))} if inputs.labels is not None else set()
        for review in inputs.reviews:
            found |= {review.given, review.shown}
            for agreement in self.agreements:
                corrected = review.ballot.verdict(agreement).corrected
                found |= set() if corrected is None else {corrected}
        if inputs.guesses is not None:
            found |= {inputs.guesses[index] for index in self.indices}
        several = sorted(labels for labels in found if len(labels) != 1)
        singles: list[LabelSet] = [(class_id,) for class_id in range(len(inputs.classes))]
        return {labels: label_id for label_id, labels in enumerate([*singles, *several])}

    def _given(self, index: int) -> int:
        if index in self.reviews:
            return self.label_ids[self.reviews[index].given]
        assert self.inputs.labels is not None
        return self.label_ids[self.inputs.labels[index]]

    def _guessed(self, index: int) -> int | None:
        if self.inputs.guesses is not None:
            return self.label_ids[self.inputs.guesses[index]]
        return self.label_ids[self.reviews[index].shown]

    def _issues(self) -> Iterator[Row]:
        inputs = self.inputs
        by_margin = self._ranks(self.scores, self.indices)
        contested = {index: -disagreement(review.ballot.distributions) for index, review in self.reviews.items()}
        by_disagreement = self._ranks(contested, self.indices)
        ranks = self._ranks(self.scores, range(len(self.scores)))
        for position, index in enumerate(self.order):
            review = self.reviews.get(index)
            own = None if self.flagging is None else float(self.flagging.self_confidence[index])
            yield {
                "id": issue_id(self.dataset_id, position),
                "dataset_id": self.dataset_id,
                "idx": index,
                "key": None if inputs.keys is None else inputs.keys[index],
                "given": self._given(index),
                "guessed": self._guessed(index),
                "shown": None if review is None else self.label_ids[review.shown],
                "flagged": int(index in self.flagged),
                "self_confidence": own,
                "normalized_margin": self.margins.get(index),
                "doubting": self._doubting(index),
                "rank": ranks[index] + 1 if index in ranks else None,
                "by_margin": by_margin[index],
                "by_disagreement": by_disagreement[index],
                "votes": None if review is None else compact(dict(review.ballot.counts)),
                "vote_pattern": None if review is None else review.ballot.pattern,
                "consensus": None if review is None else review.ballot.consensus,
                "top_probs": self._top(index),
                "spans": self._spans(index),
                "url": self._url(index, review),
                "excerpt": excerpt(self.texts[index]) if index in self.texts else None,
                "media": compact(self.sizes[index]) if index in self.sizes else None,
            }

    def _doubting(self, index: int) -> int | None:
        matrix = self.inputs.matrix
        if matrix is None or not matrix.models:
            return None
        guesses = [int(np.argmax(member.rows(np.array([index]))[0])) for member in matrix.members]
        return sum(guess != self._given(index) for guess in guesses)

    def _top(self, index: int) -> list[tuple[int, float]] | None:
        """The most probable classes as they are published."""
        if self.inputs.matrix is None:
            return None
        row = self.inputs.matrix.rows(np.array([index]))[0]
        order = np.argsort(-row, kind="stable")[:5]
        return [(int(class_id), round(float(row[class_id]), 9)) for class_id in order]

    def _spans(self, index: int) -> str | None:
        if self.inputs.evidence is None or index not in self.texts:
            return None
        guessed = self._guessed(index)
        given = self._given(index)
        return compact(
            self.inputs.evidence.spans(index, self.texts[index], given, given if guessed is None else guessed)
        )

    def _url(self, index: int, review: Review | None) -> str | None:
        said = self.inputs.manifest.examples.urls
        if said == "index":
            return None if self.inputs.urls is None else self.inputs.urls[index]
        if said != "records" or review is None or review.url is None or not review.url.startswith("http"):
            return None
        scheme, _, rest = review.url.partition("://")
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host}{slash}{path.lstrip('/')}"

    def _verdict(self, index: int, agreement: int) -> tuple[str, int | None, str | None]:
        found = self.reviews[index].ballot.verdict(agreement)
        corrected = None if found.corrected is None else self.label_ids[found.corrected]
        return (
            found.category.value,
            corrected,
            compact(found.agreed) if found.category is Category.MULTI_LABEL else None,
        )

    def _asked_and_chosen(self, index: int, label: int) -> tuple[int, int]:
        """How many reviewers were asked, and how many of them named just the classes of a label."""
        (members,) = (members for members, label_id in self.label_ids.items() if label_id == label)
        ballot = self.reviews[index].ballot
        named = [vote.n for vote in ballot.votes if vote.classes is not None and tuple(sorted(vote.classes)) == members]
        return sum(vote.n for vote in ballot.votes), sum(named)

    def _questions(self) -> list[tuple[int, int]]:
        """How many reviewers were asked whether it is the other label, or a class, and how many said so."""
        found = []
        for index, review in self.reviews.items():
            if review.ballot.pattern is None:
                found += [(self.inputs.manifest.raters, vote.n) for vote in review.ballot.votes]
                continue
            corrected = [self._verdict(index, agreement)[1] for agreement in self.agreements]
            other = next((one for one in corrected if one is not None), self.label_ids[review.shown])
            if other != self._given(index):
                found.append(self._asked_and_chosen(index, other))
        return found

    def _confidence(self, index: int, corrected: int | None, prior: Prior | None) -> float | None:
        if corrected is None or prior is None:
            return None
        ballot = self.reviews[index].ballot
        if ballot.pattern is not None:
            asked, chosen = self._asked_and_chosen(index, corrected)
            return round(majority_probability(prior, chosen, asked), 6)
        (members,) = (members for members, label_id in self.label_ids.items() if label_id == corrected)
        product = 1.0
        for vote in ballot.votes:
            probability = majority_probability(prior, vote.n, self.inputs.manifest.raters)
            (class_id,) = vote.classes or ()
            product *= probability if class_id in members else 1 - probability
        return round(product, 6)

    def _confidences(self) -> dict[tuple[int, int], float]:
        """The confidence of each correction, by agreement threshold and index."""
        asked, chosen = np.array(self._questions(), np.int64).reshape(-1, 2).T
        one_rater = self.inputs.manifest.raters == 1
        prior = None if one_rater else fit_prior(chosen, asked)
        found = {}
        for index in self.reviews:
            for agreement in self.agreements:
                number = self._confidence(index, self._verdict(index, agreement)[1], prior)
                if number is not None:
                    found[agreement, index] = number
        return found

    def _verdicts(self) -> Iterator[Row]:
        sure = self._confidences()
        ahead = {
            (agreement, index): sum(
                (-other, self.position[at]) < (-number, self.position[index])
                for (threshold, at), other in sure.items()
                if threshold == agreement
            )
            for (agreement, index), number in sure.items()
        }
        for index in self.order:
            for agreement in self.agreements if index in self.reviews else ():
                category, corrected, several = self._verdict(index, agreement)
                yield {
                    "issue_id": issue_id(self.dataset_id, self.position[index]),
                    "agreement": agreement,
                    "dataset_id": self.dataset_id,
                    "category": category,
                    "corrected": corrected,
                    "several": several,
                    "opinions": None,
                    "confidence": sure.get((agreement, index)),
                    "probability_right": None,
                    "by_confidence": ahead.get((agreement, index)),
                }

    def _votes(self) -> Iterator[Row]:
        for index in self.order:
            for place, vote in enumerate(self.reviews[index].ballot.votes if index in self.reviews else ()):
                yield {
                    "issue_id": issue_id(self.dataset_id, self.position[index]),
                    "position": place,
                    "dataset_id": self.dataset_id,
                    "option": vote.option,
                    "word": vote.word,
                    "classes": None if vote.classes is None else compact(vote.classes),
                    "n": vote.n,
                }

    def _facets(self) -> Iterator[Row]:
        names = ("agreement", "category", "given", "guessed", "corrected", "vote_pattern", "flagged")
        counted: Counter[tuple[Any, ...]] = Counter()
        for index, review in self.reviews.items():
            for agreement in self.agreements:
                category, corrected, _ = self._verdict(index, agreement)
                labels = (self._given(index), self._guessed(index), corrected)
                counted[agreement, category, *labels, review.ballot.pattern, int(index in self.flagged)] += 1
        for cell, n in counted.items():
            yield {"dataset_id": self.dataset_id, **dict(zip(names, cell, strict=True)), "n": n}

    def _unreviewed(self) -> Iterator[Row]:
        counted = Counter(
            (self._given(index), self._guessed(index), int(index in self.flagged))
            for index in self.order
            if index not in self.reviews
        )
        if counted:
            columns = zip(*((*cell, n) for cell, n in sorted(counted.items())), strict=True)
            named = dict(zip(("given", "guessed", "flagged", "n"), map(list, columns), strict=True))
            yield {"dataset_id": self.dataset_id, "n_issues": sum(counted.values()), **named}

    def _label_sets(self) -> Iterator[Row]:
        for labels, label_id in self.label_ids.items():
            yield {"dataset_id": self.dataset_id, "label_id": label_id, "members": compact(labels)}

    def _examples(self) -> Iterator[Row]:
        labels, keys = self.inputs.labels, self.inputs.keys
        n = 0 if labels is None else len(labels)
        for start in range(0, n, EXAMPLES_PER_BLOCK):
            block = range(start, min(start + EXAMPLES_PER_BLOCK, n))
            assert labels is not None
            yield {
                "dataset_id": self.dataset_id,
                "start": start,
                "count": len(block),
                "labels": pack_labels(np.array([self.label_ids[labels[index]] for index in block])),
                "keys": None if keys is None else pack_keys([keys[index] for index in block]),
            }

    def _surest(self) -> dict[int, list[tuple[int, float]]]:
        """The surest examples of each class that are no issues, four at most."""
        labels, flagging = self.inputs.labels, self.flagging
        found: dict[int, list[tuple[int, float]]] = {}
        if labels is None or flagging is None:
            return found
        surest = sorted(range(len(labels)), key=lambda index: (-float(flagging.self_confidence[index]), index))
        for index in surest:
            for class_id in () if index in self.position else labels[index]:
                chosen = found.setdefault(class_id, [])
                if len(chosen) < 4:
                    chosen.append((index, float(flagging.self_confidence[index])))
        return found

    def _media(self, source: MediaSource | None) -> Iterator[Row]:
        if source is None:
            return
        beside = {index for chosen in self._surest().values() for index, _ in chosen}
        keys = self.inputs.keys
        wanted = {index: None if keys is None else keys[index] for index in sorted({*self.indices, *beside})}
        for item in source.items(wanted, 1):
            if isinstance(item, MediaProblem):
                continue
            self.sizes.setdefault(item.index, {})[item.kind] = [item.width or 0, item.height or 0]
            if item.text is not None:
                self.texts[item.index] = item.text
            yield self._medium(item)

    def _medium(self, item: MediaItem) -> Row:
        return {
            "dataset_id": self.dataset_id,
            "idx": item.index,
            "kind": item.kind,
            "type": item.type,
            "width": item.width,
            "height": item.height,
            "seconds": item.seconds,
            "encoding": "gzip" if item.kind == "text" else None,
            "bytes": item.data,
        }

    def _exemplars(self) -> Iterator[Row]:
        for class_id, chosen in self._surest().items():
            seen = [one for one in chosen if one[0] in self.sizes]
            for place, (index, confidence) in enumerate(seen):
                yield {
                    "dataset_id": self.dataset_id,
                    "class_id": class_id,
                    "position": place,
                    "idx": index,
                    "self_confidence": confidence,
                    "excerpt": excerpt(self.texts[index]) if index in self.texts else None,
                    "media": compact(self.sizes[index]),
                }

    def _searches(self) -> Iterator[Row]:
        for index in self.order:
            key = None if self.inputs.keys is None else self.inputs.keys[index]
            body = f"{self.texts.get(index, '')} {key or ''}".strip()
            if body:
                yield {"rowid": issue_id(self.dataset_id, self.position[index]), "body": body}
