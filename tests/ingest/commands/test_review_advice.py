"""What ``label-errors review`` warns of, and what it refuses, before raters look at anything."""

import json
from contextlib import closing
from pathlib import Path

from sqlalchemy import select

from app.reviews.rounds import find_round
from app.reviews.store import Store, store_url
from app.reviews.tables import items
from ingest.catalogue.open import open_catalogue
from ingest.catalogue.reviews.plan import RoundPlan
from ingest.catalogue.reviews.round_items import choose, dataset_row
from tests.app.site.review.rounds import review


def lowest(catalogue: Path, n: int) -> list[int]:
    """The indices of the most suspicious digits."""
    with open_catalogue(catalogue) as connection:
        chosen = choose(connection, dataset_row(connection, "sample-digits"), RoundPlan(lowest=n, practice=0))
    return [one.idx for one in chosen.items]


def asked(catalogue: Path, name: str) -> list[tuple[dict, bool]]:
    """The questions of a round, and whether each is to practise on."""
    with closing(Store(store_url("", catalogue))) as store, store.reading() as connection:
        here = items.c.round_id == find_round(store, name).id
        rows = connection.execute(select(items.c.question, items.c.practice).where(here)).all()
    return [(json.loads(row.question), row.practice) for row in rows]


def test_choices_without_a_given_label_are_refused(catalogue, tmp_path, refused):
    plan = tmp_path / "round.toml"
    with open_catalogue(catalogue) as connection:
        dataset = dataset_row(connection, "sample-digits")
        chosen = choose(connection, dataset, RoundPlan(practice=0))
    names = {class_id: shelf.name for class_id, shelf in chosen.shelves.items()}
    first = chosen.items[0]
    given = names[first.question.given[0]]
    others = [name for name in names.values() if name != given]
    plan.write_text(f'kind = "options"\nchoices = {json.dumps(others)}\n')
    error = refused("open", "sample-digits", "--round", str(plan))
    n = sum(one.question.given == first.question.given for one in chosen.items)
    assert f"found examples {first.idx} labelled {given!r}, " in error
    assert f" and {n - 3} more; add their classes to choices" in error
    assert "no round was opened yet" in review(catalogue, "status")


def test_practice_never_asks_for_a_class_that_cannot_be_chosen(catalogue, tmp_path):
    """The guess may be none of the choices; an example typical of it has no right answer among them."""
    with open_catalogue(catalogue) as connection:
        chosen = choose(connection, dataset_row(connection, "sample-digits"), RoundPlan(practice=0, lowest=2))
    names = {class_id: shelf.name for class_id, shelf in chosen.shelves.items()}
    first = chosen.items[0].question
    choices = [first.given[0], next(one for one in names if one not in (*first.given, *first.guessed))]
    plan = tmp_path / "round.toml"
    plan.write_text(
        f'kind = "options"\nchoices = {json.dumps([names[one] for one in choices])}\n'
        f"examples = [{chosen.items[0].idx}]\npractice = 40\n"
    )
    name = json.loads(review(catalogue, "open", "sample-digits", "--round", str(plan), "--json"))["round"]
    practice = [question for question, to_practise in asked(catalogue, name) if to_practise]
    assert practice
    assert all(set(one["given"]) <= set(choices) for one in practice)


def test_more_examples_than_there_are_and_one_listed_twice_are_said(catalogue, tmp_path):
    told = review(catalogue, "open", "sample-digits", "--lowest", "200")
    assert "opened sample-digits-1: 96 examples, " in told
    assert "lowest = 200: 96, all there are\n" in told
    idx = lowest(catalogue, 1)[0]
    file = tmp_path / "examples.txt"
    file.write_text(f"{idx}\n{idx}\n")
    told = review(catalogue, "open", "sample-digits", "--examples", str(file))
    assert "opened sample-digits-2: 1 example, 5 votes each" in told
    assert f"examples: {idx} is listed more than once" in told
    with closing(Store(store_url("", catalogue))) as store:
        chosen = [find_round(store, f"sample-digits-{n}").settings.chosen for n in (1, 2)]
    assert chosen == ["all suspects", "1 chosen example"]


def test_rounds_that_share_examples_are_named_when_one_is_opened_or_closed(catalogue, digits, capsys):
    other = json.loads(review(catalogue, "open", "sample-digits", "--lowest", "5", "--json"))["round"]
    assert f"warning: 2 examples of {other} are in {digits} too" in capsys.readouterr().err
    review(catalogue, "open", "sample-texts", "--lowest", "5")
    assert capsys.readouterr().err == ""
    told = review(catalogue, "close", digits)
    assert f"{other} is still open: until it is closed, 2 examples of {digits} stay hidden\n" in told
    assert review(catalogue, "close", other) == f"{other} is closed\n"


def test_a_closed_round_needs_nothing_and_lends_nothing(catalogue, digits):
    assert "at least 10 more needed" in review(catalogue, "status", digits)
    review(catalogue, "close", digits)
    told = review(catalogue, "status", digits)
    assert f"{digits}: closed; 0 of 2 examples done, 0 votes; 0 raters\n" in told


def test_publishing_warns_of_an_open_round_and_of_thresholds_that_go(catalogue, tmp_path, capsys):
    """Two examples, of which one has votes enough, in a round that stops at the category by three votes of five."""
    arguments = ("--lowest", "2", "--stop", "category", "--json")
    name = json.loads(review(catalogue, "open", "sample-digits", *arguments))["round"]
    first, second = lowest(catalogue, 2)
    votes = tmp_path / "votes.csv"
    votes.write_text(
        "example,rater,answer\n" + "".join(f"{first},rater {n},given\n" for n in range(3)) + f"{second},rater 0,given\n"
    )
    review(catalogue, "import", name, str(votes))
    capsys.readouterr()
    told = review(catalogue, "publish", name)
    error = capsys.readouterr().err
    assert f"warning: {name} is open, " in error
    assert f"`review close {name}` first" in error
    assert "sample-digits: 1 example reviewed by 3 raters; " in told
    assert "1 example left out: too few votes for a verdict\n" in told
    assert "no longer offered, because a round does not offer it: agreement of 4 of 5 and 5 of 5\n" in told
    review(catalogue, "close", name)
    capsys.readouterr()
    again = json.loads(review(catalogue, "publish", name, "--json"))
    assert again["dropped"] == []
    assert "warning" not in capsys.readouterr().err
