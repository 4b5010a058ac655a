"""Store how far each correction of a dataset can be trusted, from its votes and its second opinions.

Called whenever votes or opinions have changed, after both are in the catalogue. Rows are those of corrections alone, so
that issues which nobody reviewed cost nothing.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select, update

from app.evaluation.opinions.confidence_report import Sources, confidence_report
from app.evaluation.opinions.correction_votes import confidences
from app.schema import tables
from app.schema.opinions import confidence_reports, opinion_sources
from ingest.catalogue.replace import of_dataset
from ingest.datasets.facts import compact


def store_confidence(connection: Connection, dataset_id: int) -> None:
    """Replace the numbers of a dataset's corrections, their order, and the report on them."""
    v, o = tables.verdicts.c, opinion_sources.c
    connection.execute(delete(confidence_reports).where(of_dataset(confidence_reports, dataset_id)))
    had = (v.dataset_id == dataset_id, v.confidence.is_not(None))
    empty: dict[str, None] = dict.fromkeys(("confidence", "probability_right", "by_confidence"))
    connection.execute(update(tables.verdicts).where(*had).values(**empty))
    found = confidences(connection, dataset_id)
    rows = connection.execute(
        select(o.name, o.independent).where(o.dataset_id == dataset_id).order_by(o.position)
    ).all()
    sources = Sources([row.name for row in rows], [bool(row.independent) for row in rows])
    signs: dict[int, str] = {}
    if rows:
        # At a higher threshold a correction is the same, or there is none.
        said = select(v.issue_id, v.opinions).where(v.dataset_id == dataset_id, v.opinions.is_not(None))
        for row in connection.execute(said.order_by(v.agreement.desc())):
            signs[row.issue_id] = row.opinions
    learnt = confidence_report(found, sources, signs)
    connection.execute(insert(confidence_reports), [{"dataset_id": dataset_id, "results": compact(learnt.report)}])
    _store(connection, found.values, learnt.probabilities)


def _store(connection: Connection, values: Mapping[tuple[int, int], float], probabilities: Mapping[int, float]) -> None:
    """Numbers and places: the surest correction first, of equal ones the more suspicious."""
    rows = []
    for agreement in sorted({at for _, at in values}):
        here = sorted((-value, issue_id) for (issue_id, at), value in values.items() if at == agreement)
        rows += [
            (-negative, probabilities.get(issue_id), place, issue_id, agreement)
            for place, (negative, issue_id) in enumerate(here)
        ]
    if rows:
        statement = (
            "UPDATE verdicts SET confidence = ?, probability_right = ?, by_confidence = ?"
            " WHERE issue_id = ? AND agreement = ?"
        )
        connection.exec_driver_sql(statement, rows)
