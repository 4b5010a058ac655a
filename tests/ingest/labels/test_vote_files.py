"""Vote dialects, on made-up records; the real ones are held by test_release_figures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.domain.review.verdicts import Category
from ingest.errors import DataError
from ingest.labels.class_names import read_classes
from ingest.labels.vote_files import Review, read_reviews
from ingest.manifest.parse import read_manifest

Read = Callable[..., list[Review]]


@pytest.fixture
def read(tiny: Any) -> Read:
    """Reviews in records, under a manifest with some lines of its own."""

    def read(records: list[dict[str, Any]], top: str = "", keys: list[str] | None = None) -> list[Review]:
        tiny.top = top
        if keys is not None:
            tiny.files = 'index = "index.json"'
        path = tiny.write()
        manifest = read_manifest(path)
        votes: Path = tiny.folder / "votes.json"
        votes.write_text(json.dumps(records))
        return read_reviews(votes, manifest, read_classes(manifest.classes, tiny.folder, path), 40, keys)

    return read


def record(votes: dict[str, Any], given: Any = 0, guessed: Any = 1, name: Any = 0) -> dict[str, Any]:
    return {"id": name, "given_original_label": given, "our_guessed_label": guessed, "mturk": votes}


def test_reviews_come_in_the_order_of_their_examples(read: Read) -> None:
    found = read([record({"given": 5}, name=name) for name in (7, 3, 5)])
    assert [review.index for review in found] == [3, 5, 7]
    assert [review.record for review in found] == ["record 2 (id 3)", "record 3 (id 5)", "record 1 (id 7)"]


def test_options_come_in_the_order_of_the_manifest_and_none_means_zero(read: Read) -> None:
    [review] = read([record({"both": 1, "guessed": 4})])
    assert dict(review.ballot.counts) == {"given": 0, "guessed": 4, "both": 1, "neither": 0}
    assert (review.ballot.pattern, review.ballot.consensus) == ("0-4-1-0", "guessed")
    assert [review.ballot.verdict(agreement).corrected for agreement in (3, 4, 5)] == [(1,), (1,), None]


@pytest.mark.parametrize("votes", [{"given": 4, "guessed": 4, "neither": 1}, {"given": 4, "guessed": 0, "neither": 1}])
def test_a_guess_that_is_the_given_label_is_voted_on_once(read: Read, votes: dict[str, int]) -> None:
    [review] = read([record(votes, given=1, guessed=1)])
    assert dict(review.ballot.counts) == {"given": 4, "guessed": 0, "both": 0, "neither": 1}
    assert review.ballot.verdict(3).category is Category.NON_ERROR


def test_both_of_two_labels_that_are_one_is_the_given_one(read: Read) -> None:
    """A vote names classes: "both" names the given one alone."""
    [review] = read([record({"given": 2, "both": 2, "neither": 1}, given=1, guessed=1)])
    assert review.ballot.confirmations == 4
    assert review.ballot.verdict(4).category is Category.NON_ERROR


def test_a_guess_that_is_the_given_label_cannot_have_other_votes(read: Read) -> None:
    with pytest.raises(DataError, match="expected the same votes under both, found 4 and 1 votes"):
        read([record({"given": 4, "guessed": 1}, given=1, guessed=1)])


def test_other_words_support_no_category(read: Read) -> None:
    top = '[votes]\noptions = ["given", "guessed", "neutral", "off-topic"]'
    [review] = read([record({"given": 1, "guessed": 1, "neutral": 3, "off-topic": 0}, "ant", "bee")], top)
    assert (review.ballot.pattern, review.ballot.consensus) == ("1-1-3-0", "neutral")
    assert review.ballot.verdict(3).category is Category.NON_AGREEMENT


CLASS_NAMES = '[votes]\ndialect = "class-names"\noptions = ["given", "guessed", "other", "off-topic"]'


@pytest.mark.parametrize(
    ("votes", "pattern", "consensus", "category"),
    [
        ({"ant": 3, "bee": 2}, "3-2-0-0", "given", Category.NON_ERROR),
        ({"ant": 1, "bee": 3, "cat": 1}, "1-3-1-0", "guessed", Category.CORRECTABLE),
        ({"BEE": 1, "Cat": 4, "off-topic": 0}, "0-1-4-0", "Cat", Category.CORRECTABLE),
        ({"off-topic": 5}, "0-0-0-5", "off-topic", Category.NON_AGREEMENT),
        ({"ant": 2, "bee": 2, "cat": 1}, "2-2-1-0", None, Category.NON_AGREEMENT),
    ],
)
def test_votes_for_class_names(
    read: Read, votes: dict[str, int], pattern: str, consensus: str | None, category: Category
) -> None:
    [review] = read([record(votes, "Ant", "bee")], CLASS_NAMES)
    assert (review.ballot.pattern, review.ballot.consensus) == (pattern, consensus)
    assert review.ballot.verdict(3).category is category


def test_a_class_that_nobody_guessed_can_become_the_corrected_label(read: Read) -> None:
    [review] = read([record({"bee": 1, "Cat": 4, "off-topic": 0}, "ant", "bee")], CLASS_NAMES)
    assert [review.ballot.verdict(agreement).corrected for agreement in (3, 4, 5)] == [(2,), (2,), None]
    assert [(vote.option, vote.word, vote.classes, vote.n) for vote in review.ballot.votes] == [
        ("given", "given", (0,), 0),
        ("guessed", "guessed", (1,), 1),
        ("other", "Cat", (2,), 4),
        ("off-topic", "off-topic", None, 0),
    ]


def test_votes_for_several_other_classes_are_no_agreement_on_one(read: Read, tiny: Any) -> None:
    tiny.classes = ["ant", "bee", "cat", "dog"]
    [review] = read([record({"ant": 1, "cat": 2, "dog": 2}, "ant", "bee")], CLASS_NAMES)
    assert (review.ballot.pattern, review.ballot.consensus) == ("1-0-4-0", None)
    assert review.ballot.verdict(3).category is Category.NON_AGREEMENT


def test_a_manifest_can_keep_to_the_class_that_was_shown(read: Read) -> None:
    """As in the paper, where a majority of Amazon's reviewers for the third class is non-agreement."""
    records = [record({"bee": 1, "cat": 4}, "ant", "bee"), record({"bee": 4, "cat": 1}, "ant", "bee", name=1)]
    other, shown = read(records, CLASS_NAMES + '\ncorrects = "guessed"')
    assert (other.ballot.verdict(3).category, other.ballot.consensus) == (Category.NON_AGREEMENT, "cat")
    assert shown.ballot.verdict(3).corrected == (1,)


