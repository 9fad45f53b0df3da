"""A search by Caviar, beside the same trials each trained alone."""

import pathlib

import h5py
import keras
import keras_tuner
import numpy as np

from tfcourse.tuning import Caviar, SerialTuner
from tfcourse.utils.atomic_files import read_json

RTOL, ATOL = 2e-4, 2e-5


def search(tuner_class, folder, case, objective="loss", **settings):
    """Goes through the grid of a case, in a folder of the tuner's own.

    Args:
        tuner_class: `Caviar`, or `SerialTuner`: `model.fit` for each trial.
        folder: Where both have a folder.
        case: A function that makes all that is the user's anew: the space, the
            positional arguments of the search, and the other ones.
        objective: Name of the metric.
        **settings: Passed to the tuner.
    """
    keras.utils.set_random_seed(7)
    space, args, kwargs = case()
    oracle = keras_tuner.oracles.GridSearchOracle(
        keras_tuner.Objective(objective, "min"), seed=1
    )
    settings |= {"directory": folder / tuner_class.__name__}
    if tuner_class is not Caviar:
        settings.pop("smallest_group", None)
    tuner = tuner_class(
        hypermodel=space, oracle=oracle, project_name="p", **settings
    )
    tuner.search(
        *args, **{"epochs": 2, "shuffle": False, "verbose": 0} | kwargs
    )
    return tuner


def assert_same(folder, case, objective="loss", own=None, **settings):
    """Searches twice and compares; returns Caviar's tuner.

    Args:
        folder, case, objective: As for `search`.
        own: Arguments of `Caviar` only.
        **settings: Passed to both tuners.
    """
    ours = search(Caviar, folder, case, objective, **settings | (own or {}))
    theirs = search(SerialTuner, folder, case, objective, **settings)
    compare(ours, theirs)
    return ours


def compare(ours, theirs, by_values=False):
    """Compares hyperparameters, statuses, scores, curves and weights.

    Args:
        ours, theirs: The tuners.
        by_values: Whether trials of the same hyperparameters are compared,
            not those of the same number.
    """
    trials, others = (_trials(t, by_values) for t in (ours, theirs))
    assert trials.keys() == others.keys()
    for name, other in others.items():
        trial = trials[name]
        assert trial.hyperparameters.values == other.hyperparameters.values
        assert trial.status == other.status, (trial.message, other.message)
        compare_curves(curves(ours, trial), curves(theirs, other), name)
        if other.status != "COMPLETED":
            continue
        assert_close(trial.score, other.score, f"trial {name}, score")
        assert trial.best_step == other.best_step
        expected = weights(theirs, other)
        actual = weights(ours, trial)
        assert actual.keys() == expected.keys()
        for path, value in expected.items():
            assert_close(actual[path], value, f"trial {name}, {path}")


def _trials(tuner, by_values):
    trials = tuner.oracle.trials
    if not by_values:
        return trials
    return {
        tuple(trial.hyperparameters.values.items()): trial
        for trial in trials.values()
    }


def compare_curves(actual, expected, name):
    assert actual.keys() == expected.keys(), f"trial {name}"
    for metric, values in expected.items():
        assert_close(actual[metric], values, f"trial {name}, {metric}")


def assert_close(actual, expected, what):
    np.testing.assert_allclose(
        actual, expected, rtol=RTOL, atol=ATOL, err_msg=what
    )


def curves(tuner, trial):
    path = pathlib.Path(tuner.history_file_of(trial))
    return read_json(path)["history"] if path.exists() else {}


