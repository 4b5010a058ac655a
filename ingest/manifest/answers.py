"""The part of a manifest about models' answers to questions, and what goes with questions."""

import re
from collections.abc import Mapping
from typing import Final, Self

from pydantic import Field, model_validator

from ingest.manifest.fields import InnerPath, MisfitError, Text, TomlTable

_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,79}/[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")


class Answers(TomlTable):
    """A table of models' answers: a row for each example, a column for each model."""

    file: InnerPath
    #: Column -> "platform/name". Without any, every column but those of ``same`` is a model of the platform "models".
    models: Mapping[str, str] = Field(default_factory=dict)
    titles: Mapping[str, str] = Field(default_factory=dict)  # platform -> what readers know it by
    #: Column -> the column of the questions that says the same in every row.
    same: Mapping[str, str] = Field(default_factory=dict)
    source: Text | None = None  # where the answers come from

    @model_validator(mode="after")
    def _names_of_models(self) -> Self:
        wrong = next((name for name in self.models.values() if not _MODEL.fullmatch(name)), None)
        if wrong is not None:
            raise MisfitError("models", f'expected names like "openai/gpt-4o", found {wrong!r}')
        if len(set(self.models.values())) < len(self.models):
            raise MisfitError("models", "expected a name of its own for each column")
        return self
