"""Write anew what follows from a dataset's second opinions and verdicts: what each says of each issue, and the version.

Called whenever opinions or verdicts have changed. It computes nothing itself: ``app.domain.opinions`` does.
"""

import hashlib
from collections.abc import Iterator

from sqlalchemy import Connection, delete, insert, select, update

from app.domain.opinions.stances import SIGN_OF, STANCES
from app.evaluation.opinions.opinion_report import opinion_report
from app.evaluation.opinions.opinions_store import OpinionSource, read_reviewed, read_sources, stances_on
from app.evaluation.predictions_store import read_subject
from app.schema import tables
from app.schema.opinions import bare_versions, opinion_reports, opinions
from ingest.catalogue.columns import BLOCK, Columns, insert_columns
from ingest.catalogue.replace import of_dataset
from ingest.datasets.facts import compact


def restate(connection: Connection, name: str, *, fresh: bool) -> int:
    """Restate the opinions on a dataset of an open catalogue; returns its id.

    ``fresh`` says that ``datasets.version`` is that of its content alone, as after an ingest.
    """
    d, v = tables.datasets.c, tables.verdicts.c
    dataset_id, version = connection.execute(select(d.id, d.version).where(d.name == name)).one()
    for table in (opinions, opinion_reports):
        connection.execute(delete(table).where(of_dataset(table, dataset_id)))
    sources = read_sources(connection, dataset_id)
    if not sources:
        return int(dataset_id)
    of_old = (v.dataset_id == dataset_id, v.opinions.is_not(None))
    connection.execute(update(tables.verdicts).where(*of_old).values(opinions=None))
    for block in _issue_columns(connection, dataset_id, sources):
        insert_columns(connection, opinions, block)
    subject = read_subject(connection, name)
    i = tables.issues
    indices = list(connection.scalars(select(i.c.idx).where(of_dataset(i, dataset_id))))
    for agreement in subject.agreements:
        reviewed = read_reviewed(connection, dataset_id, agreement)
        columns = [[SIGN_OF[STANCES[place]] for place in stances_on(source, reviewed)] for source in sources]
        signs = ["".join(letters) for letters in zip(*columns, strict=True)]
        rows = [(sign, issue, agreement) for sign, issue in zip(signs, reviewed.ids.tolist(), strict=True)]
        if rows:
            connection.exec_driver_sql("UPDATE verdicts SET opinions = ? WHERE issue_id = ? AND agreement = ?", rows)
        report = compact(opinion_report(sources, reviewed, subject.given, indices))
        row = {"dataset_id": dataset_id, "agreement": agreement, "results": report}
        connection.execute(insert(opinion_reports), [row])
    _sign(connection, dataset_id, version, sources, fresh=fresh)
    return int(dataset_id)


def _issue_columns(connection: Connection, dataset_id: int, sources: list[OpinionSource]) -> Iterator[Columns]:
    """What each source names for each issue, in order of ids."""
    i = tables.issues
    asked = select(i.c.id, i.c.idx).where(of_dataset(i, dataset_id)).order_by(i.c.id)
    for rows in connection.execute(asked).partitions(BLOCK):
        pairs = [(row.id, source, source.opinion.named(row.idx)) for row in rows for source in sources]
        yield {
            "issue_id": [issue for issue, _, _ in pairs],
            "source": [source.position for _, source, _ in pairs],
            "dataset_id": [dataset_id] * len(pairs),
            "classes": [compact(named) for _, _, named in pairs],
        }


def _sign(connection: Connection, dataset_id: int, version: str, sources: list[OpinionSource], *, fresh: bool) -> None:
    """Give the dataset a version that follows from its content and from its opinions."""
    b, d = bare_versions.c, tables.datasets
    here = b.dataset_id == dataset_id
    bare = None if fresh else connection.scalar(select(b.version).where(here))
    if bare is None:
        bare = version
        connection.execute(delete(bare_versions).where(here))
        connection.execute(insert(bare_versions), [{"dataset_id": dataset_id, "version": bare}])
    said = "".join(f"\n{source.name} {source.independent} {source.sha256}" for source in sources)
    digest = hashlib.sha256(f"{bare}{said}".encode()).hexdigest()[:16]
    connection.execute(update(d).where(d.c.id == dataset_id).values(version=digest))
