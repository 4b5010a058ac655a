"""Determine the order of files by name, when only their position tells which examples they are.

Programs sort names in two ways: as text, so that "10.png" comes before "2.png", or by the numbers in them. Accents can
be written in two ways, which sort differently. If these orders differ, names do not tell which one the labels use, and
a wrong choice would put every picture beside another's label; such folders are therefore refused.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, Final

from ingest.errors import shown

_DIGITS: Final = re.compile(r"([0-9]+)")
#: A hyphen is a minus only if it cannot join two words: in "-6" and "t=-6", but not in "img-6" or "5--6".
_NUMBERS: Final = re.compile(r"((?:(?<![^\W_])(?<!-)-)?)([0-9]+)")
_WORDS: Final = re.compile(r"[^\W_]+")
_LARGEST: Final = 0x10FFFF
_PAIRS_SHOWN: Final = 3
#: If a larger share of the numbers is missing, names are numbered for another purpose.
_FEW_GAPS: Final = 0.1

_HOW = 'say order = "numbers" or order = "text", whichever the labels are in, or name the files in an index'
_HOW_ACCENTS = 'say order = "text" to sort them with each accented letter as one character, or name them in an index'


class OrderError(ValueError):
    """File names that do not determine an order."""


def composed(name: str) -> str:
    """A name with each letter as one character: some systems write accents separately."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def by_text(name: str) -> tuple[str, ...]:
    """The sort key of paths as text: folder by folder, because as whole paths "a.b/1" would come before "a/1"."""
    return tuple(composed(name).split("/"))


def by_numbers(name: str) -> tuple[str, ...]:
    """The sort key of paths in which runs of digits count as numbers.

    >>> sorted(["b10", "b9", "b 1", "a"], key=by_numbers), sorted(["0", "-9", "5", "-10"], key=by_numbers)
    (['a', 'b 1', 'b9', 'b10'], ['-10', '-9', '0', '5'])
    """
    return tuple(map(_numbered, by_text(name)))


def in_order(names: Collection[str], order: str) -> list[str]:
    """Different file names in the order "text", "numbers" or "sorted"; the last requires that both orders are the same.

    Raises OrderError if they are not, or if names differ only in the spelling of a letter or a number.

    >>> in_order(["10.png", "2.png"], "numbers"), in_order(["10.png", "02.png"], "sorted")
    (['2.png', '10.png'], ['02.png', '10.png'])
    >>> in_order(["10.png", "2.png"], "sorted")
    Traceback (most recent call last):
    ingest.media.layouts.file_order.OrderError: expected names that sort alike as text and as numbers; here example 0 \
would be '2.png' by number and '10.png' as text, example 1 '10.png' and '2.png'; say order = "numbers" or \
order = "text", whichever the labels are in, or name the files in an index
    """
    if order == "numbers":
        ordered = sorted(names, key=by_numbers)
        _require_different(ordered, by_numbers, "number")
        return ordered
    ordered = sorted(names, key=by_text)
    _require_different(ordered, by_text, "name")
    if order == "sorted":
        _require_one_order(ordered)
    return ordered


def gap(ordered: Sequence[str]) -> str:
    """If files are numbered and few numbers are missing, the first two that are not consecutive; else "".

    >>> gap(["img_0.png", "img_1.png", "img_3.png", *(f"img_{n}.png" for n in range(4, 20))])
    "'img_3.png' follows 'img_1.png'"
    """
    bases = [name.rpartition("/")[2] for name in ordered]
    tokens = [_DIGITS.split(base.rpartition(".")[0] or base) for base in bases]
    if len(tokens) < 2 or any(len(one) != 3 or one[0] != tokens[0][0] for one in tokens):
        return ""
    if len({name.rpartition("/")[0] for name in ordered}) > 1:
        return ""
    numbers = [int(one[1][-18:]) for one in tokens]
    if not 0 < numbers[-1] - numbers[0] + 1 - len(numbers) <= max(1, _FEW_GAPS * len(numbers)):
        return ""
    steps = zip(pairwise(ordered), pairwise(numbers), strict=True)
    return next((f"{shown(after)} follows {shown(one)}" for (one, after), (n, m) in steps if m != n + 1), "")


