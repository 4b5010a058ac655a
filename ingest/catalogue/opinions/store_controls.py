"""Store the controls of a dataset's models, and their stability on what each opinion confirms."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert

from app.domain.opinions.stances import Stance
from app.evaluation.opinions.controls import controls
from app.evaluation.opinions.opinions_store import only_where, read_guesses, read_reviewed, read_sources
from app.evaluation.predictions_store import MeasurableDataset, Model, read_partition
from app.evaluation.stability import results
from app.schema import opinions as schema
from ingest.catalogue.replace import of_dataset
from ingest.progress import Progress


def store_controls(
    connection: Connection, subject: MeasurableDataset, models: Sequence[Model], progress: Progress
) -> None:
    """Replace the controls of a dataset; none without models."""
    for table in (schema.controls, schema.confirmed_stability):
        connection.execute(delete(table).where(of_dataset(table, subject.id)))
    if not models:
        return
    sources, guesses = read_sources(connection, subject.id), read_guesses(connection, subject.id)
    n_classes = len(subject.class_names)
    with progress.task(f"{subject.name}: controls", len(subject.agreements), "thresholds") as advance:
        for agreement in subject.agreements:
            here = {"dataset_id": subject.id, "agreement": agreement}
            reviewed = read_reviewed(connection, subject.id, agreement)
            found = controls(models, reviewed, sources, subject.given, guesses, n_classes, questions=subject.questions)
            connection.execute(insert(schema.controls), [here | {"results": json.dumps(found)}])
            test = read_partition(connection, subject, agreement)
            for source in sources:
                confirmed = only_where(test, source, reviewed, Stance.GUESSED)
                text = json.dumps(results(confirmed, models, n_classes))
                row = here | {"source": source.name, "results": text}
                connection.execute(insert(schema.confirmed_stability), [row])
            advance(1)
