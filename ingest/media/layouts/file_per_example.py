"""Read distributions with one file per example, in a folder or an archive.

A file is matched to its example by key, which is its path below the distribution with or without its ending, or by
order. Published distributions have one file per example and take one pass by key. In a user's own folder two files may
share the name of one example, so another pass over the names comes first, as it does by order, and for sounds, of which
an example may have several files. Two files that could both be one example are reported and neither is shown.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from ingest.errors import shown
from ingest.manifest.layouts import Options
from ingest.media.archives.stores import Member, MemberError, Store
from ingest.media.archives.system_files import is_of_the_system
from ingest.media.items import MediaError, MediaItem, MediaProblem, UnorderedFilesError, Wanted
from ingest.media.layouts.audio_jobs import SoundJob
from ingest.media.layouts.best_file import FilesByExample, Ranking
from ingest.media.layouts.file_order import OrderError, composed, gap, in_order
from ingest.media.layouts.locate import shuffled, taken
from ingest.media.layouts.near_names import NearNames
from ingest.media.worker_pool import DecodeJob, Decoder, decoded

#: The name of a file -> its key, None for a file that does not belong to the dataset.
KeyOf = Callable[[str], str | None]

#: How many candidate files of one example a message names.
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class FileReader:
    """How files are read."""

    limit: int  # bytes of one file
    decode: Decoder
    named: Callable[[str], str] = str  # the part of a key that occurs in a file name
    ranking: Ranking | None = None  # for sounds, of which only a part is read: which of several files is the best
    others: str = "whose kind is not read"  # the description of files that do not belong to the dataset


@dataclass(frozen=True, slots=True)
class _Match:
    """A file that may belong to an example."""

    spelling: int  # how far the key is from the file's path; 0 is the path itself
    place: int  # among all files, in their order
    member: Member


#: The key of a file -> its examples, each with the spelling that matched.
_Lookup = Callable[[str], Sequence[tuple[int, int]]]


class Members:
    """The members of ``store`` that ``key_of`` recognises.

    ``own`` says that it is a user's own folder; ``beside`` names other files there that could be meant as well.
    """

    def __init__(
        self,
        store: Store,
        key_of: KeyOf,
        reading: FileReader,
        told: Options,
        *,
        own: bool = False,
        beside: Sequence[str] = (),
    ) -> None:
        self._store = store
        self._key_of = key_of
        self._reading = reading
        self._told = told
        self.own = own
        self._beside = beside

    @property
    def sources(self) -> Sequence[Path]:
        return [self._store.path]

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:
        return decoded(self._jobs(wanted), self._reading.decode, workers)

    def labels(self, keyed: bool = False) -> Sequence[str | None] | None:
        if keyed and not self._told.order:
            return None
        return [PurePosixPath(key).parent.name or None for key in self._ordered_keys]

    def names(self) -> Sequence[str]:
        return [composed(key) for key in self._ordered_keys]

    def files(self, wanted: Wanted) -> Mapping[int, str]:
        """The file of each wanted example, by name, or the names of the candidates."""
        closest = self._closest(self._lookup(wanted))
        return {index: ", ".join(match.member.name for match in matches) for index, matches in closest.items()}

    def notes(self) -> Sequence[str]:
        if not self.own:
            return ()
        found = taken(self._store.path, self._beside)
        found += [f"passed over {beside}"] if (beside := self._others()) else []
        between = gap(self._numbered_keys) if self._told.order else ""
        return [*found, *([f"numbers are left out where {between}; files are paired by place"] if between else [])]

    def beside(self) -> str:
        """Files whose names do not belong to the dataset, in words that can follow a number; "" for none."""
        others = self._others()
        between = gap(self._numbered_keys) if self.own and self._names_of_files else ""
        return (f" beside {others}" if others else "") + (f", and {between}" if between else "")

    def unpaired(self, keys: Sequence[str]) -> str:
        """What is there instead, if none of the keys is found; "" for published distributions.

        In words that follow "found none of them".
        """
        if not self.own or self._told.order:
            return ""
        near = next((self._near.hint(key) for key in keys if self._near.of(key)), "")
        return near or f" among files such as {self._near.some()}"

    def _others(self) -> str:
        names = [name for name in self._names_of_files if self._key_of(name) is None and not is_of_the_system(name)]
        if not names:
            return ""
        some = "another file" if len(names) == 1 else f"{len(names):,} other files"
        return f"{some}, {self._reading.others}, such as {shown(min(names))}"

    def _jobs(self, wanted: Wanted) -> Iterator[DecodeJob | MediaProblem]:
        missing = set(wanted)
        for job in self._found(wanted):
            missing.discard(job.index)
            yield job
        for index in sorted(missing):
            yield MediaProblem(index, str(self._store.path), self._not_found(wanted[index]), absent=True)

    def _found(self, wanted: Wanted) -> Iterator[DecodeJob | MediaProblem]:
        lookup = self._lookup(wanted)
        if self._reading.ranking is not None:
            yield from self._best(wanted, lookup, self._reading.ranking)
        elif self.own:
            yield from self._only(wanted, lookup)
        else:
            yield from self._each(wanted, lookup)

    def _each(self, wanted: Wanted, lookup: _Lookup) -> Iterator[DecodeJob | MediaProblem]:
        """The files in stored order; a second one of an example is reported."""
        seen = set[int]()
        for index, match in self._matches(lookup):
            if index in seen:
                finding = "expected one file of this example, found this one after another"
                yield MediaProblem(index, self._where(match.member), finding)
            else:
                yield self._job_of(match.member, index, wanted[index])
            seen.add(index)

    def _only(self, wanted: Wanted, lookup: _Lookup) -> Iterator[DecodeJob | MediaProblem]:
        """The only file of each example that has one."""
        examples = defaultdict[int, list[int]](list)
        for index, matches in self._closest(lookup).items():
            if len(matches) > 1:
                yield self._several(index, [match.member for match in matches])
            else:
                examples[matches[0].place].append(index)
        for place, (member, _) in enumerate(self._members()):
            for index in examples.get(place, ()):
                yield self._job_of(member, index, wanted[index])

    def _best(self, wanted: Wanted, lookup: _Lookup, ranking: Ranking) -> Iterator[DecodeJob | MediaProblem]:
        choice = FilesByExample(ranking)
        for index, matches in self._closest(lookup).items():
            for match in matches:
                choice.add(index, match.place, match.member, self._part(wanted[index]))
        alike = choice.drop_tied() if self.own else {}
        for index, candidates in alike.items():
            yield self._several(index, [one.member for one in candidates])
        for member, index in self._chosen(lookup, choice):
            job, others = self._job_of(member, index, wanted[index]), choice.others(index)
            if isinstance(job, MediaProblem):
                yield job
                continue
            at_hand = [self._job_of(one.member, index, wanted[index]) for one in others if one.member.path is not None]
            jobs = [one for one in at_hand if isinstance(one, DecodeJob)]
            yield SoundJob(job.index, job.where, job.name, job.data, job.part, len(others), jobs)

    def _chosen(self, lookup: _Lookup, choice: FilesByExample) -> Iterator[tuple[Member, int]]:
        """The best file of each example; members of an archive can only be read in stored order."""
        if self._store.path.is_dir() or not choice:
            yield from ((best.member, index) for index, best in choice.in_order())
            return
        for index, match in self._matches(lookup):
            if index in choice and choice.best(index).place == match.place:
                yield match.member, index

    def _closest(self, lookup: _Lookup) -> Mapping[int, Sequence[_Match]]:
        """For each example the files whose paths are closest to its key."""
        found = defaultdict[int, list[_Match]](list)
        for index, match in self._matches(lookup):
            found[index].append(match)
        for index, matches in found.items():
            least = min(match.spelling for match in matches)
            found[index] = [match for match in matches if match.spelling == least]
        return found

    def _several(self, index: int, members: Sequence[Member]) -> MediaProblem:
        names = ", ".join(shown(member.name) for member in members[:_NAMED])
        more = f" and {len(members) - _NAMED:,} more" if len(members) > _NAMED else ""
        return MediaProblem(index, str(self._store.path), f"expected one file of this example, found {names}{more}")

    def _job_of(self, member: Member, index: int, key: str | None) -> DecodeJob | MediaProblem:
        try:
            return DecodeJob(index, self._where(member), member.name, self._data(member), self._part(key))
        except MemberError as error:
            return MediaProblem(index, self._where(member), str(error))

    def _data(self, member: Member) -> bytes | Path:
        limit = self._reading.limit
        if self._reading.ranking is None or member.refused:
            return member.read(limit)
        if member.path is not None:
            with member.open():  # the decoder only gets the path
                return member.path
        if member.size > limit:
            advice = "unpack it, since of a file in a folder no more is read than is heard"
            found = f"found {member.size:,}: {advice}"
            raise MemberError(f"expected at most {limit:,} bytes of a sound in an archive, {found}")
        return member.read(limit)

    def _where(self, member: Member) -> str:
        return f"{self._store.path}: {member.name}"

    def _part(self, key: str | None) -> Sequence[float] | None:
        return self._told.clips.get(key or "")

    def _lookup(self, wanted: Wanted) -> _Lookup:
        by_order = [index for index, key in wanted.items() if key is None or self._told.order]
        keys = self._keys_at(by_order)
        spellings = defaultdict[str, list[int]](list)
        for index, key in wanted.items():
            if key is not None and not self._told.order:
                spellings[composed(self._reading.named(key.replace("\\", "/")))].append(index)

        def examples(key: str) -> Sequence[tuple[int, int]]:
            if key in keys:
                return [(keys[key], 0)]
            for spelling, word in enumerate(self._spellings(key)):
                if word in spellings:
                    return [(index, spelling) for index in spellings[word]]
            return ()

        return examples

    def _matches(self, lookup: _Lookup) -> Iterator[tuple[int, _Match]]:
        """Each example with each file that may belong to it, in the order of the files."""
        for place, (member, key) in enumerate(self._members()):
            for index, spelling in lookup(key):
                yield index, _Match(spelling, place, member)

    def _members(self) -> Iterator[tuple[Member, str]]:
        for member in self._store.members():
            key = self._key_of(member.name)
            if key is not None:
                yield member, key

    def _spellings(self, key: str) -> Iterator[str]:
        """The possible spellings of a key: with and without the file's ending and the distribution's top folder.

        The top folder is part of the names in an archive, but not of those in a folder. Keys may begin with the path
        that the manifest tells.
        """
        keys = [key]
        if self._store.path.is_dir():
            keys.append(f"{self._store.path.name}/{key}")
            keys += [f"{self._told.path}/{key}"] if self._told.path else []
        elif "/" in key:
            keys.append(key.partition("/")[2])
        for word in map(composed, keys):
            yield word
            yield str(PurePosixPath(word).with_suffix(""))

    def _keys_at(self, indices: Sequence[int]) -> dict[str, int]:
        """The key at each of the indices that exist."""
        keys = self._ordered_keys if indices else []
        return {keys[index]: index for index in indices if 0 <= index < len(keys)}

    @cached_property
    def _names_of_files(self) -> Sequence[str]:
        return [member.name for member in self._store.members()]

    @cached_property
    def _near(self) -> NearNames:
        return NearNames(name for name in self._names_of_files if self._key_of(name) is not None)

    @cached_property
    def _numbered_keys(self) -> Sequence[str]:
        """The keys in order, before shuffling."""
        keys = {key for name in self._names_of_files if (key := self._key_of(name)) is not None}
        if not keys:
            beside = f" beside {others}" if (others := self._others()) else ""
            raise MediaError(self._store.path, f"expected the files of a dataset in it, found none{beside}")
        order = self._told.order or "sorted"
        try:
            return in_order(keys, order if self.own or order != "sorted" else "text")
        except OrderError as error:
            raise UnorderedFilesError(self._store.path, str(error)) from error

    @cached_property
    def _ordered_keys(self) -> Sequence[str]:
        ordered = self._numbered_keys
        return [ordered[place] for place in shuffled(len(ordered), self._told.shuffle_seeds)]

    def _not_found(self, key: str | None) -> str:
        if key is None or self._told.order:
            return "expected a file of this index, found fewer files"
        return f"expected a file named {shown(key)}, found none{self._near.hint(key) if self.own else ''}"
