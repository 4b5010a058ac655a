"""Sounds: a recording -> what is stored, a short mono snippet of even loudness and pictures of what is heard.

WAV is read without help from outside; for the rest, and to make the snippet small, ``ingest.media.ffmpeg`` finds a
program. Where there is none, other formats are refused one by one with a message that says so, and snippets stay WAV.
"""

import io
import math
import warnings
import wave
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ingest.media import ffmpeg
from ingest.media.archives import MemberError
from ingest.media.items import MediaItem
from ingest.media.sound_pictures import SPECTROGRAM_SIZE, WAVEFORM_SIZE, spectrogram, waveform

if TYPE_CHECKING:
    from pydub import AudioSegment

SUFFIXES: Final = ("wav", *ffmpeg.DEMUXERS)
MAX_AUDIO_BYTES: Final = 128 << 20

#: Enough for speech and most of what a label names, at half the bytes of a compact disc.
MAX_RATE: Final = 22_050
FADE_SECONDS: Final = 0.02
#: A clip that is as much longer than it should be, in seconds, is the whole recording.
_LONGER: Final = 1.0

#: Loudness that snippets are brought to, in decibels of full scale, as far as no peak is clipped.
LOUDNESS: Final = -20.0
PEAK: Final = -1.0
#: Below this, in decibels of full scale, there is nothing to bring up but the noise of the last bit.
_SILENCE: Final = -90.0

#: Plays everywhere; one channel of 22,050 Hz needs no more.
_BITRATE: Final = "64k"

Samples = NDArray[np.float64]


class _NotPlainError(MemberError):
    """A WAV file that is damaged, or holds anything but plain samples."""


def audio_items(
    index: int, data: bytes, suffix: str, seconds: float = 10.0, *, clip: bool = False
) -> Iterator[MediaItem]:
    """The "audio", the "waveform" and the "spectrogram" of a recording: its first ``seconds``, levelled, edges faded.

    ``suffix`` is the ending of its file name, as "wav". The snippet is mono of at most 22,050 Hz: MP3, or WAV of 16
    bits where there is no ffmpeg. With ``clip`` a label is about those seconds alone, cut out already: of a recording
    that is a second longer nobody knows which of them are meant.

    Raises MemberError when it is no recording, is damaged or empty, is in a format that needs ffmpeg, or no such clip.
    """
    samples, rate = _decoded(data, suffix, seconds + _LONGER if clip else seconds)
    if clip and len(samples) >= (seconds + _LONGER) * rate - 1:
        raise MemberError(f"expected the clip alone, {seconds:g} s, found a longer recording: cut the clip out of it")
    samples = samples[: math.ceil(seconds * rate)]
    snippet = _snippet(samples, rate)
    heard = np.frombuffer(snippet.raw_data, "<i2") / 32_768
    length = len(heard) / rate
    kind, small = _encoded(snippet)
    yield MediaItem(index, "audio", kind, None, None, length, small)
    yield MediaItem(index, "waveform", "image/png", *WAVEFORM_SIZE, length, waveform(heard))
    yield MediaItem(index, "spectrogram", "image/png", *SPECTROGRAM_SIZE, length, spectrogram(heard, rate))


def _decoded(data: bytes, suffix: str, seconds: float) -> tuple[Samples, int]:
    """Mono samples in [-1, 1] and their rate in Hz, at most MAX_RATE."""
    program = ffmpeg.found()
    if suffix == "wav":
        try:
            samples, rate = _native(data, seconds)
        except _NotPlainError:
            # WAV may hold nearly any codec.
            if program is None:
                raise
            samples, rate = ffmpeg.decoded(program, data, suffix, seconds)
    elif program is None:
        raise MemberError(f"expected a WAV file, found .{suffix}, which only ffmpeg reads, and ffmpeg is not installed")
    else:
        samples, rate = ffmpeg.decoded(program, data, suffix, seconds)
    if len(samples) == 0:
        raise MemberError("expected a recording, found no samples in it")
    return _resampled(samples, rate)


def _native(data: bytes, seconds: float) -> tuple[Samples, int]:
    try:
        # Not from_file, which hands to ffmpeg whatever it cannot read itself.
        segment = _segments()(data)
        rate, channels, width = segment.frame_rate, segment.channels, segment.sample_width
        if not (0 < rate <= 768_000 and 0 < channels <= 64 and width in (1, 2, 4)):
            raise MemberError(f"expected a recording, found {channels} channels of {rate} Hz and {8 * width} bits")
        kept = segment.raw_data[: math.ceil(seconds * rate) * channels * width]
    except MemberError:
        raise
    except Exception as error:  # a damaged file can make a decoder raise nearly anything
        raise _NotPlainError(f"expected a whole recording, found it damaged ({error})") from error
    whole = np.frombuffer(kept[: len(kept) // (channels * width) * (channels * width)], dtype=f"<i{width}")
    return whole.reshape(-1, channels).mean(axis=1) / float(1 << (8 * width - 1)), rate


def _segments() -> "type[AudioSegment]":
    with warnings.catch_warnings():
        # On import pydub warns of its own escapes, of a module that leaves the standard library, of missing ffmpeg.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
    return AudioSegment  # type: ignore[no-any-return]


def _resampled(samples: Samples, rate: int) -> tuple[Samples, int]:
    """At most MAX_RATE, without what lies above half of it, which would come back as noise."""
    if rate <= MAX_RATE:
        return samples, rate
    length = max(1, round(len(samples) * MAX_RATE / rate))
    spectrum = np.fft.rfft(samples)[: length // 2 + 1]
    resampled: Samples = np.fft.irfft(spectrum, n=length) * (length / len(samples))
    return resampled, MAX_RATE


def _snippet(samples: Samples, rate: int) -> "AudioSegment":
    """Mono, 16 bits, edges faded, as loud as others. Silence stays silence."""
    # 32 bits until the end: a quiet recording brought up from 16 would bring up the steps between them.
    raw = np.round(np.clip(samples, -1.0, 1.0) * (2**31 - 1)).astype("<i4").tobytes()
    segment = _segments()(data=raw, sample_width=4, frame_rate=rate, channels=1)
    fade = round(1_000 * min(FADE_SECONDS, len(samples) / rate / 2))
    if fade:
        segment = segment.fade_in(fade).fade_out(fade)
    if segment.max_dBFS > _SILENCE:
        segment = segment.apply_gain(min(LOUDNESS - segment.dBFS, PEAK - segment.max_dBFS))
    return segment.set_sample_width(2)


def _encoded(snippet: "AudioSegment") -> tuple[str, bytes]:
    """Media type and bytes of a snippet, small where there is ffmpeg."""
    program = ffmpeg.found()
    if program is None:
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(snippet.frame_rate)
            out.writeframes(snippet.raw_data)
        return "audio/wav", file.getvalue()
    segments = _segments()
    segments.converter = str(program)
    quiet = ["-map_metadata", "-1", "-bitexact"]
    with io.BytesIO() as out:
        snippet.export(out, format="mp3", bitrate=_BITRATE, parameters=quiet)
        return "audio/mpeg", out.getvalue()
