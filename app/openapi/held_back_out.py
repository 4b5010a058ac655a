"""What open rounds hold back, as the API describes it."""

from typing import Annotated

from pydantic import Field

from app.openapi.model import Count, Model


class HeldBackOut(Model):
    """Examples that an open review holds back, so that its reviewers see no answer."""

    examples: Count
    rounds: list[str] = Field(description="The rounds that ask about them; they are back when these are closed.")
    why: str = Field(description="The same in words, and which figures leave them out.")


#: A field of answers that list or count examples.
HeldBackField = Annotated[
    HeldBackOut | None, Field(description="Only there while an open review holds examples of the dataset back.")
]
