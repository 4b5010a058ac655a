"""Distributions with one file per example, such as IMDB, ImageNet, AudioSet clips or a user's own folder.

The others are 20 Newsgroups and Caltech-256. Published distributions have names known to their layout, and an order: as
text, even if the names are numbers. A user's own folder may contain any name, so its order and its examples are
determined first.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from ingest.manifest.layouts import Options, packed
from ingest.media import text
from ingest.media.archives.stores import Store, open_store
from ingest.media.archives.system_files import is_of_the_system
from ingest.media.audio import snippets
from ingest.media.images import thumbnails
from ingest.media.items import MediaItem, MediaSource
from ingest.media.layouts.audio_jobs import clip, sound
from ingest.media.layouts.audioset_names import MEMBER, clip_rank, sound_rank, video
from ingest.media.layouts.file_per_example import FileReader, KeyOf, Members
from ingest.media.layouts.locate import find, others, read_options
from ingest.media.worker_pool import DecodeJob

_TEXT: Final = ".txt"
_NO_TEXTS: Final = "whose names do not end as those of the texts do (endings in [media] says how they end)"


def open_20news(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """20 Newsgroups "bydate": posts ``20news-bydate-test/GROUP/NUMBER`` in Latin-1, with or without the training set.

    Options: path, order, shuffle_seeds, encoding.
    """
    told = read_options("20news-bydate", options)
    patterns = packed("20news-bydate-test", "20news-bydate")
    return _open(folder, told, patterns, r"(?:(?:.*/)?20news-bydate-test/)?(?P<key>[^/]+/\d+)", _texts(told))


def open_aclimdb(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """IMDB's test reviews ``aclImdb/test/{neg,pos}/ID_SCORE.txt``, alone or beside the training set.

    A key looks like ``neg/9641_4``; ``<br />`` becomes a line break. Options: path, order, encoding.
    """
    told = read_options("aclimdb", options)
    patterns = packed("aclImdb", "aclImdb-test", "aclImdb_v1")
    return _open(folder, told, patterns, r"(?:.*/)?test/(?P<key>(?:neg|pos)/\d+_\d+\.txt)", _texts(told, breaks=True))


def open_caltech256(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """Caltech-256's photographs ``256_ObjectCategories/001.ak47/001_0001.jpg``.

    A key looks like ``001.ak47/001_0001.jpg``. Options: path, order.
    """
    told = read_options("caltech256", options)
    return _open(
        folder, told, packed("256_ObjectCategories"), r"(?:.*/)?(?P<key>\d{3}\.[^/]+/\d{3}_\d+\.jpg)", _PICTURES
    )


def open_imagenet(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """ILSVRC 2012's validation images, ``ILSVRC2012_img_val.tar`` flat, or ``val/n01440764/*.JPEG``.

    A key looks like ``ILSVRC2012_val_00000293``. Options: path.
    """
    told = read_options("imagenet-val", options)
    patterns = packed("ILSVRC2012_img_val", "val", "imagenet_val", "imagenet/val")
    return _open(folder, told, patterns, r"(?:.*/)?(?P<key>ILSVRC2012_val_\d{8}\.(?i:jpe?g))", _PICTURES)


def open_audioset(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """AudioSet's clips in a folder, named as download scripts name them; clips are cut out of whole videos.

    Files are called ``YTID.wav``, ``YTID_30_40.wav``, ``YTID_30-40.wav`` or ``YTID_30.wav``, see ``audioset_names``. A
    key is the video's id, with or without start and end after it. Options: path, seconds, clips.
    """
    told = read_options("audioset", options)
    names = ("audioset_eval_set", "audioset_eval", "audioset_eval_segments", "audioset", "AudioSet", "eval_segments")
    decode = partial(clip, seconds=told.seconds)
    return _open(folder, told, packed(*names), MEMBER, FileReader(snippets.MAX_AUDIO_BYTES, decode, video, clip_rank))


def open_image_folder(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """Image files in a folder or archive, flat or one folder per class.

    Options: path, order, shuffle_seeds, and endings: those of image files, "" for names without one.
    """
    told = read_options("image-folder", options)
    return _open_own(folder, told, told.endings or [f".{suffix}" for suffix in thumbnails.SUFFIXES], _PICTURES)


def open_text_folder(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """Texts in a folder or archive: files that end in ``.txt``, or all files if none does.

    Options: path, order, shuffle_seeds, encoding, and endings: those of text files, "" for names without one.
    """
    told = read_options("text-folder", options)
    return _open_own(folder, told, told.endings, replace(_texts(told), others=_NO_TEXTS))


def open_audio_folder(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """Recordings, in formats that libsndfile and ffmpeg read, in a folder or archive.

    Options: path, order, shuffle_seeds, seconds, and endings: those of recordings, "" for names without one.
    """
    told = read_options("audio-folder", options)
    return _open_own(folder, told, told.endings or [f".{suffix}" for suffix in snippets.SUFFIXES], _sounds(told))


def picture(job: DecodeJob) -> Iterator[MediaItem]:
    """The items of an image file."""
    return thumbnails.file_items(job.index, job.data)


def _text(job: DecodeJob, encoding: str, breaks: bool) -> Iterator[MediaItem]:
    return text.text_items(job.index, job.data, encoding, breaks=breaks)


_PICTURES: Final = FileReader(thumbnails.MAX_IMAGE_BYTES, picture)


def _texts(told: Options, *, breaks: bool = False) -> FileReader:
    return FileReader(text.MAX_TEXT_BYTES, partial(_text, encoding=told.encoding, breaks=breaks))


def _sounds(told: Options) -> FileReader:
    return FileReader(snippets.MAX_AUDIO_BYTES, partial(sound, seconds=told.seconds), ranking=sound_rank)


def _open(folder: Path, told: Options, patterns: Sequence[str], member: str, reading: FileReader) -> MediaSource | None:
    path = find(folder, told.patterns(patterns))
    pattern = re.compile(member)

    def key_of(name: str) -> str | None:
        match = pattern.fullmatch(name)
        return None if match is None else match["key"]

    return None if path is None else Members(open_store(path), key_of, reading, told)


def _open_own(folder: Path, told: Options, endings: Sequence[str] | None, reading: FileReader) -> MediaSource | None:
    patterns = told.patterns(["."])
    path = find(folder, patterns)
    if path is None:
        return None
    store = open_store(path)
    key_of = _with_ending([_TEXT] if _has_texts(store) else None) if endings is None else _with_ending(endings)
    return Members(store, key_of, reading, told, own=True, beside=others(folder, patterns, path))


def _has_texts(store: Store) -> bool:
    is_text = _with_ending([_TEXT])
    return any(is_text(member.name) is not None for member in store.members())


def _with_ending(endings: Sequence[str] | None) -> KeyOf:
    """The files with certain endings, or all if None; system files are excluded."""
    wanted = None if endings is None else frozenset(map(str.casefold, endings))

    def key_of(name: str) -> str | None:
        if is_of_the_system(name) or (wanted is not None and PurePosixPath(name).suffix.casefold() not in wanted):
            return None
        return name

    return key_of
