"""WAV files: a part of their samples, without help from outside.

Plain samples of 8 to 32 bits, floating-point ones, A-law and mu-law are read here; other codecs, which WAV may hold as
well, are for ``ingest.media.audio.ffmpeg``. A file that holds less than its header says is refused: whoever heard its
beginning would not know that something is missing.
"""

import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from ingest.media.archives.stores import MemberError

_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
#: Bytes of a sample that each codec may have.
_WIDTHS: Final = {_PCM: (1, 2, 3, 4), _FLOAT: (4, 8), _A_LAW: (1,), _MU_LAW: (1,)}
#: Programs that write to a pipe do not know how much will come, and say that it is this much or more, or nothing.
_UNKNOWN: Final = 0x7FFFF000
#: That the size, of more than four bytes, stands elsewhere, in a file that begins with RF64.
_LONG: Final = 0xFFFFFFFF
#: Bytes: what is heard at once is a minute at most, and a format has no words.
_MOST_OF_A_PART: Final = 128 << 20
_MOST_OF_A_FORMAT: Final = 64
_MAX_RATE: Final = 768_000
_MAX_CHANNELS: Final = 64

Samples = NDArray[np.float64]


class OtherCodecError(MemberError):
    """A WAV file that is whole, and whose samples are encoded in another way than those read here."""


@dataclass(frozen=True, slots=True)
class _Format:
    codec: int
    channels: int
    rate: int  # frames a second
    width: int  # bytes of a sample

    @property
    def frame(self) -> int:
        return self.channels * self.width


def read_wav(file: BinaryIO, start: float, seconds: float) -> tuple[Samples, int]:
    """Samples in [-1, 1], (n, channels), of at most ``seconds`` from ``start`` on, and their rate in Hz.

    No others are read. Raises MemberError for what is no WAV file or ends before it should, OtherCodecError for one
    that only ffmpeg reads.
    """
    end = file.seek(0, os.SEEK_END)
    form: _Format | None = None
    long_size: int | None = None
    for name, begin, size in _chunks(file):
        if name == b"ds64":
            long_size = struct.unpack("<Q", _at(file, begin + 8, 8).ljust(8, b"\0"))[0]
        elif name == b"fmt ":
            form = _format(_at(file, begin, min(size, _MOST_OF_A_FORMAT)))
        elif name == b"data":
            if form is None:
                raise MemberError("expected a WAV file, found samples before it says what they are")
            size = size if long_size is None or size != _LONG else long_size
            if size == 0 and not _ends_in_chunks(file, begin, end):
                size = _UNKNOWN
            stored = _whole(size, end - begin, form)
            return _part(file, begin, stored, form, start, seconds), form.rate
    raise MemberError("expected a whole WAV file, found one that ends before its samples")


def _ends_in_chunks(file: BinaryIO, begin: int, end: int) -> bool:
    """Whether nothing, or nothing but whole parts with names, lies from a place up to the end of the file.

    Behind samples of no bytes it tells a recording of nothing from one whose writer never came back to say how much.
    """
    at = begin
    for name, place, size in _chunks(file, begin):
        at = place + size + size % 2
        if not name.strip().isalnum():
            return False
    return at in (end, end + 1)


def _chunks(file: BinaryIO, at: int = 12) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and declared size of each part of the file; the size may lead beyond its end."""
    while len(head := _at(file, at, 8)) == 8:
        name, size = struct.unpack("<4sI", head)
        yield name, at + 8, size
        at += 8 + size + size % 2


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)


def _format(data: bytes) -> _Format:
    if len(data) < 16:
        raise MemberError("expected a whole WAV file, found one that ends within its header")
    codec, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data)
    if codec == _EXTENSIBLE and len(data) >= 26:
        codec = struct.unpack_from("<H", data, 24)[0]
    if not (0 < rate <= _MAX_RATE and 0 < channels <= _MAX_CHANNELS):
        raise MemberError(f"expected a recording, found {channels} channels of {rate} Hz")
    return _Format(codec, channels, rate, (bits + 7) // 8)


def _whole(size: int, there: int, form: _Format) -> int:
    """How many bytes of samples are stored, all that the header promises."""
    if _UNKNOWN <= size <= _LONG:
        size = there
    if there // max(form.frame, 1) < size // max(form.frame, 1):
        raise MemberError(f"expected {size:,} bytes of sound, as its header says, found {there:,}: cut off")
    if form.width not in _WIDTHS.get(form.codec, ()):
        raise OtherCodecError(
            f"expected a WAV file of plain samples, found codec {form.codec} of {8 * form.width} bits, which only "
            "ffmpeg reads, and ffmpeg is not installed"
        )
    return size // form.frame * form.frame


def _part(file: BinaryIO, begin: int, stored: int, form: _Format, start: float, seconds: float) -> Samples:
    first, last = round(start * form.rate), math.ceil((start + seconds) * form.rate)
    first, last = (min(frame * form.frame, stored) for frame in (first, last))
    if last - first > _MOST_OF_A_PART:
        raise MemberError(f"expected at most {_MOST_OF_A_PART:,} bytes of sound, found {last - first:,}")
    return _values(_at(file, begin + first, last - first), form).reshape(-1, form.channels)


def _values(stored: bytes, form: _Format) -> Samples:
    if form.codec in (_A_LAW, _MU_LAW):
        table = A_LAW if form.codec == _A_LAW else MU_LAW
        return table[np.frombuffer(stored, np.uint8)]
    if form.codec == _FLOAT:
        return np.clip(np.nan_to_num(np.frombuffer(stored, f"<f{form.width}").astype(np.float64)), -1.0, 1.0)
    whole = _integers(stored, form.width).astype(np.float64)
    return whole / float(1 << (8 * form.width - 1))


def _integers(stored: bytes, width: int) -> NDArray[Any]:
    if width == 1:
        return np.frombuffer(stored, np.uint8).astype(np.int16) - 128  # the one width without a sign
    if width == 3:
        wide = np.zeros((len(stored) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(stored, np.uint8).reshape(-1, 3)
        return wide.reshape(-1).view("<i4") >> 8
    return np.frombuffer(stored, f"<i{width}")


def _a_law() -> Samples:
    """The sample that each byte stands for, after ITU-T G.711: a sign, three bits of exponent, four of mantissa."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    size = np.where(exponent == 0, (mantissa << 4) + 8, (mantissa << 4) + 0x108 << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size) / 32_768.0


def _mu_law() -> Samples:
    """As ``_a_law``, with all bits inverted and an offset of 0x84, which makes silence 0."""
    code = ~np.arange(256) & 0xFF
    size = ((code & 15) << 3) + 0x84 << (code >> 4 & 7)
    return np.where(code & 0x80, 0x84 - size, size - 0x84) / 32_768.0


A_LAW: Final = _a_law()
MU_LAW: Final = _mu_law()
