"""How long a prediction takes: folded, not folded, and through Keras.

A convolutional net of six layers with batch norm. All take turns in one
process; the figures are medians.

    python benchmarks/inference.py [--turns 25]
"""

import argparse
import os
import statistics
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfcourse import export_saved_model
from tfcourse.export import fold_batch_normalization
from tfcourse.layers import BatchNormalization


def network():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((32, 32, 3))])
    sizes = [(16, 1), (16, 1), (32, 2), (32, 1), (64, 2), (64, 1)]
    for filters, strides in sizes:
        model.add(layers.Conv2D(filters, 3, strides, use_bias=False))
        model.add(BatchNormalization())
        model.add(layers.ReLU())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10))
    return model


def exported(model, folder):
    export_saved_model(model, folder)
    loaded = tf.saved_model.load(folder)
    return lambda x: loaded.serve(x)["outputs"].numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=25)
    turns = parser.parse_args().turns
    model = network()
    folded = fold_batch_normalization(model)
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            "folded SavedModel": exported(folded, f"{folder}/folded"),
            "SavedModel": exported(model, f"{folder}/plain"),
            "model.predict": lambda x: model.predict(x, verbose=0),
            "model(x)": lambda x: model(x, training=False).numpy(),
        }
    for batch in (1, 256):
        x = tf.random.normal((batch, 32, 32, 3), seed=0)
        times = {name: [] for name in ways}
        for way in ways.values():
            np.testing.assert_allclose(way(x), ways["SavedModel"](x), atol=1e-4)
        for _ in range(turns):
            for name, way in ways.items():
                start = time.perf_counter()
                way(x)
                times[name].append(time.perf_counter() - start)
        folded_time = statistics.median(times["folded SavedModel"])
        print(f"batch of {batch}")
        for name, seconds in times.items():
            seconds = statistics.median(seconds)
            print(
                f"  {name:20}{1e3 * seconds:9.2f} ms"
                f"{batch / seconds:12,.0f} examples a second"
                f"{seconds / folded_time:8.2f} of folded"
            )


if __name__ == "__main__":
    main()
