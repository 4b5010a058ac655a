"""The text sample: messages from an imagined notice board, written for this project, with the topics each is about.

Refuses lines that are not what ``data/sample/README.md`` says, by file and line.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import DataError, shown
from ingest.sample.draft import Draft, Truth

_ERROR_RATE = 0.08
_WORD = re.compile(r"[a-z]{3,}")
_STEM = 5


def draft(file: Path, topics: tuple[str, ...], rng: np.random.Generator) -> Draft:
    """The messages of ``file`` in an order drawn at random, so that neighbours differ in topic."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

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
        classifier=make_pipeline(
            TfidfVectorizer(analyzer=stems, sublinear_tf=True), LogisticRegression(C=10, max_iter=1_000)
        ),
        folds=20,
        weights=word_weights,
    )


def word_weights(classifier: Any) -> tuple[Sequence[str], NDArray[np.float64]]:
    """The beginnings of words that a fitted classifier knows, and what one occurrence adds to each class's score."""
    vectorizer, regression = classifier[0], classifier[-1]
    return list(vectorizer.get_feature_names_out()), regression.coef_ * vectorizer.idf_


def read_messages(file: Path, topics: tuple[str, ...]) -> list[tuple[frozenset[int], str]]:
    """Each message with the ids of its topics. Raises DataError naming the line that is not a message."""
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


def stems(text: str) -> list[str]:
    """The beginnings of a text's words, so that "cycling" and "cyclist" count as one.

    >>> stems("The cyclists were cycling.")
    ['cycli', 'cycli']
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return [word[:_STEM] for word in _WORD.findall(text.lower()) if word not in ENGLISH_STOP_WORDS]


def _clarity(truth: Truth, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Of a message with two topics a hurried reader often sees one; one message in eight reads as if it had two."""
    hard = rng.random(len(truth)) < 1 / 8
    return np.array(
        [0.5 if is_hard else 0.95 if len(about) == 1 else 0.85 for about, is_hard in zip(truth, hard, strict=True)]
    )
