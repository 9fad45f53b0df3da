"""Two that take turns, so that what else the machine does slows both."""

import statistics
import sys

LIMIT = 1.05


def compare(ours, theirs, turns):
    """Returns the median seconds of each, and the median of their ratios.

    Each of the two runs once and returns its seconds; who is first alternates.
    """
    pairs = []
    for turn in range(turns):
        if turn % 2:
            second = theirs()
            pairs.append((ours(), second))
        else:
            pairs.append((ours(), theirs()))
    mine, other = map(statistics.median, zip(*pairs, strict=True))
    return mine, other, statistics.median(a / b for a, b in pairs)


def row(name, mine, other, ratio):
    """Prints one comparison, marked if it is above the limit."""
    print(
        f"{name:44}{1e3 * mine:10.3f}{1e3 * other:10.3f}{ratio:8.2f}"
        f"{'  ABOVE' if ratio > LIMIT else ''}",
        flush=True,
    )


def heading():
    print(f"{'':44}{'ours, ms':>10}{'Keras, ms':>10}{'ratio':>8}")


def conclude(ratios):
    """Exits, with 1 if any of the ratios is above the limit."""
    above = sum(ratio > LIMIT for ratio in ratios)
    print(
        f"largest ratio {max(ratios):.2f}; {above} of {len(ratios)} rows "
        f"above {LIMIT}"
    )
    sys.exit(above > 0)
