"""What it costs a search to compare first batches with Keras's own step.

Whole searches by Caviar with `verify=True` and `verify=False` take turns, the
same trials each time. The figures are the median of the ratios of their times,
and the share of its time that a search with it spends until its first batch is
compared, of which tracing would have been needed without it, too. Exit code 1
where the ratio is above 1.05.

    python benchmarks/verification.py --cases mlp course --turns 7
"""

import argparse
import contextlib
import statistics
import sys
import time
from unittest import mock

from spaces import SPACES, by_tuner, digits

from tfcourse.tuning import Caviar
from tfcourse.tuning.caviar.verification import Verification
from tfcourse.tuning.population.trainer import PopulationTrainer

LIMIT = 0.05


@contextlib.contextmanager
def timed(seconds):
    """Adds to a list what the parts of the comparison take."""
    with contextlib.ExitStack() as stack:
        for owner, name in (
            (PopulationTrainer, "_first_batch"),
            (Verification, "prepare"),
            (Verification, "_check"),
        ):
            stack.enter_context(_timed(owner, name, seconds))
        yield


def _timed(owner, name, seconds):
    function = getattr(owner, name)

    def around(*args):
        start = time.perf_counter()
        try:
            return function(*args)
        finally:
            seconds.append(time.perf_counter() - start)

    return mock.patch.object(owner, name, around)


def compare(name, options, data):
    """Prints one case; returns whether it is within the limit."""
    ratios, shares = [], []
    for turn in range(options.turns):
        took = {}
        for verify in sorted((True, False), reverse=turn % 2):
            seconds = []
            with timed(seconds):
                took[verify], tuner = by_tuner(
                    Caviar,
                    name,
                    options.trials,
                    turn,
                    data,
                    options.epochs,
                    verify=verify,
                )
            if verify:
                shares.append(sum(seconds) / (took[True] * options.trials))
                verified = sum(group["verified"] for group in tuner.groups)
        ratios.append(took[True] / took[False])
    ratio, share = statistics.median(ratios), statistics.median(shares)
    print(
        f"{name}: {options.trials} trials, {verified} of them compared, "
        f"{ratio:.3f} of the time without (at most {1 + LIMIT}), "
        f"{share:.1%} of a search until it is compared",
        flush=True,
    )
    return ratio <= 1 + LIMIT


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=["mlp"], choices=SPACES)
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--turns", type=int, default=7)
    options = parser.parse_args()
    data = digits()
    # What is done once in a process belongs to neither.
    for verify in (True, False):
        by_tuner(Caviar, "mlp", 8, 0, data, 1, verify=verify)
    within = [compare(name, options, data) for name in options.cases]
    sys.exit(not all(within))


if __name__ == "__main__":
    main()
