"""Turn a recording into what is stored: a short mono snippet of even loudness and its plots.

WAV, AIFF, FLAC and Ogg are read by libsndfile; for other formats, and to compress the snippet, ``audio.ffmpeg`` finds a
program. Without one, each recording in another format is refused with a message that says so, and snippets stay WAV.
"""

import io
import math
import warnings
import wave
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import soxr
from numpy.typing import NDArray

from ingest.media.archives.stores import MemberError
from ingest.media.audio import ffmpeg, libsndfile
from ingest.media.audio.downmix import centred, mono
from ingest.media.audio.plots import SPECTROGRAM_SIZE, WAVEFORM_SIZE, spectrogram, waveform
from ingest.media.audio.sniffing import DEMUXERS, format_of
from ingest.media.audio.source import Sound, opened
from ingest.media.audio.truncation import require_end
from ingest.media.items import MediaItem

if TYPE_CHECKING:
    from pydub import AudioSegment

SUFFIXES: Final = tuple(DEMUXERS)
#: The maximum bytes of a recording in an archive, which has to be read as a whole.
MAX_AUDIO_BYTES: Final = 128 << 20

#: Enough for speech and most labelled sounds, at half the rate of a compact disc.
MAX_RATE: Final = 22_050
FADE_SECONDS: Final = 0.02
#: A file longer than its clip by this many seconds is the whole recording.
_LONGER: Final = 1.0

#: The loudness to which snippets are normalized, in decibels of full scale, unless a peak would clip.
LOUDNESS: Final = -20.0
PEAK: Final = -1.0
#: Below this, in decibels of full scale, only the noise of the last bit could be amplified.
_SILENCE: Final = -90.0

#: Plays everywhere, and suffices for one channel of 22,050 Hz.
_BITRATE: Final = "64k"

Samples = NDArray[np.float64]


class _NothingError(MemberError):
    """A recording without any samples."""


def audio_items(index: int, sound: Sound, suffix: str, seconds: float = 10.0) -> Iterator[MediaItem]:
    """The "audio", "waveform" and "spectrogram" of a recording: its first ``seconds``, normalized, with faded edges.

    ``sound`` is its bytes or its file, of which only the snippet is read; ``suffix`` is the ending of its name, such as
    "wav". The snippet is mono of at most 22,050 Hz: MP3, or 16-bit WAV if there is no ffmpeg.

    Raises MemberError if it is not a recording, is truncated, damaged or empty, or is in a format that needs ffmpeg.
    """
    yield from _items(index, *_decoded(sound, suffix, 0.0, seconds))


def clip_items(
    index: int, sound: Sound, suffix: str, seconds: float, part: Sequence[float] | None
) -> Iterator[MediaItem]:
    """``audio_items`` for a file that is either a clip or the whole recording that contains it.

    ``part`` is the begin and end of the clip in the recording. A file about as long as the clip is used as the clip;
    from a longer one the part is cut out.

    Raises MemberError also if a recording ends too early, or if the part is unknown.
    """
    begin, end = part or (0.0, seconds)
    length = end - begin
    samples, rate = _decoded(sound, suffix, 0.0, length + _LONGER)
    if len(samples) >= (length + _LONGER) * rate - 1:
        if part is None:
            finding = "found a longer recording, and nothing says which part is meant"
            raise MemberError(f"expected the clip alone, {seconds:g} s, {finding}")
        samples, rate = _cut(sound, suffix, begin, end)
    yield from _items(index, samples[: math.ceil(seconds * rate)], rate)


def _cut(sound: Sound, suffix: str, begin: float, end: float) -> tuple[Samples, int]:
    expected = f"expected the clip alone, {end - begin:g} s, or the recording from {begin:g} s to {end:g} s, found one"
    try:
        samples, rate = _decoded(sound, suffix, begin, end - begin)
    except _NothingError as error:
        raise MemberError(f"{expected} that ends before") from error
    found = len(samples) / rate
    # A video may end a moment before its last clip does.
    if found < end - begin - _LONGER:
        raise MemberError(f"{expected} that ends at {begin + found:.1f} s")
    return samples, rate


