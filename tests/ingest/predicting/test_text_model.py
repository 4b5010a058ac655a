"""The model of texts: what it counts beforehand is what a vectoriser fitted inside each fold would find."""

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier

from ingest.predicting.text_model import VIEWS, TextModel

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
    model = TextModel(("phrases", "characters"), "log_loss", 2e-4, seed=3)
    counts = model.prepare(told)
    found = model.fit(counts[known], labels[known]).predict_proba(counts[held_out])

    parts = []
    for view in ("phrases", "characters"):
        vectorizer = TfidfVectorizer(min_df=2, sublinear_tf=True, **VIEWS[view]).fit([told[place] for place in known])
        parts.append([vectorizer.transform([told[p] for p in rows]) for rows in (known, held_out)])
    learnt, asked = (sparse.hstack(both, format="csr") for both in zip(*parts, strict=True))
    classifier = SGDClassifier(loss="log_loss", alpha=2e-4, random_state=3).fit(learnt, labels[known])
    np.testing.assert_allclose(found, classifier.predict_proba(asked), atol=1e-9)


def test_a_token_of_one_held_out_text_never_reaches_the_vocabulary():
    told, labels = texts(60)
    told[7] += " xyzzyplanted xyzzyplanted"
    told[8] += " bothsides"
    told[9] += " bothsides"
    model = TextModel(("phrases", "characters"), "log_loss", 1e-4)
    counts = model.prepare(told)
    others = np.delete(np.arange(60), 7)
    words, runs = model.fit(counts[others], labels[others]).vocabulary
    assert not [word for word in words if "xyzzy" in word]
    assert not [run for run in runs if "xyzz" in run]
    assert "bothsides" in words


def test_texts_without_a_word_get_probabilities():
    told = ["", "!", "goal", "goal puck", "wheel", "wheel road", "..."]
    model = TextModel(("words",), "log_loss", 1e-4)
    counts = model.prepare(told)
    found = model.fit(counts[np.arange(7)], np.array([0, 1, 0, 0, 1, 1, 1])).predict_proba(counts[np.array([0, 1, 6])])
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found == found[0]).all()
    empty = TextModel(("words",), "log_loss", 1e-4)
    nothing = empty.prepare(["", "?"])
    assert empty.fit(nothing[np.arange(2)], np.array([0, 1])).predict_proba(nothing[np.arange(2)]).shape == (2, 2)
