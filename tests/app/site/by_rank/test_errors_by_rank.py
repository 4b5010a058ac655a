"""The page and the API of errors by rank: published figures, and what is not to be concluded."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.domain.review.error_ranks import next_ranks, rank_curve
from app.main import create_app
from app.site.by_rank.response_models import ErrorsByRankOut
from ingest.commands.main import main
from tests.app.reading import read
from tests.ingest.conftest import Tiny
from tests.serving import serving


def ranks_of(client: httpx.Client, name: str, **asked: str) -> Any:
    return client.get(f"/api/v1/datasets/{name}/ranks", params=asked).raise_for_status().json()


# The published lists


@pytest.mark.parametrize(
    ("name", "checked", "errors", "first_bins", "forecast"),
    [
        ("20news", 93, 82, [10, 8, 8], (81, 62, 93)),
        ("imdb", 1310, 725, [7, 10, 5], (46, 35, 56)),
        ("cifar10", 275, 54, None, None),
        ("mnist", 100, 15, None, None),
    ],
)
def test_published_lists_are_the_first_ranks(
    site: httpx.Client, name: str, checked: int, errors: int, first_bins: list[int] | None, forecast: Any
) -> None:
    found = ranks_of(site, name)
    assert ErrorsByRankOut.model_validate(found).model_dump(mode="json") == found | {"held_back": None}
    assert (found["checked"], found["errors"], found["without_rank"]) == (checked, errors, 0)
    assert found["checked_throughout"] == found["last_checked"] == checked
    assert sum(one["errors"] for one in found["bins"]) == found["bins"][-1]["errors_so_far"] == errors
    assert found["no_forecast"] is None
    assert found["flags"] is None, "what nobody judged may be errors too"
    told = found["forecast"]
    assert (told["first"], told["last"], told["examples"]) == (checked + 1, checked + 100, 100)
    if first_bins is not None:
        assert [one["errors"] for one in found["bins"][:3]] == first_bins
        assert (round(told["expected"]), *told["interval"]) == forecast
    page = read(site, f"/{name}/ranks").words
    assert f"{errors} of {checked:,} checked examples are errors." in page
    assert f"({told['interval'][0]} to {told['interval'][1]})." in page
    assert "Only examples that were checked count." in page
    assert "Not every rank was checked" not in page
    last = found["bins"][-1]
    low, high = (f"{100 * end:.0f}" for end in last["interval"])
    assert f"{last['first']:,} to {last['last']:,}" in page
    assert f"{low} % to {high} %" in page.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("first", [200, 400, 600, 800, 1000, 1200])
def test_the_forecast_from_a_part_of_imdb_holds_for_its_next_hundred(release_catalogue: Path, first: int) -> None:
    with closing(sqlite3.connect(release_catalogue)) as connection:
        rows = connection.execute(
            "SELECT rank, category <> 'non_error' FROM verdicts v JOIN issues i ON i.id = v.issue_id"
            " JOIN datasets d ON d.id = v.dataset_id WHERE d.name = 'imdb' AND agreement = 3 ORDER BY rank"
        ).fetchall()
    errors = np.array([row[1] for row in rows], np.bool_)
    assert (len(errors), errors.sum()) == (1310, 725)
    ranks = np.arange(1, first + 1)
    found = rank_curve(ranks, errors[:first]).forecast(next_ranks(ranks, 100, 25_000))
    low, high = found.interval
    assert low <= errors[first : first + 100].sum() <= high
    assert high - low < 45


def test_checked_examples_without_a_rank_are_counted_apart(site: httpx.Client) -> None:
    """Nothing of Amazon's matrix is in the release: a random thousand was checked, and no rank is known."""
    found = ranks_of(site, "amazon")
    assert (found["checked"], found["without_rank"], found["bins"]) == (0, 1000, [])
    assert (found["forecast"], found["few_from"], found["no_forecast"]) == (None, None, "no ranks")
    assert "nothing says which example is more suspicious" in read(site, "/amazon/ranks").words
    assert 'href="/amazon/ranks"' not in site.get("/amazon").text
    assert 'href="/20news/ranks"' in site.get("/20news").text


def test_parameters_and_etag(site: httpx.Client) -> None:
    address = "/api/v1/datasets/20news/ranks"
    assert ranks_of(site, "20news", agreement="5")["agreement"] == 5
    assert site.get(address, params={"agreement": "9"}).status_code == 400
    assert site.get(address, params={"given": "1"}).status_code == 400
    assert site.get("/20news/ranks?agreement=9").status_code == 400
    assert site.get("/api/v1/datasets/none/ranks").status_code == 404
    tag = site.get(address).headers["etag"]
    assert site.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert address.replace("20news", "{name}") in create_app().openapi()["paths"]


