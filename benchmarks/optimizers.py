"""How long an optimizer's step takes, next to that of Keras's own.

Both take turns in one process, so that what else the machine does slows both;
the ratio of each turn is taken, and the median of the ratios printed. A ratio
of at most 1.05 is wanted.

    python benchmarks/optimizers.py [--turns 15]
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
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


def compiled_step(optimizer, shapes, jit_compile):
    """Returns a function that applies one step to variables of `shapes`."""
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
        lambda: optimizer.apply(gradients, variables), jit_compile=jit_compile
    )
    step()
    step()
    return step


def seconds(step, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=15)
    turns = parser.parse_args().turns

    print(f"{'optimizer':24} {'tensors':17} XLA  ours ms  Keras ms  ratio")
    for size, (shapes, repeats) in SIZES.items():
        for jit_compile in (False, True):
            for name, (ours, theirs, settings) in PAIRS.items():
                pair = [
                    compiled_step(ours(0.001, **settings), shapes, jit_compile),
                    compiled_step(theirs(0.001), shapes, jit_compile),
                ]
                times = [
                    [seconds(step, repeats) for step in pair]
                    for _ in range(turns)
                ]
                ratio = statistics.median(a / b for a, b in times)
                a, b = (
                    1e3 * statistics.median(column)
                    for column in zip(*times, strict=True)
                )
                print(
                    f"{name:24} {size:17} {'on' if jit_compile else 'off':3}"
                    f" {a:8.2f} {b:9.2f} {ratio:6.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
