"""Mix the channels of a recording down to mono.

The mix must be audible where the recording is. Some channels cancel each other, as when one is the inverse of the
other, and their mean is then silence.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

#: A mix with less than this share of its loudest channel's contribution has lost that channel.
_LOST: Final = 0.25


def centred(samples: Samples) -> Samples:
    """Samples centred around 0, (n,) or (n, channels): an offset is inaudible and reduces the available range.

    >>> centred(np.array([0.5, 0.7, 0.6])).round(3).tolist()
    [-0.1, 0.1, 0.0]
    """
    return samples - samples.mean(axis=0) if len(samples) else samples


def mono(channels: Samples) -> Samples:
    """The mean of (n, channels) samples without their offsets, (n,); the loudest channel if the mean cancels it.

    If one of two channels is silent, the mean is half as loud. If two cancel each other, one channel is used:

    >>> mono(np.array([[0.5, 0.0], [-0.5, 0.0]])).tolist(), mono(np.array([[0.5, -0.5], [-0.5, 0.5]])).tolist()
    ([0.25, -0.25], [0.5, -0.5])
    """
    apart = centred(channels)
    mixed: Samples = apart.mean(axis=1)
    if len(apart) == 0:
        return mixed
    loudness = np.sqrt(np.mean(apart**2, axis=0))
    loudest = int(loudness.argmax())
    alone = loudness[loudest] / apart.shape[1]
    if np.sqrt(np.mean(mixed**2)) < _LOST * alone:
        return np.ascontiguousarray(apart[:, loudest])
    return mixed
