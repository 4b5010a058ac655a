"""The manifest of a dataset as frozen, validated values.

Invalid values raise ValueErrors, which ``messages`` turns into sentences; ``parse`` reads the files.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.domain.confident_learning.flag_choice import CHOICES, FlagChoice, choice_of
from app.domain.confident_learning.joint import FlagRule
from app.domain.review.verdicts import majority_of
from app.schema.site_names import FILTER_NAMES, SITE_NAMES
from ingest.errors import shown
from ingest.manifest.about import About
from ingest.manifest.answers import Answers
from ingest.manifest.fields import Count, InnerPath, InnerPaths, Integers, MisfitError, Size, Text, Texts, TomlTable
from ingest.manifest.layouts import LAYOUTS, LayoutError, options_of
from ingest.manifest.named_files import Files
from ingest.manifest.opinion import OpinionManifest
from ingest.manifest.vote_format import WITHOUT_OPTIONS, VoteFormat
from ingest.matrices.probabilities import MOST_TOLERANCE

Modality = Literal["image", "text", "audio", "tabular", "question"]
LabelKind = Literal["single", "multiple"]
KeyKind = Literal["entry", "path", "stem", "youtube"]
RecordNaming = Literal["index", "key"]
UrlSource = Literal["none", "index", "records"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MOST_RATERS: Final = 100
_SLICE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FOUR_ANSWERS: Final = ("given", "guessed", "both", "neither")


class Classes(TomlTable):
    """The source of the class names: ``names`` itself, or the first of ``files`` that exists."""

    names: Texts = ()
    files: InnerPaths = Field(default=(), alias="file")  # .json, .py (a literal, read without running it) or .csv
    key: Text | None = None  # the entry of the JSON object, or of the Python dictionary ``variable``
    variable: str = "ALL_CLASSES"  # the Python variable
    column: Text | None = None  # the CSV column
    first: Size | None = None  # keep only this many, from the beginning
    sort_as: Text | None = None  # sort the names as if each had this ending: ".npy" gives the order of files "NAME.npy"
    aliases: Mapping[str, str] = Field(default_factory=dict)  # other spellings in the votes file -> the name
    ignore: str = ""  # characters that are ignored when names are compared

    @model_validator(mode="after")
    def _from_one_place(self) -> Self:
        if bool(self.names) == bool(self.files):
            found = "both" if self.names else "neither"
            raise MisfitError("names", f'expected either "names" or "file", found {found}')
        return self


class Train(TomlTable):
    """Examples that a model learns from and that nobody looks at: they join the training part of every fold.

    Columns of labels are called as in ``[files]``, and media are read as ``[media]`` says, but from ``path``.
    """

    labels: InnerPath
    index: InnerPath | None = None  # their names, where files.index names the others
    path: InnerPath | None = None  # where their media are, below the folder of the media
    groups: InnerPath | None = None  # a text for each: those of a group that is looked at are not learnt from


class Examples(TomlTable):
    """How examples are named. Entries of the index file are reduced to keys; records of votes name an index or a key.

    ``key``: "entry" uses an index entry unchanged, "path" removes the ending ("neg/1_4.txt" -> "neg/1_4"), "stem" takes
    the file name without folder and ending, "youtube" extracts the video's id from its address.
    """

    key: KeyKind = "entry"
    records: RecordNaming = "index"
    field: str = "id"  # the field of a record that holds the index or the key
    drop_prefix: str = ""  # a prefix of the key in a record
    urls: UrlSource = "none"  # the field with the address at which an example can be seen


class Media(TomlTable):
    """The adapter that reads the media, and its options: every other key of the table."""

    model_config = ConfigDict(extra="allow")

    layout: Text

    @property
    def options(self) -> Mapping[str, object]:
        return self.model_extra or {}

    @model_validator(mode="after")
    def _options_of_the_layout(self) -> Self:
        try:
            options_of(self.layout, self.options)
        except LayoutError as error:
            raise MisfitError(error.option or "layout", str(error)) from error
        return self


class Words(TomlTable):
    """The weights of a linear model over the words of texts, and how words are split: runs of letters and digits."""

    weights: InnerPath
    shortest: Size = 2  # the minimum length of a word, in characters
    beginning: Size | None = None  # words are cut to this many characters; None keeps them whole


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"expected lower-case letters, digits and hyphens, at most 64, found {name!r}")
    if name in SITE_NAMES:
        raise ValueError(f"expected one that no address of the site's own takes, found {name!r}")
    return name


def _flag(flag: object) -> FlagChoice:
    choice = choice_of(flag)
    if choice is None:
        raise ValueError(f"expected {CHOICES}, found {shown(flag)}")
    return choice


def _slice(name: str) -> str:
    if not _SLICE.fullmatch(name):
        raise ValueError(f"expected small letters, digits and underscores, at most 32, found {name!r}")
    if name in FILTER_NAMES:
        raise ValueError(f"expected a name that no other filter or parameter of the site has, found {name!r}")
    return name


def _tolerance(tolerance: float) -> float:
    if not 0 < tolerance <= MOST_TOLERANCE:
        raise ValueError(f"expected a number above 0, at most {MOST_TOLERANCE:g}, found {tolerance:g}")
    return tolerance


class Manifest(About):
    """One dataset: its description and its files."""

    name: Annotated[Text, AfterValidator(_name)]
    title: Text
    position: Count = 1000
    modality: Modality
    size: Size | None = None
    labels: LabelKind = "single"
    sample: bool = False
    raters: Annotated[int, Field(ge=1, le=_MOST_RATERS)] = 5
    agreements: Integers = Field(default=(), validate_default=True)  # by default all from a majority on
    flag: Annotated[FlagChoice, PlainValidator(_flag)] = FlagRule.CALIBRATED
    flagged: Count | None = None  # how many confident learning flagged, if there is no matrix
    logits: bool = False
    # The tolerance for the sums of rows, if it is not the usual one.
    tolerance: Annotated[float, AfterValidator(_tolerance)] | None = None
    classes: Classes
    files: Files = Files()
    #: A column of the examples by which they are grouped on pages; the name is the filter's, as in ?subject=virology.
    slice: Annotated[Text, AfterValidator(_slice)] | None = None
    answers: Answers | None = None
    train: Train | None = None
    examples: Examples = Examples()
    votes: VoteFormat = Field(default_factory=dict, validate_default=True)
    media: Media | None = None
    words: Words | None = None
    opinions: Annotated[tuple[OpinionManifest, ...], Field(strict=False)] = ()

    _path: Path = PrivateAttr()
    _text: str = PrivateAttr()

    @classmethod
    def of(cls, path: Path, text: str, values: Mapping[str, Any]) -> Self:
        """The manifest with these values of a file. Raises pydantic's ValidationError."""
        manifest = cls.model_validate(values)
        manifest._path, manifest._text = path, text
        return manifest

    @property
    def path(self) -> Path:
        """The file it was read from."""
        return self._path

    @property
    def text(self) -> str:
        """The text of the file."""
        return self._text

    @field_validator("agreements", mode="before")
    @classmethod
    def _usual_agreements(cls, agreements: object, info: ValidationInfo) -> object:
        raters = info.data.get("raters", 1)
        return agreements if agreements != () else tuple(range(majority_of(raters), raters + 1))

    @field_validator("votes", mode="before")
    @classmethod
    def _usual_votes(cls, votes: object, info: ValidationInfo) -> object:
        if not isinstance(votes, dict):
            return votes
        dialect = votes.get("dialect", "label-sets" if info.data.get("labels") == "multiple" else "options")
        return {"dialect": dialect, "options": () if dialect in WITHOUT_OPTIONS else _FOUR_ANSWERS, **votes}

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        self._require_fitting_agreements()
        self._require_fitting_labels()
        self._require_fitting_files()
        self._require_fitting_train()
        self._require_fitting_questions()
        return self

    @property
    def question_options(self) -> Mapping[str, object] | None:
        """The options of the layout ``choices``; None where examples are no questions."""
        return self.media.options if self.media is not None and self.media.layout == "choices" else None

    def _require_fitting_agreements(self) -> None:
        least, agreements = majority_of(self.raters), self.agreements
        if not agreements or list(agreements) != sorted(set(agreements)) or not least <= agreements[0]:
            finding = f"expected ascending numbers from {least} to {self.raters}, for raters = {self.raters}"
            raise MisfitError("agreements", f"{finding}, found {shown(list(agreements))}")
        if agreements[-1] > self.raters:
            finding = f"expected at most {self.raters}, the number of raters, found {agreements[-1]}"
            raise MisfitError("agreements", finding)

    def _require_fitting_labels(self) -> None:
        multiple, dialect = self.labels == "multiple", self.votes.dialect
        if self.tolerance is not None and (multiple or self.logits):
            finding = 'expected where rows sum to 1: not with labels = "multiple" or logits = true'
            raise MisfitError("tolerance", finding)
        if multiple and self.files.pred_probs_of:
            finding = 'expected where rows sum to 1, of which a mean can be taken: not with labels = "multiple"'
            raise MisfitError("files.pred_probs_of", finding)
        if (dialect == "label-sets") != multiple:
            finding = f'"label-sets" goes with labels = "multiple", found {dialect!r} with {self.labels!r}'
            raise MisfitError("votes.dialect", finding)
        if self.words is not None and (self.modality != "text" or multiple):
            raise MisfitError("words", "expected where examples are texts with one label each, found elsewhere")

    def _require_fitting_files(self) -> None:
        files, media = self.files, self.media
        if media is not None and LAYOUTS[media.layout].modality != self.modality:
            fit = ", ".join(sorted(name for name, layout in LAYOUTS.items() if layout.modality == self.modality))
            finding = f'expected one for modality = "{self.modality}" ({fit}), found {media.layout!r}'
            raise MisfitError("media.layout", finding)
        if files.labels is None and files.votes is None and self.question_options is None:
            raise MisfitError("files", "expected labels, votes or both, found neither")
        if media is not None and "order" in media.options and files.index is not None:
            finding = "expected none where files.index names the examples, by which their media are found"
            raise MisfitError("media.order", f"{finding}; found {shown(media.options['order'])}")
        names = [one.name for one in self.opinions]
        if len(set(names)) < len(names) or not all(one.file for one in self.opinions):
            raise MisfitError("opinions", "expected a name of its own and a file for each opinion")
        if files.votes is not None and self.examples.records == "key" and files.index is None:
            raise MisfitError("files.index", 'needed because examples.records = "key", found none')

    def _require_fitting_train(self) -> None:
        if self.train is None:
            return
        if self.labels == "multiple":
            raise MisfitError("train", "expected where examples have one label each, found it with several")
        if (self.train.index is None) != (self.files.index is None):
            finding = "expected where files.index names the other examples, and only there"
            raise MisfitError("train.index", f"{finding}; found {shown(self.train.index)}")
        path = None if self.media is None else self.media.options.get("path")
        if self.media is not None and self.train.index is None and self.train.path in (None, path):
            raise MisfitError("train.path", f"expected another place than media.path, found {shown(path)} for both")

    def _require_fitting_questions(self) -> None:
        asked, judged = self.question_options is not None, self.votes.dialect == "error-types"
        if (self.modality == "question") != asked:
            raise MisfitError("media.layout", 'expected "choices" for modality = "question", and only there')
        if asked and (self.labels == "multiple" or self.files.labels or self.files.index or self.train):
            raise MisfitError("files", "expected no labels, index or train beside questions, whose rows hold all that")
        if judged and (not asked or self.raters != 1 or self.files.votes is not None):
            finding = 'expected with modality = "question", raters = 1 and no votes in [files]'
            raise MisfitError("votes.dialect", f"{finding}, for one judge's words in the rows of the questions")
        if self.files.by_vote and self.answers is None:
            raise MisfitError("files.pred_probs", '"votes" are those of the models in [answers], found none')
        if self.answers is not None and self.labels == "multiple":
            raise MisfitError("answers", "expected where examples have one label each, found it with several")
