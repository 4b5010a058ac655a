"""The audio sample: synthesized tones, sweeps, noises, clicks and bells.

Everything is computed from formulas and a seed; no recording is read.
"""

import io
import wave
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ingest.sample.draft import Draft

Sound = NDArray[np.float64]

SAMPLE_RATE = 16_000  # hertz
SECONDS = 1.5

_TIME: Sound = np.arange(int(SAMPLE_RATE * SECONDS)) / SAMPLE_RATE
_PER_CLASS, _MIXED, _OTHER = 30, 12, 8
_ERROR_RATE = 0.08
_SPANS, _WINDOW = 6, 512


def draft(classes: tuple[str, ...], rng: np.random.Generator) -> Draft:
    """Clips of 1.5 s. Some contain two sounds at once, some none of the classes: a falling sweep or a low rumble.

    ``classes`` are the keys of ``MAKERS``, in the order of their ids.
    """
    m = len(classes)
    truth = [frozenset({label}) for label in range(m) for _ in range(_PER_CLASS)]
    truth += [frozenset(rng.choice(m, 2, replace=False).tolist()) for _ in range(_MIXED)]
    truth += [frozenset[int]()] * _OTHER
    truth = [truth[place] for place in rng.permutation(len(truth))]
    hiss = rng.choice([0.002, 0.01, 0.2], len(truth), p=[0.5, 0.35, 0.15])
    clips = [_clip([classes[c] for c in sorted(heard)], level, rng) for heard, level in zip(truth, hiss, strict=True)]
    return Draft(
        truth=truth,
        # Under loud hiss, listeners are often unsure about other sounds.
        clarity=np.where(hiss < 0.1, 0.95, 0.55),
        confusable=np.ones((m, m)),
        error_rate=_ERROR_RATE,
        media=[_wav(clip) for clip in clips],
        ending=".wav",
        features=np.array([character(clip) for clip in clips]),
    )


def character(clip: Sound) -> Sound:
    """(30,) features of a clip independent of its pitch: five measures in each of six time intervals.

    The logarithms of power, of its variation over time and of its variation over frequency, then the centre and the
    width of the spectrum in octaves.
    """
    windows = clip[: len(clip) // _WINDOW * _WINDOW].reshape(-1, _WINDOW) * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(windows, axis=1))[:, 1:] ** 2 + 1e-6
    octaves = np.log2(np.arange(1, power.shape[1] + 1))
    measures = []
    for span in np.array_split(power, _SPANS):
        over_time, over_frequency = span.sum(axis=1), span.mean(axis=0)
        share = over_frequency / over_frequency.sum()
        middle = share @ octaves
        measures += [
            np.log(over_time.mean()),
            np.log(over_time.max() / over_time.mean()),
            np.log(over_frequency.max() / over_frequency.mean()),
            middle,
            np.sqrt(share @ (octaves - middle) ** 2),
        ]
    return np.array(measures)


def _tone(rng: np.random.Generator) -> Sound:
    return np.sin(2 * np.pi * rng.uniform(200, 2_500) * _TIME) * _swell(rng)


def _rising_sweep(rng: np.random.Generator) -> Sound:
    return _sweep(rng.uniform(150, 500), rng.uniform(2_000, 5_000)) * _swell(rng)


def _white_noise(rng: np.random.Generator) -> Sound:
    return rng.normal(0, 0.3, len(_TIME)) * _swell(rng)


def _clicks(rng: np.random.Generator) -> Sound:
    """A regular sequence of short, sharp clicks."""
    since = _TIME % rng.uniform(0.08, 0.3)
    return np.exp(-since / 0.003) * np.sin(2 * np.pi * rng.uniform(1_500, 4_000) * since)


def _bell(rng: np.random.Generator) -> Sound:
    """Partials that are not multiples of the lowest; higher ones decay sooner."""
    pitch, decay = rng.uniform(250, 700), rng.uniform(0.4, 0.9)
    partials = ((1.0, 1.0), (2.0, 0.6), (2.76, 0.5), (4.07, 0.35), (5.4, 0.25))
    struck = sum(
        loud * np.sin(2 * np.pi * pitch * ratio * _TIME) * np.exp(-_TIME * ratio / decay) for ratio, loud in partials
    )
    return np.asarray(struck) / 2


def _falling_sweep(rng: np.random.Generator) -> Sound:
    return _sweep(rng.uniform(2_000, 5_000), rng.uniform(150, 500)) * _swell(rng)


def _rumble(rng: np.random.Generator) -> Sound:
    """A leaky random walk: noise with hardly anything above a few hundred hertz."""
    spectrum = np.fft.rfft(rng.normal(0, 1, len(_TIME)))
    spectrum /= 1 + (np.fft.rfftfreq(len(_TIME), 1 / SAMPLE_RATE) / 60) ** 2
    rumble = np.fft.irfft(spectrum, len(_TIME))
    loud: Sound = rumble / np.abs(rumble).max()
    return loud


#: The function that makes the sound of each class.
MAKERS: dict[str, Callable[[np.random.Generator], Sound]] = {
    "pure tone": _tone,
    "rising sweep": _rising_sweep,
    "white noise": _white_noise,
    "clicks": _clicks,
    "bell": _bell,
}
_OUTSIDERS = (_falling_sweep, _rumble)


def _clip(heard: list[str], hiss: float, rng: np.random.Generator) -> Sound:
    makers = [MAKERS[name] for name in heard] or [_OUTSIDERS[rng.integers(len(_OUTSIDERS))]]
    clip = np.sum([make(rng) for make in makers], axis=0) + rng.normal(0, hiss, len(_TIME))
    loud: Sound = clip / np.abs(clip).max() * rng.uniform(0.5, 0.9)
    return loud


def _sweep(start: float, end: float) -> Sound:
    """A sweep between two frequencies (hertz), uniform on a logarithmic scale."""
    rate = np.log(end / start) / SECONDS
    swept: Sound = np.sin(2 * np.pi * start * np.expm1(rate * _TIME) / rate)
    return swept


def _swell(rng: np.random.Generator) -> Sound:
    """Fade in and out, so that no clip begins or ends with a click."""
    rise, fall = rng.uniform(0.02, 0.3, 2)
    swell: Sound = np.clip(np.minimum(_TIME / rise, (SECONDS - _TIME) / fall), 0, 1)
    return swell


def _wav(clip: Sound) -> bytes:
    """16 bit, mono."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(np.round(clip * 32_767).astype("<i2").tobytes())
    return file.getvalue()
