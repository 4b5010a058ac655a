"""Distributions that hold each example in a file of its own: 20 Newsgroups, IMDB, Caltech-256, ImageNet, AudioSet's
clips, and folders of one's own.

Which file is which example is said by key, the file's path below its distribution with or without its ending, or by
order. By key takes one pass over an archive; by order takes one more before it, over the names alone, and so do sounds,
of which an example may have several files.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from ingest.errors import shown
from ingest.layouts import Options, packed
from ingest.media import audio, image, text
from ingest.media.archives import Member, MemberError, Store, open_store
from ingest.media.choosing import Choice, Ranking
from ingest.media.clip_names import MEMBER, clip_rank, sound_rank, video
from ingest.media.finding import find, read_options, shuffled
from ingest.media.items import MediaError, MediaItem, MediaProblem, MediaSource, Wanted
from ingest.media.sound_jobs import SoundJob, clip, sound
from ingest.media.working import Decoder, Job, decoded


def open_20news(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """20 Newsgroups "bydate": posts ``20news-bydate-test/GROUP/NUMBER`` in Latin-1, with or without those for training.

    Options: path, order, shuffle_seeds, encoding.
    """
    told = read_options("20news-bydate", options)
    patterns = packed("20news-bydate-test", "20news-bydate")
    return _open(folder, told, patterns, r"(?:(?:.*/)?20news-bydate-test/)?(?P<key>[^/]+/\d+)", _texts(told))


def open_aclimdb(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """IMDB's test reviews ``aclImdb/test/{neg,pos}/ID_SCORE.txt``, alone or beside those for training.

    A key is as ``neg/9641_4``; ``<br />`` becomes a line break. Options: path, order, encoding.
    """
    told = read_options("aclimdb", options)
    patterns = packed("aclImdb", "aclImdb-test", "aclImdb_v1")
    return _open(folder, told, patterns, r"(?:.*/)?test/(?P<key>(?:neg|pos)/\d+_\d+\.txt)", _texts(told, breaks=True))


def open_caltech256(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """Caltech-256's photographs ``256_ObjectCategories/001.ak47/001_0001.jpg``.

    A key is as ``001.ak47/001_0001.jpg``. Options: path, order.
    """
    told = read_options("caltech256", options)
    return _open(
        folder, told, packed("256_ObjectCategories"), r"(?:.*/)?(?P<key>\d{3}\.[^/]+/\d{3}_\d+\.jpg)", _PICTURES
    )


def open_imagenet(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """ILSVRC 2012's validation images, ``ILSVRC2012_img_val.tar`` flat, or ``val/n01440764/*.JPEG``.

    A key is as ``ILSVRC2012_val_00000293``. Options: path.
    """
    told = read_options("imagenet-val", options)
    patterns = packed("ILSVRC2012_img_val", "val", "imagenet_val", "imagenet/val")
    return _open(folder, told, patterns, r"(?:.*/)?(?P<key>ILSVRC2012_val_\d{8}\.(?i:jpe?g))", _PICTURES)


def open_audioset(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """AudioSet's clips as scripts that download them call them, in a folder; of a whole video the clip is cut out.

    Files are called ``YTID.wav``, ``YTID_30_40.wav``, ``YTID_30-40.wav`` or ``YTID_30.wav``, see ``clip_names``. A key
    is the video's id, with or without start and end behind it. Options: path, seconds, clips.
    """
    told = read_options("audioset", options)
    names = ("audioset_eval_set", "audioset_eval", "audioset_eval_segments", "audioset", "AudioSet", "eval_segments")
    decode = partial(clip, seconds=told.seconds)
    return _open(folder, told, packed(*names), MEMBER, _Reading(audio.MAX_AUDIO_BYTES, decode, video, clip_rank))


def open_image_folder(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """Image files in a folder or archive, flat or a folder a class. Options: path, order, shuffle_seeds."""
    told = read_options("image-folder", options)
    return _open(folder, told, ["."], _ending(*image.SUFFIXES), _PICTURES)


def open_text_folder(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """Texts, ``.txt``, in a folder or archive. Options: path, order, shuffle_seeds, encoding."""
    told = read_options("text-folder", options)
    return _open(folder, told, ["."], _ending("txt"), _texts(told))


def open_audio_folder(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """Recordings, ``.wav`` and what ffmpeg reads, in a folder or archive.

    Options: path, order, shuffle_seeds, seconds.
    """
    told = read_options("audio-folder", options)
    return _open(folder, told, ["."], _ending(*audio.SUFFIXES), _sounds(told))


@dataclass(frozen=True, slots=True)
class _Reading:
    limit: int  # bytes of one file
    decode: Decoder
    named: Callable[[str], str] = str  # what of a key stands in the name of a file
    ranking: Ranking | None = None  # of sounds, of which only a part is read: which of several files is the best


def _picture(job: Job) -> Iterator[MediaItem]:
    return image.file_items(job.index, job.data)


def _text(job: Job, encoding: str, breaks: bool) -> Iterator[MediaItem]:
    return text.text_items(job.index, job.data, encoding, breaks=breaks)


_PICTURES: Final = _Reading(image.MAX_IMAGE_BYTES, _picture)


def _texts(told: Options, *, breaks: bool = False) -> _Reading:
    return _Reading(text.MAX_TEXT_BYTES, partial(_text, encoding=told.encoding, breaks=breaks))


def _sounds(told: Options) -> _Reading:
    return _Reading(audio.MAX_AUDIO_BYTES, partial(sound, seconds=told.seconds), ranking=sound_rank)


def _composed(key: str) -> str:
    """A key with each letter as one character: some systems write the names of files with accents apart."""
    return unicodedata.normalize("NFC", key)


def _ending(*suffixes: str) -> str:
    # What begins with a dot, folders included, is a system's own: macOS puts such files beside every image.
    return rf"(?P<key>(?:(?!\.)[^/]+/)*(?!\.)[^/]+\.(?i:{'|'.join(suffixes)}))"


def _open(folder: Path, told: Options, patterns: Sequence[str], member: str, reading: _Reading) -> MediaSource | None:
    path = find(folder, told.patterns(patterns))
    return None if path is None else Members(open_store(path), re.compile(member), reading, told)


#: The key of a file -> the examples it is of.
_Lookup = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Members:
    """The members of ``store`` whose names match; the group "key" of ``member`` is the key of one."""

    store: Store
    member: re.Pattern[str]
    reading: _Reading
    told: Options

    @property
    def sources(self) -> Sequence[Path]:
        return [self.store.path]

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:
        return decoded(self._jobs(wanted), self.reading.decode, workers)

    def _jobs(self, wanted: Wanted) -> Iterator[Job | MediaProblem]:
        missing = set(wanted)
        for job in self._each(wanted) if self.reading.ranking is None else self._best(wanted, self.reading.ranking):
            missing.discard(job.index)
            yield job
        for index in sorted(missing):
            yield MediaProblem(index, str(self.store.path), self._not_found(wanted[index]), absent=True)

    def _each(self, wanted: Wanted) -> Iterator[Job | MediaProblem]:
        seen = set[int]()
        for _, member, index in self._wanted_members(self._lookup(wanted)):
            if index in seen:
                finding = "expected one file of this example, found this one after another"
                yield MediaProblem(index, self._where(member), finding)
            else:
                yield self._job_of(member, index, wanted[index])
            seen.add(index)

    def _best(self, wanted: Wanted, ranking: Ranking) -> Iterator[Job | MediaProblem]:
        lookup, choice = self._lookup(wanted), Choice(ranking)
        for place, member, index in self._wanted_members(lookup):
            choice.add(index, place, member, self._part(wanted[index]))
        for member, index in self._chosen(lookup, choice):
            job, others = self._job_of(member, index, wanted[index]), choice.others(index)
            if isinstance(job, MediaProblem):
                yield job
                continue
            at_hand = [self._job_of(one.member, index, wanted[index]) for one in others if one.member.path is not None]
            jobs = [one for one in at_hand if isinstance(one, Job)]
            yield SoundJob(job.index, job.where, job.name, job.data, job.part, len(others), jobs)

    def _chosen(self, lookup: _Lookup, choice: Choice) -> Iterator[tuple[Member, int]]:
        """The best file of each example; what lies in an archive can only be read as it passes by."""
        if self.store.path.is_dir() or not choice:
            yield from ((best.member, index) for index, best in choice.in_order())
            return
        for place, member, index in self._wanted_members(lookup):
            if choice.best(index).place == place:
                yield member, index

    def labels(self, keyed: bool = False) -> Sequence[str | None] | None:
        if keyed and not self.told.order:
            return None
        return [PurePosixPath(key).parent.name or None for key in self._ordered_keys()]

    def beside(self) -> str:
        """The files that are none of the dataset's by their names, in words that can follow a number; "" for none."""
        names = [member.name for member in self.store.members() if not self.member.fullmatch(member.name)]
        names = [name for name in names if not any(part.startswith(".") for part in PurePosixPath(name).parts)]
        if not names:
            return ""
        some = "another file" if len(names) == 1 else f"{len(names):,} other files"
        return f" beside {some}, whose kind is not read, such as {shown(min(names))}"

    def _job_of(self, member: Member, index: int, key: str | None) -> Job | MediaProblem:
        try:
            return Job(index, self._where(member), member.name, self._data(member), self._part(key))
        except MemberError as error:
            return MediaProblem(index, self._where(member), str(error))

    def _data(self, member: Member) -> bytes | Path:
        if self.reading.ranking is None or member.refused:
            return member.read(self.reading.limit)
        if member.path is not None:
            return member.path
        if member.size > self.reading.limit:
            advice = "unpack it, since of a file in a folder no more is read than is heard"
            found = f"found {member.size:,}: {advice}"
            raise MemberError(f"expected at most {self.reading.limit:,} bytes of a sound in an archive, {found}")
        return member.read(self.reading.limit)

    def _where(self, member: Member) -> str:
        return f"{self.store.path}: {member.name}"

    def _part(self, key: str | None) -> Sequence[float] | None:
        return self.told.clips.get(key or "")

    def _lookup(self, wanted: Wanted) -> _Lookup:
        """The examples that a file is of, by its key."""
        by_order = [index for index, key in wanted.items() if key is None or self.told.order]
        keys = self._keys_at(by_order)
        spellings = defaultdict[str, list[int]](list)
        for index, key in wanted.items():
            if key is not None and not self.told.order:
                spellings[_composed(self.reading.named(key))].append(index)

        def examples(key: str) -> Sequence[int]:
            if key in keys:
                return [keys[key]]
            return next((spellings[word] for word in self._spellings(key) if word in spellings), ())

        return examples

    def _wanted_members(self, lookup: _Lookup) -> Iterator[tuple[int, Member, int]]:
        """Place, file and example of each file that is of one."""
        for place, (member, key) in enumerate(self._members()):
            for index in lookup(key):
                yield place, member, index

    def _members(self) -> Iterator[tuple[Member, str]]:
        for member in self.store.members():
            match = self.member.fullmatch(member.name)
            if match:
                yield member, match["key"]

    def _spellings(self, key: str) -> Iterator[str]:
        """The ways to write a key: with and without the file's ending, and in an archive without its own top folder."""
        keys = [key]
        if not self.store.path.is_dir() and "/" in key:
            keys.append(key.partition("/")[2])
        for word in map(_composed, keys):
            yield word
            yield str(PurePosixPath(word).with_suffix(""))

    def _keys_at(self, indices: Sequence[int]) -> dict[str, int]:
        """Which key stands for each of the indices that there are."""
        if not indices:
            return {}
        keys = self._ordered_keys()
        return {keys[index]: index for index in indices if 0 <= index < len(keys)}

    def _ordered_keys(self) -> list[str]:
        keys = {key for _, key in self._members()}
        if not keys:
            raise MediaError(self.store.path, f"expected the files of a dataset in it, found none{self.beside()}")
        # By folder, then by name: as whole paths, "a.b/1" would come before "a/1".
        ordered = sorted(keys, key=lambda key: PurePosixPath(key).parts)
        return [ordered[place] for place in shuffled(len(ordered), self.told.shuffle_seeds)]

    def _not_found(self, key: str | None) -> str:
        if key is None or self.told.order:
            return "expected a file of this index, found fewer files"
        return f"expected a file named {shown(key)}, found none"
