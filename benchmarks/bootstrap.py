"""How long resampling takes with one thread of linear algebra and with one for each core, alone and beside other work.

``python -m benchmarks.bootstrap`` resamples marks in the shape of ImageNet's 34 models, four kinds of accuracy each, at
one agreement threshold. The other work is a process a core that never rests.
"""

import argparse
import os
import subprocess
import sys
from contextlib import ExitStack

from app.evaluation.blas_threads import VARIABLES
from ingest.flagging.cores import available

_EXAMPLES, _MARKS = 48_512, 136

_PROGRAM = f"""
import time
import numpy as np
from app.domain.bootstrap import right_counts
marks = np.random.default_rng(0).random(({_EXAMPLES}, {_MARKS})) < 0.7
began, before = time.perf_counter(), time.process_time()
right_counts(marks)
print(time.perf_counter() - began, time.process_time() - before)
"""


def resampled(threads: int) -> tuple[float, float]:
    """Seconds that pass, and seconds of processors, for 1,000 resamplings."""
    environment = os.environ | dict.fromkeys(VARIABLES, str(threads))
    done = subprocess.run([sys.executable, "-c", _PROGRAM], env=environment, check=True, capture_output=True, text=True)
    passed, used = map(float, done.stdout.split())
    return passed, used


def beside(workers: int) -> ExitStack:
    """So many processes that never rest, until the block ends."""
    stack = ExitStack()
    for _ in range(workers):
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        stack.callback(busy.wait)
        stack.callback(busy.kill)
    return stack


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    cores = available()
    for words, busy in (("alone", 0), (f"beside {cores} busy processes", cores)):
        with beside(busy):
            one, each = resampled(1), resampled(cores)
        print(
            f"{words}: one thread {one[0]:.1f} s ({one[1]:.1f} s of processors), {cores} threads {each[0]:.1f} s "
            f"({each[1]:.1f} s), so one takes {one[0] / each[0]:.2f} of the time"
        )


if __name__ == "__main__":
    main()
