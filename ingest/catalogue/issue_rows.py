"""The issues of a built dataset as columns of the catalogue's tables, block by block.

This module only formats values; ``ingest.datasets`` computes them. Only reviewed issues, and those with media, keys or
addresses, have values that are not numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.review.verdicts import Category
from app.schema.packing import pack_top
from app.schema.tables import issue_id
from ingest.catalogue.columns import BLOCK, Columns
from ingest.datasets.build import Build
from ingest.datasets.facts import compact
from ingest.datasets.media import KeptMedia
from ingest.datasets.suspects.doubting_models import n_doubting
from ingest.datasets.suspects.sort_orders import narrow, places
from ingest.datasets.suspects.top_probabilities import top_of_rows
from ingest.labels.vote_files import Review

Row = dict[str, Any]


class IssueRows:
    """The rows of ``issues`` of one dataset. Its most probable classes are read once, in the order of the matrix."""

    def __init__(self, build: Build, dataset_id: int) -> None:
        self._build = build
        self._dataset_id = dataset_id
        self._top = _Top(build)

    def blocks(self, shown: KeptMedia) -> Iterator[Columns]:
        """All issues in order of suspicion."""
        for start in range(0, len(self._build.issues), BLOCK):
            yield self._block(slice(start, min(start + BLOCK, len(self._build.issues))), shown)

    def _block(self, here: slice, shown: KeptMedia) -> Columns:
        issues, inputs, n = self._build.issues, self._build.inputs, here.stop - here.start
        indices = issues.indices[here]
        first = issue_id(self._dataset_id, here.start)
        own, margins = self._numbers(here)
        return {
            "id": range(first, first + n),
            "dataset_id": [self._dataset_id] * n,
            "idx": indices.tolist(),
            "key": None if inputs.keys is None else [inputs.keys[index] for index in indices.tolist()],
            "given": issues.given[here].tolist(),
            "guessed": issues.guessed[here].tolist(),
            "flagged": issues.flagged[here].view(np.uint8).tolist(),
            "self_confidence": own,
            "normalized_margin": margins,
            "doubting": self._top.doubting(here),
            "rank": None if issues.ranks is None else issues.ranks[here].tolist(),
            "by_margin": issues.by_margin[here].tolist(),
            "by_disagreement": issues.by_disagreement[here].tolist(),
            "top_probs": self._top.block(here),
            **self._of_reviewed(here),
            "url": self._urls(here),
            **_of_media(indices, shown),
        }

    def _numbers(self, here: slice) -> tuple[list[float] | None, list[float] | None]:
        """The self-confidence and the margin of some issues."""
        issues, sets = self._build.issues, self._build.inputs.set_flagging
        if issues.scores is not None:
            scores = issues.scores[here]
            return scores.own.astype(np.float64).tolist(), scores.margins().tolist()
        if sets is not None:
            return sets.self_confidence[issues.indices[here]].tolist(), None
        return None, None

    def _of_reviewed(self, here: slice) -> Columns:
        issues = self._build.issues
        low, high = np.searchsorted(issues.reviewed, [here.start, here.stop])
        if low == high:
            return {}
        places = (issues.reviewed[low:high] - here.start).tolist()
        ballots = [review.ballot for review in issues.reviews[low:high]]
        n = here.stop - here.start
        return {
            "shown": _spread(n, places, issues.shown[low:high].tolist()),
            "votes": _spread(n, places, [compact(dict(ballot.counts)) for ballot in ballots]),
            "vote_pattern": _spread(n, places, [ballot.pattern for ballot in ballots]),
            "consensus": _spread(n, places, [ballot.consensus for ballot in ballots]),
        }

    def _urls(self, here: slice) -> list[str | None] | None:
        inputs, issues = self._build.inputs, self._build.issues
        urls = inputs.manifest.examples.urls
        if urls == "index" and inputs.urls is not None:
            return [inputs.urls[index] for index in issues.indices[here].tolist()]
        if urls != "records":
            return None
        low, high = np.searchsorted(issues.reviewed, [here.start, here.stop])
        places = (issues.reviewed[low:high] - here.start).tolist()
        return _spread(here.stop - here.start, places, [_url(review) for review in issues.reviews[low:high]])


class _Top:
    """What the matrix says of all issues, in their order: the most probable classes, and how many models doubt the
    given label. It is read once, in the order of its rows.
    """

    def __init__(self, build: Build) -> None:
        self._matrix = build.inputs.matrix
        if self._matrix is None:
            return
        indices = build.issues.indices
        by_index = np.argsort(indices).astype(narrow(len(indices)))
        ascending = indices[by_index]
        self._classes, self._probabilities = top_of_rows(self._matrix, ascending, by_index)
        given, averaged = build.issues.given[by_index], build.inputs.averaged
        if averaged is None:
            self._doubting = n_doubting(self._matrix, ascending, given)
        else:
            self._doubting = averaged.doubting(ascending, given)
        if self._doubting is not None:
            self._doubting = self._doubting[places(by_index)]

    def block(self, here: slice) -> list[bytes] | None:
        if self._matrix is None:
            return None
        return pack_top(self._classes[here], self._probabilities[here], self._matrix.shape[1])

    def doubting(self, here: slice) -> list[int] | None:
        if self._matrix is None or self._doubting is None:
            return None
        found: list[int] = self._doubting[here].tolist()
        return found


def _spread(n: int, places: Sequence[int], values: Sequence[Any]) -> list[Any]:
    """(n,) values at some places, None elsewhere."""
    found = [None] * n
    for place, value in zip(places, values, strict=True):
        found[place] = value
    return found


def _of_media(indices: NDArray[np.integer[Any]], shown: KeptMedia) -> Columns:
    if not (shown.sizes or shown.excerpts or shown.spans):
        return {}
    texts: Mapping[str, Mapping[int, str]] = {"spans": shown.spans, "excerpt": shown.excerpts, "media": shown.sizes}
    listed = indices.tolist()
    return {name: [of.get(index) for index in listed] if of else None for name, of in texts.items()}


def verdict_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    """The rows of ``verdicts``, of reviewed issues alone."""
    for position, review in zip(build.issues.reviewed.tolist(), build.issues.reviews, strict=True):
        for agreement, verdict in build.verdicts[review.index].items():
            yield {
                "issue_id": issue_id(dataset_id, position),
                "agreement": agreement,
                "dataset_id": dataset_id,
                "category": verdict.category.value,
                "corrected": None if verdict.corrected is None else build.label_ids[verdict.corrected],
                "several": compact(verdict.agreed) if verdict.category is Category.MULTI_LABEL else None,
            }


def vote_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    """The rows of ``votes``, of reviewed issues alone."""
    for issue, review in zip(build.issues.reviewed.tolist(), build.issues.reviews, strict=True):
        for position, vote in enumerate(review.ballot.votes):
            yield {
                "issue_id": issue_id(dataset_id, issue),
                "position": position,
                "dataset_id": dataset_id,
                "option": vote.option,
                "word": vote.word,
                "classes": None if vote.classes is None else compact(vote.classes),
                "n": vote.n,
            }


def _url(review: Review) -> str | None:
    if review.url is None or not review.url.startswith(("https://", "http://")):
        return None
    return _one_slash(review.url)


def _one_slash(url: str) -> str:
    """Reduce two slashes after the host of an address, left by joining a host and a path, to one.

    >>> _one_slash("https://labels.example//static/1.png"), _one_slash("http://labels.example/to/http://a.example")
    ('https://labels.example/static/1.png', 'http://labels.example/to/http://a.example')
    """
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}{slash}{path.lstrip('/')}"