def test_issues_that_nobody_checked_are_not_read(release_catalogue: Path) -> None:
    """The query begins with the verdicts' index and looks issues up by id."""
    with closing(sqlite3.connect(release_catalogue)) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT issues.rank, verdicts.category IN ('neither') FROM verdicts"
            " JOIN issues ON issues.id = verdicts.issue_id WHERE verdicts.dataset_id = 1 AND verdicts.agreement = 3"
        ).fetchall()
    steps = [row[3] for row in plan]
    assert steps[0].startswith("SEARCH verdicts USING COVERING INDEX verdicts_by_category")
    assert steps[1].startswith("SEARCH issues USING INTEGER PRIMARY KEY")


# What is not to be concluded


def _tiny(folder: Path, name: str, order: list[int]) -> Tiny:
    """The model doubts all labels, the lower the index the more; these examples were checked, each second is wrong."""
    tiny = Tiny(folder / name)
    rows, own = np.arange(40), np.linspace(0.05, 0.4, 40)
    tiny.probs[:] = 0.05
    tiny.probs[rows, tiny.labels], tiny.probs[rows, (tiny.labels + 1) % 3] = own, 0.95 - own
    tiny.records = [tiny.record(index, *((0, 5, 0, 0) if index % 2 else (5, 0, 0, 0))) for index in order]
    return tiny


def _add(tiny: Tiny, name: str, catalogue: Path) -> None:
    manifest = tiny.write()
    text = manifest.read_text().replace('"tiny"', f'"{name}"')
    if not tiny.records:
        text = text.replace('votes = "votes.json"\n', "")
    manifest.write_text(text)
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(catalogue)]) == 0


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("ranks")
    catalogue = folder / "catalogue.sqlite"
    orders = {
        "nobody": [],
        "few": [0, 1, 2],
        "first": list(range(25)),
        "gaps": [0, 1, 2, *range(5, 40, 2)],
        "all": list(range(40)),
    }
    for name, order in orders.items():
        _add(_tiny(folder, name, order), name, catalogue)
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.mark.parametrize(
    ("name", "reason", "throughout", "said"),
    [
        ("nobody", "not reviewed", 0, "Nobody has checked an example of Tiny yet. Begin with the lowest ranks"),
        ("few", "few checked", 3, "3 checked examples say too little about the next ones; after 20"),
        ("first", None, 25, "The next 15 by rank probably hold"),
        ("gaps", None, 3, "Not every rank was checked: only the first 3 without a gap, and 21 of the first 40."),
        ("all", "all checked", 40, "Every example was checked"),
    ],
)
def test_what_the_page_says_of_what_was_checked(
    made_up: httpx.Client, name: str, reason: str | None, throughout: int, said: str
) -> None:
    found = ranks_of(made_up, name)
    assert (found["no_forecast"], found["checked_throughout"]) == (reason, throughout)
    assert (found["forecast"] is None) == (reason is not None)
    words = read(made_up, f"/{name}/ranks").words
    assert said in words
    assert ("if somebody chose them for another reason, they do not" in words) == (name == "gaps")
    assert ('say flag = "top 125" in the manifest' in words) == (name == "first")


def test_where_nothing_is_flagged_the_page_says_how_to_look_all_the_same(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path / "sure")
    tiny.probs[:] = 0.01
    tiny.probs[np.arange(len(tiny.labels)), tiny.labels] = 0.98
    tiny.top, tiny.records = "", []
    _add(tiny, "sure", tmp_path / "catalogue.sqlite")
    with serving(tmp_path / "catalogue.sqlite") as address, httpx.Client(base_url=address, timeout=30) as client:
        words = read(client, "/sure").words
        assert "Nothing is flagged in Tiny." in words
        assert 'say flag = "top 100" in the manifest' in words
        assert "No issue matches these filters." not in words
        assert "No issue matches these filters." in read(client, "/sure?given=0").words


def test_flags_are_measured_only_where_everything_was_judged(made_up: httpx.Client) -> None:
    """Of 40 examples eight are flagged, the first; every second one is wrong. Five reviewers name no kind of error."""
    assert [ranks_of(made_up, name)["flags"] for name in ("nobody", "few", "first", "gaps")] == [None] * 4
    (found,) = ranks_of(made_up, "all")["flags"]
    assert (found["kind"], found["errors"], found["flagged"], found["of_flagged"]) == ("any error", 20, 4, 8)
    assert (found["recall"], found["precision"]) == (0.2, 0.5)
    assert "How good the flags are" not in read(made_up, "/first/ranks").words


def test_gaps_come_next(made_up: httpx.Client) -> None:
    """The next examples are the unchecked ones of lowest rank, those that were passed over first."""
    found = ranks_of(made_up, "gaps")
    assert (found["forecast"]["first"], found["forecast"]["last"], found["forecast"]["examples"]) == (4, 39, 19)
    assert [(one["first"], one["last"], one["checked"]) for one in found["bins"]] == [
        (1, 10, 6),
        (11, 20, 5),
        (21, 30, 5),
        (31, 40, 5),
    ]
