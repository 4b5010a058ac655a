"""The plan of a round: which examples, how many votes, when to stop; from a TOML file and the command line."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from app.domain.review.stopping import StoppingRule
from app.domain.review.verdicts import Category, majority_of
from ingest.errors import ManifestError, MissingFileError, shown
from ingest.manifest.fields import Count, Integers, Size, Text, Texts, TomlTable

#: A round of more examples is refused: nobody looks at so many.
MOST_EXAMPLES: Final = 200_000
_MOST_VOTES: Final = 25
_MOST_EXEMPLARS: Final = 12
_WORDS: Final = {
    "extra_forbidden": "unknown key",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "string_type": "expected a text",
    "tuple_type": "expected a list",
}

Share = Annotated[float, Field(ge=0, le=0.5, strict=False)]


class RoundPlan(TomlTable):
    """How a round is to be run. Which examples: those of ``class`` and ``category``, if given; of these the ``lowest``
    or a random ``sample``, or all; or the ``examples`` named by index. Without any, all suspects."""

    votes: Annotated[int, Field(ge=1, le=_MOST_VOTES)] = 5
    stop: Annotated[StoppingRule, Field(strict=False)] = StoppingRule.NEVER
    agreements: Integers = ()  # by default all from a majority on, or the majority alone where votes stop early
    lowest: Size | None = None
    sample: Size | None = None
    examples: Annotated[tuple[Count, ...], Field(strict=False)] = ()
    class_: Text | None = Field(default=None, alias="class")
    category: Annotated[Category | None, Field(strict=False)] = None  # what an earlier round made of them
    kind: Literal["pair", "options", "set"] | None = None
    choices: Texts = ()  # the classes of kind = "options"
    words: Texts | None = None  # the answers beside the classes; by default those of the dataset
    corrects: Literal["any", "guessed"] | None = None
    gold: Share = 0.0
    repeats: Share = 0.0
    practice: Count = 3
    exemplars: Annotated[int, Field(ge=0, le=_MOST_EXEMPLARS)] = 6
    lease_minutes: Annotated[float, Field(ge=0.01, le=24 * 60, strict=False)] = 30
    instructions: str = ""
    reviewers: str = ""
    seed: Count = 0

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        chosen = [name for name in ("lowest", "sample", "examples") if getattr(self, name)]
        if len(chosen) > 1:
            raise ValueError(f"expected one choice of examples, found {' and '.join(chosen)}")
        least = majority_of(self.votes)
        wrong = [one for one in self.agreements if not least <= one <= self.votes]
        if wrong or list(self.agreements) != sorted(set(self.agreements)):
            found = shown(list(self.agreements))
            raise ValueError(f"expected ascending agreement thresholds from {least} to {self.votes}, found {found}")
        if self.choices and self.kind not in (None, "options"):
            raise ValueError(f'expected choices with kind = "options" only, found them with {self.kind!r}')
        return self

    @property
    def thresholds(self) -> tuple[int, ...]:
        """The agreement thresholds that the round will offer."""
        if self.agreements:
            return self.agreements
        least = majority_of(self.votes)
        return tuple(range(least, self.votes + 1)) if self.stop is StoppingRule.NEVER else (least,)


def read_plan(path: Path | None, given: Mapping[str, Any]) -> RoundPlan:
    """The plan in a TOML file, if there is one, with what the command line says instead.

    Raises MissingFileError if there is no such file, ManifestError naming file and key for an invalid value.
    """
    values: dict[str, Any] = {}
    where = path or Path("the options of review open")
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (FileNotFoundError, IsADirectoryError) as error:
            raise MissingFileError(path, "expected the plan of a round (a TOML file), found none") from error
        except (ValueError, RecursionError) as error:
            raise ManifestError(path, f"expected TOML: {error}") from error
    if any(given.get(name) for name in ("lowest", "sample", "examples")):
        values = {name: value for name, value in values.items() if name not in ("lowest", "sample", "examples")}
    try:
        return RoundPlan.model_validate(values | {name: one for name, one in given.items() if one not in (None, ())})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        finding = str(first.get("ctx", {}).get("error") or _WORDS.get(first["type"]) or first["msg"])
        if first["type"] != "value_error":
            finding = f"{finding[:1].lower()}{finding[1:]}; found {shown(first['input'])}"
        if first["type"] == "extra_forbidden":
            known = sorted(field.alias or name for name, field in RoundPlan.model_fields.items())
            finding = f"unknown key; known are {', '.join(known)}"
        raise ManifestError(where, finding, record=place or None) from None
