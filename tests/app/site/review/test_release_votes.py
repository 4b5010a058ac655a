"""The published votes, given again in rounds over HTTP, make the published categories: each kind of question."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.app.site.review.release_votes import Replay, Voted, published_votes, verdicts, without_votes
from tests.app.site.review.rounds import review
from tests.serving import serving


class Bare(NamedTuple):
    """A catalogue without votes, served, and the one with the published ones."""

    base: str
    catalogue: Path
    voted: Path


@pytest.fixture(scope="module")
def bare(release_catalogue: Path, quick_folder: Path) -> Iterator[Bare]:
    folder = quick_folder / "release"
    folder.mkdir()
    copy = without_votes(release_catalogue, folder / "catalogue.sqlite")
    with serving(copy, serve_reviews=True, review_requests_a_minute=0) as base:
        yield Bare(base, copy, release_catalogue)


def replayed(bare: Bare, dataset: str, voted: list[Voted], *how: str) -> int:
    """The number of votes in a round over some examples, which is then published."""
    name, n = Replay(bare.base, bare.catalogue, dataset, voted, seed=1).run(*how)
    review(bare.catalogue, "publish", name)
    return n


def test_20_newsgroups_is_counted_as_the_paper_counts_it(bare):
    """A pair of classes, all its examples, all five votes: Table 2 of the paper, and at 4 and 5 as from the file."""
    voted = published_votes(bare.voted, "20news")
    assert replayed(bare, "20news", voted) == 5 * 93
    found = verdicts(bare.catalogue, "20news")
    assert found == verdicts(bare.voted, "20news")
    at_three = Counter(category for (_, agreement), (category, _) in found.items() if agreement == 3)
    assert at_three == {"non_error": 11, "non_agreement": 43, "correctable": 22, "multi_label": 12, "neither": 5}


@pytest.mark.parametrize(("dataset", "n"), [("audioset", 25), ("amazon", 25), ("mnist", 25), ("imdb", 15)])
def test_sets_lists_and_words_are_counted_as_the_published_votes_are(bare, dataset, n):
    """A few examples of each: sets of sounds, one of a list, a pair with words of its own, and without "both"."""
    voted = [one for one in published_votes(bare.voted, dataset) if not one.nothing_to_ask]
    some = voted[:: max(1, len(voted) // n)][:n]
    assert replayed(bare, dataset, some) == 5 * n
    expected, indices = verdicts(bare.voted, dataset), {one.idx for one in some}
    found = verdicts(bare.catalogue, dataset)
    assert found == {key: value for key, value in expected.items() if key[0] in indices}
    assert len({category for category, _ in found.values()}) > 1
    again = published_votes(bare.catalogue, dataset)
    assert [(one.idx, one.given, one.counts) for one in again] == [(one.idx, one.given, one.counts) for one in some]


def test_a_round_that_stops_at_the_category_finds_the_same_with_fewer_votes(bare):
    voted = published_votes(bare.voted, "cifar10")[:30]
    n = replayed(bare, "cifar10", voted, "--stop", "category")
    assert 3 * 30 <= n < 5 * 30
    expected = {key: value for key, value in verdicts(bare.voted, "cifar10").items() if key[1] == 3}
    found = verdicts(bare.catalogue, "cifar10")
    assert found == {(idx, 3): expected[idx, 3] for idx in {one.idx for one in voted}}
