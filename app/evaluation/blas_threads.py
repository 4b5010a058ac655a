"""Limit the linear algebra libraries behind numpy to one thread; must run before numpy is imported.

Resampling multiplies many small matrices, and OpenBLAS threads wait for each other by spinning: on two busy cores, two
threads take ten times as long as one and use ten times the processor time (``python -m benchmarks.bootstrap``). Work
that is worth several cores is spread over processes instead.
"""

from collections.abc import MutableMapping
from typing import Final

#: The variable of each library that numpy may have been built with.
VARIABLES: Final = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def bound(environment: MutableMapping[str, str]) -> None:
    """Have libraries that are loaded in this environment use one thread, unless it says already how many.

    >>> environment = {"OMP_NUM_THREADS": "4"}
    >>> bound(environment)
    >>> environment["OPENBLAS_NUM_THREADS"], environment["OMP_NUM_THREADS"]
    ('1', '4')
    """
    for name in VARIABLES:
        environment.setdefault(name, "1")
