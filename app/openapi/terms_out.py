"""Response models of the terms of media and of verdicts."""

from pydantic import Field

from app.openapi.model import Model


class VerdictTermsOut(Model):
    """Who reviewed the labels, and on what terms their verdicts may be used; null or empty if not stated."""

    reviewers: str = Field(description="Who looked at the examples.")
    authors: list[str] = Field(description="Whom to name for the corrections.")
    licence: str | None
    licence_url: str | None
    source: str | None = Field(description="Where the verdicts were published.")
    citation: str | None = Field(description="How they want to be cited.")
    bibtex: str | None


class TermsOut(Model):
    """The terms of a dataset's media, where they were found, and the credit to give when media are shared."""

    licence: str | None
    licence_url: str | None
    licence_source: str | None = Field(description="Where the licence was found.")
    homepage: str | None = Field(description="The dataset's own page.")
    citation: str | None = Field(description="How the dataset wants to be cited.")
    verdicts: VerdictTermsOut | None = Field(description="Null where nobody reviewed, or who did is not stated.")
