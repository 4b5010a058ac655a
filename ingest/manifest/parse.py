"""What a dataset is: one TOML file, read into frozen values.

A manifest says everything that is particular to a dataset, so that no code needs to know its name. It is read
strictly: a missing key, an unknown one or a value of the wrong type is refused, by file and key. This module opens no
other file; whether the files a manifest names are there and sound is for ``loading`` to find out.
"""

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from app.domain.confident_learning.joint import FlagRule
from app.domain.review.verdicts import majority_of
from app.evaluation.tables.class_spelling import CLASSES_ARE
from app.package_files import DATA
from app.schema.site_names import SITE_NAMES
from ingest.errors import ManifestError, MissingFileError, shown
from ingest.git_pointers import refuse_pointers
from ingest.manifest.about import read_about
from ingest.manifest.layouts import LAYOUTS, LayoutError, options_of
from ingest.manifest.model import (
    About,
    Classes,
    Corrects,
    Dialect,
    Examples,
    Files,
    Guesses,
    KeyKind,
    LabelKind,
    Manifest,
    Media,
    Modality,
    RecordNaming,
    UrlSource,
    VoteFormat,
    Words,
)
from ingest.manifest.toml_table import Table, UnknownKeyError
from ingest.matrices.probabilities import MOST_TOLERANCE

__all__ = ["DATASETS", "About", "Manifest", "read_manifest", "read_manifests"]

#: The manifests of the ten datasets of the paper.
DATASETS = DATA / "datasets"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MOST_RATERS = 100
_FOUR_ANSWERS = ("given", "guessed", "both", "neither")


