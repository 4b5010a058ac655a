"""Response models of the API of versions, for its documentation."""

from pydantic import Field

from app.openapi.held_back_out import HeldBackField
from app.openapi.model import Count, Model
from app.openapi.response_models import Labels, PolicyOut


class ChangeCountsOut(Model):
    """Examples of the corrected test set that were added, removed or relabelled."""

    added: Count
    removed: Count
    relabelled: Count


class VersionLinks(Model):
    changes: str | None = Field(description="What changed since the version before; null for the first one.")
    page: str
    corrected: str | None = Field(description="Corrected test set as CSV; of the current version only.")


class VersionOut(Model):
    """A version of a dataset, and how many examples changed under the policy since the previous one."""

    version: str
    former: str | None = Field(description="The version before; null for the first one.")
    since: str = Field(description="When it became the current one.")
    until: str | None = Field(description="When the next one came; null for the current one.")
    size: Count | None = Field(description="Examples in the test set.")
    counts: ChangeCountsOut | None = Field(description="Null where the two were not compared; ``note`` says why.")
    note: str | None = Field(description="What cannot be told of the changes.")
    links: VersionLinks


class VersionList(Model):
    items: list[VersionOut]
    next: str | None
    total: Count
    policy: PolicyOut
    held_back: HeldBackField = None


class SeenOut(Model):
    """The state of an example in a version, under the policy."""

    given: Labels
    corrected: Labels | None = Field(description="Null where it was left out.")
    action: str = Field(description="kept, corrected or removed")
    category: str


class ChangeLinks(Model):
    issue: str | None = Field(description="The issue as it is now; null where the example is no issue.")
    page: str | None


class ChangedOut(Model):
    """An example whose label in the corrected test set changed."""

    index: Count = Field(description="Index in the test set.")
    key: str | None = Field(description="The dataset's own name of the example.")
    change: str = Field(description="added, removed or relabelled")
    before: SeenOut | None = Field(description="Null where the version before did not have it.")
    after: SeenOut | None = Field(description="Null where it is not there any more.")
    links: ChangeLinks


class ChangeList(Model):
    items: list[ChangedOut]
    next: str | None = Field(description="Address of the next page, null on the last one.")
    total: Count = Field(description="Examples that changed; more than all pages have where ``note`` says so.")
    limit: Count
    most: Count = Field(description="The largest limit.")
    policy: PolicyOut
    version: str
    former: str | None
    since: str
    until: str | None
    counts: ChangeCountsOut | None = Field(description="Null where the two were not compared; ``note`` says why.")
    note: str | None = Field(description="What cannot be told of the changes.")
    held_back: HeldBackField = None
