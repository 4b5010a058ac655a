"""The model of texts: what it counts beforehand is what a vectoriser fitted inside each fold would find."""

from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier

from ingest.predicting.cross_validation import cross_validated
from ingest.predicting.estimators.text_model import VIEWS, TextModel
from ingest.predicting.examples import Examples
from ingest.predicting.folds import Plan
from ingest.predicting.models import chosen_models
from ingest.progress import Lines

CARS = ["engine", "wheel", "brake", "motor", "road", "car"]
HOCKEY = ["goal", "puck", "ice", "team", "hockey", "skate"]
COMMON = ["the", "a", "of", "and", "to", "is"]


def texts(n: int) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 2, n)
    return [" ".join(rng.choice((CARS, HOCKEY)[label] + COMMON, 12)) for label in labels.tolist()], labels


def test_it_finds_what_vectorisers_fitted_on_the_training_texts_find():
    told, labels = texts(120)
    known, held_out = np.arange(0, 90), np.arange(90, 120)
    model = TextModel(("phrases", "characters"), 2.0, seed=3)
    counts = model.prepare(told)
    found = model.fit(counts[known], labels[known]).predict_proba(counts[held_out])

    parts = []
    for view in ("phrases", "characters"):
        vectorizer = TfidfVectorizer(min_df=2, sublinear_tf=True, **VIEWS[view]).fit([told[place] for place in known])
        parts.append([vectorizer.transform([told[p] for p in rows]) for rows in (known, held_out)])
    learnt, asked = (sparse.hstack(both, format="csr") / 2**0.5 for both in zip(*parts, strict=True))
    classifier = SGDClassifier(loss="modified_huber", alpha=1 / (2 * 90), random_state=3).fit(learnt, labels[known])
    np.testing.assert_allclose(found, classifier.predict_proba(asked), atol=1e-9)


def test_a_token_of_one_held_out_text_never_reaches_the_vocabulary():
    told, labels = texts(60)
    told[7] += " xyzzyplanted xyzzyplanted"
    told[8] += " bothsides"
    told[9] += " bothsides"
    model = TextModel(("phrases", "characters"), 1.0)
    counts = model.prepare(told)
    others = np.delete(np.arange(60), 7)
    words, runs = model.fit(counts[others], labels[others]).vocabulary
    assert not [word for word in words if "xyzzy" in word]
    assert not [run for run in runs if "xyzz" in run]
    assert "bothsides" in words


def test_texts_without_a_word_get_probabilities():
    told = ["", "!", "goal", "goal puck", "wheel", "wheel road", "..."]
    model = TextModel(("words",), 1.0)
    counts = model.prepare(told)
    found = model.fit(counts[np.arange(7)], np.array([0, 1, 0, 0, 1, 1, 1])).predict_proba(counts[np.array([0, 1, 6])])
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found == found[0]).all()
    empty = TextModel(("words",), 1.0)
    nothing = empty.prepare(["", "?"])
    assert empty.fit(nothing[np.arange(2)], np.array([0, 1])).predict_proba(nothing[np.arange(2)]).shape == (2, 2)


def test_each_deal_of_the_folds_learns_with_another_strength(tmp_path: Path):
    """By hand: three deals of three folds, a model of its own for each fold, and the mean of what the three say."""
    told, labels = texts(90)
    labels[:9] = 1 - labels[:9]
    examples = Examples("texts", told, labels, [text.encode() for text in told])
    rng = np.random.default_rng(8)
    deals = [rng.permutation(90) % 3 for _ in range(3)]
    plans = [Plan(examples, 2, folds, seed=5 + deal, threads=2, deal=deal) for deal, folds in enumerate(deals)]
    (model,) = chosen_models(["words"], "texts")
    found = cross_validated(model, plans, tmp_path, Lines(), "test")

    expected = np.zeros((90, 2))
    for deal, (folds, strength) in enumerate(zip(deals, (1, 4, 0.25), strict=True)):
        for fold in range(3):
            known, held_out = examples.order[folds[examples.order] != fold], np.flatnonzero(folds == fold)
            vectorizer = TfidfVectorizer(min_df=2, sublinear_tf=True).fit([told[place] for place in known])
            alpha = 1 / (strength * len(known))
            classifier = SGDClassifier(loss="modified_huber", alpha=alpha, random_state=5 + deal)
            classifier.fit(vectorizer.transform([told[place] for place in known]), labels[known])
            asked = vectorizer.transform([told[place] for place in held_out])
            expected[held_out] += classifier.predict_proba(asked) / 3
    for fold in range(3):
        np.testing.assert_allclose(found.rows(fold), expected[plans[0].held_out(fold)], atol=1e-6)