def read_manifest(path: Path) -> Manifest:
    """The manifest in a TOML file.

    Raises MissingFileError when there is no such file, ManifestError naming file and key when it is not a manifest.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise MissingFileError(path, "expected a manifest (a TOML file), found none") from error
    except UnicodeDecodeError as error:
        raise ManifestError(path, f"expected UTF-8 text: {error}") from error
    try:
        refuse_pointers([path])
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError(path, f"expected TOML: {error}") from error
    try:
        return _manifest(path, text, Table(path, values))
    except UnknownKeyError as error:
        raise _with_its_place(error, path, values) from None


def _with_its_place(error: UnknownKeyError, path: Path, values: Mapping[str, Any]) -> ManifestError:
    """The refusal of an unknown key, with where in a manifest a key of this name stands, if it stands anywhere."""
    whole = Table(path, values, strict=False)
    with suppress(ManifestError):  # as far as it can be read
        _manifest(path, "", whole)
    key = str(error.record).rpartition(".")[2]
    places = whole.places_of(key)
    hint = f"; {key} stands {' or '.join(places)}" if places else ""
    return ManifestError(path, error.finding + hint, record=error.record)


def read_manifests(folder: Path) -> list[Manifest]:
    """All manifests of a folder, in the order of their positions. Refuses two of the same name."""
    manifests = sorted((read_manifest(path) for path in folder.glob("*.toml")), key=lambda m: (m.position, m.name))
    seen: dict[str, Path] = {}
    for manifest in manifests:
        if manifest.name in seen:
            raise ManifestError(manifest.path, f"name: {manifest.name!r} is taken by {seen[manifest.name].name}")
        seen[manifest.name] = manifest.path
    return manifests


def _manifest(path: Path, text: str, table: Table) -> Manifest:
    raters = table.integer("raters", least=1, most=_MOST_RATERS, default=5)
    labels = table.choice("labels", get_args(LabelKind), default="single")
    manifest = Manifest(
        path=path,
        text=text,
        name=_name(table),
        title=table.string("title"),
        position=table.integer("position", least=0, default=1000),
        modality=table.choice("modality", get_args(Modality)),
        size=table.optional_integer("size", least=1),
        labels=labels,
        sample=table.boolean("sample", default=False),
        raters=raters,
        agreements=_agreements(table, raters),
        flag=_flag(table),
        flagged=table.optional_integer("flagged", least=0),
        logits=table.boolean("logits", default=False),
        tolerance=_tolerance(table, labels),
        about=read_about(table),
        classes=_classes(table.table("classes")),
        files=_files(table.table("files")),
        examples=_examples(table.table("examples", optional=True)),
        votes=_votes(table.table("votes", optional=True), labels),
        media=_media(table, table.choice("modality", get_args(Modality))),
        words=_words(table),
    )
    table.finish()
    if manifest.files.labels is None and manifest.files.votes is None:
        raise ManifestError(path, "files: expected labels, votes or both, found neither")
    if manifest.words is not None and (manifest.modality != "text" or labels != "single"):
        raise ManifestError(path, "words: expected where examples are texts with one label each, found elsewhere")
    if manifest.media is not None and "order" in manifest.media.options and manifest.files.index is not None:
        finding = "expected none where files.index names the examples, by which their media are found"
        raise ManifestError(path, f"{finding}; found {shown(manifest.media.options['order'])}", record="media.order")
    if manifest.files.votes is not None and manifest.examples.records == "key" and manifest.files.index is None:
        raise ManifestError(path, 'files.index: needed because examples.records = "key", found none')
    return manifest


def _name(table: Table) -> str:
    name = table.string("name")
    if not _NAME.fullmatch(name):
        raise table.error("name", f"expected lower-case letters, digits and hyphens, at most 64, found {name!r}")
    if name in SITE_NAMES:
        raise table.error("name", f"expected one that no address of the site's own takes, found {name!r}")
    return name


def _agreements(table: Table, raters: int) -> tuple[int, ...]:
    least = majority_of(raters)
    agreements = table.integers("agreements", default=tuple(range(least, raters + 1)))
    if not agreements or list(agreements) != sorted(set(agreements)) or not least <= agreements[0]:
        finding = f"expected ascending numbers from {least} to {raters}, for raters = {raters}, found {agreements}"
        raise table.error("agreements", finding)
    if agreements[-1] > raters:
        raise table.error("agreements", f"expected at most {raters}, the number of raters, found {agreements[-1]}")
    return agreements


def _flag(table: Table) -> FlagRule | int:
    flag = table.integer_or_string("flag", default=FlagRule.CALIBRATED.value)
    if isinstance(flag, int):
        if flag < 0:
            raise table.error("flag", f"expected a number of examples, 0 or more, found {flag}")
        return flag
    if flag not in tuple(FlagRule):
        raise table.error("flag", f"expected a number of examples or one of {', '.join(FlagRule)}, found {flag!r}")
    return FlagRule(flag)


def _tolerance(table: Table, labels: LabelKind) -> float | None:
    tolerance = table.optional_fraction("tolerance", most=MOST_TOLERANCE)
    if tolerance is not None and (labels == "multiple" or table.boolean("logits", default=False)):
        raise table.error("tolerance", 'expected where rows sum to 1: not with labels = "multiple" or logits = true')
    return tolerance


def _classes(table: Table) -> Classes:
    classes = Classes(
        names=table.strings("names", default=()),
        files=tuple(_relative(table, "file", path) for path in table.string_or_strings("file", default=())),
        key=table.optional_string("key"),
        variable=table.string("variable", default="ALL_CLASSES"),
        column=table.optional_string("column"),
        first=table.optional_integer("first", least=1),
        sort_as=table.optional_string("sort_as"),
        aliases=table.string_map("aliases"),
        ignore=table.string("ignore", default=""),
    )
    table.finish()
    if bool(classes.names) == bool(classes.files):
        raise table.error(
            "names", 'expected either "names" or "file", found ' + ("both" if classes.names else "neither")
        )
    return classes


def _files(table: Table) -> Files:
    def path(key: str) -> str | None:
        value = table.optional_string(key)
        return None if value is None else _relative(table, key, value)

    parts = table.string_or_strings("pred_probs", default=())
    files = Files(
        labels=path("labels"),
        pred_probs=tuple(_relative(table, "pred_probs", part) for part in parts),
        predicted=path("predicted"),
        votes=path("votes"),
        index=path("index"),
        label_column=table.optional_string("label_column"),
        classes_are=table.choice("classes_are", CLASSES_ARE) if "classes_are" in table else None,
    )
    table.finish()
    if len(set(files.pred_probs)) < len(files.pred_probs):
        raise table.error("pred_probs", f"expected each part once, found {', '.join(files.pred_probs)}")
    if files.labels is not None and files.labels == files.predicted:
        raise table.error("predicted", f"expected another file than labels, found {files.labels!r} for both")
    return files


def _relative(table: Table, key: str, path: str) -> str:
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path or "\0" in path:
        raise table.error(key, f"expected a path inside the folder, with '/' and without '..', found {path!r}")
    return path


def _examples(table: Table) -> Examples:
    examples = Examples(
        key=table.choice("key", get_args(KeyKind), default="entry"),
        records=table.choice("records", get_args(RecordNaming), default="index"),
        field=table.string("field", default="id"),
        drop_prefix=table.string("drop_prefix", default=""),
        urls=table.choice("urls", get_args(UrlSource), default="none"),
    )
    table.finish()
    return examples


def _votes(table: Table, labels: LabelKind) -> VoteFormat:
    dialect: Dialect = table.choice(
        "dialect", get_args(Dialect), default="label-sets" if labels == "multiple" else "options"
    )
    votes = VoteFormat(
        dialect=dialect,
        options=table.strings("options", default=() if dialect == "label-sets" else _FOUR_ANSWERS),
        guesses=table.choice("guesses", get_args(Guesses), default="may-differ"),
        corrects=table.choice("corrects", get_args(Corrects), default="any"),
    )
    table.finish()
    if (dialect == "label-sets") != (labels == "multiple"):
        raise table.error("dialect", f'"label-sets" goes with labels = "multiple", found {dialect!r} with {labels!r}')
    if dialect == "label-sets" and votes.options:
        raise table.error("options", "expected none, votes go to label names")
    if dialect != "label-sets" and (
        votes.options[:2] != ("given", "guessed") or len(set(votes.options)) < len(votes.options)
    ):
        raise table.error("options", f'expected different words, "given" and "guessed" first, found {votes.options}')
    if dialect != "class-names" and votes.corrects != "any":
        raise table.error("corrects", f'"guessed" goes with dialect = "class-names", found it with {dialect!r}')
    if dialect == "class-names" and votes.options[2:3] != ("other",):
        raise table.error("options", f'expected "other" third: the votes for any other class, found {votes.options}')
    return votes


def _words(table: Table) -> Words | None:
    if "words" not in table:
        return None
    words = table.table("words")
    found = Words(
        file=_relative(words, "weights", words.string("weights")),
        shortest=words.integer("shortest", least=1, default=2),
        beginning=words.optional_integer("beginning", least=1),
    )
    words.finish()
    return found


def _media(table: Table, modality: Modality) -> Media | None:
    if "media" not in table:
        return None
    media = table.table("media")
    found = Media(layout=media.string("layout"), options=media.rest())
    try:
        options_of(found.layout, found.options)
    except LayoutError as error:
        raise media.error(error.option or "layout", str(error)) from error
    if LAYOUTS[found.layout].modality != modality:
        fit = ", ".join(sorted(name for name, layout in LAYOUTS.items() if layout.modality == modality))
        raise media.error("layout", f'expected one for modality = "{modality}" ({fit}), found {found.layout!r}')
    return found
