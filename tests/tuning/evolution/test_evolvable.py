"""What may evolve, and is the one sentence clear where something may not?"""

import keras
import keras_tuner
import pytest

from tests.helpers.side_by_side import examples
from tfcourse.errors import InputError
from tfcourse.tuning import Evolution

X, Y = examples(8)


def model(*layers, rate=0.1):
    net = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1)])
    net.compile(keras.optimizers.SGD(rate), "mse")
    return net


def with_rate(hp, *layers):
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    return model(*layers, rate=rate)


def width(hp):
    return with_rate(hp, keras.layers.Dense(hp.Int("units", 2, 8)))


def start(hp):
    drawn = keras.initializers.RandomNormal(hp.Float("stddev", 0.1, 1.0))
    return with_rate(hp, keras.layers.Dense(2, kernel_initializer=drawn))


def slot(hp):
    net = model()
    first = hp.Float("first", 0.1, 1.0)
    net.compile(keras.optimizers.Adagrad(0.1, first), "mse")
    return net


def unused(hp):
    hp.Float("unused", 0.0, 1.0)
    return with_rate(hp)


def dependent(hp):
    if hp.Choice("way", ["a", "b"]) == "b":
        return model()
    with hp.conditional_scope("way", ["a"]):
        return model(rate=hp.Float("inner", 0.1, 0.5))


class OwnBatches(keras_tuner.HyperModel):
    def build(self, hp):
        return with_rate(hp)

    def fit(self, hp, model, *args, **kwargs):
        size = hp.Choice("batch_size", [2, 4])
        return model.fit(*args, batch_size=size, **kwargs)


def search(folder, build, objective="loss", fit=None, **settings):
    tuner = Evolution(build, objective, 4, directory=folder, **settings)
    tuner.search(X, Y, verbose=0, **{"epochs": 2} | (fit or {}))


@pytest.mark.parametrize(
    "build, name, why",
    [
        (width, "units", "make other models: .*units"),
        (start, "stddev", "initial weights are drawn otherwise"),
        (slot, "first", "make other models: .*initial_accumulator"),
        (unused, "unused", "no variable of the model depends on it"),
        (dependent, "inner", "only for some values of way"),
        (OwnBatches(), "batch_size", "fitted with other arguments"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_cannot_evolve_is_named(tmp_path, build, name, why):
    with pytest.raises(InputError, match=f"cannot change '{name}' .*{why}"):
        search(tmp_path, build)


def test_something_must_evolve(tmp_path):
    with pytest.raises(InputError, match="needs a hyperparameter"):
        search(tmp_path, lambda hp: model(rate=hp.Fixed("rate", 0.1)))


def test_what_cannot_be_one_program_is_told(tmp_path):
    def build(hp):
        net = with_rate(hp)
        net.compile(net.optimizer, "mse", run_eagerly=True)
        return net

    with pytest.raises(InputError, match="one program, which these cannot be"):
        search(tmp_path, build)


def test_the_objective_must_be_known_after_an_interval(tmp_path):
    with pytest.raises(InputError, match="compares members by 'val_loss'"):
        search(
            tmp_path,
            with_rate,
            "val_loss",
            {"validation_data": (X, Y), "validation_freq": 2, "epochs": 4},
        )


def test_callbacks_are_refused(tmp_path):
    callback = keras.callbacks.ReduceLROnPlateau("loss")
    with pytest.raises(InputError, match="no `callbacks`"):
        search(tmp_path, with_rate, fit={"callbacks": [callback]})


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"halving": True}, "takes no `halving`"),
        ({"folds": 3}, "takes no `folds`"),
        ({"max_trials": 3}, "takes no `max_trials`"),
        ({"population": 1}, "`population` of Evolution must be at least 2"),
        ({"interval": 0}, "`interval` of Evolution must be at least 1"),
        ({"quantile": 0.6}, "`quantile` of Evolution must lie in"),
        ({"perturb": -0.1}, "`perturb` of Evolution must lie in"),
        ({"resample": 2}, "`resample` of Evolution must lie in"),
    ],
)
def test_arguments_are_checked(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        Evolution(with_rate, "loss", directory=tmp_path, **arguments)