def test_whole_numbers_are_read_however_tables_write_them(read: Read) -> None:
    written = record({"given": 1.0, "guessed": 4.0, "both": 0.0}, given=0.0, guessed=1.0, name="5")
    other = record({"given": 5}, given=True, guessed=False, name=6.0)
    first, second = read([written, other])
    assert (first.index, first.given, first.shown, first.ballot.pattern) == (5, (0,), (1,), "1-4-0-0")
    assert {type(n) for n in first.ballot.counts.values()} == {int}
    assert (second.index, second.given, second.shown) == (6, (1,), (0,))


def test_sets_are_told_by_names_or_numbers_alike(read: Read) -> None:
    told = sets({"bee": 4, "ant": 1}, [0], [1.0]) + sets({"bee": 4, "ant": 1}, ["ant"], ["bee"])  # type: ignore[list-item]
    told[1]["id"] = 1
    numbers, names = read(told, MULTIPLE)
    assert (numbers.given, numbers.shown) == (names.given, names.shown) == ((0,), (1,))


@pytest.mark.parametrize("labels", [[3], ["dog"], [None], [0.5], 0, [0, "ant"]])
def test_what_is_no_set_of_classes(read: Read, labels: Any) -> None:
    with pytest.raises(DataError, match=r"record 1 \(id 0\): expected .*class"):
        read(sets({"ant": 5}, labels, []), MULTIPLE)


def test_names_of_examples_that_are_numbers_are_read_as_names(read: Read, tiny: Any) -> None:
    tiny.examples = 'records = "key"'
    keys = [str(1000 + index) for index in range(40)]
    assert [review.index for review in read([record({"given": 5}, name=1007)], keys=keys)] == [7]


