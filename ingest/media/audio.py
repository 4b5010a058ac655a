"""Sounds: a recording -> what is stored, a short mono snippet of even loudness and a picture of its waveform.

WAV is read without help from outside. Other formats need ffmpeg on the machine that builds the catalogue; where it is
missing, they are refused one by one with a message that says so.
"""

import io
import math
import shutil
import warnings
import wave
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ingest.media.archives import MemberError
from ingest.media.items import MediaItem

if TYPE_CHECKING:
    from pydub import AudioSegment

SUFFIXES: Final = ("wav", "mp3", "flac", "ogg", "m4a")
MAX_AUDIO_BYTES: Final = 128 << 20

#: Enough for speech and most of what a label names, at half the bytes of a compact disc.
MAX_RATE: Final = 22_050
FADE_SECONDS: Final = 0.02

#: Loudness that snippets are brought to, in decibels below full scale, as far as no peak is clipped.
LOUDNESS: Final = -20.0
PEAK: Final = -1.0

WAVEFORM_SIZE: Final = (480, 120)
#: A mid tone: at least 3 to 1 against white paper and against a black screen.
WAVEFORM_COLOUR: Final = (74, 134, 200)
_BAR, _GAP = 3, 2

Samples = NDArray[np.float64]


def audio_items(index: int, data: bytes, suffix: str, seconds: float = 10.0) -> Iterator[MediaItem]:
    """The "audio" and the "waveform" of a recording: its first ``seconds``, levelled, edges faded.

    ``suffix`` is the ending of its file name, as "wav". The snippet is WAV, mono, 16 bits, at most 22,050 Hz.

    Raises MemberError when it is no recording, is damaged or empty, or is in a format that needs ffmpeg.
    """
    samples, rate = _decoded(data, suffix, seconds)
    snippet = _levelled(_faded(samples, rate))
    length = len(snippet) / rate
    yield MediaItem(index, "audio", "audio/wav", None, None, length, _wav(snippet, rate))
    width, height = WAVEFORM_SIZE
    yield MediaItem(index, "waveform", "image/png", width, height, length, _waveform(snippet))


def _decoded(data: bytes, suffix: str, seconds: float) -> tuple[Samples, int]:
    """Mono samples in [-1, 1] and their rate in Hz, at most MAX_RATE."""
    try:
        segment = _segment(data, suffix)
        rate, channels, width = segment.frame_rate, segment.channels, segment.sample_width
        if not (0 < rate <= 768_000 and 0 < channels <= 64 and width in (1, 2, 4)):
            raise MemberError(f"expected a recording, found {channels} channels of {rate} Hz and {8 * width} bits")
        kept = segment.raw_data[: math.ceil(seconds * rate) * channels * width]
    except MemberError:
        raise
    except Exception as error:  # a damaged file can make a decoder raise nearly anything
        raise MemberError(f"expected a whole recording, found it damaged ({error})") from error
    whole = np.frombuffer(kept[: len(kept) // (channels * width) * (channels * width)], dtype=f"<i{width}")
    mono = whole.reshape(-1, channels).mean(axis=1) / float(1 << (8 * width - 1))
    if len(mono) == 0:
        raise MemberError("expected a recording, found no samples in it")
    return _resampled(mono, rate)


def _segment(data: bytes, suffix: str) -> "AudioSegment":
    with warnings.catch_warnings():
        # On import pydub warns of its own escapes, of a module that leaves the standard library, of missing ffmpeg.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
    if suffix == "wav":
        # Not from_file, which hands to ffmpeg whatever it cannot read itself.
        return AudioSegment(data)
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        raise MemberError(f"expected a WAV file, found .{suffix}, which only ffmpeg reads, and ffmpeg is not installed")
    return AudioSegment.from_file(io.BytesIO(data), format=suffix)


def _resampled(samples: Samples, rate: int) -> tuple[Samples, int]:
    """At most MAX_RATE, without what lies above half of it, which would come back as noise."""
    if rate <= MAX_RATE:
        return samples, rate
    length = max(1, round(len(samples) * MAX_RATE / rate))
    spectrum = np.fft.rfft(samples)[: length // 2 + 1]
    resampled: Samples = np.fft.irfft(spectrum, n=length) * (length / len(samples))
    return resampled, MAX_RATE


def _faded(samples: Samples, rate: int) -> Samples:
    length = min(round(FADE_SECONDS * rate), len(samples) // 2)
    ramp = np.linspace(0.0, 1.0, length, endpoint=False)
    envelope = np.ones(len(samples))
    envelope[:length] = ramp
    envelope[len(samples) - length :] = ramp[::-1]
    return samples * envelope


def _levelled(samples: Samples) -> Samples:
    """Brought to LOUDNESS, or as near to it as the highest peak allows; silence stays silence."""
    peak, effective = float(np.abs(samples).max()), math.sqrt(float(np.mean(samples**2)))
    if peak * 32_767 < 1:
        return np.zeros_like(samples)
    gain = min(_factor(LOUDNESS) / effective, _factor(PEAK) / peak)
    return samples * gain


def _factor(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _wav(samples: Samples, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.round(samples * 32_767).astype("<i2").tobytes())
    return file.getvalue()


def _waveform(samples: Samples) -> bytes:
    """A PNG with a bar for each stretch of time, as high as its loudest sample, on a transparent ground."""
    width, height = WAVEFORM_SIZE
    n_bars = width // (_BAR + _GAP)
    bounds = np.linspace(0, len(samples), n_bars + 1).astype(int)
    starts = np.minimum(bounds[:-1], len(samples) - 1)
    peaks = np.maximum.reduceat(np.abs(samples), starts) / max(float(np.abs(samples).max()), 1e-9)
    rows = np.abs(np.arange(height) - (height - 1) / 2)[:, None]
    # A bar's ends are as opaque as the part of their pixel they cover; a line runs through silence.
    bars = np.clip(np.maximum(peaks * (height / 2 - 2), 1.0) + 0.5 - rows, 0.0, 1.0)
    picture = np.zeros((height, width, 4), np.uint8)
    picture[:, :, :3] = WAVEFORM_COLOUR
    for offset in range(_BAR):
        picture[:, offset : n_bars * (_BAR + _GAP) : _BAR + _GAP, 3] = np.round(bars * 255)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
