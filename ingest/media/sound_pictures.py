"""Pictures of sounds: a waveform and a spectrogram, as PNG on a transparent ground, for light pages and dark ones.

What is drawn is drawn by opacity in one colour, so the same picture stands on any ground.
"""

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WAVEFORM_SIZE: Final = (480, 120)
SPECTROGRAM_SIZE: Final = (480, 160)
#: A mid tone: at least 3 to 1 against white paper and against a black screen.
COLOUR: Final = (74, 134, 200)
_BAR, _GAP = 3, 2

#: A spectrogram's lowest frequency, in Hz, and how far below the loudest something may be and still be seen, in dB.
LOWEST: Final = 60.0
_RANGE: Final = 70.0
#: Nothing is loud beside silence: below this, in dB of a full tone, even the loudest fades.
_FAINTEST: Final = -40.0
_WINDOW: Final = 1_024

Samples = NDArray[np.float64]


def waveform(samples: Samples) -> bytes:
    """A bar for each stretch of time, as high as its loudest sample; a line through silence."""
    width, height = WAVEFORM_SIZE
    n_bars = width // (_BAR + _GAP)
    bounds = np.linspace(0, len(samples), n_bars + 1).astype(int)
    starts = np.minimum(bounds[:-1], len(samples) - 1)
    peaks = np.maximum.reduceat(np.abs(samples), starts) / max(float(np.abs(samples).max()), 1e-9)
    rows = np.abs(np.arange(height) - (height - 1) / 2)[:, None]
    # A bar's ends are as opaque as the part of their pixel they cover.
    bars = np.clip(np.maximum(peaks * (height / 2 - 2), 1.0) + 0.5 - rows, 0.0, 1.0)
    opacity = np.zeros((height, width))
    for offset in range(_BAR):
        opacity[:, offset : n_bars * (_BAR + _GAP) : _BAR + _GAP] = bars
    return _png(opacity)


def spectrogram(samples: Samples, rate: int) -> bytes:
    """Time to the right, frequency upwards on a logarithmic scale from LOWEST to half the rate, loud is opaque."""
    width, height = SPECTROGRAM_SIZE
    padded = np.pad(samples, _WINDOW // 2)
    starts = np.linspace(0, len(padded) - _WINDOW, width).astype(int)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[starts] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    # Each row of the picture shows the bins between its own frequency and the next row's, one bin at least.
    edges = np.geomspace(LOWEST, rate / 2, height + 1) / rate * _WINDOW
    first = np.clip(np.round(edges[:-1]).astype(int), 0, power.shape[1] - 1)
    bands = np.maximum.reduceat(power, first, axis=1)
    decibels = 10 * np.log10(np.maximum(bands, 1e-12))
    opacity = np.clip(1 + (decibels - max(float(decibels.max()), _FAINTEST)) / _RANGE, 0.0, 1.0)
    return _png(opacity.T[::-1])


def _png(opacity: NDArray[np.float64]) -> bytes:
    picture = np.zeros((*opacity.shape, 4), np.uint8)
    picture[:, :, :3] = COLOUR
    picture[:, :, 3] = np.round(opacity * 255)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