@pytest.mark.parametrize(
    ("votes", "pattern", "consensus", "category"),
    [
        ({"ant": 1, "other": 4}, "1-0-4", "other", Category.NEITHER),
        ({"Other": 3, "cat": 2}, "0-0-5", "other", Category.NEITHER),
        ({"other": 2, "cat": 3}, "0-0-5", "cat", Category.CORRECTABLE),
        ({"other": 2, "bee": 2, "ant": 1}, "1-2-2", None, Category.NON_AGREEMENT),
    ],
)
def test_a_vote_for_other_names_none_of_the_classes(
    read: Read, votes: dict[str, int], pattern: str, consensus: str | None, category: Category
) -> None:
    top = '[votes]\ndialect = "class-names"\noptions = ["given", "guessed", "other"]'
    [review] = read([record(votes, "ant", "bee")], top)
    assert (review.ballot.pattern, review.ballot.consensus) == (pattern, consensus)
    assert review.ballot.verdict(3).category is category


def test_a_class_called_other_is_a_class(tiny: Any, read: Read) -> None:
    tiny.classes = ["ant", "bee", "other"]
    [review] = read([record({"other": 4, "ant": 1}, "ant", "bee")], CLASS_NAMES)
    assert review.ballot.verdict(3).corrected == (2,)


def test_words_of_the_papers_interface_mean_the_same_among_names(read: Read) -> None:
    top = '[votes]\ndialect = "class-names"\noptions = ["given", "guessed", "other", "both", "neither"]'
    both, neither = read([record({"both": 4}, "ant", "bee", 0), record({"neither": 4}, "ant", "bee", 1)], top)
    assert both.ballot.verdict(3).agreed == (0, 1)
    assert neither.ballot.verdict(3).category is Category.NEITHER


@pytest.mark.parametrize("name", ["5.0", "", "-5", "٥", 5.5, True, None, "4" * 30])
def test_what_is_no_index(read: Read, name: Any) -> None:
    with pytest.raises(DataError, match=r"record 1 .*expected the index of an example in 'id', found"):
        read([record({"given": 5}, name=name)])


def test_a_word_that_is_neither_class_nor_option(read: Read) -> None:
    with pytest.raises(DataError, match=r"record 1 \(id 0\): expected the name of a class, found 'dog'"):
        read([record({"dog": 5}, "ant", "bee")], CLASS_NAMES)


def sets(votes: dict[str, int], given: list[str], guessed: list[str]) -> list[dict[str, Any]]:
    return [{"id": 0, "given_original_labels": given, "our_guessed_labels": guessed, "mturk": votes}]


MULTIPLE = 'labels = "multiple"'


def test_votes_for_each_of_several_labels(read: Read) -> None:
    [review] = read(sets({"bee": 4, "ant": 1, "cat": 3}, ["ant", "cat"], ["bee"]), MULTIPLE)
    assert (review.given, review.shown) == ((0, 2), (1,))
    assert dict(review.ballot.counts) == {"ant": 1, "cat": 3, "bee": 4}
    assert (review.ballot.pattern, review.ballot.consensus) == (None, "cat; bee")
    assert review.ballot.confirmations == 2
    verdicts = [review.ballot.verdict(agreement) for agreement in (3, 4, 5)]
    assert [verdict.corrected for verdict in verdicts] == [(1, 2), (1,), None]
    assert [verdict.category.is_error for verdict in verdicts] == [True, True, True]


@pytest.mark.parametrize(
    ("votes", "said"),
    [
        ({"ant": 6, "bee": 0}, "expected at most 5 votes, one a rater, found 6 for 'ant'"),
        ({"ant": 5}, r"expected votes for the given and guessed labels \(ant, bee\), found ant"),
        ({"ant": 5, "bee": 1, "cat": 1}, "found ant, bee, cat"),
        ({"ant": 5, "Ant": 1, "bee": 1}, "expected each class once in the votes, found 'Ant' twice"),
    ],
)
def test_votes_that_cannot_be(read: Read, votes: dict[str, int], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(sets(votes, ["ant"], ["bee"]), MULTIPLE)


def test_names_are_compared_without_what_the_manifest_ignores(tiny: Any) -> None:
    tiny.classes = ["Boat, Water vehicle", "Boat", "cat"]
    path = tiny.write()
    path.write_text(path.read_text().replace('file = "classes.json"', 'file = "classes.json"\nignore = ","'))
    manifest = read_manifest(path)
    names = read_classes(manifest.classes, tiny.folder, path)
    assert names.find("Boat Water vehicle") == names.find("Boat, Water vehicle") == 0
    assert names.find("boat") == 1
    assert names.find("Water vehicle") is None
