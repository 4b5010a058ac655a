"""What all models of the API share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]


class Model(BaseModel):
    """A model with no other fields than those that it names."""

    model_config = ConfigDict(extra="forbid")


class LabelOut(Model):
    id: Count
    name: str
