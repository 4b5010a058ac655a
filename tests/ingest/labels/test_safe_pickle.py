"""The one unpickler: what it admits comes out as numpy would have it, and everything else is refused by name."""

import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from ingest.labels.safe_pickle import PickledArraysError, load_arrays


def loaded(data: bytes) -> object:
    return load_arrays(io.BytesIO(data), "batch")


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def objects(*values: object) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


class Calls:
    """Pickles as a call of ``function``."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, ...]:
        return self.call


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.uint8).reshape(2, 3),
        np.arange(6, dtype=">i4").reshape(2, 3).T,
        np.linspace(0, 1, 5),
        np.array([True, False]),
        np.array(7, np.int16),
    ],
    ids=["bytes", "big-endian-transposed", "floats", "booleans", "no-dimension"],
)
def test_arrays_come_back_as_they_were(array: np.ndarray, protocol: int) -> None:
    value = loaded(pickle.dumps({"data": array, b"labels": [1, 2], "names": ("a", None, 2.5)}, protocol))
    assert isinstance(value, dict)
    assert value["data"].dtype == array.dtype
    assert value["data"].shape == array.shape
    assert np.array_equal(value["data"], array)
    assert (value[b"labels"], value["names"]) == ([1, 2], ("a", None, 2.5))


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_a_pickle_of_python_2_is_read_with_its_strings_as_bytes(module: str) -> None:
    array = (
        f"c{module}\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R(K\x01K\x03\x85"
        "cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89U\x03\x01\xff\x03tb"
    )
    value = loaded(f"\x80\x02}}(U\x04data{array}U\x06labels](K\x05eu.".encode("latin-1"))
    assert isinstance(value, dict)
    assert value[b"data"].tolist() == [1, 255, 3]
    assert value[b"labels"] == [5]


def test_an_npy_file_of_arrays_is_read() -> None:
    value = loaded(npy(objects(np.array([3, 1], np.uint16), np.array([], np.uint16))))
    assert isinstance(value, np.ndarray)
    assert [labels.tolist() for labels in value] == [[3, 1], []]


def test_audiosets_labels_are_read(shared: Path) -> None:
    file = shared / "label-errors/original_test_labels/audioset_eval_set_original_labels.npy"
    with file.open("rb") as stream:
        labels = load_arrays(stream, file.name)
    assert isinstance(labels, np.ndarray)
    assert labels.shape == (20_371,)
    assert {array.dtype for array in labels} == {np.dtype(np.uint16)}
    assert labels[0].tolist() == [195, 196]
    assert max(int(array.max()) for array in labels) < 527


@pytest.mark.parametrize(
    ("function", "name"), [(os.system, r"(posix|nt)\.system"), (eval, "builtins.eval"), (np.zeros, "numpy.zeros")]
)
@pytest.mark.parametrize("pack", [pickle.dumps, lambda value: npy(objects(value))], ids=["pickle", "npy"])
def test_code_is_refused_by_name_and_not_run(tmp_path: Path, function: object, name: str, pack: object) -> None:
    witness = tmp_path / "witness"
    with pytest.raises(PickledArraysError, match=f"batch: refused the global {name}"):
        loaded(pack(Calls(function, f"touch {witness}")))
    assert not witness.exists()


STATE = (
    "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I{n}\ntcnumpy\ndtype\n"
    "(S'{code}'\nI0\nI1\ntR(I3\nS'{order}'\nNNNI-1\nI-1\nI0\ntbI00\n{content}\ntb."
)


@pytest.mark.parametrize(
    ("n", "code", "order", "content", "message"),
    [
        (1, "O8", "|", "S'AAAAAAAA'", "does not fit the data"),  # bytes to be taken for a pointer
        (9, "u1", "|", "S'AAAA'", "an array of 9 x uint8 does not fit"),
        (10**12, "f8", "<", "S''", "does not fit the data"),
        (-1, "u1", "|", "S''", "expected an array's shape"),
        (1, "V8", "|", "S'AAAAAAAA'", "expected an array of numbers or objects"),
        (1, "u1", "x", "S'A'", "expected a byte order"),
        (1, "u1,O", "|", "S'A'", "expected an array of numbers or objects"),
    ],
)
def test_an_array_that_lies_about_itself_is_refused(n: int, code: str, order: str, content: str, message: str) -> None:
    with pytest.raises(PickledArraysError, match=message):
        loaded(STATE.format(n=n, code=code, order=order, content=content).encode())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"cnumpy\nndarray\n(dS'__call__'\nI1\nsb.", "refused to change"),
        (b"cnumpy\nndarray\n(I3\ntR.", "refused to call"),
        (b"Pan-id\n.", "refused the pickle opcode PERSID"),
        (b"\x80\x02\x82\x01.", "refused the pickle opcode EXT1"),
        (b"N" + b"r" + struct.pack("<I", 2**31) + b".", "refused memo slot 2147483648"),
        (b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"AA.", "damaged"),
        (pickle.dumps([1]) + b"more", "found 4 bytes after it"),
        (pickle.dumps(list(range(100)))[:-20], "damaged"),
        (b"", "damaged"),
        (b"\x93NUMPY\x01\x00", "damaged"),
        (npy(np.arange(3)), "which needs no pickle"),
        (pickle.dumps({1, 2}), "found set"),
        (pickle.dumps([[[[[[[[[[1]]]]]]]]]]), "within each other"),
    ],
)
def test_what_is_no_pickle_of_arrays_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(PickledArraysError, match=f"^batch: .*{message}"):
        loaded(data)


def test_a_header_and_an_array_must_agree() -> None:
    data = npy(objects(np.array([1]), np.array([2]))).replace(b"(2,)", b"(3,)")
    with pytest.raises(PickledArraysError, match=r"expected the array of shape \(3,\)"):
        loaded(data)


def test_a_list_that_is_mentioned_often_is_converted_once() -> None:
    nested: list[object] = [0]
    for _ in range(6):
        nested = [nested] * 1000
    # Converted each time, 10^18 lists would never come to an end.
    assert isinstance(loaded(pickle.dumps(nested)), list)
