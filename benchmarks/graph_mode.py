"""The lecture's 1000 steps: by a loop around the graph, and by one inside it.

Both take turns, whole calls of `minimize_quadratic` with the making of the
graph and the session in them; the figure is the median of the ratios of the
turns. It exits with 1 if the loop in the graph is less than five times as fast,
or gives another number in any of its bits.

    python benchmarks/graph_mode.py [--turns 9]
"""

import argparse
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pairs

from tfcourse.graph_mode import minimize_quadratic

OPTIMIZERS = ("gradient_descent", "momentum", "rmsprop", "adam")
AT_LEAST = 5


def timed(optimizer, fast):
    """Returns a function that gives the CPU seconds of a run."""

    def seconds():
        start = time.process_time()
        minimize_quadratic(optimizer=optimizer, fast=fast, verbose=False)
        return time.process_time() - start

    seconds()
    return seconds


def same_bits(optimizer):
    slow, fast = (
        minimize_quadratic(optimizer=optimizer, fast=fast, verbose=False)
        for fast in (False, True)
    )
    return np.array_equal(slow, fast)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=9)
    turns = parser.parse_args().turns

    fine = True
    print(f"{'':20}{'around, ms':>12}{'inside, ms':>12}{'faster':>10}  bits")
    for optimizer in OPTIMIZERS:
        around, inside, faster = pairs.compare(
            timed(optimizer, fast=False), timed(optimizer, fast=True), turns
        )
        same = same_bits(optimizer)
        fine &= same and faster >= AT_LEAST
        print(
            f"{optimizer:20}{1e3 * around:12.1f}{1e3 * inside:12.1f}"
            f"{faster:9.1f}x  {'same' if same else 'OTHER'}",
            flush=True,
        )
    sys.exit(not fine)


if __name__ == "__main__":
    main()
