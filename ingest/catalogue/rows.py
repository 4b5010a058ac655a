"""Convert one built dataset into rows of ``app.schema.tables``.

This module only formats values; ``ingest.datasets.build`` computes them.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from app.domain.review.verdicts import Category
from app.schema.packing import pack_keys, pack_labels, pack_top
from app.schema.tables import EXAMPLES_PER_BLOCK, ISSUE_ID_SHIFT, issue_id
from ingest.datasets.build import Build
from ingest.datasets.exemplars import Exemplar
from ingest.datasets.facts import about_json, compact, flag_sentence
from ingest.datasets.fingerprints import Source
from ingest.datasets.media import KeptMedia
from ingest.datasets.top_probabilities import top_of_rows
from ingest.labels.vote_files import Review
from ingest.manifest.model import UrlSource

Row = dict[str, Any]

#: The number of issues whose probabilities are packed at a time.
_ISSUES_AT_A_TIME = 4_096


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
        "vote_options": compact(manifest.votes.options),
        "flag_rule": _flag_rule(build),
        "confident_learning": None if flagging is None else compact(flagging.facts()),
        "about": about_json(manifest),
        "missing": compact(missing),
        "version": version,
        "built_at": built_at,
    }


def _flag_rule(build: Build) -> str | None:
    if build.inputs.set_flagging is not None:
        return build.inputs.set_flagging.sentence()
    flagging = build.inputs.flagging
    return None if flagging is None else f"{flag_sentence(flagging)} {flagging.beyond_sentence()}".strip()


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


def issue_rows(build: Build, dataset_id: int, shown: KeptMedia) -> Iterator[Row]:
    issues, inputs = build.issues, build.inputs
    for position, top in enumerate(_top_probabilities(build)):
        index = int(issues.indices[position])
        review = issues.reviews[position]
        ballot = None if review is None else review.ballot
        yield {
            "id": issue_id(dataset_id, position),
            "dataset_id": dataset_id,
            "idx": index,
            "key": None if inputs.keys is None else inputs.keys[index],
            "given": int(issues.given[position]),
            "guessed": _id(issues.guessed[position]),
            "shown": _id(issues.shown[position]),
            "flagged": bool(issues.flagged[position]),
            "self_confidence": _number(issues.self_confidence[position]),
            "normalized_margin": _number(issues.margins[position]),
            "rank": _id(issues.ranks[position]),
            "by_margin": int(issues.by_margin[position]),
            "by_disagreement": int(issues.by_disagreement[position]),
            "votes": None if ballot is None else compact(dict(ballot.counts)),
            "vote_pattern": None if ballot is None else ballot.pattern,
            "consensus": None if ballot is None else ballot.consensus,
            "top_probs": top,
            "spans": shown.spans.get(index),
            "url": _url(inputs.manifest.examples.urls, inputs.urls, index, review),
            "excerpt": shown.excerpts.get(index),
            "media": compact(shown.sizes[index]) if index in shown.sizes else None,
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
                "media": compact(shown.sizes[exemplar.index]),
            }


def verdict_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    for position, index in enumerate(build.issues.indices):
        for agreement, verdict in build.verdicts.get(int(index), {}).items():
            yield {
                "issue_id": issue_id(dataset_id, position),
                "agreement": agreement,
                "dataset_id": dataset_id,
                "category": verdict.category.value,
                "corrected": None if verdict.corrected is None else build.label_ids[verdict.corrected],
                "several": compact(verdict.agreed) if verdict.category is Category.MULTI_LABEL else None,
            }


def vote_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    for issue, review in enumerate(build.issues.reviews):
        for position, vote in enumerate(() if review is None else review.ballot.votes):
            yield {
                "issue_id": issue_id(dataset_id, issue),
                "position": position,
                "dataset_id": dataset_id,
                "option": vote.option,
                "word": vote.word,
                "classes": None if vote.classes is None else compact(vote.classes),
                "n": vote.n,
            }


def facet_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    names = ("agreement", "category", "given", "guessed", "corrected", "vote_pattern", "flagged")
    counted: Counter[tuple[Any, ...]] = Counter()
    issues = build.issues
    for position, index in enumerate(issues.indices):
        review = issues.reviews[position]
        pattern = None if review is None else review.ballot.pattern
        verdicts = build.verdicts.get(int(index))
        for agreement in build.inputs.manifest.agreements:
            verdict = None if verdicts is None else verdicts[agreement]
            corrected = None if verdict is None or verdict.corrected is None else build.label_ids[verdict.corrected]
            category = Category.UNREVIEWED if verdict is None else verdict.category
            guessed = _id(issues.guessed[position])
            facet = (agreement, category.value, int(issues.given[position]), guessed, corrected, pattern)
            counted[*facet, bool(issues.flagged[position])] += 1
    for facet, n in counted.items():
        yield {"dataset_id": dataset_id, **dict(zip(names, facet, strict=True)), "n": n}


def example_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    labels, keys = build.inputs.labels, build.inputs.keys
    if labels is None:
        return
    ids = labels.ids
    if ids is None:
        ids = np.array([build.label_ids[labels[index]] for index in range(len(labels))], dtype=np.int64)
    for start in range(0, len(ids), EXAMPLES_PER_BLOCK):
        block = ids[start : start + EXAMPLES_PER_BLOCK]
        yield {
            "dataset_id": dataset_id,
            "start": start,
            "count": len(block),
            "labels": pack_labels(block),
            "keys": None if keys is None else pack_keys(keys[start : start + len(block)]),
        }


def class_search_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    for class_id, name in enumerate(build.inputs.classes.names):
        spaced = name.replace("_", " ").replace("-", " ")
        yield {"rowid": dataset_id << ISSUE_ID_SHIFT | class_id, "name": spaced}


def _top_probabilities(build: Build) -> Iterator[bytes | None]:
    """The most probable classes of each issue, packed, in the order of the issues."""
    matrix, indices = build.inputs.matrix, build.issues.indices
    if matrix is None:
        yield from itertools.repeat(None, len(indices))
        return
    ascending = np.argsort(indices)
    places = np.empty(len(indices), np.int64)
    places[ascending] = np.arange(len(indices))
    classes, probabilities = top_of_rows(matrix, indices[ascending])
    for start in range(0, len(indices), _ISSUES_AT_A_TIME):
        some = places[start : start + _ISSUES_AT_A_TIME]
        yield from pack_top(classes[some], probabilities[some], matrix.shape[1])


def _url(urls: UrlSource, entries: list[str] | None, index: int, review: Review | None) -> str | None:
    if urls == "index":
        return None if entries is None else entries[index]
    if urls == "records" and review is not None and review.url is not None:
        return _one_slash(review.url) if review.url.startswith(("https://", "http://")) else None
    return None


def _one_slash(url: str) -> str:
    """Reduce two slashes after the host of an address, left by joining a host and a path, to one.

    >>> _one_slash("https://labels.example//static/1.png"), _one_slash("http://labels.example/to/http://a.example")
    ('https://labels.example/static/1.png', 'http://labels.example/to/http://a.example')
    """
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}{slash}{path.lstrip('/')}"


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _id(value: int) -> int | None:
    return None if value < 0 else int(value)