def _items(index: int, samples: Samples, rate: int) -> Iterator[MediaItem]:
    samples = centred(samples)
    silent = bool(20 * math.log10(max(float(np.abs(samples).max()), 1e-9)) <= _SILENCE)
    snippet = _snippet(samples, rate)
    heard = np.frombuffer(snippet.raw_data, "<i2") / 32_768
    if not len(heard):
        raise MemberError("expected a recording, found one of less than a thousandth of a second")
    length = len(heard) / rate
    kind, small = _encoded(snippet)
    yield MediaItem(index, "audio", kind, None, None, length, small, silent=silent)
    yield MediaItem(index, "waveform", "image/png", *WAVEFORM_SIZE, length, waveform(heard, rate))
    yield MediaItem(index, "spectrogram", "image/svg+xml", *SPECTROGRAM_SIZE, length, spectrogram(heard, rate))


def _decoded(sound: Sound, suffix: str, start: float, seconds: float) -> tuple[Samples, int]:
    """Mono samples in [-1, 1], at least one, and their rate in Hz, at most MAX_RATE."""
    samples, rate = _read(sound, suffix, start, seconds)
    if len(samples) == 0:
        raise _NothingError("expected a recording, found no samples in it")
    return _resampled(mono(samples), rate)


def _read(sound: Sound, suffix: str, start: float, seconds: float) -> tuple[Samples, int]:
    """Samples of all channels, (n, channels), and their rate."""
    program = ffmpeg.found()
    with opened(sound) as file:
        demuxer = format_of(file, suffix)
        require_end(file, demuxer)
        if demuxer in libsndfile.READ:
            try:
                return libsndfile.decoded(file, demuxer, start, seconds)
            except libsndfile.OtherCodecError:
                if program is None:
                    raise
    if program is None:
        raise MemberError(
            f"expected WAV, AIFF, FLAC or Ogg, found {demuxer}, which only ffmpeg reads, and ffmpeg is not installed"
        )
    return ffmpeg.decoded(program, sound, demuxer, start, seconds)


def _segments() -> "type[AudioSegment]":
    with warnings.catch_warnings():
        # On import pydub warns of its own escapes, of a module that leaves the standard library, of missing ffmpeg.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
    return AudioSegment  # type: ignore[no-any-return]


def _resampled(samples: Samples, rate: int) -> tuple[Samples, int]:
    """Resample to at most MAX_RATE, removing frequencies above half of it, which would alias."""
    if rate <= MAX_RATE:
        return samples, rate
    resampled: Samples = soxr.resample(samples, rate, MAX_RATE)
    # A recording shorter than one sample of the new rate keeps at least one.
    return (resampled if len(resampled) else samples[:1]), MAX_RATE


def _snippet(samples: Samples, rate: int) -> "AudioSegment":
    """Convert to mono, 16 bits, with faded edges and normalized loudness. Silence stays silent."""
    # 32 bits until the end: amplifying a quiet 16-bit recording would amplify its quantization steps.
    raw = np.round(np.clip(samples, -1.0, 1.0) * (2**31 - 1)).astype("<i4").tobytes()
    segment = _segments()(data=raw, sample_width=4, frame_rate=rate, channels=1)
    fade = round(1_000 * min(FADE_SECONDS, len(samples) / rate / 2))
    if fade:
        segment = segment.fade_in(fade).fade_out(fade)
    if segment.max_dBFS > _SILENCE:
        segment = segment.apply_gain(min(LOUDNESS - segment.dBFS, PEAK - segment.max_dBFS))
    return segment.set_sample_width(2)


def _encoded(snippet: "AudioSegment") -> tuple[str, bytes]:
    """Media type and bytes of a snippet, compressed if there is ffmpeg."""
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
