"""Predictions in every format and spelling come out the same; what cannot be used is refused in words."""

import csv
import gzip
import io
import json
import struct
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.evaluation.prediction_files import MOST_BYTES, read_predictions
from app.evaluation.prediction_rows import Target, UploadError, ranked_of_scores
from tests.damaging import PACKINGS, damaged_npz

NAMES = ("cat", "dog", "frog", "crane", "crane", "car, red", "über")
N = 40
RNG = np.random.default_rng(0)
KEYS = [f"neg/{n}_{n % 7}.txt" for n in range(N)]
TARGET = Target("Pets", N, NAMES, KEYS)
KEYLESS = Target("Pets", N, NAMES, None)
SCORES = RNG.random((N, len(NAMES)))
RANKED = np.argsort(-SCORES, axis=1)[:, :5].astype(np.int32)
TOP = RANKED[:, 0]


def spelled(class_id: int) -> str:
    """By name where that says which one is meant."""
    return NAMES[class_id] if NAMES.count(NAMES[class_id]) == 1 else str(class_id)


def as_csv(header, rows) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if header:
        writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def as_npy(array, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def as_npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def as_parquet(**columns) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def read(tmp_path, name: str, content: bytes, target: Target = TARGET):
    path = tmp_path / "upload"
    path.write_bytes(content)
    return read_predictions(path, name, target)


ORDER = RNG.permutation(N)
INDEX = ORDER.tolist()
SHUFFLED_KEYS = [KEYS[i] for i in INDEX]

CLASSES = {
    "plain.csv": as_csv(["prediction"], [[spelled(c)] for c in TOP]),
    "numbers.csv": as_csv(["class"], [[c] for c in TOP]),
    "headless.csv": as_csv(None, [[c] for c in TOP]),
    "index.csv": as_csv(["index", "prediction"], [[i, spelled(TOP[i])] for i in INDEX]),
    "last.csv": as_csv(["prediction", "Key"], [[spelled(TOP[i]), KEYS[i]] for i in INDEX]),
    "bom.csv": b"\xef\xbb\xbf" + as_csv(["index", "prediction"], [[i, spelled(TOP[i])] for i in INDEX]),
    "nameless.csv": as_csv(["", "prediction"], [[i, spelled(TOP[i])] for i in INDEX]),
    "nameless.parquet": as_parquet(prediction=TOP[ORDER].tolist(), __index_level_0__=INDEX),
    "one.npy": as_npy(TOP),
    "unsigned.npy": as_npy(TOP.astype(np.uint8)),
    "column.npy": as_npy(TOP.reshape(N, 1).astype(np.int64)),
    "names.npy": as_npy(np.array([spelled(c) for c in TOP])),
    "only.npz": as_npz(anything=TOP),
    "index.npz": as_npz(predictions=TOP[ORDER], index=ORDER),
    "key.npz": as_npz(predictions=TOP[ORDER], key=np.array(SHUFFLED_KEYS)),
    "list.json": json.dumps([spelled(c) for c in TOP]).encode(),
    "numbers.json": json.dumps(TOP.tolist()).encode(),
    "indexed.json": json.dumps({"index": INDEX, "predictions": TOP[ORDER].tolist()}).encode(),
    "keyed.json": json.dumps({"key": SHUFFLED_KEYS, "predictions": [spelled(TOP[i]) for i in INDEX]}).encode(),
    "objects.json": json.dumps([{"key": KEYS[i], "prediction": spelled(TOP[i])} for i in INDEX]).encode(),
    "one a line.jsonl": "".join(f"{json.dumps(spelled(c))}\n\n" for c in TOP).encode(),
    "numbers a line.ndjson": "".join(f"{c}\r\n" for c in TOP).encode("utf-8-sig"),
    "objects a line.jsonl": "".join(
        json.dumps({"label": 0, "Prediction": int(TOP[i]), "index": i}) + "\n" for i in INDEX
    ).encode(),
    "object.json": json.dumps({str(i): int(TOP[i]) for i in INDEX}).encode(),
    "by key.json": json.dumps({KEYS[i]: spelled(TOP[i]) for i in INDEX}).encode(),
    "plain.parquet": as_parquet(prediction=[spelled(c) for c in TOP]),
    "index.parquet": as_parquet(index=INDEX, prediction=TOP[ORDER].tolist()),
    "key.PARQUET": as_parquet(key=SHUFFLED_KEYS, prediction=TOP[ORDER].tolist()),
}
RANKINGS = {
    "ranked.csv": as_csv(["index", *(f"top{k}" for k in range(1, 6))], [[i, *map(spelled, RANKED[i])] for i in INDEX]),
    "ranked.npy": as_npy(RANKED),
    "columns.npy": as_npy(np.asfortranarray(RANKED)),
    "ranked.json": json.dumps(RANKED.tolist()).encode(),
    "scores.npy": as_npy(SCORES),
    "half.npy": as_npy(SCORES.astype(np.float32)),
    "logits.npy": as_npy(40 * np.log(SCORES)),
    "scores.csv": as_csv(range(7), SCORES.tolist()),
    "headless.csv": as_csv(None, SCORES.tolist()),
    "nameless.csv": as_csv(["", *range(7)], [[i, *SCORES[i].tolist()] for i in INDEX]),
    "moved.csv": as_csv(["index", *range(6, -1, -1)], [[i, *SCORES[i, ::-1].tolist()] for i in INDEX]),
    "ranked.jsonl": "".join(json.dumps({"classes": row}) + "\n" for row in RANKED.tolist()).encode(),
    "scores.jsonl": "".join(json.dumps(row) + "\n" for row in SCORES.tolist()).encode(),
    "list of scores.jsonl": "".join(json.dumps({"index": i, "p": SCORES[i].tolist()}) + "\n" for i in INDEX).encode(),
    "scores by class.jsonl": "".join(
        json.dumps({"key": KEYS[i], **{str(c): SCORES[i, c] for c in range(7)[::-1]}}) + "\n" for i in INDEX
    ).encode(),
    "scores.json": json.dumps(SCORES.tolist()).encode(),
    "scores.parquet": as_parquet(**{str(c): SCORES[:, c] for c in range(7)}),
    "scores.npz": as_npz(predictions=SCORES[ORDER], index=ORDER),
}


@pytest.mark.parametrize("name", CLASSES)
def test_one_class_a_row(tmp_path, name):
    assert read(tmp_path, name, CLASSES[name]).tolist() == [[c] for c in TOP.tolist()]


@pytest.mark.parametrize("name", RANKINGS)
def test_rankings_and_scores(tmp_path, name):
    assert read(tmp_path, name, RANKINGS[name]).tolist() == RANKED.tolist()


def test_columns_named_like_the_classes_hold_scores(tmp_path):
    target = Target("Pets", 2, ("cat", "dog", "frog"), None)
    content = as_csv(["frog", "cat", "dog"], [[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]])
    assert read(tmp_path, "named.csv", content, target).tolist() == [[0, 1, 2], [2, 1, 0]]


def test_equal_scores_go_by_the_number_of_the_class():
    rng = np.random.default_rng(1)
    scores = rng.integers(4, size=(300, 9)) / 4
    expected = [sorted(range(9), key=lambda c: (-row[c], c))[:5] for row in scores.tolist()]
    assert ranked_of_scores(scores, Target("Many", 300, tuple("abcdefghi"), None)).tolist() == expected
    few = Target("Few", 1, ("a", "b", "c"), None)
    assert ranked_of_scores(np.array([[0.2, 0.4, 0.4]]), few).tolist() == [[1, 2, 0]]


def without(rows, *indices):
    return [row for place, row in enumerate(rows) if place not in indices]


ROWS = [[i, spelled(TOP[i])] for i in range(N)]
REFUSED = {
    "short.csv": (as_csv(["prediction"], [[c] for c in TOP[:-2]]), "expected 40 rows.*found 38"),
    "long.csv": (as_csv(["prediction"], [[c] for c in [*TOP, 0]]), "expected 40 rows.*more than that"),
    "absent.csv": (as_csv(["index", "prediction"], without(ROWS, 7, 9)), "2 not at all: 7, 9"),
    "twice.csv": (as_csv(["index", "prediction"], [*without(ROWS, 3), ROWS[5]]), "1 more than once: 5"),
    "outside.csv": (as_csv(["index", "prediction"], [*without(ROWS, 3), [40, "cat"]]), "index from 0 to 39.*'40'"),
    "wrong key.csv": (as_csv(["key", "prediction"], [[f"pos/{i}", 0] for i in range(N)]), "a key of Pets.*40 others"),
    "unknown.csv": (as_csv(["prediction"], [["catt"], *[["cat"]] * (N - 1)]), "found 'catt' in row 0"),
    "ambiguous.csv": (as_csv(["prediction"], [["crane"]] * N), "found 'crane' in rows 0, 1, 2, 3, 4 and 35 more"),
    "blank.csv": (as_csv(["index", "prediction"], [[i, ""] for i in range(N)]), "found '' in rows"),
    "seven.npy": (as_npy(np.full(N, 7)), "from 0 to 6; found 7"),
    "negative.npy": (as_npy(np.full(N, -1)), "from 0 to 6; found -1"),
    "wrapping.npy": (as_npy(np.full(N, 2**64 - 1, np.uint64)), "from 0 to 6; found 18446744073709551615"),
    "fraction.npy": (as_npy(np.full(N, 0.5)), "found 0.5 in rows"),
    "nan.npy": (as_npy(np.where(np.arange(N)[:, None] == 3, np.nan, SCORES)), "NaN or infinity in row 3"),
    "infinite.csv": (as_csv(range(7), [[*row[:6], "inf"] for row in SCORES.tolist()]), "NaN or infinity"),
    "word.csv": (as_csv(range(7), [[*row[:6], "much"] for row in SCORES.tolist()]), "much"),
    "classes.npy": (as_npy(SCORES[:, :4]), "expected 7 probabilities a row"),
    "repeated.npy": (as_npy(np.zeros((N, 2), int)), "different classes in a row.*rows 0"),
    "cube.npy": (as_npy(np.zeros((N, 2, 2))), "shape \\(n,\\) or \\(n, k\\)"),
    "scalar.npy": (as_npy(np.array(3)), "shape \\(n,\\) or \\(n, k\\)"),
    "objects.npy": (as_npy(np.array([{}] * N), allow_pickle=True), "nothing is unpickled"),
    "cut.npy": (as_npy(TOP)[:-9], "expected .* bytes"),
    "text.npy": (b"hello there, this is no array", "expected a .npy file"),
    "two.npz": (as_npz(a=TOP, b=TOP), "array named predictions"),
    "text.npz": (b"PK\x03\x04 and nothing behind it", "expected a .npz file"),
    **{f"{how}.npz": (damaged_npz(how, "predictions", SCORES), "found another or a damaged one") for how in PACKINGS},
    "ids.npz": (as_npz(predictions=TOP, index=ORDER[:-1]), "as many of index as predictions"),
    "text.parquet": (b"PAR1 nothing PAR1", "expected a Parquet file"),
    "nulls.parquet": (as_parquet(prediction=[None] * N), "value in every cell"),
    "words.parquet": (as_parquet(**{str(c): ["x"] * N for c in range(7)}), "numbers in the columns of scores"),
    "long.parquet": (as_parquet(prediction=[0] * 41), "found 41"),
    "broken.json": (b'{"a": ', "expected JSON"),
    "number.json": (b"3", "list of predictions"),
    "ragged.json": (json.dumps([[0, 1], [1]] * 20).encode(), "another at row 1"),
    "mixed.json": (json.dumps([0, [1]] * 20).encode(), "another at row 1"),
    "null.json": (json.dumps([None] * N).encode(), "something else at row 0"),
    "true.json": (json.dumps([True] * N).encode(), "found 'True' in rows"),
    "empty.json": (b"[]", "found none"),
    "counted.csv": (as_csv(None, [[i, c] for i, c in enumerate(TOP)]), "counts the rows: name the columns"),
    "empty.csv": (b"", "empty file"),
    "header.csv": (b"prediction\n", "found none"),
    "blank first.csv": (b"\n1\n2\n", "expected 40 rows.*found 2"),
    "only blank.csv": (b"\n\n", "names of columns in the first line, found none"),
    "binary.csv": (bytes(range(128, 256)) * 9, "CSV in UTF-8"),
    "wide.csv": (b",".join([b"x"] * 60) + b"\n", "found 60"),
    "wider.csv": (b"x" * 1_200_000, "first line"),
    "many.csv": (as_csv(["a"] * 25, [[0] * 25] * N), "found 25 columns"),
    "both.csv": (as_csv(["index", "key", "prediction"], [[0, "a", 0]] * N), "found both"),
    "ragged.csv": (as_csv(["index", "prediction"], [*ROWS[:-1], [39, "cat", "dog"]]), "line 41: expected 2 cells.*3"),
    "longer.csv": (
        as_csv(["index", "prediction"], [[*row, 0.9] for row in ROWS]),
        "found '0.9' in rows",
    ),
    "first longer.csv": (as_csv(["index", "prediction"], [[*ROWS[0], "x"], *ROWS[1:]]), "line 3: expected 3 cells.*2"),
    "two longer.csv": (
        as_csv(["prediction"], [[*row, 0.9] for row in ROWS]),
        "line 2: expected 1 cell as in line 1, found 3",
    ),
    "shorter.csv": (as_csv(["index", "prediction"], [*ROWS[:7], [7], *ROWS[8:]]), "line 9: expected 2 cells.*found 1"),
    "same name.csv": (as_csv(["top", "top"], RANKED[:, :2].tolist()), "columns of different names, found 'top'"),
    "headless names.csv": (
        as_csv(None, [[spelled(c)] for c in [0, *TOP[1:]]]),
        "names the columns; found 'cat', which is a class",
    ),
    "thousands.csv": (
        as_csv(range(7), [["1,234.5", *row[1:]] for row in SCORES.tolist()]),
        "line 2: .*'0', found '1,234.5'",
    ),
    "marks.csv": (b"0;1;2;3;4;5;6\n1,5;1.5;0;0;0;0;0\n", "line 2: expected one decimal mark"),
    "later marks.csv": (b"0;1;2;3;4;5;6\n1,5;1;0;0;0;0;0\n1.5;1;0;0;0;0;0\n", "line 3: expected one decimal mark"),
    "three digits.csv": (b"0;1;2;3;4;5;6\n1.000;999;0;0;0;0;0\n", "line 2: found '1.000, 999, .* thousands"),
    "three digits, commas.csv": (b"0\t1\t2\t3\t4\t5\t6\n1,000\t999\t0\t0\t0\t0\t0\n", "line 2: found '1,000, 999"),
    "quoted commas.csv": (as_csv(range(7), [["0,5"] * 7] * N), "'0,5'; decimals are written with a point"),
    "missing.csv": (as_csv(["prediction"], [["NA"], *[["cat"]] * (N - 1)]), "found 'NA' in row 0"),
    "missing scores.csv": (as_csv(range(7), [["NA", *row[1:]] for row in SCORES.tolist()]), "line 2: .*found 'NA'"),
    "underscores.csv": (as_csv(range(7), [["1_0", *row[1:]] for row in SCORES.tolist()]), "line 2: .*found '1_0'"),
    "utf-16 without a mark.csv": ("prediction\ncat\n".encode("utf-16-le"), "zero bytes"),
    "latin-1.csv": ("prediction\nüber\n".encode("latin-1"), "expected CSV in UTF-8"),
    "quote.csv": (b'prediction\n"cat\n', "breaks there: unexpected end of data"),
    "one hot.csv": (as_csv(None, np.eye(7, dtype=int)[TOP].tolist()), "7 whole numbers a row can be ranked classes or"),
    "from one.csv": (
        as_csv(["index", "prediction"], [[i + 1, c] for i, (_, c) in enumerate(ROWS)]),
        "look counted from 1",
    ),
    "all ranked.json": (json.dumps(np.argsort(-SCORES, axis=1).tolist()).encode(), "all 7 in each row can be ranked"),
    "some true.json": (json.dumps([True, *[0] * (N - 1)]).encode(), "true and false among others"),
    "bars.csv": (
        as_csv(["key|prediction"], [[f"{k}|{row[0]}"] for k, row in enumerate(ROWS)]),
        "separated by bars: exp",
    ),
    "gzip.csv": (
        gzip.compress(as_csv(["prediction"], ROWS), mtime=0),
        "expected text, found a file compressed by gzip: unpack",
    ),
    # Each key was once held against all others: this took minutes.
    "a key twice of very many.json": (
        ("{" + ",".join(f'"{key}":1' for key in range(100_000)) + ',"99999":2}').encode(),
        "99999",
    ),
    "huge.jsonl": (
        ("[" + "1" + "0" * 400 + ",0.5]\n").encode() * len(ROWS),
        "expected classes or numbers, found a whole number of more than 300 digits",
    ),
    "broken.jsonl": (b'"a"\n\n{"a": \n', "line 3: expected one value of JSON a line, found that it breaks at column"),
    "other fields.jsonl": (
        b'{"prediction": 0}\n{"predicted": 1}\n',
        "line 2: expected a field .prediction. as in l",
    ),
    "more fields.json": (b'[{"prediction": 0}, {"prediction": 1, "p": 2}]', "entry 1: .*fields of entry 0, found 'p'"),
    "no object.jsonl": (b'{"prediction": 0}\n1\n', "line 2: expected an object as in line 1, found 1"),
    "a key twice.json": (
        json.dumps(dict.fromkeys(KEYS, 0))[:-1].encode() + f', "{KEYS[0]}": 1}}'.encode(),
        f"expected each key once in an object, found '{KEYS[0]}' twice",
    ),
    "a file beside.jsonl": (
        b'{"file": "a.png", "prediction": 0}\n',
        "whose each row is by a column index or key",
    ),
    "one score less.jsonl": (
        b"[0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0]\n[0.5]\n",
        "line 2: expected 7 scores as in the",
    ),
    "a text among scores.jsonl": (b'[0.5, 0, 0, 0, 0, 0, 0]\n[0, 0, "x", 0, 0, 0, 0]\n', "line 2: .*number, found 'x'"),
    "too many.jsonl": (b"0\n" * (N + 1), "found more than that"),
    "predictions.doc": (b"0\n", "ending in .csv.*found '.doc'"),
    "predictions": (b"0\n", "without one"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_was_expected_and_what_was_found(tmp_path, name):
    content, words = REFUSED[name]
    with pytest.raises(UploadError, match=words):
        read(tmp_path, name, content)


def test_keys_are_refused_where_there_are_none(tmp_path):
    with pytest.raises(UploadError, match="have no keys"):
        read(tmp_path, "key.csv", CLASSES["last.csv"], KEYLESS)
    with pytest.raises(UploadError, match="have no keys"):
        read(tmp_path, "key.npz", CLASSES["key.npz"], KEYLESS)


def header_only(shape: str) -> bytes:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (118 - len(text) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize("shape", ["(99999999999, 7)", "(2**40,)", "(40, -1)", "(10**18, 10**18)", "[40]", "(0, 7)"])
def test_a_header_is_believed_only_as_far_as_the_file_is_long(tmp_path, shape):
    with pytest.raises(UploadError):
        read(tmp_path, "huge.npy", header_only(shape) + b"\0" * 64)


def test_a_header_of_megabytes_is_not_evaluated(tmp_path):
    text = b"(" * 60_000
    with pytest.raises(UploadError, match=r"expected a \.npy file"):
        read(tmp_path, "deep.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)


def test_a_zip_bomb_costs_no_more_than_its_refusal(tmp_path):
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("predictions.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(MOST_BYTES // 4_000_000 + 2):
            member.write(bytes(4_000_000))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(UploadError, match="unpacks to more than"):
        read_predictions(path, path.name, TARGET)


def test_members_of_an_archive_are_never_paths(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../escaped.npy", as_npy(TOP))
    assert read(tmp_path, "sly.npz", buffer.getvalue()).tolist() == [[c] for c in TOP.tolist()]
    assert not (tmp_path.parent.parent / "escaped.npy").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["upload"]


def test_deeply_nested_json_is_refused(tmp_path):
    with pytest.raises(UploadError):
        read(tmp_path, "deep.json", b"[" * 100_000)


def european(header, rows) -> bytes:
    """As a spreadsheet writes CSV where decimals have commas: by semicolons, with a mark, lines ending in CRLF."""
    cells = [header, *([str(cell).replace(".", ",") for cell in row] for row in rows)]
    return b"\xef\xbb\xbf" + "".join(";".join(map(str, row)) + "\r\n" for row in cells).encode()


def from_r(header, rows, names, separator=",") -> bytes:
    """As R's write.table does: texts quoted, row names in front, and no name for their column."""
    lines = [separator.join(f'"{cell}"' for cell in header)]
    lines += [separator.join([f'"{name}"', *map(str, row)]) for name, row in zip(names, rows, strict=True)]
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("name", ["table.txt", "table.tsv", "TABLE.TXT"])
def test_tables_of_other_endings_are_read_as_csv_is(tmp_path, name):
    found = read(tmp_path, name, from_r(NAMES, SCORES.tolist(), range(1, N + 1), "\t"))
    assert (found[:, 0] == TOP).all()


@pytest.mark.parametrize(
    "content",
    [
        from_r(NAMES, SCORES.tolist(), range(1, N + 1), " "),
        from_r(["prediction"], [[f'"{spelled(c)}"'] for c in TOP], range(1, N + 1), " "),
    ],
)
def test_a_table_separated_by_spaces_is_refused_with_what_to_write(tmp_path, content):
    with pytest.raises(UploadError, match="separated by tabs, semicolons or commas, found spaces; in R say sep"):
        read(tmp_path, "table.txt", content)


PLAIN = as_csv(range(7), SCORES.tolist()).decode()
SAME_SCORES = {
    "european": european(range(7), SCORES.tolist()),
    "european, no header": european(SCORES[0].tolist(), SCORES[1:].tolist()).replace(b".", b","),
    "european tabs": european(range(7), SCORES.tolist()).replace(b";", b"\t"),
    "european, shuffled": european(["index", *range(7)], [[i, *SCORES[i].tolist()] for i in INDEX]),
    "R": from_r(range(7), SCORES.tolist(), range(1, N + 1)),
    "R, by keys": from_r(range(7), SCORES[ORDER].tolist(), SHUFFLED_KEYS),
    "R, shuffled": from_r(range(7), SCORES[ORDER].tolist(), [i + 1 for i in INDEX]),
    "R, from 0": from_r(range(7), SCORES[ORDER].tolist(), INDEX, "\t"),
    "class names": as_csv(NAMES, SCORES.tolist()),
    "tabs": PLAIN.replace(",", "\t").encode(),
    "sep=": ("sep=,\n" + PLAIN).encode(),
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16, the other way": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "pandas' index beside another": as_csv(["", "key", *range(7)], [[7, KEYS[i], *SCORES[i].tolist()] for i in INDEX]),
    "CR": PLAIN.replace("\r\n", "\r").encode(),
    "blank lines": ("\n" + PLAIN.replace("\r\n", "\r\n\r\n")).encode(),
    "empty rows": (PLAIN + ",,,,,,\r\n" * 3).encode(),
    "a separator at each end": PLAIN.replace("\r\n", ",\r\n").encode(),
    "a separator at some ends": PLAIN.replace("\r\n", ",\r\n").replace(",\r\n", "\r\n", 5).encode(),
}
SAME_SCORES["R's write.csv2"] = (
    b'"";'
    + european(range(7), [])[3:]
    + "".join(
        f'"{i + 1}";' + ";".join(str(cell).replace(".", ",") for cell in row) + "\n"
        for i, row in enumerate(SCORES.tolist())
    ).encode()
)


@pytest.mark.parametrize("form", SAME_SCORES)
def test_scores_in_every_kind_of_csv(tmp_path, form):
    assert read(tmp_path, "scores.csv", SAME_SCORES[form]).tolist() == RANKED.tolist()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_names_with_other_separators_in_them(tmp_path, separator):
    names = ("a", "b, c", "d; e", 'f "g"', "NA", "1,5", "nan")
    target = Target("Odd", N, names, None)
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator)
    writer.writerow(names)
    writer.writerows(
        [str(cell).replace(".", "," if separator == ";" else ".") for cell in row] for row in SCORES.tolist()
    )
    assert read(tmp_path, "p.csv", buffer.getvalue().encode(), target).tolist() == RANKED.tolist()
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator).writerows([["index", "p"], *([i, names[TOP[i]]] for i in INDEX)])
    assert read(tmp_path, "p.csv", buffer.getvalue().encode(), target).tolist() == [[c] for c in TOP.tolist()]


def test_one_column_of_names_with_separators_in_them(tmp_path):
    """Nothing separates the cells of one column, unless numbers of rows stand before each."""
    names = ("a; b", "c\td", "e, f", "plain")
    ids = np.arange(N) % 4
    target = Target("Odd", N, names, None)
    content = as_csv(["prediction"], [[names[c]] for c in ids])
    assert read(tmp_path, "p.csv", content, target).tolist() == [[c] for c in ids.tolist()]
    for separator in ",;\t":
        content = from_r(["prediction"], [[f'"{names[c]}"'] for c in ids], range(1, N + 1), separator)
        assert read(tmp_path, "p.csv", content, target).tolist() == [[c] for c in ids.tolist()]


STARS = ("1", "2", "3")
FOLDERS = tuple(sorted(map(str, range(12))))


def spelled_in_every_form(values) -> dict[str, bytes]:
    texts = [str(value) for value in values]
    return {
        "p.csv": as_csv(["prediction"], [[text] for text in texts]),
        "headless.csv": as_csv(None, [[text] for text in texts]),
        "p.json": json.dumps(texts).encode(),
        "p.npy": as_npy(np.array(texts)),
        "p.npz": as_npz(predictions=np.array(texts)),
        "p.parquet": as_parquet(prediction=texts),
    }


@pytest.mark.parametrize("form", spelled_in_every_form([0]))
@pytest.mark.parametrize("names", [STARS, FOLDERS])
@pytest.mark.parametrize("by", ["numbers", "names"])
def test_class_names_that_are_numbers(tmp_path, form, names, by):
    """Where only one reading fits all of a column it is taken; where both fit, the file is read only when told how."""
    m = len(names)
    ids = np.arange(2 * m) % m
    content = spelled_in_every_form(ids if by == "numbers" else [names[c] for c in ids])[form]
    target = Target("Numbers", 2 * m, names, None)
    told = Target("Numbers", 2 * m, names, None, by)
    assert read(tmp_path, form, content, told).tolist() == [[c] for c in ids.tolist()]
    if names is STARS:
        assert read(tmp_path, form, content, target).tolist() == [[c] for c in ids.tolist()]
    else:
        with pytest.raises(
            UploadError, match=r"'\d+' is the name of class \d+ and the number of class \d+; say .*--classes-are names"
        ):
            read(tmp_path, form, content, target)


def test_a_column_is_names_or_numbers_whatever_some_cells_could_be(tmp_path):
    target = Target("Stars", 4, (*STARS, "none"), None)
    ids = [0, 3, 1, 2]
    assert read(tmp_path, "p.json", b'["0", "3", "1", "2"]', target).tolist() == [[c] for c in ids]
    assert read(tmp_path, "p.json", b'["1", "none", "2", "3"]', target).tolist() == [[c] for c in ids]
    assert read(tmp_path, "p.json", b"[0, 3, 1, 2]", target).tolist() == [[c] for c in ids]
    with pytest.raises(UploadError, match="'1' is the name of class 0 and the number of class 1"):
        read(tmp_path, "p.json", b'["1", "2", "1", "2"]', target)
    with pytest.raises(UploadError, match="'1' is the name of class 0"):
        read(tmp_path, "p.json", b'["0", "none", "1", "2"]', target)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_columns_of_scores_whose_classes_are_numbers(tmp_path, form):
    """Columns called 0, 1, 2 are numbers and 1, 2, 3 names of the classes 1, 2, 3; 0 to 11 sorted as texts are told."""

    def scored(columns, m):
        scores = np.random.default_rng(m).random((N, m))
        made = as_parquet(**{c: scores[:, j] for j, c in enumerate(columns)})
        return scores.argmax(axis=1), made if form == "parquet" else as_csv(columns, scores.tolist())

    for columns in (["0", "1", "2"], list(STARS)):
        top, content = scored(columns, 3)
        assert read(tmp_path, f"p.{form}", content, Target("Stars", N, STARS, None))[:, 0].tolist() == top.tolist()
    for columns, by in (([str(c) for c in range(12)], "numbers"), (list(FOLDERS), "names")):
        top, content = scored(columns, 12)
        told = read(tmp_path, f"p.{form}", content, Target("Folders", N, FOLDERS, None, by))
        assert told[:, 0].tolist() == top.tolist()
        with pytest.raises(UploadError, match="names of the columns: found classes that can be names or numbers"):
            read(tmp_path, f"p.{form}", content, Target("Folders", N, FOLDERS, None))


TRUTHS = np.arange(8) % 2 == 1
OF_TRUTHS = {
    "b.npy": as_npy(TRUTHS),
    "b.csv": as_csv(["prediction"], [[bool(t)] for t in TRUTHS]),
    "r.csv": as_csv(["prediction"], [["TRUE" if t else "FALSE"] for t in TRUTHS]),
    "b.json": json.dumps(TRUTHS.tolist()).encode(),
    "b.parquet": as_parquet(prediction=TRUTHS.tolist()),
    "f.npy": as_npy(TRUTHS.astype(np.float32)),
    "f.csv": as_csv(["prediction"], [[float(t)] for t in TRUTHS]),
    "f.json": json.dumps(TRUTHS.astype(float).tolist()).encode(),
    "f.parquet": as_parquet(prediction=TRUTHS.astype(float).tolist()),
    "one hot.npy": as_npy(np.stack([~TRUTHS, TRUTHS], axis=1)),
}


@pytest.mark.parametrize("form", OF_TRUTHS)
def test_whole_fractions_and_truths_are_classes(tmp_path, form):
    top = read(tmp_path, form, OF_TRUTHS[form], Target("Two", 8, ("ham", "spam"), None))[:, 0]
    assert top.tolist() == TRUTHS.astype(int).tolist()


def test_truths_are_the_classes_that_are_called_so(tmp_path):
    for form in ("b.npy", "b.csv", "r.csv", "b.json", "b.parquet"):
        top = read(tmp_path, form, OF_TRUTHS[form], Target("Two", 8, ("true", "false"), None))[:, 0]
        assert top.tolist() == (~TRUTHS).astype(int).tolist(), form


@pytest.mark.parametrize("name", ["p.npy", "p.json", "p.csv"])
def test_two_whole_numbers_of_two_classes_are_not_guessed(tmp_path, name):
    """A 1 at the class of each row, or both classes in their order: each would be the other's opposite."""
    rows = [[0, 1], [1, 0], [1, 0], [0, 1]]
    content = {"p.npy": as_npy(np.array(rows)), "p.json": json.dumps(rows).encode(), "p.csv": as_csv(None, rows[::-1])}
    with pytest.raises(UploadError, match=r"ranked classes or|expected 4 rows"):
        read(tmp_path, name, content[name], Target("Two", 4, ("ham", "spam"), None))


def test_names_of_rows_that_could_be_keys_or_indices(tmp_path):
    keys = [str((i + 1) % N) for i in range(N)]
    target = Target("Numbered", N, NAMES, keys)
    rows = [[key, int(c)] for key, c in zip(keys, TOP, strict=True)]
    assert read(tmp_path, "p.csv", as_csv(["key", "p"], rows), target).tolist() == [[c] for c in TOP.tolist()]
    for content, name in ((as_csv(["", "p"], rows), "p.csv"), (json.dumps(dict(rows)).encode(), "p.json")):
        with pytest.raises(UploadError, match="can be indices or keys"):
            read(tmp_path, name, content, target)


def test_an_empty_cell_is_no_answer_to_a_question_and_a_mistake_elsewhere(tmp_path):
    quiz = Target("Quiz", 4, ("A", "B", "C"), None, may_be_empty=True)
    table = as_csv(["index", "prediction"], [[3, "B"], [2, ""], [1, "  "], [0, "C"]])
    assert read(tmp_path, "answers.csv", table, quiz).ravel().tolist() == [2, -1, -1, 1]
    with pytest.raises(UploadError, match=r"expected classes of Quiz, .*; found '' in rows? "):
        read(tmp_path, "answers.csv", table, Target("Quiz", 4, ("A", "B", "C"), None))
    ranked = as_csv(["index", "top1", "top2"], [[0, "A", ""], [1, "B", "A"], [2, "C", "A"], [3, "A", "B"]])
    with pytest.raises(UploadError, match="expected classes of Quiz"):
        read(tmp_path, "answers.csv", ranked, quiz)
    # A line without anything may be the end of a file: rows are not counted by it.
    with pytest.raises(UploadError, match="expected 4 rows"):
        read(tmp_path, "answers.csv", b"prediction\nA\n\nB\nC\n", quiz)
