"""The parts of a manifest: what a dataset is, as frozen values.

Nothing is read here; ``manifest`` reads them, strictly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.domain.confident_learning.joint import FlagRule
from app.evaluation.tables.class_spelling import ClassesAre

Modality = Literal["image", "text", "audio"]
LabelKind = Literal["single", "multiple"]
MediaPolicy = Literal["host", "local", "link", "none"]
KeyKind = Literal["entry", "path", "stem", "youtube"]
RecordNaming = Literal["index", "key"]
Join = Literal["index", "key"]
UrlSource = Literal["none", "index", "records"]
Dialect = Literal["options", "class-names", "label-sets"]
Guesses = Literal["must-match", "may-differ", "unchecked"]
Corrects = Literal["any", "guessed"]


@dataclass(frozen=True, slots=True)
class Licence:
    """On what terms the dataset may be used, and what the site may therefore do with its media."""

    name: str
    url: str | None
    source: str  # where these terms are stated
    #: "host": the site may serve the media to everyone. "local": whoever runs a site for themselves may show their own
    #: copy. "link": only a link to where the media are. "none": nothing is shown.
    media: MediaPolicy


@dataclass(frozen=True, slots=True)
class Classes:
    """Where the class names stand: written out in ``names``, or in the first of ``files`` that is there."""

    names: tuple[str, ...]
    files: tuple[str, ...]  # .json, .py (a literal, read without running it) or .csv
    key: str | None  # the entry of the JSON object, or of the Python dictionary ``variable``
    variable: str  # the Python variable
    column: str | None  # the CSV column
    first: int | None  # keep only the first so many
    sort_as: str | None  # sort the names as if each had this ending: ".npy" gives the order of files "NAME.npy"
    aliases: Mapping[str, str]  # other spellings in the votes file -> the name
    ignore: str  # characters that do not count when names are compared


@dataclass(frozen=True, slots=True)
class Files:
    """The dataset's files, relative to the release folder, with "/" between folders. None where it has none."""

    labels: str | None
    pred_probs: tuple[str, ...]  # the parts of one matrix, top to bottom
    predicted: str | None
    votes: str | None
    index: str | None
    label_column: str | None  # of tables of labels, where none goes by a word for them
    classes_are: ClassesAre | None  # what texts in labels and names of columns are, where they could be either


@dataclass(frozen=True, slots=True)
class Examples:
    """How examples are named. Entries of the index file are reduced to keys; records of votes name an index or a key.

    ``key``: "entry" takes an index entry as it is, "path" takes off the ending ("neg/1_4.txt" -> "neg/1_4"), "stem"
    takes the file name without folder and ending, "youtube" takes the video's id out of its address.
    """

    key: KeyKind
    records: RecordNaming
    field: str  # the field of a record that holds the index or the key
    drop_prefix: str  # what a record writes before the key
    urls: UrlSource  # where addresses stand at which the examples can be seen


@dataclass(frozen=True, slots=True)
class VoteFormat:
    """How the votes file spells votes.

    "options": one count an option; the options "given", "guessed", "both" and "neither" have the meaning of the paper,
    others support no category. "class-names": one count a class name or other word, compared without regard to case;
    "other" is none of the classes, and the options behind it are words that are not classes. "label-sets": one count a
    label, several labels an example.

    ``guesses`` says what a guess in the votes file must be: "must-match", the model's own, for files that are published
    together; "may-differ", that of an earlier model, as long as the guesses agree better than by chance; "unchecked",
    any. A given label that differs is refused always. ``corrects`` says which class reviewers can correct a label to:
    "any" that enough of them name, or, as in the paper, the "guessed" one that they were shown.
    """

    dialect: Dialect
    options: tuple[str, ...]
    guesses: Guesses
    corrects: Corrects


@dataclass(frozen=True, slots=True)
class Media:
    """Which adapter reads the media, and what it is told: every other key of the table."""

    layout: str
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Words:
    """The weights of a linear model over the words of texts, and how a word is cut: a run of letters and digits."""

    file: str
    shortest: int  # characters of the shortest word that counts
    beginning: int | None  # so many first characters stand for a word; None for all of them


@dataclass(frozen=True, slots=True)
class Paper:
    """What the paper prints for this dataset (Tables 1 and 2); None where it prints nothing."""

    size: int | None
    flagged: int | None
    checked: int | None
    errors: int | None
    non_errors: int | None
    estimated_errors: int | None
    percent_error: float | None
    categories: Mapping[str, int | None]
    differs: str | None  # why the figures of the release are not those of the paper


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Who reviewed the labels, who answers for the verdicts, and on what terms they may be used and cited."""

    reviewers: str  # who looked, as a sentence
    authors: tuple[str, ...]  # whom to name as creators of the corrections, in order
    licence: str | None
    licence_url: str | None
    source: str | None  # the address of the release they come from
    citation: str | None
    bibtex: str | None


@dataclass(frozen=True, slots=True)
class Loader:
    """How people load the dataset in Python: code, shown to visitors and never run here, that makes ``test_set``.

    Items of ``test_set`` are (x, given label). With join = "index" they are in the order of the labels; with "key" the
    code makes a list ``keys`` too, the key of each item, in whatever order; items without a key here are left out.
    """

    name: str
    code: str
    join: Join
    partial: bool  # whether examples may lack their item, where it is no longer to be had; else that is an error
    torch: bool  # whether who loads it so has torch, so that the corrected test set can be a torch Dataset


@dataclass(frozen=True, slots=True)
class About:
    """What is told to readers and used for nothing else. ``sources`` of every page's facts about a dataset."""

    summary: str
    homepage: str | None
    model: str | None
    citation: str | None
    bibtex: str | None
    licence: Licence
    notes: tuple[str, ...]
    links: tuple[Link, ...]
    paper: Paper | None
    verdicts: Verdicts | None
    loader: Loader | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One dataset. ``path`` and ``text`` are the file it was read from and what stood in it."""

    path: Path
    text: str
    name: str
    title: str
    position: int
    modality: Modality
    size: int | None
    labels: LabelKind
    sample: bool
    raters: int
    agreements: tuple[int, ...]
    flag: FlagRule | int
    flagged: int | None  # how many confident learning flagged, where no matrix is here to find out
    logits: bool
    tolerance: float | None  # how far rows may be from summing to 1, where it is not what is usual
    about: About
    classes: Classes
    files: Files
    examples: Examples
    votes: VoteFormat
    media: Media | None
    words: Words | None
