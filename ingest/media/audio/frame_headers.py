"""FLAC and MP3: how much sound the head of a file promises, and how much its frames hold.

Only headers are read. A promise that nobody makes, or that cannot be held against anything, is None: files in the wild
carry tags and rubbish before and behind their sound, and must not be blamed for it.
"""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

#: Where the last frame is looked for, in bytes, at least: pictures and words may follow it.
_TAIL: Final = 256 << 10
_MOST_OF_A_TAIL: Final = 4 << 20

#: Bytes of the shortest header, one silent channel and the checksum.
_LEAST_OF_A_FRAME: Final = 8

#: Where the first frame of MP3 is looked for behind a tag.
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


def tag_size(head: bytes) -> int:
    """Bytes of the ID3 tag that a file begins with, told by its first ten; 0 without one.

    >>> tag_size(b"ID3\\x04\\0\\0\\0\\0\\1\\2"), tag_size(b"fLaC")
    (140, 0)
    """
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    # Four bytes of seven bits.
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


def flac_promise(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """Samples of each channel that FLAC's STREAMINFO promises, and those up to the end of the last whole frame.

    None where it promises nothing or where no frame is found.
    """
    begin = tag_size(_at(file, 0, 10))
    head = _at(file, begin, 42)
    if len(head) < 42 or head[:4] != b"fLaC" or head[4] & 0x7F:
        return None
    block, most = struct.unpack_from(">H", head, 10)[0], int.from_bytes(head[15:18])
    promised = int.from_bytes(head[18:26]) & 0xFFFFFFFFF
    first = _first_frame(file, begin + 4)
    if not promised or first is None:
        return None
    window = min(max(_TAIL, 2 * most), _MOST_OF_A_TAIL)
    place = max(first, size - window)
    tail = _at(file, place, window)
    last = max(_flac_frames(tail, _at(file, first, 4), block), default=None, key=lambda frame: frame.end)
    if last is None:
        return None
    return promised, last.end if _is_whole(tail[last.at :]) else last.end - last.samples


def _first_frame(file: BinaryIO, at: int) -> int | None:
    """Where the blocks of facts about the recording end and sound begins, None where the file ends before."""
    last = False
    while len(head := _at(file, at, 4)) == 4:
        if last:
            return at
        at += 4 + int.from_bytes(head[1:])
        last = bool(head[0] & 0x80)
    return None


class _FlacFrame(NamedTuple):
    at: int  # where it begins in the data
    samples: int  # of each channel
    end: int  # the sample of the recording behind its last one


def _flac_frames(data: bytes, first: bytes, block: int) -> Iterator[_FlacFrame]:
    """The frames that begin in the data, told by the look of the first one and by their checksums."""
    for match in re.finditer(re.escape(first[:2]), data):
        # A frame of silence may be shorter than the longest header.
        head = data[match.start() : match.start() + 16].ljust(16, b"\0")
        # Rate, sample size and the zero behind it are the whole recording's; the rest may change.
        if head[2] & 0x0F == first[2] & 0x0F and head[3] & 0x0F == first[3] & 0x0F:
            samples, end = _flac_header(head, block)
            if samples:
                yield _FlacFrame(match.start(), samples, end)


def _flac_header(head: bytes, block: int) -> tuple[int, int]:
    """Samples in a frame, and the sample of the recording behind its last one; 0 samples if it is no frame's."""
    n_more = max(0, 7 - (head[4] ^ 0xFF).bit_length())  # bytes of the number, written as UTF-8 writes characters
    number = head[4] & (0x7F if n_more == 0 else 0x3F >> n_more)
    for byte in head[5 : 5 + n_more]:
        number = number << 6 | byte & 0x3F
    at = 5 + n_more
    code = head[2] >> 4
    match code:
        case 0:
            return 0, 0
        case 1:
            length = 192
        case 6 | 7:
            length = int.from_bytes(head[at : at + code - 5]) + 1
            at += code - 5
        case _:
            length = 576 << code - 2 if code < 6 else 256 << code - 8
    at += {12: 1, 13: 2, 14: 2}.get(head[2] & 0x0F, 0)
    if at >= len(head) or _crc8(head[:at]) != head[at]:
        return 0, 0
    # Frames are numbered where all are of one length; where lengths vary, the number is that of the first sample.
    return length, (number if head[1] & 1 else number * block) + length


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _is_whole(data: bytes) -> bool:
    """Whether a frame of FLAC stands there up to its checksum, with which the sum becomes 0, whatever follows it."""
    value = 0
    for at, byte in enumerate(data):
        value = (value << 8 & 0xFF00) ^ _CRC16[value >> 8 ^ byte]
        if value == 0 and at > _LEAST_OF_A_FRAME:
            return True
    return False


def _crc_table(bits: int, polynomial: int) -> list[int]:
    table = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 else 0)
            value &= (1 << bits) - 1
        table.append(value)
    return table


_CRC8: Final = _crc_table(8, 0x07)
_CRC16: Final = _crc_table(16, 0x8005)


class _Frame(NamedTuple):
    length: int  # bytes, header included
    count_at: int  # where a Xing header stands in the first one


def mp3_promise(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """Frames that the Xing, Info or VBRI header of an MP3 promises, and those there are; None without such a header.

    Where the file holds as many bytes as promised, its frames are not counted. The frame that holds the header is
    counted among those there are; some encoders promise it and some do not.
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
    """Frames and bytes as the first frame tells them, 0 bytes where it does not."""
    if frame[at : at + 4] in (b"Xing", b"Info") and len(frame) >= at + 16:
        flags, frames, n_bytes = struct.unpack_from(">III", frame, at + 4)
        return (frames, n_bytes if flags & 2 else 0) if flags & 1 else None
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        n_bytes, frames = struct.unpack_from(">II", frame, 46)
        return frames, n_bytes
    return None


def _frames(file: BinaryIO, at: int, size: int) -> int | None:
    """Whole frames up to the end; None where something that is none stands among them."""
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
    """What the four bytes before a frame say of it; None where they are no such bytes, or do not say how long it is."""
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
