"""Decide whether a column spells classes by name or by number.

Class names may be numbers themselves (stars "1" to "5", folders "0" to "11" sorted as texts), so "1" can be the name of
one class and the number of another, and a single cell cannot be decided. A column is read by name if all its cells are
names, and by number, from 0, if all are numbers; if some are only one and some only the other, each is read as it can
be. If both readings fit and give different classes, AmbiguousClassError is raised.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args

#: What a person may say of a column where both would fit.
ClassesAre = Literal["names", "numbers"]
CLASSES_ARE: Final[tuple[str, ...]] = get_args(ClassesAre)

#: A whole number, also as programs write one that was a floating-point number once.
_WHOLE: Final = re.compile(r"[+-]?(\d{1,18})(?:\.(0*)|,00?)?", re.ASCII)
_TRUTHS: Final = {"false": 0, "true": 1}


class UnknownClassError(ValueError):
    """A text that is no class."""

    def __init__(self, text: str) -> None:
        super().__init__(f"no class is called or numbered {text!r}")
        self.text = text


class AmbiguousClassError(ValueError):
    """A column that can be read by name and by number, with different classes."""

    def __init__(self, text: str, named: int, numbered: int) -> None:
        super().__init__(
            f"found classes that can be names or numbers: {text!r} is the name of class {named} and the number of "
            f"class {numbered}; say which"
        )
        self.text = text


def whole_number(text: str) -> int | None:
    """The whole number that a text writes: with a fraction of zeros too, never with separators of thousands.

    >>> whole_number(" 12 "), whole_number("3.0"), whole_number("1.5"), whole_number("1,234"), whole_number("x")
    (12, 3, None, None, None)
    """
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        return None
    return -int(match[1]) if text.strip().startswith("-") else int(match[1])


def _of_thousands(text: str) -> int | None:
    """The number that a text writes if its points separate thousands; None where they cannot."""
    zeros = re.fullmatch(r"\d{1,3}(?:\.000)+", text.strip(), re.ASCII)
    return int(text.strip().replace(".", "")) if zeros else None


@dataclass(frozen=True)
class ClassSpelling:
    """How the classes of one dataset may be written; ``said`` is what a person says of the column, if anything."""

    n_classes: int
    names: Sequence[str] = ()
    said: ClassesAre | None = None

    @cached_property
    def by_name(self) -> Mapping[str, int]:
        """Names that belong to one class only."""
        times = Counter(self.names)
        return {name: class_id for class_id, name in enumerate(self.names) if times[name] == 1}

    @cached_property
    def _truths(self) -> Mapping[str, int]:
        """What true and false stand for: the classes called so, else classes 0 and 1 where there are no others."""
        called = {name.casefold(): class_id for name, class_id in self.by_name.items() if name.casefold() in _TRUTHS}
        return called or (_TRUTHS if self.n_classes == 2 else {})

    @property
    def confusable(self) -> bool:
        """Whether a text is the name of one class and the number of another."""
        return any(self.numbered(name) not in (None, class_id) for name, class_id in self.by_name.items())

    def named(self, text: str) -> int | None:
        """The class of this name, also of a number that programs wrote otherwise: 1.0 is the class called 1."""
        found = self.by_name.get(text)
        if found is None:
            found = self.by_name.get(text.strip())
        number = whole_number(text) if found is None else None
        if number is None or str(_of_thousands(text)) in self.by_name:
            return found
        return self.by_name.get(str(number))

    def numbered(self, text: str) -> int | None:
        """The class of this number, or of a word for true or false."""
        number = whole_number(text)
        if number is None:
            return self._truths.get(text.strip().casefold())
        # "1.000" may be one, or a thousand with a separator; where there are so many classes it says neither.
        thousands = _of_thousands(text)
        if thousands is not None and thousands < self.n_classes:
            return None
        return number if 0 <= number < self.n_classes else None

    def known(self, text: str) -> bool:
        """Whether a text can be a class at all."""
        by_name = self.said != "numbers" and self.named(text) is not None
        return by_name or (self.said != "names" and self.numbered(text) is not None)

    def ids(self, texts: Iterable[str]) -> dict[str, int]:
        """Each of the texts in a column -> its class. Raises UnknownClassError or AmbiguousClassError.

        >>> stars = ClassSpelling(3, ("1", "2", "3"))
        >>> stars.ids(["0", "1", "2"]), stars.ids(["1", "2", "3"])
        ({'0': 0, '1': 1, '2': 2}, {'1': 0, '2': 1, '3': 2})
        """
        distinct = list(dict.fromkeys(texts))
        unknown = next((text for text in distinct if not self.known(text)), None)
        if unknown is not None:
            raise UnknownClassError(unknown)
        named = {text: found for text in distinct if (found := self.named(text)) is not None}
        numbered = {text: found for text in distinct if (found := self.numbered(text)) is not None}
        if self.said is not None:
            return named if self.said == "names" else numbered
        if (len(named) == len(distinct)) != (len(numbered) == len(distinct)):
            return named if len(named) == len(distinct) else numbered
        for text in distinct:
            by_name, by_number = named.get(text), numbered.get(text)
            # A word is never a number: of true and false only numbers stand for classes by number.
            if by_name is not None and by_number not in (None, by_name) and whole_number(text) is not None:
                raise AmbiguousClassError(text, by_name, by_number)
        return {text: named[text] if text in named else numbered[text] for text in distinct}
