"""The bytes of a corrected test set follow from the catalogue alone: published hashes are worth nothing otherwise."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT


@cache
def digests(catalogue: Path, forms: str, names: tuple[str, ...], filled_with: int) -> str:
    """The hashes of all files, with every piece of memory filled with a byte before it is used (glibc's malloc)."""
    memory = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_PERTURB_": str(filled_with)}
    command = [sys.executable, "-m", "tests.app.site.corrected.digests", str(catalogue), forms, *names]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | memory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("filled_with", [85, 170])
def test_files_do_not_depend_on_what_memory_held(sample_catalogue: Path, filled_with: int):
    names = ("sample-digits", "sample-texts", "sample-sounds")
    forms = "csv,jsonl,parquet,npy,npz"
    plain = digests(sample_catalogue, forms, names, 0)
    assert len(plain.splitlines()) == 672
    assert digests(sample_catalogue, forms, names, filled_with) == plain


def test_files_do_not_depend_on_it_where_two_classes_have_one_name(real_catalogue: Path):
    plain = digests(real_catalogue, "parquet", ("imagenet",), 0)
    assert digests(real_catalogue, "parquet", ("imagenet",), 170) == plain
