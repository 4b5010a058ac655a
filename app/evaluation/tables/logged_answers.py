"""Put the answers in a log of an evaluation harness into the order of a test set.

A log counts the questions of its own task from 0, so a log of another task would fit by its numbers alone: where it has
the questions, they must be those of the test set.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.evaluation.prediction_rows import NO_ANSWER, Target
from app.evaluation.tables.evaluation_logs import LogError, Sample

#: The columns of a corrected benchmark in its own form, which a log of it repeats.
_OURS: Final = frozenset({"index", "question", "choices", "answer"})


def options_in_order(samples: Sequence[Sample], target: Target) -> list[int]:
    """(n,) the options of all n questions, -1 for none. Raises LogError where some are missing, or are others."""
    found = [NO_ANSWER] * target.n
    places: dict[int, Sample] = {}
    for sample in samples:
        place = _place(sample, target)
        if not 0 <= place < target.n:
            raise LogError(f"{sample.where}: expected a question from 0 to {target.n - 1:,}, found {sample.id!r:.60}")
        if place in places:
            raise LogError(f"{sample.where}: expected each question once, found that of {places[place].where} again")
        places[place] = sample
        within = min(target.n_classes, sample.n_options or target.n_classes)
        found[place] = sample.option if sample.option < within else NO_ANSWER
    _require_same_questions(places, target)
    if len(samples) != target.n:
        raise LogError(f"expected the answers to {target.n:,} questions, found {len(samples):,}")
    return found


def _place(sample: Sample, target: Target) -> int:
    """The example that a sample is of: by the names that task files of ours carry along, and else by its number."""
    key, index = sample.doc.get("key"), sample.doc.get("index")
    if isinstance(key, str) and key in target.places:
        return target.places[key]
    if isinstance(index, int) and not isinstance(index, bool) and sample.doc.keys() >= _OURS:
        return index
    if isinstance(sample.id, int):
        return sample.id
    place = target.places.get(sample.id, -1)
    return int(sample.id) if place < 0 and sample.id.isdecimal() and len(sample.id) < 10 else place


def _require_same_questions(places: Mapping[int, Sample], target: Target) -> None:
    told = {place: words for place, sample in places.items() if (words := [*_texts(sample.doc)])}
    if target.texts is None or not told:
        return
    for place, text in target.texts(sorted(told)).items():
        wanted = _folded(text)
        if not any(wanted in _folded(words) for words in told[place]):
            # Not what the question is: who sends a log may not be allowed to read it.
            finding = f"expected question {place:,} of {target.title}, found {told[place][0]!r:.80}"
            raise LogError(f"{places[place].where}: {finding}: is this the log of another task?")


def _texts(doc: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a question in a log, whatever its fields are called; a name or a letter is none."""
    yield from (value for name, value in doc.items() if isinstance(value, str) and len(value) > 1 and name != "key")


def _folded(text: str) -> str:
    """A text as it is compared: letters and digits alone, for files of one benchmark differ in spaces and signs.

    Of a text in Latin letters only those without accents count, which no wrong encoding changes.

    >>> _folded("It’s  1 %\\n") == _folded("ItÕs 1%") == "its1"
    True
    >>> _folded("什么？")
    '什么'
    """
    plain = "".join(sign for sign in text.casefold() if sign.isascii() and sign.isalnum())
    return plain or "".join(sign for sign in unicodedata.normalize("NFKC", text) if sign.isalnum())
