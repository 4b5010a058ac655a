"""Scale pixels of more than eight bits, integer or floating-point, to greys from 0 to 255.

A file does not say which number is white: a camera's twelve bits are stored in sixteen, a float is a share or a
temperature. The smallest common white level that holds all pixels is used, so that few bits are not shown all black.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.media.archives.stores import MemberError

#: Common white levels: of bytes, of a camera's twelve bits, of sixteen bits.
_WHOLE: Final = (255, 4_095, 65_535)
_FRACTIONAL: Final = (1, 255)
_GREY: Final = 128


def greys(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Pixels of one channel, of any number type, as 8-bit greys.

    Pixels below zero or above every common white level are scaled from minimum to maximum. NaN becomes black. Raises
    MemberError if all pixels are NaN.

    >>> greys(np.array([0, 255, 65_535])).tolist(), greys(np.array([0, 128, 255], np.int32)).tolist()
    ([0, 1, 255], [0, 128, 255])
    >>> greys(np.array([0.0, 0.5, 1.0])).tolist(), greys(np.array([-20.0, 0.0, 20.0, np.nan])).tolist()
    ([0, 128, 255], [0, 128, 255, 0])
    """
    number = np.isfinite(values)
    if not number.any():
        raise MemberError("expected numbers as pixels, found none")
    least, greatest = float(values[number].min()), float(values[number].max())
    whites = _WHOLE if np.issubdtype(values.dtype, np.integer) else _FRACTIONAL
    white = next((float(white) for white in whites if least >= 0 and greatest <= white), None)
    if white is not None:
        least, greatest = 0.0, white
    if least == greatest:
        return np.where(number, _GREY, 0).astype(np.uint8)
    # Convert before subtracting: the difference of two large numbers may overflow.
    with np.errstate(invalid="ignore"):
        scaled = values.astype(np.float32) / 2 - np.float32(least / 2)
        scaled *= 255 / (greatest / 2 - least / 2)
    scaled[~number] = 0
    return np.floor(scaled + 0.5).clip(0, 255).astype(np.uint8)
