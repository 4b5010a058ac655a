"""Parts of texts: counted lengths are those of what is written, and every part is that of the whole."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.corrected.blocks import corrected
from app.corrected.formats import FORMATS, write
from app.corrected.original_test_set import load
from app.corrected.policy import parse
from ingest.commands.main import main
from tests.ingest.conftest import Tiny

N = 2 * 65_536 + 10
POLICIES = ["", "removed=include", "multi_label=both&agreement=4", "neither=given&non_agreement=given&unreviewed=drop"]


@pytest.fixture(scope="module", params=["with keys", "without"])
def large(request, tmp_path_factory) -> Path:
    """A test set of three blocks, reviewed on both sides of their borders; keys and names are awkward on purpose."""
    folder = tmp_path_factory.mktemp("large")
    tiny = Tiny(folder / "tiny")
    labels = np.arange(N, dtype=np.uint16) % 3
    labels[:40] = tiny.labels
    tiny.classes = ["=ant", 'a "bee", small', "Käfer"]
    places = [65_534, 65_535, 65_536, N - 1]
    for place, record in zip(places, tiny.records, strict=False):
        record["id"], record["given_original_label"] = place, int(labels[place])
        record["our_guessed_label"] = int((labels[place] + 1) % 3)
    if request.param == "with keys":
        tiny.files, tiny.examples = 'index = "index.json"', 'key = "entry"'
        tiny.extra = {"index.json": [f"{'=é,' if i % 7 == 0 else ''}{i}" for i in range(N)]}
    manifest = tiny.write()
    text = manifest.read_text().replace('pred_probs = "probs.npy"\n', "").replace("flag = 8", "")
    manifest.write_text(text)
    np.save(tiny.folder / "labels.npy", labels)
    (tiny.folder / "votes.json").write_text(json.dumps(tiny.records))
    catalogue = folder / "catalogue.sqlite"
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(catalogue)]) == 0
    return catalogue


@pytest.mark.parametrize("query", POLICIES)
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_parts_are_those_of_the_whole(large, suffix, query):
    chosen = random.Random(0)
    with create_engine(f"sqlite:///{large}", poolclass=NullPool).connect() as connection:
        pairs = [tuple(pair.split("=")) for pair in query.split("&") if pair]
        found = corrected(connection, load(connection, "tiny"), parse(pairs, (3, 4, 5)))
        whole = b"".join(write(FORMATS[suffix], connection, found))
        parts = FORMATS[suffix].parts
        ends = parts.ends(connection, found)
        assert len(ends) == 4
        assert ends[-1] == len(whole)
        borders = [place + step for place in (0, *ends.tolist()) for step in (-1, 0, 1)]
        for first in [*borders, *(chosen.randrange(len(whole)) for _ in range(6))]:
            if 0 <= first < len(whole):
                assert b"".join(parts.pieces(connection, found, ends, first)) == whole[first:], first
