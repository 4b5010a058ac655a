"""Draw sounds: a waveform as PNG, a spectrogram with its scales as SVG, for light and dark pages.

Sound is drawn by opacity in one colour, so the same picture works on any background; the numbers of the scales need
more contrast than one colour has on both, and are dark or light like the page. Both pictures share one time axis from
edge to edge, and are placed one above the other.
"""

import io
import math
from base64 import b64encode
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WAVEFORM_SIZE: Final = (480, 120)
#: Including the time axis below the plot.
SPECTROGRAM_SIZE: Final = (480, 184)
_PLOT: Final = (480, 160)
#: A mid tone: at least 3 to 1 against white paper and against a black screen.
COLOUR: Final = (74, 134, 200)
_BAR, _GAP = 3, 2
#: As many levels as one can distinguish; more would double the bytes.
_SHADES: Final = 32

#: A spectrogram's lowest frequency, in Hz, and how far below the loudest something may be and still be seen, in dB.
LOWEST: Final = 60.0
_RANGE: Final = 70.0
#: Below this level, in dB of a full-scale tone, even the loudest part fades, so that silence looks silent.
_FAINTEST: Final = -40.0
_WINDOW: Final = 1_024

#: The maximum number of labels on a time axis, and the pixels of a tick.
_MOST_LABELS: Final = 7
_TICK: Final = 6

_STYLE: Final = (
    "text{font:14px system-ui,sans-serif;fill:#1b1c1d;stroke:#eaeae7;stroke-width:3px;paint-order:stroke}"
    "path{stroke:#1b1c1d;fill:none}"
    "@media(prefers-color-scheme:dark){text{fill:#f2f2f0;stroke:#25282a}path{stroke:#f2f2f0}}"
)

Samples = NDArray[np.float64]


def waveform(samples: Samples, rate: int) -> bytes:
    """A bar for each time interval, as high as its loudest sample; a line for silence; ticks mark seconds."""
    width, height = WAVEFORM_SIZE
    n_bars = width // (_BAR + _GAP)
    bounds = np.linspace(0, len(samples), n_bars + 1).astype(int)
    starts = np.minimum(bounds[:-1], len(samples) - 1)
    peaks = np.maximum.reduceat(np.abs(samples), starts) / max(float(np.abs(samples).max()), 1e-9)
    rows = np.abs(np.arange(height) - (height - 1) / 2)[:, None]
    # The ends of a bar are as opaque as the share of their pixel they cover.
    bars = np.clip(np.maximum(peaks * (height / 2 - 2), 1.0) + 0.5 - rows, 0.0, 1.0)
    opacity = np.zeros((height, width))
    for offset in range(_BAR):
        opacity[:, offset : n_bars * (_BAR + _GAP) : _BAR + _GAP] = bars
    for second in _times(len(samples) / rate):
        opacity[-_TICK:, min(round(second * rate / len(samples) * width), width - 1)] = 1.0
    return _png(opacity)


def spectrogram(samples: Samples, rate: int) -> bytes:
    """Time to the right, frequency upwards on a logarithmic scale from LOWEST to half the rate, loud is opaque."""
    width, height = _PLOT
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
    return _with_scales(_png(opacity.T[::-1]), len(samples) / rate, rate / 2)


def _with_scales(png: bytes, seconds: float, highest: float) -> bytes:
    width, height = _PLOT
    ticks, labels = [], []
    times = _times(seconds)
    for second in times:
        x = second / seconds * width
        ticks.append(f"M{min(max(x, 0.5), width - 0.5):.1f} {height}v{_TICK}")
        # The last number has the unit; numbers at the edges of the picture are placed inside it.
        anchor = "start" if x < 12 else "end" if x > width - 24 else "middle"
        unit = " s" if second == times[-1] else ""
        labels.append(f'<text x="{x:.1f}" y="{height + 20}" text-anchor="{anchor}">{second:g}{unit}</text>')
    for hertz in (100, 1_000, 10_000):
        if LOWEST < hertz < highest:
            y = height * (1 - math.log(hertz / LOWEST) / math.log(highest / LOWEST))
            ticks.append(f"M0 {y:.1f}h{_TICK}M{width} {y:.1f}h-{_TICK}")
            labels.append(f'<text x="{_TICK + 4}" y="{max(y + 5, 13):.1f}">{hertz / 1_000:g} kHz</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SPECTROGRAM_SIZE[0]} {SPECTROGRAM_SIZE[1]}"'
        f' width="{SPECTROGRAM_SIZE[0]}" height="{SPECTROGRAM_SIZE[1]}"><style>{_STYLE}</style>'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{b64encode(png).decode()}"/>'
        f'<path d="{"".join(ticks)}"/>{"".join(labels)}</svg>'
    ).encode()


def _times(seconds: float) -> list[float]:
    """The labelled seconds of a time axis: few of them, at steps of 1, 2 or 5 times a power of ten.

    >>> _times(10.0), _times(0.25)
    ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [0.0, 0.05, 0.1, 0.15, 0.2, 0.25])
    """
    least = seconds / (_MOST_LABELS - 1)
    unit = 10.0 ** math.floor(math.log10(least))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= least * 0.999)
    return [float(f"{n * step:.6g}") for n in range(math.floor(seconds / step + 0.01) + 1)]


def _png(opacity: NDArray[np.float64]) -> bytes:
    picture = np.zeros((*opacity.shape, 4), np.uint8)
    picture[:, :, :3] = COLOUR
    picture[:, :, 3] = np.round(np.round(opacity * _SHADES) * (255 / _SHADES))
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
