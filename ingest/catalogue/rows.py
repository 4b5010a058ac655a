"""Convert one built dataset into rows of ``app.schema.tables``.

This module only formats values; ``ingest.datasets.build`` computes them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from app.schema.packing import pack_keys, pack_labels
from app.schema.tables import EXAMPLES_PER_BLOCK, ISSUE_ID_SHIFT
from ingest.catalogue.slice_rows import slices_json
from ingest.datasets.build import MOST_GUESSES, Build
from ingest.datasets.exemplars import Exemplar
from ingest.datasets.facts import about_json, compact, flag_sentence
from ingest.datasets.fingerprints import Source
from ingest.datasets.load import Inputs
from ingest.datasets.media import KeptMedia

Row = dict[str, Any]


def dataset_row(build: Build, dataset_id: int, missing: list[str], version: str, built_at: str) -> Row:
    inputs, counts = build.inputs, build.counts
    manifest, flagging = inputs.manifest, inputs.flagging
    return {
        "id": dataset_id,
        "name": manifest.name,
        "title": manifest.title,
        "position": manifest.position,
        "modality": manifest.modality,
        "sample": manifest.sample,
        "size": inputs.size,
        "n_classes": len(inputs.classes),
        "labels_known": inputs.labels is not None,
        "n_flagged": counts.flagged,
        "n_checked": counts.checked,
        "n_errors": counts.errors,
        "n_issues": len(build.issues),
        "n_guesses_changed": counts.changed,
        "estimated_errors": counts.estimated_errors,
        "percent_error": counts.percent_error,
        "agreements": compact(manifest.agreements),
        "raters": manifest.raters,
        "vote_options": compact(manifest.votes.shown_options),
        "flag_rule": _flag_rule(build),
        "confident_learning": None if flagging is None else compact(flagging.facts() | _averaged(inputs)),
        "prediction_report": None if inputs.report is None else inputs.report.model_dump_json(),
        "about": about_json(
            manifest,
            None if inputs.slices is None else slices_json(inputs.slices),
            None if manifest.media is None else manifest.media.layout,
        ),
        "missing": compact(missing),
        "version": version,
        "built_at": built_at,
    }


def _averaged(inputs: Inputs) -> Row:
    return {} if inputs.averaged is None else {"models": list(inputs.averaged.names)}


def _flag_rule(build: Build) -> str | None:
    if build.inputs.set_flagging is not None:
        return build.inputs.set_flagging.sentence()
    flagging = build.inputs.flagging
    if flagging is None:
        return None
    beside = build.counts.flagged_as_twins
    others = f"{beside:,} more {'is' if beside == 1 else 'are'} nearly the same as an example with another label."
    said = (flag_sentence(flagging), flagging.beyond_sentence(), others if beside else "")
    return " ".join(sentence for sentence in said if sentence)


def source_rows(sources: list[Source], dataset_id: int) -> Iterator[Row]:
    for source in sources:
        yield {"dataset_id": dataset_id, **asdict(source)}


def class_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    inputs = build.inputs
    counts = None if inputs.labels is None else inputs.labels.class_counts(len(inputs.classes))
    for class_id, name in enumerate(inputs.classes.names):
        threshold = np.nan if inputs.flagging is None else inputs.flagging.thresholds[class_id]
        yield {
            "dataset_id": dataset_id,
            "class_id": class_id,
            "name": name,
            "n_examples": None if counts is None else int(counts[class_id]),
            "threshold": _number(threshold),
        }


def label_set_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    for label_id, members in enumerate(build.label_ids.members):
        yield {"dataset_id": dataset_id, "label_id": label_id, "members": compact(members)}


def joint_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    flagging = build.inputs.flagging
    if flagging is None:
        return
    joint = flagging.joint
    columns = (joint.given, joint.latent, flagging.counted.at(joint.cell), joint.value)
    for given, latent, count, probability in zip(*(column.tolist() for column in columns), strict=True):
        yield {
            "dataset_id": dataset_id,
            "given": given,
            "latent": latent,
            "count": count,
            "probability": probability,
        }


def exemplar_rows(exemplars: Mapping[int, Sequence[Exemplar]], dataset_id: int, shown: KeptMedia) -> Iterator[Row]:
    """The exemplars that have something to show."""
    for class_id, chosen in exemplars.items():
        seen = [exemplar for exemplar in chosen if exemplar.index in shown.sizes]
        for position, exemplar in enumerate(seen):
            yield {
                "dataset_id": dataset_id,
                "class_id": class_id,
                "position": position,
                "idx": exemplar.index,
                "self_confidence": exemplar.self_confidence,
                "excerpt": shown.excerpts.get(exemplar.index),
                "media": shown.sizes[exemplar.index],
            }


def example_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    labels, keys = build.inputs.labels, build.inputs.keys
    if labels is None:
        return
    ids = labels.ids
    if ids is None:
        ids = build.label_ids.of([labels[index] for index in range(len(labels))])
    for start in range(0, len(ids), EXAMPLES_PER_BLOCK):
        block = ids[start : start + EXAMPLES_PER_BLOCK]
        yield {
            "dataset_id": dataset_id,
            "start": start,
            "count": len(block),
            "labels": pack_labels(block),
            "keys": None if keys is None else pack_keys(keys[start : start + len(block)]),
        }


def guess_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    """What the model guesses of every example; none of examples with label sets, or of more than are worth the room."""
    guesses, labels = build.inputs.guesses, build.inputs.labels
    if guesses is None or guesses.sets is not None or labels is None or len(labels) > MOST_GUESSES:
        return
    for start in range(0, len(labels), EXAMPLES_PER_BLOCK):
        indices = np.arange(start, min(start + EXAMPLES_PER_BLOCK, len(labels)))
        yield {"dataset_id": dataset_id, "start": start, "labels": pack_labels(guesses.ids_at(indices))}


def class_search_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    for class_id, name in enumerate(build.inputs.classes.names):
        spaced = name.replace("_", " ").replace("-", " ")
        yield {"rowid": dataset_id << ISSUE_ID_SHIFT | class_id, "name": spaced}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
