"""Strict reading of a TOML table: every key is asked for by name and type, and what nobody asked for is refused."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from ingest.errors import ManifestError, shown

#: No count or index needs a larger number; JavaScript, which reads them too, is exact up to here.
LARGEST: Final = 2**53 - 1

_T = TypeVar("_T")
_TYPE_NAMES = {str: "a text", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"}


class UnknownKeyError(ManifestError):
    """A key that nobody asks for in its table; ``record`` is its dotted name."""


class Table:
    """One table of a TOML file. Errors name the file and the dotted key.

    ``known``, which is the file's, keeps which keys were asked for in which table. ``strict`` is False for a table that
    is read only to learn these: it refuses no unknown key.
    """

    def __init__(
        self,
        path: Path,
        values: Mapping[str, Any],
        name: str = "",
        known: dict[str, set[str]] | None = None,
        *,
        strict: bool = True,
    ) -> None:
        self._path = path
        self._values = dict(values)
        self._name = name
        self._known = {} if known is None else known
        self._asked = self._known.setdefault(name, set())
        self._strict = strict

    def __contains__(self, key: str) -> bool:
        return self._has(key)

    def error(self, key: str, finding: str) -> ManifestError:
        """An error about a key, to raise."""
        return ManifestError(self._path, finding, record=self._name + key)

    def finish(self) -> None:
        """Refuse the keys that nobody asked for."""
        for key in self._values if self._strict else ():
            if key not in self._asked:
                finding = f"unknown key; known here are {', '.join(sorted(self._asked))}"
                raise UnknownKeyError(self._path, finding, record=self._name + key)

    def places_of(self, key: str) -> list[str]:
        """The tables in which a key was asked for, in words."""
        tables = [name for name, asked in self._known.items() if key in asked]
        return [f"in [{name[:-1]}]" if name else "at the top of the manifest" for name in tables]

    def _misspelt(self, key: str) -> str:
        """A question about a key that nobody knows and that may have been meant for this one."""
        near = difflib.get_close_matches(key, self._values.keys() - self._asked, n=1, cutoff=0.75)
        return f" (is {shown(near[0])} meant for it?)" if near else ""

    def rest(self) -> dict[str, object]:
        """The keys that nobody asked for; now they have been."""
        rest = {key: value for key, value in self._values.items() if key not in self._asked}
        self._asked.update(rest)
        return rest

    def string(self, key: str, *, default: str | None = None) -> str:
        value: str = self._get(key, str, default)
        if default is None and not value.strip():
            raise self.error(key, "expected a text, found an empty one")
        return value

    def optional_string(self, key: str) -> str | None:
        return self.string(key) if self._has(key) else None

    def url(self, key: str) -> str:
        value = self.string(key)
        if urlsplit(value).scheme not in ("http", "https"):
            raise self.error(key, f"expected an http or https address, found {shown(value)}")
        return value

    def optional_url(self, key: str) -> str | None:
        return self.url(key) if self._has(key) else None

    def integer(self, key: str, *, least: int, most: int = LARGEST, default: int | None = None) -> int:
        value: int = self._get(key, int, default)
        if value < least:
            raise self.error(key, f"expected at least {least}, found {value}")
        if value > most:
            raise self.error(key, f"expected at most {most}, found {shown(value)}")
        return value

    def optional_integer(self, key: str, *, least: int) -> int | None:
        return self.integer(key, least=least) if self._has(key) else None

    def optional_number(self, key: str) -> float | None:
        if not self._has(key):
            return None
        value = self._values[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, f"expected a number, found {shown(value)}")
        return float(value)

    def optional_fraction(self, key: str, *, most: float) -> float | None:
        """A number above 0 and no larger than ``most``."""
        value = self.optional_number(key)
        if value is not None and not 0 < value <= most:
            raise self.error(key, f"expected a number above 0, at most {most:g}, found {value:g}")
        return value

    def integers(self, key: str, *, default: tuple[int, ...]) -> tuple[int, ...]:
        if not self._has(key):
            return default
        return tuple(self._typed(key, item, int) for item in self._get(key, list, None))

    def boolean(self, key: str, *, default: bool) -> bool:
        value: bool = self._get(key, bool, default)
        return value

    def choice(self, key: str, choices: Sequence[Any], *, default: str | None = None) -> Any:
        """One of the words; typed Any because the choices are the members of a Literal."""
        value = self.string(key, default=default)
        if value not in choices:
            raise self.error(key, f"expected one of {', '.join(choices)}, found {shown(value)}")
        return value

    def integer_or_string(self, key: str, *, default: str) -> int | str:
        if not self._has(key):
            return default
        value = self._values[key]
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise self.error(key, f"expected a word or a whole number, found {shown(value)}")
        return value

    def strings(self, key: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
        if not self._has(key):
            return default
        return tuple(self._typed(key, item, str) for item in self._get(key, list, None))

    def string_or_strings(self, key: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
        if isinstance(self._values.get(key), str):
            return (self.string(key),)
        return self.strings(key, default=default)

    def string_map(self, key: str) -> dict[str, str]:
        values: dict[str, Any] = self._get(key, dict, {})
        return {name: self._typed(f"{key}.{name}", value, str) for name, value in values.items()}

    def table(self, key: str, *, optional: bool = False) -> "Table":
        return self._within(self._get(key, dict, {} if optional else None), f"{self._name}{key}.")

    def tables(self, key: str) -> list["Table"]:
        items = self._get(key, list, [])
        return [
            self._within(self._typed(f"{key}[{place}]", item, dict), f"{self._name}{key}[{place}].")
            for place, item in enumerate(items)
        ]

    def _within(self, values: Mapping[str, Any], name: str) -> "Table":
        return Table(self._path, values, name, self._known, strict=self._strict)

    def _has(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._values

    def _get(self, key: str, kind: type[Any], default: Any) -> Any:
        if self._has(key):
            return self._typed(key, self._values[key], kind)
        if default is None:
            raise self.error(key, f"missing; expected {_TYPE_NAMES[kind]}{self._misspelt(key)}")
        return default

    def _typed(self, key: str, value: Any, kind: type[_T]) -> _T:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, f"expected {_TYPE_NAMES[kind]}, found {shown(value)}")
        return value
