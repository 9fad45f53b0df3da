"""Which callbacks are called for each member of a population?"""

import random
import threading

import keras
import numpy as np
import pytest
from keras import callbacks as of_keras
from keras.callbacks import Callback

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.caviar.callbacks.accepted import (
    called_for_members,
    stops_by_itself,
)

SHARED = []
LIMIT = 0.5


def halved(value):
    return value / 2


def noted(value):
    SHARED.append(value)
    return value


def own(**methods):
    return type("Own", (Callback,), methods)()


def holding(value, **methods):
    callback = own(**methods)
    callback.value = value
    return callback


def local(values):
    return own(on_epoch_end=lambda self, epoch, logs: values.append(logs))


class Counter(Callback):
    def __init__(self):
        super().__init__()
        self.values, self.count = [], 0

    def on_epoch_end(self, epoch, logs=None):
        self.values.append(halved(logs.get("loss", np.inf)))
        self.count += min(v for v in self.values) < LIMIT
        logs["count"] = self.count
        self.helper(logs)

    def helper(self, logs):
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        print(f"{rate:.3f}", sorted(logs.items()))


class SetsLater(Callback):
    def on_train_begin(self, logs=None):
        self.base = int(self.model.optimizer.iterations)

    def on_epoch_end(self, epoch, logs=None):
        logs["base"] = self.base


class Derived(Counter):
    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)


class CountsForAll(Callback):
    count = 0

    def on_epoch_end(self, epoch, logs=None):
        global LIMIT
        LIMIT = epoch


CALLED = {
    "own": Counter,
    "derived": Derived,
    "sets later": SetsLater,
    "early stopping": of_keras.EarlyStopping,
    "plateau": of_keras.ReduceLROnPlateau,
    "schedule": lambda: of_keras.LearningRateScheduler(lambda e, r: halved(r)),
    "files": lambda: of_keras.CSVLogger("log.csv"),
    "checkpoints": lambda: of_keras.ModelCheckpoint("a.keras"),
    "lambda": lambda: of_keras.LambdaCallback(
        on_epoch_end=lambda epoch, logs: print(epoch, logs)
    ),
    "arrays": lambda: holding(np.ones(3)),
}
APART = {
    "not a callback": (object, "not a callback"),
    "batches": (lambda: own(on_train_batch_end=lambda s, b, logs: 0), "batch"),
    "test": (lambda: own(on_test_end=lambda s, logs: 0), "on_test_end"),
    "lambda of batches": (
        lambda: of_keras.LambdaCallback(on_train_batch_end=lambda b, logs: 0),
        "batch",
    ),
    "TensorBoard": (lambda: of_keras.TensorBoard("logs"), "live model"),
    "averages": (of_keras.SwapEMAWeights, "live model"),
    "saves by batches": (
        lambda: of_keras.ModelCheckpoint("a.keras", save_freq=9),
        "between epochs",
    ),
    "restores": (lambda: of_keras.BackupAndRestore("."), "restore"),
    "a list of the module": (
        lambda: own(on_epoch_end=lambda s, e, logs: SHARED.append(e)),
        "SHARED",
    ),
    "a list by a function": (
        lambda: own(on_epoch_end=lambda s, e, logs: noted(e)),
        "SHARED",
    ),
    "a list of a closure": (lambda: local([]), "values"),
    "a list of the class": (lambda: own(seen=[]), "list"),
    "a list as a default": (
        lambda: own(on_epoch_end=lambda s, e, logs, seen=[]: seen.append(e)),
        "default",
    ),
    "a global": (CountsForAll, "LIMIT"),
    "draws": (
        lambda: own(on_epoch_end=lambda s, e, logs: random.random()),
        "random",
    ),
    "draws by NumPy": (
        lambda: own(on_epoch_end=lambda s, e, logs: np.random.rand()),
        "random",
    ),
    "a file": (
        lambda: own(on_epoch_end=lambda s, e, logs: open(e)),  # noqa: PTH123, SIM115
        "open",
    ),
    "saves": (
        lambda: own(on_epoch_end=lambda s, e, logs: s.model.save("a.keras")),
        "save",
    ),
    "saves an array": (
        lambda: own(on_epoch_end=lambda s, e, logs: np.save("a", np.ones(3))),
        "save",
    ),
    "fits": (
        lambda: own(on_epoch_end=lambda s, e, logs: s.model.fit(np.ones(3))),
        "fit",
    ),
    "a schedule that notes": (
        lambda: of_keras.LearningRateScheduler(lambda e, r: noted(r)),
        "SHARED",
    ),
    "holds an object": (lambda: holding(threading.Lock()), "lock"),
    "holds a layer": (lambda: holding([keras.layers.Dense(1)]), "list"),
    "holds a function that notes": (lambda: holding(noted), "SHARED"),
    "reaches around": (
        lambda: own(on_epoch_end=lambda s, e, logs: exec("import os")),
        "exec",
    ),
}


@pytest.mark.parametrize("name", CALLED)
def test_is_called_for_members(name):
    callback = CALLED[name]()
    assert called_for_members([callback]) == [callback]


@pytest.mark.parametrize("name", APART)
def test_sends_its_trial_apart(name):
    make, why = APART[name]
    with pytest.raises(CannotVectorize, match=f"the callback .*{why}"):
        called_for_members([make()])


def test_what_is_done_anyhow_is_left_out(tmp_path):
    given = [
        of_keras.History(),
        of_keras.TerminateOnNaN(),
        of_keras.BackupAndRestore(tmp_path / "backup"),
    ]
    assert called_for_members(given) == []


def test_one_early_stopping_of_keras_is_followed():
    stopping, plateau = of_keras.EarlyStopping(), of_keras.ReduceLROnPlateau()
    assert stops_by_itself([plateau, stopping]) is stopping
    assert stops_by_itself([plateau]) is None
    assert stops_by_itself([stopping, of_keras.EarlyStopping()]) is None
    assert stops_by_itself([stopping, Counter()]) is None
