"""File names that AudioSet's download scripts use, and the best of several files for one clip.

A name contains the video id, and may contain the segment: ``YTID.wav``, ``YTID_30_40.wav``, ``YTID_30-40.wav`` or
``YTID_30.wav``, in seconds as 30, 30.0 or 30.000 or in milliseconds as 30000. Each may have a ``Y`` in front, because
the ids of some videos begin with a hyphen.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from ingest.media.archives.stores import MemberError
from ingest.media.audio import ffmpeg, libsndfile
from ingest.media.audio.sniffing import DEMUXERS

_NUMBER: Final = r"\d+(?:\.\d+)?"
_NAME: Final = rf"Y?(?P<key>[\w-]{{11}})(?:_(?P<begin>{_NUMBER})(?:[_-](?P<end>{_NUMBER}))?)?"
#: A file's path; "key" is the id of its video.
MEMBER: Final = rf"(?:.*/)?{_NAME}\.(?i:{'|'.join(DEMUXERS)})"
_STEM: Final = re.compile(_NAME)
_KEY: Final = re.compile(rf"([\w-]{{11}})_{_NUMBER}_{_NUMBER}")

#: Formats from best to worst: lossless ones, then those that lose least for their size.
_ORDER: Final = ("wav", "aiff", "flac", "opus", "webm", "ogg", "oga", "m4a", "aac", "mp3")
#: Scripts round times, and cut where they can.
_TOLERANCE: Final = 1.0

Part = Sequence[float]


class Rank(NamedTuple):
    """How far a file is from the ideal for its example: the lowest rank is read."""

    other: bool  # another part of the recording
    unreadable: bool  # if there is no ffmpeg
    whole: bool  # possibly: its name does not state the part
    format: int
    name: str


def video(key: str) -> str:
    """The id of the video in an example's key, which may also contain the segment.

    >>> video("lL5jq1TDiXQ_30_40"), video("lL5jq1TDiXQ")
    ('lL5jq1TDiXQ', 'lL5jq1TDiXQ')
    """
    match = _KEY.fullmatch(key)
    return match[1] if match else key


def is_part(name: str, part: Part | None) -> bool:
    """Whether a file's name says that it is a segment of a video, and not possibly all of it.

    Raises MemberError if that segment differs from ``part``, begin and end in seconds, None if unknown.

    >>> is_part("YlL5jq1TDiXQ_30.000_40.000.wav", (30, 40)), is_part("lL5jq1TDiXQ_30000.wav", (30, 40))
    (True, True)
    >>> is_part("YlL5jq1TDiXQ.wav", (30, 40))
    False
    """
    match = _STEM.fullmatch(PurePosixPath(name).stem)
    if match is None or match["begin"] is None:
        return False
    named = [float(number) for number in (match["begin"], match["end"]) if number is not None]
    if part is not None and not any(_agree(named, part, unit) for unit in (1, 1_000)):
        found = " to ".join(f"{number:g}" for number in named)
        raise MemberError(f"expected the part from {part[0]:g} to {part[1]:g} s, found a file of {found}")
    return True


def _agree(named: Sequence[float], part: Part, unit: int) -> bool:
    return all(abs(number / unit - meant) <= _TOLERANCE for number, meant in zip(named, part, strict=False))


def clip_rank(name: str, part: Part | None) -> Rank:
    """The rank among the files of a clip: the clip before the whole recording, lossless formats before others.

    >>> clip_rank("lL5jq1TDiXQ_30_40.mp3", (30, 40)) < clip_rank("lL5jq1TDiXQ.wav", (30, 40))
    True
    """
    other, whole = False, True
    try:
        whole = not is_part(name, part)
    except MemberError:
        other = True
    return sound_rank(name, part)._replace(other=other, whole=whole)


def sound_rank(name: str, part: Part | None = None) -> Rank:  # noqa: ARG001  # as clip_rank, of files that are no parts
    """The rank among the files of an example whose names differ only in their endings.

    >>> sorted(["a.mp3", "a.flac", "a.m4a"], key=sound_rank)
    ['a.flac', 'a.m4a', 'a.mp3']
    """
    suffix = PurePosixPath(name).suffix[1:].lower()
    unreadable = DEMUXERS.get(suffix) not in libsndfile.READ and ffmpeg.found() is None
    return Rank(False, unreadable, False, _ORDER.index(suffix) if suffix in _ORDER else len(_ORDER), name)
