"""Response models of what second opinions say of one issue."""

from pydantic import Field

from app.openapi.model import Count, LabelOut, Model


class WeightOut(LabelOut):
    weight: Count = Field(description="Raters who chose it; 1 where none are counted.")


class SecondOpinionOut(Model):
    """What an independent relabelling says of an issue."""

    source: str
    title: str
    independent: bool
    stance: str | None = Field(description="given, guessed, both, other or silent; null where nobody looked.")
    classes: list[WeightOut] = Field(description="The classes it names, the most weight first.")