def weights(tuner, trial):
    """Returns the arrays of a trial's checkpoint, by their place there."""
    found = {}

    def note(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    folder = pathlib.Path(tuner.get_trial_dir(trial.trial_id))
    with h5py.File(folder / "checkpoint.weights.h5") as file:
        file.visititems(note)
    return found


def scores(tuner):
    """Returns the score of each trial, in the order of the grid."""
    trials = tuner.oracle.trials
    return [trials[name].score for name in sorted(trials)]


def compiled(hp, *layers, size=3, loss="mse", **settings):
    """Returns a small model of the two trials of a grid of rates."""
    rate = hp.Choice("learning_rate", [0.05, 0.2])
    model = keras.Sequential([keras.Input((size,)), *layers])
    model.compile(keras.optimizers.SGD(rate), loss, **settings)
    return model


def examples(n=10, size=3, seed=0):
    """Returns inputs, and targets of one column."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, size)).astype("float32")
    return x, np.tanh(x[:, :1] - 0.5 * x[:, 1:2]).astype("float32")


class Cases(keras_tuner.HyperModel):
    """Many small cases as the points of one grid.

    Args:
        cases: For each name what builds a model, the positional arguments of
            its `fit`, and the other ones, by which `callbacks` are made.
        rates: What each case is built with, one after the other; nothing by
            default.
    """

    def __init__(self, cases, rates=None):
        super().__init__()
        self.cases, self.rates = cases, rates

    def build(self, hp):
        build, *_ = self.cases[hp.Choice("case", [*self.cases])]
        if self.rates is None:
            return build()
        return build(hp.Choice("learning_rate", self.rates))

    def fit(self, hp, model, callbacks=(), **_):
        _, args, kwargs = self.cases[hp.get("case")]
        own = [make() for make in kwargs.get("callbacks", ())]
        settings = {"epochs": 3, "shuffle": False, "verbose": 0} | kwargs
        settings["callbacks"] = [*callbacks, *own]
        return model.fit(*args, **settings)


def assert_all_same(folder, cases, objective="loss", rates=None):
    """Searches twice and compares; returns how Caviar trained each case."""
    tuners = []
    for tuner_class in (Caviar, SerialTuner):
        keras.utils.set_random_seed(7)
        oracle = keras_tuner.oracles.GridSearchOracle(
            keras_tuner.Objective(objective, "min"),
            seed=1,
            max_consecutive_failed_trials=10_000,
        )
        tuner = tuner_class(
            hypermodel=Cases(cases, rates),
            oracle=oracle,
            directory=folder / tuner_class.__name__,
            project_name="p",
        )
        tuner.search(verbose=0)
        tuners.append(tuner)
    ours, theirs = tuners
    assert len(theirs.oracle.trials) == len(cases) * len(rates or [None])
    compare(ours, theirs, by_values=True)
    how = {i: group["how"] for group in ours.groups for i in group["trials"]}
    return {
        trial.hyperparameters.get("case"): how[i]
        for i, trial in ours.oracle.trials.items()
    }


# A score that says which value was read: the loss of one weight, which is zero
# where the target is one.


def squares(y, p):
    return keras.ops.mean(keras.ops.square(y - p), axis=-1)


def model_of_one_weight(
    loss="mse", kernel=0.0, layers=(), rate=0.1, metrics=(), **dense
):
    start = {"kernel_initializer": keras.initializers.Constant(kernel)}
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(1, use_bias=False, **start | dense),
            *layers,
        ]
    )
    model.compile(keras.optimizers.SGD(rate), loss, metrics=list(metrics))
    return model


def search_by_one_weight(
    tuner_class, folder, build, objective="loss", epochs=1
):
    def case():
        ones = np.ones((4, 1), "float32")
        return build, (ones, ones), {"epochs": epochs}

    return search(tuner_class, folder, case, objective)


def assert_together(folder, case, **settings):
    """Searches twice, compares, and asserts that one program trained all."""
    tuner = assert_same(folder, case, **settings)
    found = [(group["how"], len(group["trials"])) for group in tuner.groups]
    assert len(found) == 1, tuner.groups
    assert found[0][0].startswith("vectorised"), tuner.groups
    return tuner


def chain_of(make, loss="mse", optimizer=None, shape=(3,), n=10):
    """Returns a case: a chain of what `make` gives, and a layer of outputs.

    Args:
        make: A function of the hyperparameters that returns layers.
        loss: A loss, or a function of the hyperparameters that returns one.
        optimizer: The same of the optimizer.
        shape: That of an example.
        n: How many examples there are.
    """

    def case():
        rng = np.random.default_rng(0)
        x = rng.normal(size=(n, *shape)).astype("float32")
        y = np.tanh(x.reshape(n, -1)[:, :1]).astype("float32")

        def space(hp):
            model = keras.Sequential([keras.Input(shape), *make(hp)])
            model.add(keras.layers.Flatten())
            model.add(keras.layers.Dense(1))
            model.compile(
                optimizer(hp) if optimizer else keras.optimizers.SGD(0.1),
                loss(hp) if callable(loss) else loss,
            )
            return model

        return space, (x, y), {"validation_data": (x, y), "batch_size": 4}

    return case
