"""Threads of the linear algebra libraries behind numpy: one a process, said to them before numpy is loaded.

The products of resampling are small and many, and threads of OpenBLAS wait for each other by spinning: on two cores
with other work beside, two threads take ten times as long as one and use ten times the processor time (``python -m
benchmarks.bootstrap``). What is worth several cores here is spread over processes.
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
