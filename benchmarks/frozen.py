"""A tuned head on a frozen base: is the base computed once for all trials?

A convolutional base without pretrained weights, as these are a download, which
costs as much to compute. keras-tuner trains a few of the same trials, in turn.

    python benchmarks/frozen.py --trials 16 48

Exit code 1 if Caviar is less than ten times as fast, in CPU seconds a trial.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import numpy as np
from keras import layers

from tfcourse.tuning import Caviar

AIM = 10
SHAPE = (64, 64, 3)


def space():
    """Returns what builds a head on one base."""
    keras.utils.set_random_seed(0)
    base = keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=SHAPE, alpha=0.5
    )
    base.trainable = False

    def build(hp):
        inputs = keras.Input(SHAPE)
        x = base(inputs, training=False)
        x = layers.GlobalAveragePooling2D()(x)
        units = hp.Int("units", 32, 256, step=32)
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(0.3)(x)
        outputs = layers.Dense(3, activation="softmax")(x)
        model = keras.Model(inputs, outputs)
        rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
        model.compile(
            keras.optimizers.Adam(rate),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    return build


def seconds(cls, trials):
    """Returns the CPU seconds a trial, and how the trials were trained."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, *SHAPE)).astype("float32")
    y = rng.integers(3, size=400)
    with tempfile.TemporaryDirectory() as folder:
        tuner = cls(
            space(),
            objective="val_accuracy",
            max_trials=trials,
            seed=1,
            directory=folder,
        )
        start = time.process_time()
        tuner.search(x, y, epochs=5, validation_split=0.2, verbose=0)
        spent = time.process_time() - start
    return spent / trials, getattr(tuner, "groups", ())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--trials", type=int, nargs="+", default=[16, 48])
    parser.add_argument("--peer-trials", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    seconds(keras_tuner.RandomSearch, 1)
    reached = True
    for trials in options.trials:
        ours, theirs = [], []
        for _ in range(options.turns):
            spent, groups = seconds(Caviar, trials)
            ours.append(spent)
            theirs.append(
                seconds(keras_tuner.RandomSearch, options.peer_trials)[0]
            )
        ratio = statistics.median(theirs) / statistics.median(ours)
        reached &= ratio >= AIM
        print(
            f"{trials} trials, {len(groups)} group: CPU s a trial "
            f"{statistics.median(ours):.2f}, keras-tuner "
            f"{statistics.median(theirs):.2f}: {ratio:.1f} times as fast "
            f"(aim {AIM})",
            flush=True,
        )
    sys.exit(not reached)


if __name__ == "__main__":
    main()
