"""``predict --groups``: columns of tables, patterns, and what would group nothing or everything."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from ingest.commands.main import main
from tests.ingest.predicting.conftest import texts_of

LABELS = np.arange(60) % 3
#: Reviews by five authors; the word "author" is in some of the texts.
ROWS = [
    {
        "text": f"{text} {'author' if place % 4 == 0 else ''}",
        "label": ("cars", "hockey", "bread")[place % 3],
        "author": f"writer{place * 7 % 5}",
    }
    for place, text in enumerate(texts_of(LABELS))
]


def described(folder: Path, kind: str) -> Path:
    """A folder of a table of reviews, described by init; the path of the manifest."""
    folder.mkdir()
    if kind == "csv":
        with (folder / "reviews.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(ROWS[0]))
            writer.writeheader()
            writer.writerows(ROWS)
    else:
        for part in range(2):
            path = folder / f"reviews-{part:05}-of-00002.parquet"
            pq.write_table(pa.Table.from_pylist(ROWS[part * 30 : part * 30 + 30]), path)
    assert main(["init", str(folder), "--out", str(folder.parent / "out")]) == 0
    return folder.parent / "out" / "dataset.toml"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_of_a_table_of_texts_is_no_pattern(tmp_path: Path, kind: str, capsys):
    manifest = described(tmp_path / "reviews", kind)
    asked = ["--media", str(tmp_path / "reviews"), "--folds", "5", "--model", "words", "--groups", "author"]
    assert main(["predict", str(manifest), *asked]) == 0
    folds = pq.read_table(manifest.parent / "folds.parquet").to_pydict()["fold"]
    of_author: dict[str, set[int]] = {}
    for row, fold in zip(ROWS, folds, strict=True):
        of_author.setdefault(row["author"], set()).add(fold)
    assert sorted(of_author) == [f"writer{i}" for i in range(5)]
    assert [len(found) for found in of_author.values()] == [1] * 5
    told = json.loads((manifest.parent / "pred_probs.json").read_text())
    assert told["groups"]["by"].startswith("the column author of reviews")
    assert "60 examples share a group" in capsys.readouterr().out


def test_a_word_that_groups_nothing_or_everything_is_refused(tmp_path: Path, capsys):
    manifest = described(tmp_path / "reviews", "csv")
    asked = ["predict", str(manifest), "--media", str(tmp_path / "reviews"), "--groups"]
    assert main([*asked, "auth"]) == 1
    assert "a pattern that tells groups apart; found 'auth' and nothing else in 15 texts" in capsys.readouterr().err
    rows = (tmp_path / "reviews" / "reviews.csv").read_text().splitlines()
    same = [rows[0], *(row.rpartition(",")[0] + ",one" for row in rows[1:])]
    (tmp_path / "reviews" / "reviews.csv").write_text("\n".join(same) + "\n")
    assert main(["init", str(tmp_path / "reviews"), "--out", str(tmp_path / "out"), "--label-column", "label"]) == 0
    assert main([*asked, "author"]) == 1
    assert "--groups: expected two groups at least, found all examples in one, by the column" in capsys.readouterr().err
    each = [rows[0], *(row.rpartition(",")[0] + f",{place}" for place, row in enumerate(rows[1:]))]
    (tmp_path / "reviews" / "reviews.csv").write_text("\n".join(each) + "\n")
    assert main(["init", str(tmp_path / "reviews"), "--out", str(tmp_path / "out"), "--label-column", "label"]) == 0
    assert main([*asked, "author"]) == 1
    assert (
        "--groups: expected groups of two examples or more, found 60 of one each, by the column"
        in capsys.readouterr().err
    )
    assert not (manifest.parent / "pred_probs.npy").exists()


def test_a_column_of_the_table_of_labels_groups_too(notes, capsys):
    manifest = notes(LABELS, [row["text"] for row in ROWS], ["cars", "hockey", "bread"])
    table = "label,patient\n" + "".join(f"{row['label']},{row['author']}\n" for row in ROWS)
    (manifest.parent / "labels.csv").write_text(table)
    manifest.write_text(manifest.read_text().replace("labels.npy", "labels.csv"))
    assert main(["predict", str(manifest), "--folds", "5", "--model", "words", "--groups", "patient"]) == 0
    folds = pq.read_table(manifest.parent / "folds.parquet").to_pydict()["fold"]
    assert len({(row["author"], fold) for row, fold in zip(ROWS, folds, strict=True)}) == 5
    assert "kept together by the column patient of labels.csv" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_rows_of_labels_that_an_index_puts_in_order_have_their_groups(notes, kind: str):
    """Labels are read in the order of the index, and so must groups be."""
    manifest = notes(LABELS, [row["text"] for row in ROWS], ["cars", "hockey", "bread"])
    rows = [{"index": n, "label": row["label"], "patient": row["author"]} for n, row in enumerate(ROWS)]
    table, path = pa.Table.from_pylist(rows[30:] + rows[:30][::-1]), manifest.parent / f"labels.{kind}"
    pacsv.write_csv(table, path) if kind == "csv" else pq.write_table(table, path)
    manifest.write_text(manifest.read_text().replace("labels.npy", path.name))
    assert main(["predict", str(manifest), "--folds", "5", "--model", "words", "--groups", "patient"]) == 0
    folds = pq.read_table(manifest.parent / "folds.parquet").to_pydict()["fold"]
    assert len({(row["author"], fold) for row, fold in zip(ROWS, folds, strict=True)}) == 5


def pair_of_tables(folder: Path, *, column: bool = True, fractions: bool = False) -> tuple[Path, list[str]]:
    """Reviews to look at by writers 0 to 4, and to learn from by writers 3 to 7; and the arguments of predict.

    With ``fractions``, writers are called by numbers alone, those of the first table with a fraction of zero.
    """
    folder.mkdir()
    more = texts_of(LABELS, seed=1)
    for name, texts, first in (("test", [row["text"] for row in ROWS], 0), ("train", more, 3)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            named = ["author"] if column or name == "test" else []
            writer.writerow(["text", "label", *named])
            for place, text in enumerate(texts):
                author = f"writer{first + place % 5}"
                if fractions:
                    author = author.removeprefix("writer") + (".0" if name == "test" else "")
                row = [f"{text} {name}{place}", ROWS[place]["label"], author]
                writer.writerow(row[: 2 + len(named)])
    out = folder.parent / "out"
    return out, [str(out / "dataset.toml"), "--media", str(folder), "--folds", "5", "--model", "words"]


@pytest.mark.parametrize("fractions", [False, True])
@pytest.mark.parametrize("way", ["--group-column of init", "--groups, a column", "--groups, a pattern"])
def test_no_row_to_learn_from_is_of_a_group_that_is_looked_at(tmp_path: Path, way: str, fractions: bool, capsys):
    """Whole numbers that pandas writes with a fraction, because one of them is missing, are the same numbers."""
    out, asked = pair_of_tables(tmp_path / "reviews", fractions=fractions)
    by_init = ["--group-column", "author"] if way.startswith("--group-column") else []
    assert main(["init", str(tmp_path / "reviews"), "--out", str(out), *by_init]) == 0
    if "pattern" in way:  # each number is of a text to look at and of one to learn from
        asked += ["--groups", r"number(\d*[05])\b"]
    elif "column" in way and not by_init:
        asked += ["--groups", "author"]
    assert main(["predict", *asked]) == 0
    told = json.loads((out / "pred_probs.json").read_text())
    n = 12 if "pattern" in way else 24  # of 60: numbers that end in 0 or 5, or writers 3 and 4
    assert told["train_examples"] == 60 - n
    said = f"Of the 60 examples to learn from {n} are of a group that is looked at too. They were not learnt from"
    assert said in capsys.readouterr().out


def test_unknown_groups_of_rows_to_learn_from_are_a_warning(tmp_path: Path, capsys):
    out, asked = pair_of_tables(tmp_path / "reviews", column=False)
    assert main(["init", str(tmp_path / "reviews"), "--out", str(out), "--group-column", "author"]) == 0
    assert "train.csv has no column 'author', so groups of rows to learn from are unknown" in capsys.readouterr().out
    for more in ([], ["--groups", "author"]):
        assert main(["predict", *asked, *more]) == 0
        (warning, *_) = json.loads((out / "pred_probs.json").read_text())["warnings"]
        assert warning.startswith(
            "The groups of the 60 examples to learn from are not known, so some may be of a group"
        )
    # What the warning advises helps.
    capsys.readouterr()
    (out / "groups_of_train.json").write_text(json.dumps([f"writer{3 + place % 5}" for place in range(60)]))
    manifest = out / "dataset.toml"
    manifest.write_text(manifest.read_text().replace("[train]", '[train]\ngroups = "groups_of_train.json"'))
    (out / "groups.of_test.json").write_text((out / "groups.json").read_text())
    for more in ([], ["--groups", "author"], ["--groups", "groups.of_test.json"]):
        assert main(["predict", *asked, *more]) == 0
        assert "Of the 60 examples to learn from 24 are of a group that is looked at too" in capsys.readouterr().out


CHANCE = """
import numpy as np
class Chance:
    def fit(self, texts, labels):
        self.classes_ = np.unique(labels)
        return self
    def predict_proba(self, texts):
        return np.full((len(texts), len(self.classes_)), 1 / len(self.classes_))
