"""Prints the SHA-256 of every file of a catalogue's datasets, under every policy: for tests of what they depend on."""

import hashlib
import itertools
import sys
from pathlib import Path

from app.corrected import blocks, original_test_set
from app.corrected.formats import offered, write
from app.corrected.policy import offers, parse
from app.schema.engine import reading_engine


def main(catalogue: Path, forms: str, names: list[str]) -> None:
    """One line a file: dataset, policy, form, digest. Policies that the catalogue cannot serve are left out."""
    with reading_engine(catalogue).connect() as connection:
        for name in names:
            found = original_test_set.load(connection, name)
            offer = offers(found.agreements[:1])
            for values in itertools.product(*offer.values()):
                if ("unreviewed", "drop") in zip(offer, values, strict=True) and not found.flags_known:
                    continue
                wanted = parse(zip(offer, values, strict=True), found.agreements)
                corrected = blocks.corrected(connection, found, wanted)
                for form in (form for form in offered(corrected) if form.suffix in forms.split(",")):
                    digest = hashlib.sha256()
                    for piece in write(form, connection, corrected):
                        digest.update(piece)
                    print(name, *values, form.suffix, digest.hexdigest())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
