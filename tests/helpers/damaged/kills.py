"""Searches whose trials go on from each other, killed by `kill -9`."""

import json
import multiprocessing
import os
import pathlib
import signal
import time

import keras
import keras_tuner
import numpy as np

from tfcourse.tuning import Caviar, SerialTuner

LOSS = keras_tuner.Objective("val_loss", "min")
X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def build(hp):
    """A space in which halving and Hyperband have something to choose."""
    start = keras.initializers.GlorotUniform(seed=0)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(1, kernel_initializer=start)]
    )
    rate = hp.Float("rate", 1e-4, 0.3, sampling="log")
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def _hyperband():
    return keras_tuner.oracles.HyperbandOracle(
        LOSS, max_epochs=4, factor=2, seed=1
    )


WAYS = {
    "halving": lambda **to: Caviar(
        build, LOSS, 8, halving=True, population=4, seed=1, **to
    ),
    "hyperband": lambda **to: Caviar(build, oracle=_hyperband(), **to),
    "hyperband, one by one": lambda **to: SerialTuner(
        _hyperband(), build, **to
    ),
}


def search(way, folder):
    """Searches, or goes on with it."""
    tuner = WAYS[way](directory=folder, project_name="p")
    tuner.search(
        X,
        Y,
        validation_data=(X[:8], Y[:8]),
        epochs=4,
        batch_size=8,
        shuffle=False,
        verbose=0,
    )


def trials(folder):
    """Returns the values, the state and the score of each trial by its id."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("p/trial_*/trial.json")):
        state = json.loads(path.read_text())
        values = state["hyperparameters"]["values"]
        found[state["trial_id"]] = values, state["status"], state["score"]
    return found


def completed(folder):
    """Returns the files of each completed trial, with their times."""
    return {
        trial: [
            (path.name, path.read_bytes(), path.stat().st_mtime_ns)
            for path in sorted(
                pathlib.Path(folder, f"p/trial_{trial}").iterdir()
            )
        ]
        for trial, (_, status, _) in trials(folder).items()
        if status == "COMPLETED"
    }


def count_renames(do):
    """Calls `do(n)` before the n-th file of this process gets its name."""
    count = 0
    original = pathlib.Path.replace

    def replace(path, to):
        nonlocal count
        count += 1
        do(count)
        return original(path, to)

    pathlib.Path.replace = replace


def _killed_search(way, folder, at):
    def kill(count):
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    count_renames(kill)
    search(way, folder)


class Processes:
    """Searches in processes that have imported everything."""

    def __init__(self):
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__])
        first = self._context.Process(target=int)
        first.start()
        first.join()

    def run(self, way, folder, at=None, seconds=None):
        """Runs a search, killed before a rename, or after a time, if given.

        Returns:
            Whether it was killed, and how many seconds it ran.
        """
        begun = time.monotonic()
        process = self._context.Process(
            target=_killed_search, args=(way, str(folder), at)
        )
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
        if process.exitcode not in (0, -signal.SIGKILL):
            raise AssertionError(f"It ended with {process.exitcode}.")
        return process.exitcode != 0, time.monotonic() - begun