"""


def test_the_mean_of_several_models_is_compared_with_their_mean_without_groups(notes, tmp_path, monkeypatch, capsys):
    """Groups that tell nothing: were one model compared with the mean of both, the difference would be theirs."""
    manifest = notes(LABELS, [row["text"] for row in ROWS], ["cars", "hockey", "bread"])
    (tmp_path / "chance_model.py").write_text(CHANCE)
    monkeypatch.syspath_prepend(tmp_path)
    (manifest.parent / "groups.json").write_text(json.dumps([f"g{place // 2}" for place in range(60)]))
    asked = ["--folds", "5", "--groups", "groups.json", "--model", "words"]
    assert main(["predict", str(manifest), *asked]) == 0
    alone = json.loads((manifest.parent / "pred_probs.json").read_text())["groups"]["accuracy_without"]
    groups = hashlib.sha256((manifest.parent / "groups.json").read_bytes()).hexdigest()
    assert json.loads((manifest.parent / "pred_probs.json").read_text())["inputs"]["groups.json"] == groups
    for models in (["--model", "chance_model:Chance"], []):
        assert main(["predict", str(manifest), *asked[:-2], *models, "--model", "words"]) == 0
        told = json.loads((manifest.parent / "pred_probs.json").read_text())
        assert told["groups"]["accuracy_without"] == pytest.approx(alone, abs=0.05)
    assert "warning: With groups kept together" not in capsys.readouterr().out


@pytest.mark.parametrize("apart", [True, False])
def test_where_groups_matter_a_warning_says_so(tmp_path: Path, notes, apart: bool, capsys):
    """Each writer has words of their own and one class: nothing is known of a writer whose texts are held out."""
    rng = np.random.default_rng(0)
    writers = np.arange(60) // 6
    labels = writers % 3
    words = {writer: [f"{'abcdefghij'[writer]}{n}x" for n in range(6)] for writer in range(10)}
    common = [["engine", "wheel"], ["goal", "puck"], ["flour", "dough"]]
    chosen = [words[writers[i]] if apart else common[labels[i]] for i in range(60)]
    manifest = notes(labels, [" ".join([*rng.choice(one, 6), str(i)]) for i, one in enumerate(chosen)], ["a", "b", "c"])
    (manifest.parent / "groups.json").write_text(json.dumps([str(one) for one in writers]))
    asked = ["predict", str(manifest), "--folds", "5", "--model", "words", "--groups", "groups.json"]
    assert main([*asked, "--no-near-duplicates"]) == 0
    assert ("Only the lower figure says what the model knows" in capsys.readouterr().out) == apart


def test_groups_are_compared_by_as_many_folds_and_few_groups_are_told(notes, capsys):
    manifest = notes(LABELS, [row["text"] for row in ROWS], ["cars", "hockey", "bread"])
    (manifest.parent / "groups.json").write_text(json.dumps([str(place % 2) for place in range(60)]))
    work = manifest.parent / "pred_probs.unfinished"
    assert main(["predict", str(manifest), "--folds", "10", "--model", "words", "--groups", "groups.json"]) == 0
    told = capsys.readouterr()
    assert "note: There are 2 groups, and so as many folds" in told.out
    assert len(json.loads((manifest.parent / "pred_probs.json").read_text())["by_fold"]) == 2
    lines = [line for line in told.err.splitlines() if "without groups, to compare" in line]
    assert lines
    assert all("2 folds" in line for line in lines)
    assert not work.exists()
