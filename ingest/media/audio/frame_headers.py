"""Compare the length an MP3 file declares in its header with the length of its frames.

Only headers are read. A length that is not declared, or that cannot be compared, is None: real files contain tags and
garbage before and after their sound, and must not be refused for it.
"""

import struct
from typing import BinaryIO, Final, NamedTuple

from ingest.media.audio.sniffing import tag_size

#: How far after a tag the first MP3 frame is searched.
_PADDING: Final = 64 << 10
_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
# kbit/s of layers 1, 2 and 3: of version 1, then of the later ones, whose layers 2 and 3 are alike.
_V1: Final = (
    (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
)
_V2: Final = (
    (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)


class _Frame(NamedTuple):
    length: int  # bytes, header included
    count_at: int  # the offset of a Xing header in the first frame


def mp3_promise(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """The number of frames declared by the Xing, Info or VBRI header of an MP3, and the number there are; None without
    one.

    If the file has as many bytes as declared, its frames are not counted. The frame that holds the header is counted as
    present; some encoders include it in the declared number and some do not.
    """
    at = tag_size(_at(file, 0, 10))
    look = _at(file, at, _PADDING)
    place = next((n for n in range(len(look) - 3) if look[n] == 0xFF and _frame(look[n : n + 4])), None)
    frame = None if place is None else _frame(look[place : place + 4])
    if place is None or frame is None:
        return None
    promise = _counted(look[place : place + frame.length], frame.count_at)
    if promise is None:
        return None
    frames, n_bytes = promise
    if n_bytes and size - at - place >= n_bytes:
        return frames, frames
    found = _frames(file, at + place, size)
    return None if found is None else (frames, found)


def _counted(frame: bytes, at: int) -> tuple[int, int] | None:
    """Frames and bytes declared in the first frame, 0 bytes if it declares none."""
    if frame[at : at + 4] in (b"Xing", b"Info") and len(frame) >= at + 16:
        flags, frames, n_bytes = struct.unpack_from(">III", frame, at + 4)
        return (frames, n_bytes if flags & 2 else 0) if flags & 1 else None
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        n_bytes, frames = struct.unpack_from(">II", frame, 46)
        return frames, n_bytes
    return None


def _frames(file: BinaryIO, at: int, size: int) -> int | None:
    """The number of whole frames up to the end; None if there is something else among them."""
    count = 0
    while at + 4 <= size:
        head = _at(file, at, 4)
        frame = _frame(head)
        if frame is None:
            return count if head[:3] in (b"TAG", b"APE", b"ID3") else None
        at += frame.length
        count += at <= size
    return count


def _frame(head: bytes) -> _Frame | None:
    """The meaning of a frame's four header bytes; None if they are not a header, or do not state the frame's length."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, rate_code, rate_of_bits = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3), head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or layer == 4 or rate_code == 3 or rate_of_bits in (0, 15):
        return None
    first = version == 3
    bits, rate = 1_000 * (_V1 if first else _V2)[layer - 1][rate_of_bits - 1], _RATES[version][rate_code]
    padding, mono = head[2] >> 1 & 1, head[3] >> 6 == 3
    if layer == 1:
        length = 4 * (12 * bits // rate + padding)
    else:
        length = (72 if layer == 3 and not first else 144) * bits // rate + padding
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return _Frame(length, 4 + side)


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)
