"""Labels and keys in a catalogue: read back as they were packed, and nothing else taken for them."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.schema.packing import pack_keys, pack_labels, unpack_keys, unpack_labels


@given(arrays.arrays(np.int64, st.integers(0, 2_000), elements=st.integers(0, 2**32 - 1)))
def test_labels_come_back(labels):
    found = unpack_labels(pack_labels(labels))
    assert found.dtype == np.int64
    assert np.array_equal(found, labels)


@pytest.mark.parametrize(("largest", "width"), [(0, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 4), (2**32 - 1, 4)])
def test_labels_take_no_more_room_than_they_need(largest, width):
    packed = pack_labels(np.array([0, largest]))
    assert packed[0] == width
    assert unpack_labels(packed).tolist() == [0, largest]


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
