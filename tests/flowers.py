"""A made-up table of flowers with a few wrong labels, as a dataset that ``init`` finds."""

from pathlib import Path

import numpy as np
import pandas as pd

from ingest.commands.main import main

N = 300
KINDS = ("iris", "rose", "tulip")
#: Rows whose label is that of the next kind, so that lengths and colours do not fit it.
WRONG = (10, 40, 77)
#: A tulip-long iris with a label that is right, and one of a colour that no other iris has.
LONG, GREEN = 0, 3
#: A value that must never be markup.
NASTY = "<b>& 'x'</b>"


def flowers() -> tuple[pd.DataFrame, np.ndarray]:
    """The table, and the kind that each row really is of."""
    rng = np.random.default_rng(5)
    kinds = np.arange(N) % 3
    frame = pd.DataFrame(
        {
            "length in cm": (rng.normal(10 * (kinds + 1), 1)).round(2),
            "petals": rng.integers(4, 8, N),
            "colour": np.array(["blue", "red", "yellow"])[kinds],
            "garden": rng.choice(["north garden", "south garden", NASTY], N),
        }
    )
    frame["petals"] = frame["petals"].astype(float)
    frame.loc[5, "petals"] = np.nan
    frame.loc[LONG, "length in cm"] = 31.5
    frame.loc[GREEN, "colour"] = "green"
    given = kinds.copy()
    given[list(WRONG)] = (kinds[list(WRONG)] + 1) % 3
    frame["kind"] = np.array(KINDS)[given]
    return frame, kinds


def build(catalogue: Path, flag: int = 8) -> None:
    """Find the dataset, give it probabilities that say what each row really is, and add it."""
    folder = catalogue.parent / "flowers-files"
    folder.mkdir(parents=True)
    frame, kinds = flowers()
    frame.to_csv(folder / "flowers.csv", index=False)
    out = folder / "found"
    assert main(["init", str(folder / "flowers.csv"), "--out", str(out), "--label-column", "kind"]) == 0
    sure = 0.6 + 0.3 * np.random.default_rng(1).random((N, 1))
    np.save(out / "pred_probs.npy", np.where(np.eye(3)[kinds] > 0, sure, (1 - sure) / 2))
    manifest = out / "dataset.toml"
    text = manifest.read_text().replace("[files]\n", '[files]\npred_probs = "pred_probs.npy"\n')
    manifest.write_text(text.replace("\nmodality", f"\nflag = {flag}\nmodality"))
    where = [str(manifest), str(out), "--media", str(folder)]
    assert main(["add", *where, "--catalogue", str(catalogue)]) == 0
