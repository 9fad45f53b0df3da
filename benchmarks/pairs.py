"""Two that take turns, so that what else the machine does slows both."""

import json
import math
import pathlib
import statistics
import sys

LIMIT = 1.05


def in_turn(ours, theirs, turns):
    """Returns the seconds of each in each turn, as a list of pairs.

    Each of the two runs once and returns its seconds; who is first alternates.
    """
    pairs = []
    for turn in range(turns):
        if turn % 2:
            second = theirs()
            pairs.append((ours(), second))
        else:
            pairs.append((ours(), theirs()))
    return pairs


def compare(ours, theirs, turns):
    """Returns the median seconds of each, and the median of their ratios."""
    pairs = in_turn(ours, theirs, turns)
    mine, other = map(statistics.median, zip(*pairs, strict=True))
    return mine, other, statistics.median(a / b for a, b in pairs)


def interval(ratios):
    """Returns between what the median of all such ratios lies.

    With at least nine in ten chances, whatever their distribution: each one of
    the ratios is as likely above that median as below. Of fewer than five it is
    the least and the largest, with less.
    """
    ratios, n = sorted(ratios), len(ratios)
    outside, cut = 1, 0  # Of 2 ** n: that all of them are on one side.
    while 2 * (outside + math.comb(n, cut + 1)) <= 0.1 * 2**n:
        cut += 1
        outside += math.comb(n, cut)
    return ratios[cut], ratios[n - 1 - cut]


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


def note(path, what, figure, unit, aim, reached):
    """Appends a row of the whole table to a file; to none if it is None."""
    if path is not None:
        row = {"what": what, "figure": figure, "unit": unit}
        row |= {"aim": aim, "reached": bool(reached)}
        with pathlib.Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
