"""Labels and keys in a catalogue: read back as they were packed, and nothing else taken for them."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.schema.packing import pack_keys, pack_labels, pack_top, unpack_keys, unpack_labels, unpack_top


@given(arrays.arrays(np.int64, st.integers(0, 2_000), elements=st.integers(-1, 2**32 - 2)))
def test_labels_come_back(labels):
    found = unpack_labels(pack_labels(labels))
    assert found.dtype == np.int64
    assert np.array_equal(found, labels)


@pytest.mark.parametrize(("largest", "width"), [(0, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 4), (2**32 - 2, 4)])
def test_labels_take_no_more_room_than_they_need(largest, width):
    packed = pack_labels(np.array([0, largest]))
    assert packed[0] == width
    assert unpack_labels(packed).tolist() == [0, largest]


def test_a_label_that_stands_for_none_is_refused():
    with pytest.raises(ValueError, match="4294967295"):
        pack_labels(np.array([0, 2**32 - 1]))


@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), min_size=1))
def test_keys_come_back(keys):
    assert unpack_keys(pack_keys(keys)) == keys


@pytest.mark.parametrize("other", [zlib.compress(bytes(100)), b"\x03" + bytes(20)])
def test_what_was_packed_otherwise_is_refused(other):
    with pytest.raises(ValueError, match="build the catalogue again"):
        unpack_labels(other)
    with pytest.raises(ValueError, match="build the catalogue again"):
        unpack_keys(other)


def test_labels_are_no_keys():
    with pytest.raises(ValueError, match="another way"):
        unpack_keys(pack_labels(np.arange(5)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("n_classes", "width"), [(256, 1), (257, 2), (65_536, 2), (65_537, 4)])
def test_the_most_probable_classes_come_back_exactly(dtype, n_classes, width):
    """Probabilities are those of the matrix, so what is published is what the matrix says, to nine digits."""
    classes = np.array([[n_classes - 1, 0], [3, n_classes - 2]])
    probabilities = np.array([[0.7, 0.123456789012], [1.0, 0.0]], dtype)
    packed = pack_top(classes, probabilities, n_classes)
    assert {len(one) for one in packed} == {1 + 2 * (width + np.dtype(dtype).itemsize)}
    assert [unpack_top(one) for one in packed] == [
        [(c, round(float(p), 9)) for c, p in zip(*row, strict=True)]
        for row in zip(classes.tolist(), probabilities, strict=True)
    ]


@pytest.mark.parametrize("other", [b"", b"\x00", b"\x13" + bytes(4), b"\x12" + bytes(4), b"[[1,0.5]]"])
def test_other_bytes_are_no_classes(other):
    with pytest.raises(ValueError, match="build the catalogue again"):
        unpack_top(other)
