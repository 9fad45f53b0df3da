"""How many real models are built for the callbacks of a search?"""

import keras
import keras_tuner
import numpy as np
import pytest
from keras.callbacks import ModelCheckpoint, ReduceLROnPlateau

from tfcourse.tuning import Caviar
from tfcourse.tuning.caviar import programs
from tfcourse.tuning.caviar.steps import costs

X = np.linspace(-1, 1, 60, dtype="float32").reshape(20, 3)


def build(hp):
    units = hp.Choice("units", [2, 5])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units)])
    model.add(keras.layers.Dense(1))
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize(
    "callback, kinds",
    [
        (lambda folder: ReduceLROnPlateau("val_mae", patience=0), set()),
        (lambda folder: ModelCheckpoint(folder / "{epoch}.keras"), {2, 5}),
    ],
    ids=["rate", "model"],
)
def test_one_serves_all_of_its_kind(tmp_path, monkeypatch, callback, kinds):
    built, live = [], programs._live
    monkeypatch.setattr(programs, "_live", lambda c: built.append(c) or live(c))
    # One after the other, so that each could ask for a model of its own.
    monkeypatch.setattr(costs, "PROGRAM", 1e19)
    monkeypatch.setattr(costs, "SHARED", 0.0)
    tuner = Caviar(
        build,
        keras_tuner.Objective("val_loss", "min"),
        5,
        seed=1,
        directory=tmp_path,
        verify=False,
    )
    tuner.search(
        X,
        X.sum(1),
        validation_data=(X, X.sum(1)),
        epochs=2,
        callbacks=[callback(tmp_path)],
        verbose=0,
    )
    assert [group["how"] for group in tuner.groups] == ["by one step"], (
        tuner.groups
    )
    tried = [t.hyperparameters["units"] for t in tuner.oracle.trials.values()]
    assert {*tried} == {2, 5}
    units = [candidate.trial.hyperparameters["units"] for candidate in built]
    assert sorted(units) == sorted(kinds)
