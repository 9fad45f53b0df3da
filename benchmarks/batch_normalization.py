"""Batch normalization against Keras's own: is it ever slower?

Both layers run in turns on the same input, with the same epsilon and momentum,
and the median time of each is compared. A forward pass is one call in training,
its averages included; a backward pass is that and the gradients of the input
and the layer's weights.

    python benchmarks/batch_normalization.py [--repeats 60]
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from tfcourse.layers import BatchNormalization

SHAPES = {
    "dense": [(64, 64), (256, 512), (4096, 256)],
    "4-D": [(32, 32, 32, 32), (32, 28, 28, 64)],
}
LIMIT = 1.05


def forward(layer, x, upstream):
    return layer(x, training=True)


def backward(layer, x, upstream):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    weights = [weight.value for weight in layer.trainable_weights]
    return tape.gradient(y, [x, *weights], output_gradients=upstream)


def compiled(layer, step, x, upstream, xla):
    """Returns a function that runs `step` to its end once."""
    run = tf.function(step, jit_compile=xla)

    def timed():
        start = time.perf_counter()
        # What is read last has waited for all.
        tf.nest.flatten(run(layer, x, upstream))[0][0].numpy()
        return time.perf_counter() - start

    timed()
    return timed


def ratio(shape, step, xla, repeats):
    """Returns the median time of ours, and its ratio to that of Keras."""
    x, upstream = tf.random.normal(shape), tf.random.normal(shape)
    settings = {"momentum": 0.9, "epsilon": 1e-8}
    ours, theirs = (
        compiled(layer(**settings), step, x, upstream, xla)
        for layer in (BatchNormalization, keras.layers.BatchNormalization)
    )
    pairs = [(ours(), theirs()) for _ in range(repeats)]
    mine, other = map(statistics.median, zip(*pairs, strict=True))
    return mine, mine / other


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=60)
    repeats = parser.parse_args().repeats
    worst = 0.0
    print(f"{'':28}{'ours, ms':>10}{'ratio':>8}")
    for kind, shapes in SHAPES.items():
        for shape in shapes:
            for xla in (False, True):
                for step in (forward, backward):
                    seconds, share = ratio(shape, step, xla, repeats)
                    worst = max(worst, share)
                    name = f"{kind} {'x'.join(map(str, shape))}"
                    how = f"{step.__name__}{' XLA' if xla else ''}"
                    print(
                        f"{name:<20}{how:<14}"
                        f"{1e3 * seconds:>8.3f}{share:>8.2f}",
                        flush=True,
                    )
    print(f"largest ratio {worst:.2f}, to be at most {LIMIT}")


if __name__ == "__main__":
    main()
