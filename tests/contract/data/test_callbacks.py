"""Do callbacks of each trial do what they do in its own `fit`?"""

import random

import keras
import numpy as np
import pytest
from keras import layers
from keras.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from side_by_side import (
    assert_all_same,
    assert_same,
    compiled,
    curves,
    examples,
)

X, Y = examples(20)
V = examples(9, seed=1)
RATES = [0.02, 0.3]


def model(rate):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(3, "tanh", kernel_initializer="ones"),
            layers.Dense(1, kernel_initializer="ones"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9), "mse", metrics=["mae"]
    )
    return model


# What users write.


class SetsRate(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        optimizer = self.model.optimizer
        rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
        optimizer.learning_rate = rate * 0.5

    def on_epoch_end(self, epoch, logs=None):
        rate = self.model.optimizer.learning_rate
        rate.assign(rate * 1.1)
        logs["rate"] = float(self.model.optimizer.learning_rate.numpy())


class SetsRateAndLooks(Callback):
    """Needs the weights after it has set the rate, and sets it again."""

    def on_epoch_end(self, epoch, logs=None):
        optimizer = self.model.optimizer
        optimizer.learning_rate = 0.5 * float(optimizer.learning_rate)
        logs["norm"] = float(np.sum(self.model.get_weights()[0] ** 2))
        logs["rate"] = float(optimizer.learning_rate)
        optimizer.learning_rate = 1.5 * logs["rate"]


class WarmsUp(Callback):
    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_train_begin(self, logs=None):
        self.base = float(self.model.optimizer.learning_rate)

    def on_epoch_begin(self, epoch, logs=None):
        share = min(1.0, (epoch + 1) / self.epochs)
        self.model.optimizer.learning_rate = self.base * share


class Stops(Callback):
    def on_epoch_end(self, epoch, logs=None):
        if logs.get("val_loss") < 0.6:
            self.model.stop_training = True


class Decays(Callback):
    """Changes weights, of which the best are those that it leaves."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.set_weights([0.9 * w for w in self.model.get_weights()])


class DecaysOneLayer(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        for layer in self.model.layers[:1]:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel * 0.5, bias])


class Averages(Callback):
    def on_train_begin(self, logs=None):
        self.sum, self.count = None, 0

    def on_epoch_end(self, epoch, logs=None):
        weights = self.model.get_weights()
        if self.sum is None:
            self.sum = weights
        else:
            self.sum = [a + b for a, b in zip(self.sum, weights, strict=True)]
        self.count += 1
        logs["norm"] = float(np.sqrt(sum(np.sum(w**2) for w in self.sum)))

    def on_train_end(self, logs=None):
        self.model.set_weights([w / self.count for w in self.sum])


class Evaluates(Callback):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def on_epoch_end(self, epoch, logs=None):
        loss, error = self.model.evaluate(self.x, self.y, verbose=0)
        predicted = self.model.predict(self.x, verbose=0)
        logs["held_out"] = loss
        logs["mean"] = float(predicted.mean()) + error


class Counts(Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["steps"] = self.params["steps"]
        logs["epochs"] = self.params["epochs"]
        logs["iterations"] = int(self.model.optimizer.iterations)
        logs["parameters"] = self.model.count_params()


class RewritesLoss(Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["loss"] = 2 * logs["loss"] + len(self.model.weights)


class OfKeras(EarlyStopping):
    """One of Keras's, and a little more."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        logs["waited"] = self.wait


TOGETHER = {
    "none": [],
    "plateau": lambda: ReduceLROnPlateau(
        "val_loss", factor=0.5, patience=1, min_delta=0.05
    ),
    "plateau, cooling": lambda: ReduceLROnPlateau(
        "mae", 0.3, 0, mode="max", cooldown=1, min_lr=0.01
    ),
    "schedule": lambda: LearningRateScheduler(lambda epoch, rate: rate * 0.7),
    "schedule of epochs": lambda: LearningRateScheduler(
        lambda epoch: 0.1 / (1 + epoch)
    ),
    "stops": lambda: EarlyStopping("val_loss", patience=0, min_delta=0.02),
    "stops later": lambda: EarlyStopping(
        "loss", patience=1, min_delta=9, start_from_epoch=1
    ),
    "stops by a baseline": lambda: EarlyStopping("loss", baseline=0.4),
    "stops, restores": lambda: EarlyStopping(
        "val_mae", 0.01, 1, mode="min", restore_best_weights=True
    ),
    "stops by two": [
        lambda: EarlyStopping("loss", patience=1, min_delta=0.1),
        lambda: EarlyStopping("mae", patience=0, mode="max"),
    ],
    "stops, plateau": [
        lambda: EarlyStopping("loss", patience=1, min_delta=0.05),
        lambda: ReduceLROnPlateau("loss", 0.5, 0, min_delta=0.3),
    ],
    "stops, sets weights": [
        lambda: EarlyStopping(
            "loss", patience=1, min_delta=0.05, restore_best_weights=True
        ),
        Decays,
    ],
    "lambdas": lambda: LambdaCallback(
        on_epoch_begin=lambda epoch, logs: None,
        on_epoch_end=lambda epoch, logs: logs.update(twice=2 * logs["loss"]),
    ),
    "history": History,
    "NaN": TerminateOnNaN,
    "rate": SetsRate,
    "rate, plateau": [
        SetsRate,
        lambda: ReduceLROnPlateau("loss", 0.5, 0, min_delta=0.3),
    ],
    "rate, weights": SetsRateAndLooks,
    "warm-up": lambda: WarmsUp(2),
    "stopped": Stops,
    "decays": Decays,
    "decays a layer": DecaysOneLayer,
    "averages": Averages,
    "evaluates": lambda: Evaluates(*V),
    "counts": Counts,
    "rewrites": RewritesLoss,
    "of Keras": lambda: OfKeras("loss", min_delta=0.05, patience=1),
}

SEEN = []
NAMES = {}


class Notes(Callback):
    seen = []  # noqa: RUF012

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(epoch)


class BatchLevel(Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.optimizer.learning_rate *= 0.9


class Draws(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.1 * random.random()


class DrawsByNumPy(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.1 * np.random.rand()


class Keeps(Callback):
    def on_train_begin(self, logs=None):
        self.layer = self.model.layers[0]

    def on_epoch_end(self, epoch, logs=None):
        kernel, bias = self.layer.get_weights()
        self.layer.set_weights([kernel * 0.5, bias])


class KeepsRate(Callback):
    def on_train_begin(self, logs=None):
        self.rate = self.model.optimizer.learning_rate

    def on_epoch_end(self, epoch, logs=None):
        self.rate.assign(0.01)


class Freezes(Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.layers[0].trainable = False


class SetsMomentum(Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.optimizer.momentum = 0.1


class StopsFirst(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.stop_training = epoch == 1


class Holder:
    def __init__(self):
        self.seen = SEEN


class Holds(Callback):
    def __init__(self):
        super().__init__()
        self.holder = Holder()

    def on_epoch_end(self, epoch, logs=None):
        self.holder.seen.append(epoch)


class Defaults(Callback):
    def on_epoch_end(self, epoch, logs=None, seen=[]):  # noqa: B006
        seen.append(epoch)


ALONE = {
    "batches": BatchLevel,
    "a list": lambda: LambdaCallback(
        on_epoch_end=lambda epoch, logs: SEEN.append(logs["loss"])
    ),
    "a list of a class": Notes,
    "a list of a default": Defaults,
    "a holder": Holds,
    "draws": Draws,
    "draws by NumPy": DrawsByNumPy,
    "keeps a layer": Keeps,
    "keeps a variable": KeepsRate,
    "freezes": Freezes,
    "sets momentum": SetsMomentum,
    "stops first": StopsFirst,
}


def cases(table, names):
    def given(value):
        some = value if isinstance(value, list) else [value]
        return {"validation_data": V, "epochs": 5, "callbacks": some}

    return {name: (model, (X, Y), given(table[name])) for name in names}


def check(folder, table, names):
    return assert_all_same(folder, cases(table, names), "val_loss", rates=RATES)


@pytest.mark.filterwarnings("ignore:.*is not available")
def test_some_are_called_for_members(tmp_path):
    names = ["plateau", "rate, weights", "decays", "stops, sets weights"]
    how = check(tmp_path, TOGETHER, names)
    assert {*how.values()} == {"vectorised"}


@pytest.mark.slow
def test_each_is_called_for_members(tmp_path):
    how = check(tmp_path, TOGETHER, TOGETHER)
    assert {name for name, value in how.items() if value == "alone"} == set()


@pytest.mark.slow
def test_others_are_called_alone(tmp_path):
    how = check(tmp_path, ALONE, ALONE)
    assert {*how.values()} == {"alone"}


def files_of(folder):
    return {
        str(path.relative_to(folder)): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "/p/" not in str(path)
    }


def logged(folder, **csv):
    """Returns callbacks that write files which all trials share."""
    return [
        EarlyStopping("val_loss", min_delta=0.02),
        ModelCheckpoint(
            folder / "best.weights.h5",
            "val_loss",
            save_best_only=True,
            save_weights_only=True,
        ),
        ModelCheckpoint(str(folder / "at_{epoch}_{loss:.1f}.keras")),
        CSVLogger(str(folder / "log.csv"), **csv),
        BackupAndRestore(str(folder / "backup")),
    ]


@pytest.mark.parametrize("append", [False, True])
def test_files_are_those_of_trials_one_after_the_other(tmp_path, append):
    def build(hp):
        return compiled(hp, layers.Dense(1, kernel_initializer="ones"))

    folders = iter([tmp_path / "ours", tmp_path / "theirs"])

    def case():
        folder = next(folders)
        folder.mkdir()
        callbacks = logged(folder, append=append)
        return build, (X, Y), {"validation_data": V, "callbacks": callbacks}

    tuner = assert_same(tmp_path, case, "val_loss")
    assert [group["how"] for group in tuner.groups] == ["vectorised"]
    ours, theirs = (files_of(tmp_path / n) for n in ("ours", "theirs"))
    assert ours.keys() == theirs.keys()
    assert len(ours) >= 3
    x = keras.ops.convert_to_tensor(X)
    for name, path in theirs.items():
        if name.endswith(".csv"):
            tables = [
                np.genfromtxt(p, delimiter=",", skip_header=1)
                for p in (ours[name], path)
            ]
            assert ours[name].read_text()[:6] == path.read_text()[:6]
            np.testing.assert_allclose(*tables, rtol=1e-4)
        elif name.endswith(".keras"):
            outputs = [
                keras.models.load_model(p)(x) for p in (ours[name], path)
            ]
            np.testing.assert_allclose(*outputs, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_callbacks_of_a_search_are_copied_for_each_trial(tmp_path):
    class Remembers(Callback):
        def __init__(self):
            super().__init__()
            self.best = 9.0

        def on_epoch_end(self, epoch, logs=None):
            self.best = min(self.best, logs["loss"])
            logs["best"] = self.best

    given = Remembers()

    def build(hp):
        return compiled(hp, layers.Dense(1))

    tuner = assert_same(
        tmp_path, lambda: (build, (X, Y), {"callbacks": [given]})
    )
    assert given.best == 9.0
    for trial in tuner.oracle.trials.values():
        curve = curves(tuner, trial)
        assert curve["best"] == np.minimum.accumulate(curve["loss"]).tolist()


@pytest.mark.slow
def test_callbacks_of_networks_of_several_widths(tmp_path):
    def build(hp):
        units = hp.Choice("units", [2, 5])
        return compiled(
            hp, layers.Dense(units, "tanh"), layers.Dense(1), metrics=["mae"]
        )

    def case():
        callbacks = [SetsRate(), Decays(), Averages(), Counts()]
        return build, (X, Y), {"callbacks": callbacks, "epochs": 3}

    tuner = assert_same(tmp_path, case)
    assert [group["how"] for group in tuner.groups] == ["vectorised"]


@pytest.mark.slow
def test_callbacks_beside_a_frozen_base_of_the_users(tmp_path):
    base = layers.Dense(3, "tanh", name="base")
    base.build((None, 3))
    base.trainable = False
    before = base.get_weights()

    def build(hp):
        return compiled(hp, base, layers.Dense(1))

    def case():
        return build, (X, Y), {"callbacks": [SetsRate(), Counts()]}

    tuner = assert_same(tmp_path, case)
    assert [group["how"] for group in tuner.groups] == ["vectorised"]
    for old, new in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_callback_reads_the_numbers_of_its_own_trial(tmp_path):
    """Those of a schedule lie in no variable."""

    class Reads(Callback):
        def on_epoch_end(self, epoch, logs):
            logs["rate"] = float(self.model.optimizer.learning_rate)

    def case():
        def build(hp):
            model = keras.Sequential(
                [
                    keras.Input((3,)),
                    layers.Dropout(0.2),
                    layers.Dense(1),
                ]
            )
            decay = keras.optimizers.schedules.ExponentialDecay(
                hp.Choice("first", [0.02, 0.05]), 3, 0.8
            )
            model.compile(keras.optimizers.SGD(decay), "mse")
            return model

        plateau = ReduceLROnPlateau("loss", patience=9)
        return build, (X, Y), {"callbacks": [Reads(), plateau]}

    tuner = assert_same(tmp_path, case)
    assert all(group["how"] != "alone" for group in tuner.groups)
    for trial in tuner.oracle.trials.values():
        found, hp = curves(tuner, trial), trial.hyperparameters.values
        steps = 20 // 32 + 1
        rates = [hp["first"] * 0.8 ** (steps * n / 3) for n in (1, 2)]
        np.testing.assert_allclose(found["rate"], rates, rtol=1e-6)
