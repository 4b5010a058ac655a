"""The descriptive parts of a manifest, which are printed on pages and do not affect how files are read."""

import ast
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ingest.manifest.fields import Count, MisfitError, Text, Texts, TomlTable, Url

MediaPolicy = Literal["host", "local", "link", "none"]
Join = Literal["index", "key"]


class Licence(TomlTable):
    """The terms of use of the dataset, and what the site may therefore do with its media."""

    name: Text
    url: Url | None = None
    source: Text  # the address of these terms
    #: "host": the site may serve the media to everyone. "local": whoever runs a site for themselves may show their own
    #: copy. "link": only a link to where the media are. "none": nothing is shown.
    media: MediaPolicy


class Categories(TomlTable):
    """How many examples the paper counts in each category of its Table 2."""

    correctable: Count | None = None
    multi_label: Count | None = None
    neither: Count | None = None
    non_agreement: Count | None = None


class Paper(TomlTable):
    """The paper's figures for this dataset (Tables 1 and 2); None if it prints none."""

    size: Count | None = None
    flagged: Count | None = None
    checked: Count | None = None
    errors: Count | None = None
    non_errors: Count | None = None
    estimated_errors: Count | None = None
    percent_error: Annotated[float, Field(ge=0, le=100)] | None = None
    categories: Categories = Categories()
    differs: Text | None = None  # why the figures of the release differ from the paper's


class Link(TomlTable):
    title: Text
    url: Url


class Verdicts(TomlTable):
    """Who reviewed the labels, who is responsible for the verdicts, and the terms for using and citing them."""

    reviewers: Text  # the reviewers, as a sentence
    authors: Texts = ()  # the creators of the corrections to name, in order
    licence: Text | None = None
    licence_url: Url | None = None
    source: Url | None = None  # the address of the release they come from
    citation: Text | None = None
    bibtex: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.licence_url is not None and self.licence is None:
            raise MisfitError("licence", "expected the name of the licence at licence_url, found none")
        if not all(author.strip() for author in self.authors):
            raise MisfitError("authors", "expected names, found an empty one")
        return self


def _without_blank_ends(code: str) -> str:
    return code.strip("\n")


class Loader(TomlTable):
    """Python code that loads the dataset; it is shown to visitors, never run here, and defines ``test_set``.

    Items of ``test_set`` are (x, given label). With join = "index" they are in the order of the labels; with "key" the
    code also makes a list ``keys``, the key of each item, in any order; items whose key is unknown here are left out.
    """

    name: Text
    code: Annotated[Text, AfterValidator(_without_blank_ends)]
    join: Join = "index"
    partial: bool = False  # whether examples may lack an item that is no longer available; else an error
    torch: bool = False  # whether this code needs torch, so that the corrected test set can be a torch Dataset

    @model_validator(mode="after")
    def _makes_what_is_joined(self) -> Self:
        try:
            made = _assigned(self.code)
        except (SyntaxError, ValueError) as error:
            raise MisfitError("code", f"expected Python: {error}") from error
        for name in ("test_set", "keys") if self.join == "key" else ("test_set",):
            if name not in made:
                found = ", ".join(sorted(made)) or "nothing"
                raise MisfitError("code", f"expected it to make {name}, found {found} made")
        if self.partial and self.join != "key":
            raise MisfitError("partial", 'goes with join = "key": what is missing is known by its key')
        return self


def _assigned(code: str) -> set[str]:
    """The names to which Python code assigns a value. The code is parsed and never run."""
    return {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


class About(TomlTable):
    """Information that is only shown to readers. ``sources`` are those of every page's facts about a dataset."""

    summary: Text
    homepage: Url | None = None
    model: Text | None = None
    citation: Text | None = None
    bibtex: Text | None = None
    licence: Licence
    notes: Texts = ()
    links: Annotated[tuple[Link, ...], Field(strict=False)] = ()
    paper: Paper | None = None
    verdicts: Verdicts | None = None
    loader: Loader | None = None
