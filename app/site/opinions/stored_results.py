"""What second opinions and controls say of a dataset, as ingest computed it."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlalchemy import Table, select

from app.catalogue.current import Catalogue
from app.catalogue.open_file import require_reader
from app.catalogue.records import Dataset
from app.domain.controls.confused_pairs import can_tell
from app.errors import FilterError
from app.evaluation.opinions.opinion_report import opinion_report
from app.evaluation.opinions.opinions_store import read_reviewed, read_sources
from app.evaluation.predictions_store import read_subject
from app.schema import opinions as schema
from app.schema.packing import NO_LABEL
from app.schema.tables import issues

Object = Mapping[str, Any]


def report_of(catalogue: Catalogue, dataset: Dataset, agreement: int) -> Object:
    """What a dataset's opinions say at an agreement threshold; no sources where it has none."""
    if dataset.held_back is not None and dataset.opinions.sources:
        # What was stored counts what is held back, and a difference to the gallery would tell of it.
        key = (schema.opinion_reports.name, dataset.id, agreement)
        return dict(catalogue.pages.get(key, lambda: _report_of_rest(catalogue, dataset, agreement)))
    return _stored(catalogue, dataset, agreement, schema.opinion_reports) or {"sources": []}


def controls_of(catalogue: Catalogue, dataset: Dataset, agreement: int) -> Object | None:
    """The controls of a dataset's models at an agreement threshold; None without models."""
    found = _stored(catalogue, dataset, agreement, schema.controls)
    return None if found is None else {**found, "systematic": _confusions(found["systematic"])}


def source_named(dataset: Dataset, parameter: str, value: str) -> str:
    """The name of an opinion on a dataset. Raises FilterError for any other."""
    if value not in dataset.opinions.places:
        why = "" if dataset.opinions.sources else f"There is no second opinion on {dataset.title} in this catalogue."
        raise FilterError(parameter, value, list(dataset.opinions.places), why)
    return value


def _confusions(stored: Object | None) -> Object | None:
    """The concentration of confusions, and why it tells nothing where their pairs are too few for that."""
    if stored is None:
        return None
    if can_tell(stored["share"], stored["shuffled"]):
        return {**stored, "too_few": None}
    confusions = "1 confusion" if len(stored["most"]) == 1 else f"{len(stored['most'])} different confusions"
    few = f"too few: {stored['n']} corrections have {confusions}; the {stored['pairs']} most frequent are always all"
    return {**stored, "share": None, "shuffled": None, "p": None, "too_few": few}


def _report_of_rest(catalogue: Catalogue, dataset: Dataset, agreement: int) -> Object:
    require_reader()
    connection = catalogue.connection
    given = read_subject(connection, dataset.name).given
    listed = select(issues.c.idx).where(issues.c.dataset_id == dataset.id)
    told = [*connection.scalars(listed), *np.flatnonzero(given == NO_LABEL).tolist()]
    reviewed = read_reviewed(connection, dataset.id, agreement)
    report = opinion_report(read_sources(connection, dataset.id), reviewed, given, told)
    return dict(json.loads(json.dumps(report)))  # as if it had been stored


def _stored(catalogue: Catalogue, dataset: Dataset, agreement: int, table: Table) -> Object | None:
    def read() -> Object | None:
        require_reader()
        c = table.c
        where = (c.dataset_id == dataset.id, c.agreement == agreement)
        text = catalogue.connection.scalar(select(c.results).where(*where))
        return None if text is None else dict(json.loads(text))

    found: Object | None = catalogue.pages.get((table.name, dataset.id, agreement), read)
    return found
