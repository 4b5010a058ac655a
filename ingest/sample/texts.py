"""The text sample: messages of a fictional notice board, written for this project, with their topics.

Lines that do not match ``data/sample/README.md`` are refused, naming file and line.
"""

import json
from pathlib import Path

import numpy as np

from ingest.errors import DataError, shown
from ingest.sample.draft import Draft, Truth

_ERROR_RATE = 0.08


def draft(file: Path, topics: tuple[str, ...], rng: np.random.Generator) -> Draft:
    """The messages of ``file`` in random order, so that neighbours differ in topic."""
    messages = read_messages(file, topics)
    messages = [messages[place] for place in rng.permutation(len(messages))]
    truth = [about for about, _ in messages]
    return Draft(
        truth=truth,
        clarity=_clarity(truth, rng),
        confusable=np.ones((len(topics), len(topics))),
        error_rate=_ERROR_RATE,
        media=[text.encode() for _, text in messages],
        ending=".txt",
        features=[text for _, text in messages],
    )


def read_messages(file: Path, topics: tuple[str, ...]) -> list[tuple[frozenset[int], str]]:
    """Each message with the ids of its topics. Raises DataError naming an invalid line."""
    messages = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            message = json.loads(line)
            about = frozenset(topics.index(topic) for topic in message["topics"])
            messages.append((about, str(message["text"])))
        except (KeyError, TypeError, ValueError) as error:
            finding = f'expected {{"topics": some of {", ".join(topics)}, "text": a text}}, found {shown(line)}'
            raise DataError(file, finding, record=f"line {number}") from error
    return messages


def _clarity(truth: Truth, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Hurried readers often see only one of two topics; one message in eight reads as if it had two."""
    hard = rng.random(len(truth)) < 1 / 8
    return np.array(
        [0.5 if is_hard else 0.95 if len(about) == 1 else 0.85 for about, is_hard in zip(truth, hard, strict=True)]
    )
