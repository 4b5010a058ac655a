"""The spectrum of a sound as a few numbers: how loud each band of frequencies is, and how that changes."""

import io
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

_WINDOW: Final = 1_024
_BANDS: Final = 40
#: Hz; a band above half the rate of a sound is silent.
_LOWEST, _HIGHEST = 60.0, 8_000.0


def spectrum(data: bytes) -> NDArray[np.float32]:
    """(160,) of each of 40 bands the mean, spread, largest and mean change of its loudness, in powers of ten."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float64", always_2d=True)
    padded = np.pad(samples.mean(axis=1), _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[:: _WINDOW // 2] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / rate)
    edges = np.geomspace(_LOWEST, _HIGHEST, _BANDS + 1)
    bands = (frequencies[:, None] >= edges[:-1]) & (frequencies[:, None] < edges[1:])
    loudness = np.log10(power @ bands + 1e-6)
    change = np.abs(np.diff(loudness, axis=0)).mean(axis=0) if len(loudness) > 1 else np.zeros(_BANDS)
    found = [loudness.mean(axis=0), loudness.std(axis=0), loudness.max(axis=0), change]
    return np.concatenate(found).astype(np.float32)
