"""What Panda costs: `fit` with it, at its default settings, and without.

On the bundled data, with a development set. One compiled model is trained by
both in turns, from where it stands; the time is that of the whole `fit`, with
all that Panda writes at the start and at the end.

    python benchmarks/panda.py [--turns 9] [--seconds 5] [digits iris ...]
"""

import argparse
import os
import pathlib
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pairs

from tfcourse import data
from tfcourse.tuning import Panda, read_journal

pairs.LIMIT = 1.03


def network(features, classes):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(features),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )
    loss = "sparse_categorical_crossentropy"
    # Small, so that no weight grows without bound in all the turns.
    model.compile(keras.optimizers.Adam(1e-5), loss, metrics=["accuracy"])
    return model


class Fit:
    """Trains on a data set, for about so many seconds a time."""

    def __init__(self, name, seconds):
        dataset = data.load(name)
        self._parts = data.split(dataset)
        self._x, self._y = dataset.x, dataset.y
        self._model = network(dataset.x.shape[1:], len(dataset.labels))
        self._epochs = 1
        self.plain()
        self._epochs = 20
        self._epochs = round(seconds / (self.plain() / 20))

    def plain(self, *callbacks):
        """Trains once; returns the seconds that it took."""
        start = time.perf_counter()
        self._model.fit(
            *self._examples("train"),
            validation_data=self._examples("dev"),
            epochs=self._epochs,
            verbose=0,
            callbacks=callbacks,
        )
        return time.perf_counter() - start

    def watched(self):
        """The same with Panda; tells what its journal says at the end."""
        with tempfile.TemporaryDirectory() as folder:
            run = pathlib.Path(folder, "run")
            seconds = self.plain(Panda(run))
            self.written = [
                entry["duration"]
                for entry in read_journal(run)
                if entry.get("event") == "checkpoint"
            ]
        return seconds

    def _examples(self, part):
        positions = getattr(self._parts, part)
        return self._x[positions], self._y[positions]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("names", nargs="*", default=list(data.BUNDLED))
    arguments = parser.parse_args()
    print(f"{'':44}{'Panda, ms':>10}{'plain, ms':>10}{'ratio':>8}")
    ratios = []
    for name in arguments.names:
        fit = Fit(name, arguments.seconds)
        fit.watched()
        found = pairs.compare(fit.watched, fit.plain, arguments.turns)
        count, spent = len(fit.written), sum(fit.written)
        pairs.row(f"{name} ({count} checkpoints, {spent:.2f} s)", *found)
        ratios.append(found[-1])
    pairs.conclude(ratios)


if __name__ == "__main__":
    main()
