"""``label-errors review open``: what it chooses, and what it refuses with the reason."""

import json
from pathlib import Path

from app.reviews.rounds import find_round
from app.reviews.store import Store, store_url
from app.reviews.tables import items
from ingest.commands.main import main
from tests.app.site.review.rounds import review


def chosen(catalogue: Path, *arguments: str) -> list[int]:
    """The indices of the examples of a new round."""
    name = json.loads(review(catalogue, "open", *arguments, "--json"))["round"]
    store = Store(store_url("", catalogue))
    with store.reading() as connection:
        here = (items.c.round_id == find_round(store, name).id, items.c.practice.is_(False))
        found = list(connection.scalars(items.select().with_only_columns(items.c.idx).where(*here)))
    store.close()
    return sorted(found)


def test_all_suspects_or_a_sample_that_its_seed_draws(catalogue):
    """As the paper chose: all of seven datasets, so many at random of the other three."""
    everything = chosen(catalogue, "sample-digits")
    assert len(everything) == 96
    some, again, others = (
        chosen(catalogue, "sample-digits", "--sample", "40", "--seed", seed) for seed in ("0", "0", "1")
    )
    assert some == again != others
    assert len(some) == 40
    assert set(some) | set(others) < set(everything)


def test_an_example_that_is_neither_flagged_nor_reviewed_is_refused(catalogue, tmp_path, capsys):
    """The catalogue has no picture of it to show."""
    suspects = chosen(catalogue, "sample-digits")
    other = next(idx for idx in range(2_000) if idx not in suspects)
    file = tmp_path / "examples.txt"
    for text, says in (
        (f"{suspects[0]}\n{other}\n", f"whose media are here, found {other}, which is not"),
        ("99999999\n", "found 99999999, which is not"),
        ("7\nseven\n", "expected the index of an example, found 'seven'"),
        ("\n", "expected indices of examples, one a line, found none"),
    ):
        file.write_text(text)
        arguments = ["review", "open", "sample-digits", "--examples", str(file), "--catalogue", str(catalogue)]
        assert main(arguments) == 1
        assert says in capsys.readouterr().err


def test_more_gold_items_than_there_are_is_refused(catalogue, capsys):
    assert main(["review", "open", "sample-digits", "--gold", "0.4", "--catalogue", str(catalogue)]) == 1
    assert "expected 64 exemplars as gold items beside 2 of each class to show, found 20" in capsys.readouterr().err
