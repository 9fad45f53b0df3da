"""Batch normalization against Keras's own: is it ever slower?

Both layers take turns on the same input, with the same epsilon and momentum;
the figure is the median of the ratios of the turns. It exits with 1 if any is
above 1.05. A forward pass is one call in training, its averages included; a
backward pass is that and the gradients of the input and the layer's weights.

    python benchmarks/batch_normalization.py [--turns 60]
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pairs
import tensorflow as tf

from tfcourse.layers import BatchNormalization

SHAPES = {
    "dense": [(64, 64), (256, 512), (4096, 256)],
    "4-D": [(32, 32, 32, 32), (32, 28, 28, 64)],
}


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


def compare(shape, step, xla, turns):
    x, upstream = tf.random.normal(shape), tf.random.normal(shape)
    settings = {"momentum": 0.9, "epsilon": 1e-8}
    ours, theirs = (
        compiled(layer(**settings), step, x, upstream, xla)
        for layer in (BatchNormalization, keras.layers.BatchNormalization)
    )
    return pairs.compare(ours, theirs, turns)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=60)
    turns = parser.parse_args().turns

    ratios = []
    pairs.heading()
    for kind, shapes in SHAPES.items():
        for shape in shapes:
            for xla in (False, True):
                for step in (forward, backward):
                    times = compare(shape, step, xla, turns)
                    name = f"{kind} {'x'.join(map(str, shape))}"
                    how = f"{step.__name__}{' XLA' if xla else ''}"
                    pairs.row(f"{name:25}{how}", *times)
                    ratios.append(times[-1])
    pairs.conclude(ratios)


if __name__ == "__main__":
    main()
