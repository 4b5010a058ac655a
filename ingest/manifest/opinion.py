"""A second opinion as its manifest describes it: a table of TOML, in a file of its own or in a dataset's manifest.

Manifests of published opinions are in ``data/opinions``; the opinions themselves are not.
"""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr, model_validator

from app.evaluation.tables.class_spelling import ClassesAre
from app.package_files import DATA
from ingest.manifest.fields import InnerPath, MisfitError, Text, Texts, TomlTable, Url, listed

#: The manifests that come with the program.
SHIPPED: Final = DATA / "opinions"

OpinionFormat = Literal["counts-npy", "labels-npy", "sets-json", "csv-sets", "parquet"]
Join = Literal["index", "key", "number"]
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_TABLES: Final = ("csv-sets", "parquet")
#: Given to a policy in place of a source's name.
_TAKEN: Final = ("any", "none")


def _name(name: str) -> str:
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise ValueError(f"expected lower-case letters, digits and hyphens, at most 32, found {name!r}")
    return name


def _sha256(digest: str) -> str:
    if not _SHA256.fullmatch(digest):
        raise ValueError(f"expected a SHA-256 in 64 small hexadecimal digits, found {digest!r}")
    return digest


Classes = Annotated[tuple[StrictInt | StrictStr, ...], Field(strict=False)]


class Check(TomlTable):
    """What guards the join: an example that is known, and how many examples at least hold the given label."""

    example: StrictInt | StrictStr  # its index, or its key
    classes: Classes  # what the opinion holds of it, by id or by name
    agreement: Annotated[float, Field(gt=0, le=1)]  # the smallest share of covered examples that hold the given label


class OpinionManifest(TomlTable):
    """An independent relabelling of a test set: what it is, and how its file is read.

    ``format``: "counts-npy", an (n, m) array of numbers of raters; "labels-npy", an (n,) array of class ids, -1 for
    none; "sets-json", a list of lists of class ids; "csv-sets" and "parquet", tables with a column ``example`` and one
    or several columns ``classes`` of class ids or names, in which ``separator`` stands between several.

    ``join``: what the entries of the file, or its column ``example``, are: an "index" of the dataset, a "key" (a file
    name will do), or the "number" at the end of the key, less ``offset``.
    """

    name: Annotated[Text, AfterValidator(_name)]
    title: Text
    dataset: Text | None = None  # the dataset that a manifest of its own is about
    file: InnerPath | None = None  # in a dataset's manifest, the file in its folder
    citation: Text | None = None
    bibtex: Text | None = None
    licence: Text
    licence_url: Url | None = None
    redistributable: bool  # whether its licence allows anyone to pass it on, for any purpose
    homepage: Url | None = None
    url: Url | None = None  # where the file can be fetched
    sha256: Annotated[Text, AfterValidator(_sha256)] | None = None  # of the published file
    independent: bool  # made without knowledge of the verdicts; others are shown and not counted
    caveats: Texts = ()
    format: OpinionFormat
    join: Join = "index"
    offset: int = 0
    example: Text = "example"
    classes: Annotated[tuple[str, ...], Field(strict=False), BeforeValidator(listed)] = ("classes",)
    separator: Text = "|"
    classes_are: ClassesAre | None = None
    check: Check

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.offset and self.join != "number":
            raise MisfitError("offset", f'goes with join = "number", found it with {self.join!r}')
        if self.join == "key" and self.format not in _TABLES:
            raise MisfitError("join", f'"key" needs a column of keys, found it with format = {self.format!r}')
        if not self.classes or len(set(self.classes)) < len(self.classes) or self.example in self.classes:
            raise MisfitError("classes", f"expected other columns than {self.example!r}, each once")
        return self