def _numbered(part: str) -> str:
    """A sort key of a name: runs of digits sort by value, in the place where a digit would."""
    return _NUMBERS.sub(_sortable, part)


def _sortable(match: re.Match[str]) -> str:
    digits = match[2].lstrip("0")
    if match[1]:
        fewer = "".join(chr(_LARGEST - int(digit)) for digit in digits)
        return f"-{chr(_LARGEST - len(digits))}{fewer}"
    return f"0{chr(len(digits))}{digits}"  # a number of more digits is larger


def _require_different(ordered: Sequence[str], key: Callable[[str], Any], what: str) -> None:
    for one, other in pairwise(ordered):
        if key(one) == key(other):
            raise OrderError(f"expected each {what} once, found {shown(one)} and {shown(other)}")


def _require_one_order(ordered: Sequence[str]) -> None:
    numbered = sorted(ordered, key=by_numbers)
    if numbered != ordered and any(map(_sorts_in_two_ways, _siblings(ordered))):
        pairs = _pairs(numbered, ordered, ("by number", "as text"))
        raise OrderError(f"expected names that sort alike as text and as numbers; here {pairs}; {_HOW}")
    apart = sorted(ordered, key=lambda name: unicodedata.normalize("NFD", name).split("/"))
    if apart != ordered:
        pairs = _pairs(ordered, apart, ("with each accented letter as one character", "with accents apart"))
        raise OrderError(f"expected names that sort alike however accents are written; here {pairs}; {_HOW_ACCENTS}")


def _siblings(names: Sequence[str]) -> Collection[set[str]]:
    """The names of the entries of each folder."""
    found = defaultdict[tuple[str, ...], set[str]](set)
    for name in names:
        parts = by_text(name)
        for depth, part in enumerate(parts):
            found[parts[:depth]].add(part)
    return found.values()


def _sorts_in_two_ways(names: Collection[str]) -> bool:
    """Whether numbers without leading zeros make two orders of names.

    Where all are of one length the numbers have zeros before them, or the names beside them make up for it, as in
    "2_horse" and "10_lion", or they are no numbers at all, as in "a1f09c" beside "a12b44". Names that are alike but for
    their digits can mean different things; so can those of which most are numbered.
    """
    if len({len(PurePosixPath(name).stem) for name in names}) > 1 or _are_numbered(names):
        return sorted(names) != sorted(names, key=_numbered)
    alike = defaultdict[str, list[str]](list)
    for name in names:
        alike[_DIGITS.sub("0", name)].append(name)
    return any(sorted(group) != sorted(group, key=_numbered) for group in alike.values())


def _are_numbered(names: Collection[str]) -> bool:
    """Whether at least half of the names begin with a number, or with one behind the same letters.

    In a number digits stand together, and nothing or a word follows: "10_lion", "10lion". In a hash and in an id they
    stand among letters, and what stands before the first of them is another thing in each.

    >>> _are_numbered({"1_tiger", "2_horse", "10_lion"}), _are_numbered({"1tiger", "2horse", "10lion"})
    (True, True)
    >>> _are_numbered({"d41d8cd98f00b204", "d4b204e9800998ec"}), _are_numbered({"lL5jq1TDiXQ", "a1Bc2D3e4F5"})
    (False, False)
    """
    apart, before = 0, Counter[str]()
    for name in names:
        stem = PurePosixPath(name).stem
        number = _DIGITS.search(stem)
        word = number and next((word for word in _WORDS.finditer(stem) if word.end() >= number.end()), None)
        if number and word and len(_DIGITS.findall(word[0])) == 1:
            apart += number.end() == word.end()
            before[stem[: number.start()]] += 1
    return 2 * max(apart, *before.values(), 0) >= len(names)


def _pairs(first: Sequence[str], second: Sequence[str], words: tuple[str, str]) -> str:
    """The first examples that get different files in the two orders, in words."""
    different = [place for place, (one, other) in enumerate(zip(first, second, strict=True)) if one != other]
    told = [f"example {place} {shown(first[place])} and {shown(second[place])}" for place in different[:_PAIRS_SHOWN]]
    place = different[0]
    told[0] = f"example {place} would be {shown(first[place])} {words[0]} and {shown(second[place])} {words[1]}"
    return ", ".join(told)
