"""Jobs that decode audio: which file of an example to read, and which part of it."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath

from ingest.media.archives.stores import MemberError
from ingest.media.audio.snippets import audio_items, clip_items
from ingest.media.items import MediaItem
from ingest.media.layouts.audioset_names import is_part
from ingest.media.worker_pool import DecodeJob, Decoder


@dataclass(frozen=True, slots=True)
class SoundJob(DecodeJob):
    """A file of an example that may have several: ``data`` is its bytes or, if it is on disk, its path."""

    spare: int = 0  # files of the same example that are no better
    others: Sequence[DecodeJob] = ()  # those to try if this one cannot be decoded


def sound(job: DecodeJob, seconds: float) -> Iterator[MediaItem]:
    """The beginning of a recording. Raises MemberError if none of its files can be decoded."""
    return _heard(job, partial(_sound, seconds=seconds))


def clip(job: DecodeJob, seconds: float) -> Iterator[MediaItem]:
    """A clip, from its own file or from the whole recording. Raises MemberError like ``sound``."""
    return _heard(job, partial(_clip, seconds=seconds))


def _sound(job: DecodeJob, seconds: float) -> Iterator[MediaItem]:
    return audio_items(job.index, job.data, _suffix(job.name), seconds)


def _clip(job: DecodeJob, seconds: float) -> Iterator[MediaItem]:
    # A file named by its video alone may be all of it; one with a start time in its name is not.
    if is_part(job.name, job.part):
        return audio_items(job.index, job.data, _suffix(job.name), seconds)
    return clip_items(job.index, job.data, _suffix(job.name), seconds, job.part)


def _heard(job: DecodeJob, decode: Decoder) -> Iterator[MediaItem]:
    if not isinstance(job, SoundJob):
        yield from decode(job)
        return
    for item in _first(job, decode):
        yield replace(item, spare=job.spare) if item.kind == "audio" else item


def _first(job: SoundJob, decode: Decoder) -> Sequence[MediaItem]:
    """The result of the first file that can be decoded; if none can, the error about the best one is raised."""
    try:
        return list(decode(job))
    except MemberError:
        for other in job.others:
            with suppress(MemberError):
                return list(decode(other))
        raise


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix[1:].lower()
