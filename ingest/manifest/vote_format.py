"""The part of a manifest about votes: what reviewers could say, and how their answers are counted in a file."""

from typing import Final, Literal, Self

from pydantic import model_validator

from app.domain.review.error_types import ErrorType
from ingest.errors import shown
from ingest.manifest.fields import MisfitError, Texts, TomlTable

Dialect = Literal["options", "class-names", "label-sets", "error-types"]
Guesses = Literal["must-match", "may-differ", "unchecked"]
Corrects = Literal["any", "guessed"]
#: Dialects whose options are not the manifest's to say.
WITHOUT_OPTIONS: Final = ("label-sets", "error-types")


class VoteFormat(TomlTable):
    """The format of the votes file.

    "options": one count per option; the options "given", "guessed", "both" and "neither" have the meaning of the paper,
    others support no category. "class-names": one count per class name or other word, compared ignoring case; "other"
    is none of the classes, and the options after it are words that are not classes. "label-sets": one count per label,
    several labels per example. "error-types": no file of votes; the rows of questions say what one judge finds.

    ``guesses`` says what a guess in the votes file must be: "must-match", the model's own, for files that are published
    together; "may-differ", that of an earlier model, as long as the guesses agree better than by chance; "unchecked",
    any. A different given label is always refused. ``corrects`` says which class reviewers can correct a label to:
    "any" that enough of them name, or, as in the paper, the "guessed" one that they were shown.
    """

    dialect: Dialect
    options: Texts
    guesses: Guesses = "may-differ"
    corrects: Corrects = "any"

    @property
    def shown_options(self) -> tuple[str, ...]:
        """The options that votes are counted under; () if they are counted under names of classes."""
        return tuple(one.value for one in ErrorType) if self.dialect == "error-types" else self.options

    @model_validator(mode="after")
    def _options_of_the_dialect(self) -> Self:
        options, by_name = self.options, self.dialect == "class-names"
        if self.dialect in WITHOUT_OPTIONS:
            if options:
                finding = f'expected none with "{self.dialect}", found {shown(list(options))}'
                raise MisfitError("options", finding)
        elif options[:2] != ("given", "guessed") or len(set(options)) < len(options):
            finding = 'expected different words, "given" and "guessed" first'
            raise MisfitError("options", f"{finding}, found {shown(list(options))}")
        if self.corrects != "any" and not by_name:
            finding = '"guessed" goes with dialect = "class-names"'
            raise MisfitError("corrects", f"{finding}, found it with {self.dialect!r}")
        if by_name and options[2:3] != ("other",):
            finding = 'expected "other" third: the votes for any other class'
            raise MisfitError("options", f"{finding}, found {shown(list(options))}")
        return self
