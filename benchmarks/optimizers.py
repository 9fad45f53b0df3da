"""How long an optimizer's step takes, next to that of Keras's own.

Both take turns in one process; the figure is the median of the ratios of the
turns. It exits with 1 if any is above 1.05.

    python benchmarks/optimizers.py [--turns 15]
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pairs
import tensorflow as tf

from tfcourse import optimizers

# Ten million parameters in ten tensors, and a hundred small tensors; and how
# many steps to time at once.
SIZES = {
    "10 x 1000 x 1000": ([(1000, 1000)] * 10, 1),
    "100 x 16 x 16": ([(16, 16)] * 100, 20),
}

PAIRS = {
    "GradientDescent": (optimizers.GradientDescent, keras.optimizers.SGD, {}),
    "Momentum": (
        optimizers.Momentum,
        lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
        {},
    ),
    "RMSprop": (optimizers.RMSprop, keras.optimizers.RMSprop, {}),
    "RMSprop, epsilon inside": (
        optimizers.RMSprop,
        keras.optimizers.RMSprop,
        {"epsilon_inside_sqrt": True},
    ),
    "Adam": (optimizers.Adam, keras.optimizers.Adam, {}),
    "Adam, epsilon inside": (
        optimizers.Adam,
        keras.optimizers.Adam,
        {"epsilon_inside_sqrt": True},
    ),
}


def timed(optimizer, shapes, repeats, xla):
    """Returns a function that gives the seconds of a step on `shapes`."""
    rng = np.random.default_rng(0)
    variables = [
        keras.Variable(rng.normal(size=shape), dtype="float32")
        for shape in shapes
    ]
    gradients = [
        tf.constant(rng.normal(size=shape), "float32") for shape in shapes
    ]
    optimizer.build(variables)
    step = tf.function(
        lambda: optimizer.apply(gradients, variables), jit_compile=xla
    )

    def seconds():
        start = time.perf_counter()
        for _ in range(repeats):
            step()
        # What is read last has waited for all.
        variables[-1][0, 0].numpy()
        return (time.perf_counter() - start) / repeats

    seconds()
    seconds()
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=15)
    turns = parser.parse_args().turns

    ratios = []
    pairs.heading()
    for size, (shapes, repeats) in SIZES.items():
        for xla in (False, True):
            for name, (ours, theirs, settings) in PAIRS.items():
                times = pairs.compare(
                    timed(ours(0.001, **settings), shapes, repeats, xla),
                    timed(theirs(0.001), shapes, repeats, xla),
                    turns,
                )
                pairs.row(f"{name:25}{size}{' XLA' if xla else ''}", *times)
                ratios.append(times[-1])
    pairs.conclude(ratios)


if __name__ == "__main__":
    main()
