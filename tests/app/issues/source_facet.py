"""A facet that the project does not have: the host of the address at which an example can be seen elsewhere.

It is all that somebody would write who wants it, in the list of ``app.issues.facets``.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement

from app.catalogue.records import Dataset
from app.errors import FilterError
from app.issues.facet import CountedIn, Facet
from app.schema.tables import issues

HOSTS = ("example.org", "youtu.be", "nowhere.example")


def _read(_: Dataset, name: str, value: str) -> str:
    if value not in HOSTS:
        raise FilterError(name, value, HOSTS)
    return value


def _where(dataset: Dataset, hosts: Sequence[str], _: bool) -> list[ColumnElement[bool]]:
    return [issues.c.dataset_id == dataset.id, issues.c.url.contains(f"://{hosts[0]}/", autoescape=True)]


SOURCE = Facet(
    name="source",
    title="Can be seen at",
    read=_read,
    says="The host of the address at which an example can be seen elsewhere.",
    schema={"type": "string", "enum": list(HOSTS)},
    label=lambda _, host: f"host {host}",
    chip=lambda _, host: f"at {host}",
    clause=lambda _, chosen: f"that can be seen at {chosen['source']}",
    where=_where,
    counted_in=CountedIn.ISSUES,
    columns=(issues.c.url,),
    means=lambda _, url: (urlsplit(url).hostname,),
)
