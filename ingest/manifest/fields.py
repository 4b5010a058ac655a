"""Types of values in a manifest: tables of known keys, texts, addresses, paths inside the folder, counts."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ingest.errors import shown

#: The largest count or index; JavaScript, which reads them too, is exact up to here.
LARGEST: Final = 2**53 - 1


class TomlTable(BaseModel):
    """A table that refuses unknown keys and numbers like nan, converts no types and cannot be changed once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class MisfitError(ValueError):
    """A value inconsistent with another one; ``key`` is its dotted path, from the table that contains both."""

    def __init__(self, key: str, finding: str) -> None:
        super().__init__(finding)
        self.key = key


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("expected a text, found an empty one")
    return text


def _address(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"expected an http or https address, found {shown(url)}")
    return url


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path or "\0" in path:
        raise ValueError(f"expected a path inside the folder, with '/' and without '..', found {shown(path)}")
    return path


def listed(value: Any) -> Any:
    """Turn a single text into a list of one."""
    return [_said(value)] if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_said)]
Url = Annotated[Text, AfterValidator(_address)]
InnerPath = Annotated[Text, AfterValidator(_inside)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Size = Annotated[int, Field(ge=1, le=LARGEST)]
#: Lists of TOML, kept as tuples.
Texts = Annotated[tuple[str, ...], Field(strict=False)]
Integers = Annotated[tuple[int, ...], Field(strict=False)]
#: One path, or a list of them.
InnerPaths = Annotated[
    tuple[Annotated[str, AfterValidator(_inside)], ...], Field(strict=False), BeforeValidator(listed)
]
