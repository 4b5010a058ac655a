"""What stands beside predictions in a table is never taken for them; the names of columns decide, or it is refused."""

import io

import pandas as pd
import pytest

from app.evaluation.prediction_files import read_predictions
from app.evaluation.prediction_rows import Target, UploadError

TRUE = [0, 1, 2, 0, 1, 2]
WRONG = [1, 2, 0, 1, 2, 0]
THIRD = [2, 0, 1, 2, 0, 1]
PETS = Target("Pets", 6, ("cat", "dog", "fox"), None)
TWO = Target("Two", 6, ("neg", "pos"), None)
ONES = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0]


def read(tmp_path, form, target=PETS, **columns):
    frame, path = pd.DataFrame({name.replace("_", " "): values for name, values in columns.items()}), tmp_path / "p"
    path.write_bytes(frame.to_csv(index=False).encode() if form == "csv" else frame.to_parquet(index=False))
    return read_predictions(path, f"p.{form}", target)


FOUND = {
    "a label first": ({"label": TRUE, "prediction": WRONG}, [WRONG]),
    "an index": ({"index": list(range(6)), "given": TRUE, "Predicted": WRONG}, [WRONG]),
    "ranks in any order": ({"top_2": THIRD, "y": TRUE, "top_1": WRONG}, [WRONG, THIRD]),
    "a prediction and ranks": ({"rank_2": THIRD, "prediction": WRONG}, [WRONG, THIRD]),
    "numbers": ({"class_1": WRONG, "class_2": THIRD}, [WRONG, THIRD]),
    "a probability": ({"prediction": WRONG, "probability": [1] * 6}, [WRONG]),
    "a truth": ({"correct": [1, 0] * 3, "pred": WRONG}, [WRONG]),
    "scores and labels": (
        {"label": TRUE, "cat": [0.1] * 6, "dog": [0.7] * 6, "fox": [0.2] * 6},
        [[1] * 6, [2] * 6, [0] * 6],
    ),
}


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("case", FOUND)
def test_predictions_are_told_from_what_stands_beside_them(tmp_path, case, form):
    columns, ranked = FOUND[case]
    assert read(tmp_path, form, **columns).T.tolist() == ranked


REFUSED = {
    "labels alone": (PETS, {"label": TRUE}, "expected columns of predictions, found 'label': name .* prediction"),
    "measures alone": (TWO, {"probability": ONES}, "found 'probability'"),
    "others": (PETS, {"a": WRONG, "b": THIRD}, "expected columns of predictions, found 'a'"),
    "labels and others": (PETS, {"a": WRONG, "label": TRUE}, "found 'label'"),
    "two predictions": (PETS, {"pred": WRONG, "guess": THIRD}, "found two columns .*'pred' and 'guess'"),
    "a gap in ranks": (PETS, {"top_1": WRONG, "top_3": THIRD}, "expected columns of predictions, found 'top 1'"),
    "names of rows": (PETS, {"id": list(range(6)), "prediction": WRONG}, "by a column index or key, found 'id'"),
    "a score of one class": (TWO, {"neg": ONES}, "found 'neg', which is a class, and not all others"),
    "scores of some classes": (PETS, {"cat": [0.5] * 6, "dog": [0.5] * 6}, "found 'cat', which is a class"),
    "from one": (PETS, {"1": ONES, "2": ONES, "3": ONES}, "counted from 1"),
}


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("case", REFUSED)
def test_columns_that_tell_no_predictions_are_refused_by_name(tmp_path, case, form):
    target, columns, said = REFUSED[case]
    with pytest.raises(UploadError, match=said):
        read(tmp_path, form, target, **columns)


@pytest.mark.parametrize("turn", [slice(None, None, -1), [3, 0, 5, 1, 4, 2]])
def test_the_index_of_pandas_is_obeyed_also_as_a_range(tmp_path, turn):
    buffer = io.BytesIO()
    pd.DataFrame({"prediction": [0, 1, 2, 2, 1, 0]}).iloc[turn].to_parquet(buffer)
    (tmp_path / "p").write_bytes(buffer.getvalue())
    assert read_predictions(tmp_path / "p", "p.parquet", PETS)[:, 0].tolist() == [0, 1, 2, 2, 1, 0]
