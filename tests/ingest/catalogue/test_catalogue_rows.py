"""What must hold in any catalogue: counts add up, orders have no gaps, names find their rows."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.schema.facet_tables import unpack_unreviewed
from app.schema.packing import unpack_keys, unpack_labels, unpack_top
from app.schema.tables import EXAMPLES_PER_BLOCK, issue_id, issue_id_range
from ingest.commands.main import main
from ingest.manifest.parse import read_manifests
from ingest.pipeline import DATASETS

NAMES = [manifest.name for manifest in read_manifests(DATASETS) if manifest.paper is not None]


@pytest.fixture(params=NAMES)
def dataset(request: pytest.FixtureRequest, real: Any) -> dict[str, Any]:
    columns = "id, name, n_issues, n_checked, n_errors, agreements, n_classes, labels_known, size, vote_options"
    [row] = real(f"SELECT {columns} FROM datasets WHERE name = ?", request.param)
    return dict(zip(columns.split(", "), row, strict=True))


def test_facets_add_up_to_the_issues_at_every_agreement(real: Any, dataset: dict[str, Any]) -> None:
    sums = dict(real("SELECT agreement, sum(n) FROM facets WHERE dataset_id = ? GROUP BY agreement", dataset["id"]))
    packed = real("SELECT given, guessed, flagged, n FROM unreviewed WHERE dataset_id = ?", dataset["id"])
    names = ("given", "guessed", "flagged", "n")
    beside = sum(int(unpack_unreviewed(dict(zip(names, row, strict=True)))["n"].sum()) for row in packed)
    agreements = json.loads(dataset["agreements"])
    assert {agreement: sums.get(agreement, 0) + beside for agreement in agreements} == dict.fromkeys(
        agreements, dataset["n_issues"]
    )


def test_facets_count_what_a_query_over_issues_counts(real: Any, dataset: dict[str, Any]) -> None:
    facets = real(
        "SELECT agreement, category, given, guessed, corrected, vote_pattern, flagged, n FROM facets"
        " WHERE dataset_id = ?",
        dataset["id"],
    )
    counted = real(
        "SELECT agreement, category, given, guessed, corrected, vote_pattern, flagged, count(*) FROM issues i"
        " JOIN verdicts v ON v.issue_id = i.id WHERE i.dataset_id = ? GROUP BY 1, 2, 3, 4, 5, 6, 7",
        dataset["id"],
    )
    assert sorted(map(repr, facets)) == sorted(map(repr, counted))


def test_every_order_numbers_the_issues_without_gaps(real: Any, dataset: dict[str, Any]) -> None:
    rows = real("SELECT id, by_margin, by_disagreement FROM issues WHERE dataset_id = ? ORDER BY id", dataset["id"])
    n = dataset["n_issues"]
    assert [row[0] for row in rows] == [issue_id(dataset["id"], position) for position in range(n)]
    for column in (1, 2):
        assert sorted(row[column] for row in rows) == list(range(n))


def test_the_gallery_starts_with_the_most_suspicious(real: Any, dataset: dict[str, Any]) -> None:
    rows = real(
        "SELECT normalized_margin, rank, by_margin, idx FROM issues WHERE dataset_id = ? ORDER BY id", dataset["id"]
    )
    ranked = [row for row in rows if row[1] is not None]
    assert rows[: len(ranked)] == ranked
    assert all(a[1] < b[1] and a[0] <= b[0] for a, b in pairwise(ranked))
    assert [row[2] for row in ranked] == list(range(len(ranked)))


@pytest.mark.parametrize("name", ["cifar100", "imagenet", "quickdraw", "amazon"])
def test_without_margins_the_least_confirmed_come_first(real: Any, name: str) -> None:
    order = "SELECT votes, idx FROM issues i JOIN datasets d ON d.id = dataset_id WHERE name = ? ORDER BY i.id"
    places = [(json.loads(votes)["given"], index) for votes, index in real(order, name)]
    assert places == sorted(places)


def test_contested_votes_come_first(real: Any, dataset: dict[str, Any]) -> None:
    if json.loads(dataset["vote_options"]) == []:
        return

    def share(votes: str) -> float:
        """The Gini impurity, which orders votes of five as the entropy does at both ends."""
        counts = np.array(list(json.loads(votes).values()))
        return float(1 - ((counts / counts.sum()) ** 2).sum())

    order = "SELECT votes FROM issues WHERE dataset_id = ? AND votes <> '' ORDER BY by_disagreement"
    shares = [share(votes) for (votes,) in real(order, dataset["id"])]
    assert shares[0] == max(shares)
    assert shares[-1] == min(shares)


def test_labels_are_label_sets(real: Any, dataset: dict[str, Any]) -> None:
    rows = real("SELECT label_id, members FROM label_sets WHERE dataset_id = ? ORDER BY label_id", dataset["id"])
    sets = [tuple(json.loads(members)) for _, members in rows]
    n_classes = dataset["n_classes"]
    assert [label_id for label_id, _ in rows] == list(range(len(rows)))
    assert sets[:n_classes] == [(class_id,) for class_id in range(n_classes)]
    assert len(set(sets)) == len(sets)
    assert all(list(members) == sorted(set(members)) for members in sets)
    for column in ("given", "guessed"):
        [(least, most)] = real(f"SELECT min({column}), max({column}) FROM issues WHERE dataset_id = ?", dataset["id"])
        assert 0 <= least <= most < len(sets)


def test_packed_labels_are_the_issues_own(real: Any, dataset: dict[str, Any]) -> None:
    blocks = real("SELECT start, count, labels, keys FROM examples WHERE dataset_id = ? ORDER BY start", dataset["id"])
    if not dataset["labels_known"]:
        assert blocks == []
        return
    labels = np.concatenate([unpack_labels(block[2]) for block in blocks])
    assert [block[0] for block in blocks] == list(range(0, dataset["size"], EXAMPLES_PER_BLOCK))
    assert sum(block[1] for block in blocks) == len(labels) == dataset["size"]
    issues = real("SELECT idx, given, key FROM issues WHERE dataset_id = ?", dataset["id"])
    assert all(labels[index] == given for index, given, _ in issues)
    if blocks[0][3] is not None:
        keys = [key for block in blocks for key in unpack_keys(block[3])]
        assert len(keys) == dataset["size"]
        assert all(keys[index] == key for index, _, key in issues)


def test_class_counts_add_up(real: Any, dataset: dict[str, Any]) -> None:
    [(counted, known)] = real(
        "SELECT sum(n_examples), count(n_examples) FROM classes WHERE dataset_id = ?", dataset["id"]
    )
    if dataset["labels_known"]:
        assert known == dataset["n_classes"]
        assert counted == dataset["size"] or dataset["name"] == "audioset"
    else:
        assert known == 0


def test_votes_patterns_and_consensus_agree(real: Any, dataset: dict[str, Any]) -> None:
    options = json.loads(dataset["vote_options"])
    rows = real("SELECT votes, vote_pattern, consensus FROM issues WHERE dataset_id = ?", dataset["id"])
    for votes, pattern, consensus in rows:
        counts = json.loads(votes)
        if not options:
            assert pattern is None
            assert (consensus or "").split("; ") == [name for name, n in counts.items() if n >= 3] or consensus is None
            continue
        assert list(counts) == options
        assert pattern == "-".join(map(str, counts.values()))
        winners = [option for option, n in counts.items() if n >= 3]
        if "other" in winners:
            assert consensus in ("positive", "negative", "neutral")
        else:
            assert [consensus] == (winners or [None])


def test_classes_are_found_by_their_words(real: Any) -> None:
    [(dataset_id,)] = real("SELECT id FROM datasets WHERE name = 'cifar100'")
    found = real(
        "SELECT rowid FROM class_search WHERE class_search MATCH 'truck' AND rowid BETWEEN ? AND ?",
        *issue_id_range(dataset_id),
    )
    names = [
        real("SELECT name FROM classes WHERE dataset_id = ? AND class_id = ?", dataset_id, rowid & 0xFFFFFFFF)
        for (rowid,) in found
    ]
    assert names == [[("pickup_truck",)]]


def test_issues_are_found_by_their_keys(real: Any) -> None:
    [(rowid,)] = real("SELECT rowid FROM issue_search WHERE issue_search MATCH '00000293'")
    assert real("SELECT key FROM issues WHERE id = ?", rowid) == [("ILSVRC2012_val_00000293",)]


def test_top_probabilities_are_the_matrix_s_own(real: Any, shared: Path) -> None:
    folder = shared / "label-errors" / "cross_validated_predicted_probabilities"
    matrix = np.load(folder / "20news_test_set_pyx.npy")
    rows = real(
        "SELECT idx, given, self_confidence, normalized_margin, top_probs FROM issues i"
        " JOIN datasets d ON d.id = dataset_id WHERE d.name = '20news'"
    )
    for index, given, confidence, margin, top in rows:
        row = matrix[index] / matrix[index].sum()
        expected = sorted(range(20), key=lambda class_id, row=row: (-row[class_id], class_id))[:5]
        assert [class_id for class_id, _ in unpack_top(top)] == expected
        assert [p for _, p in unpack_top(top)] == pytest.approx([row[c] for c in expected], abs=1e-8)
        assert confidence == pytest.approx(row[given])
        assert margin == pytest.approx(row[given] - max(p for c, p in enumerate(row) if c != given))


def test_flagged_and_reviewed_keep_both_facts(tiny: Any, tmp_path: Path, query_of: Any) -> None:
    """Three are reviewed, one of them not flagged, and eight are flagged: each is an issue with what is known of it."""
    tiny.top = "flag = 8"
    tiny.records = [*tiny.records[:2], tiny.record(39, 5, 0, 0, 0)]
    catalogue = tmp_path / "new.sqlite"
    assert tiny.add(catalogue) == 0
    margins = [
        tiny.probs[i, tiny.labels[i]] - np.delete(tiny.probs[i], tiny.labels[i]).max() for i in range(len(tiny.labels))
    ]
    order = sorted(range(40), key=lambda i: margins[i])
    flagged = set(order[:8])
    rows = query_of(catalogue)("SELECT idx, flagged, votes IS NOT NULL, rank, guessed FROM issues ORDER BY id")
    assert {row[0] for row in rows} == flagged | {0, 1, 39}
    for index, is_flagged, reviewed, rank, guessed in rows:
        assert is_flagged == (index in flagged)
        assert reviewed == (index in (0, 1, 39))
        assert rank == order.index(index) + 1
        assert guessed == tiny.probs[index].argmax()
    unreviewed = query_of(catalogue)("SELECT sum(n_issues) FROM unreviewed")
    assert unreviewed == [(len(flagged - {0, 1, 39}),)]


def test_media_come_with_their_sizes_and_texts_with_their_words(shared: Path, tmp_path: Path, query_of: Any) -> None:
    catalogue = tmp_path / "media.sqlite"
    folders = [str(shared / "label-errors"), "--media", str(shared / "media")]
    chosen = ["--dataset", "cifar10", "--dataset", "20news"]
    assert main(["release", *folders, *chosen, "--catalogue", str(catalogue)]) == 0
    query = query_of(catalogue)
    of_frog = "FROM {} t JOIN datasets d ON d.id = t.dataset_id WHERE d.name = 'cifar10' AND t.idx = 2405"
    [(media,)] = query("SELECT media " + of_frog.format("issues"))
    sizes = {
        kind: [width, height] for kind, width, height in query("SELECT kind, width, height " + of_frog.format("media"))
    }
    assert json.loads(media) == sizes
    assert sizes["image"] == [32, 32]
    [(excerpt, key)] = query(
        "SELECT excerpt, key FROM issues i JOIN datasets d ON d.id = dataset_id WHERE name = '20news' AND idx = 38"
    )
    assert "Mac LCII 4/80" in excerpt
    assert key.startswith("misc.forsale/"), "nothing else names the posts"
    found = query("SELECT idx FROM issue_search s JOIN issues i ON i.id = s.rowid WHERE issue_search MATCH 'LCII'")
    assert (38,) in found
    assert query("SELECT DISTINCT missing FROM datasets") == [("[]",)]
    sources = {path for (path,) in query("SELECT path FROM sources WHERE role = 'media'")}
    assert sources == {"cifar-10-batches-bin-test.tar.xz", "20news-bydate-test.tar.gz"}
