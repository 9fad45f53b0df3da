"""Runs that go wrong are brought back, or ended with a report."""

import logging

import keras
import numpy as np
import pytest

from tfcourse import optimizers, schedules
from tfcourse.tuning.panda import Guard, Panda


class Plant(keras.callbacks.Callback):
    """Does something to the model after so many batches."""

    def __init__(self, batch, plant):
        super().__init__()
        self._left = batch
        self._plant = plant

    def on_train_batch_begin(self, batch, logs=None):
        self._left -= 1
        if self._left == 0:
            self._plant(self.model)


def rate(model):
    return float(np.asarray(model.optimizer.learning_rate))


def ruin(model):
    model.get_layer("hidden").kernel.assign(np.full((3, 4), np.nan))


def finite(model):
    return all(np.isfinite(np.asarray(v)).all() for v in model.weights)


@pytest.mark.parametrize(
    "build",
    [
        lambda runs: runs.fresh(),
        lambda runs: runs.network(steps_per_execution=3),
        pytest.param(
            lambda runs: runs.network(built=False), marks=pytest.mark.slow
        ),
        pytest.param(
            lambda runs: runs.network(optimizers.Adam(1e-3), jit_compile=True),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["plain", "executions", "unbuilt", "own and XLA"],
)
def test_planted_nan_is_undone(tmp_path, runs, build):
    model = build(runs)
    runs.train(model, Panda(tmp_path), Plant(4, ruin), epochs=2)

    assert finite(model)
    (rollback,) = runs.events(tmp_path, "rollback")
    assert rollback["who"] == "guard"
    assert rollback["why"] == "the loss was nan"
    (nudge,) = runs.events(tmp_path, "nudge")
    assert nudge["before"] == {"learning_rate": 0.001}
    assert nudge["after"] == {"learning_rate": pytest.approx(0.0005)}
    assert rate(model) == pytest.approx(0.0005)
    # The run went on to its end, and its metrics are clean again.
    last = runs.periods(tmp_path)[-1]
    assert last["epoch"] == 2
    assert np.isfinite(last["metrics"]["loss"])
    assert last["hyperparameters"]["learning_rate"] == pytest.approx(0.0005)


class Traced(keras.layers.Layer):
    """Counts how often it is traced."""

    times = 0

    def call(self, inputs):
        self.times += 1
        return inputs


def test_a_rollback_traces_nothing(tmp_path, runs):
    def traces(*plants):
        inputs = keras.Input((3,))
        traced = Traced()
        hidden = keras.layers.Dense(4, name="hidden")(traced(inputs))
        model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
        model.compile("adam", "mse")
        folder = tmp_path / str(len(plants))
        runs.train(model, Panda(folder, period=2), *plants)
        return traced.times

    assert traces(Plant(4, ruin), Plant(9, ruin)) == traces()
    assert len(runs.events(tmp_path / "2", "rollback")) == 2


def test_planted_spike_is_undone(tmp_path, runs):
    def shift(model):
        model.get_layer("last").bias.assign([1000.0])

    model = runs.fresh("sgd")
    guard = Guard(factor=3.0, steps=4, learning_rate_factor=0.1)
    panda = Panda(tmp_path, guard=guard, share=1.0)
    runs.train(model, panda, Plant(8, shift), epochs=4)

    (rollback,) = runs.events(tmp_path, "rollback")
    assert "for 4 steps above" in rollback["why"]
    assert (rollback["from"], rollback["to"]["step"]) == (11, 6)
    assert rate(model) == pytest.approx(0.001)
    assert abs(model.get_layer("last").bias.numpy()[0]) < 10


def test_diverging_rate_is_rescued(tmp_path, runs):
    model = runs.network(keras.optimizers.SGD(3e4))
    guard = Guard(learning_rate_factor=0.01, rollbacks=10)
    runs.train(model, Panda(tmp_path, guard=guard), epochs=12)

    assert finite(model)
    assert rate(model) < 1
    losses = [e["metrics"]["loss"] for e in runs.periods(tmp_path)]
    assert losses[-1] < 4


def test_after_so_many_rollbacks_the_run_ends_with_a_report(
    tmp_path, runs, caplog
):
    class Ruin(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            ruin(self.model)

    model = runs.fresh()
    with caplog.at_level(logging.WARNING):
        panda = Panda(tmp_path, guard=Guard(rollbacks=2))
        history = runs.train(model, panda, Ruin(), epochs=9)

    assert finite(model)
    assert history.epoch == [0]
    assert len(runs.events(tmp_path, "nudge")) == 2
    (report,) = runs.events(tmp_path, "give up")
    assert "the loss was nan; it went wrong 3 times" in report["why"]
    assert report["why"] in caplog.text
    assert rate(model) == pytest.approx(0.001 / 4)


def test_what_goes_wrong_twice_in_a_row_goes_back_further(tmp_path, runs):
    panda = Panda(tmp_path, period=2, share=1.0)
    model = runs.fresh()
    # After the checkpoint of step 4; and again before the next one.
    runs.train(model, panda, Plant(6, ruin), Plant(7, ruin), epochs=2)

    back = [e["to"]["step"] for e in runs.events(tmp_path, "rollback")]
    assert back == [4, 2]
    # Not from the rate of that checkpoint, but from the last.
    assert rate(model) == pytest.approx(0.001 / 4)


@pytest.mark.parametrize("guard", [False, True])
def test_no_checkpoint_is_bad(tmp_path, runs, guard):
    def ruin_what_no_loss_shows(model):
        model.optimizer.variables[2].assign(np.full((3, 4), np.inf))

    model = runs.fresh()
    panda = Panda(tmp_path, period=1, share=1.0, guard=guard, keep=20)
    runs.train(model, panda, Plant(5, ruin_what_no_loss_shows), epochs=1)

    for file in tmp_path.glob("checkpoints/*.npz"):
        with np.load(file) as arrays:
            for name in arrays:
                assert np.isfinite(arrays[name]).all(), (file, name)
    (refused, *_) = runs.events(tmp_path, "no checkpoint")
    assert refused["step"] == 5
    assert "was not finite" in refused["why"]
    assert bool(runs.events(tmp_path, "rollback")) == guard


def test_loss_of_a_train_step_of_ones_own_may_be_the_batch_s(tmp_path, runs):
    class Own(keras.Model):
        def train_step(self, data):
            super().train_step(data)
            # As if the loss were that of this batch.
            self.seen += 1
            return {"loss": 1.0 / self.seen}

    inputs = keras.Input((3,))
    model = Own(inputs, keras.layers.Dense(1)(inputs))
    model.seen = 0
    model.compile("sgd", "mse", run_eagerly=True)
    # Taken for means, these would be losses of 0 after the first.
    guard = Guard(factor=1.5, steps=1)
    runs.train(model, Panda(tmp_path, guard=guard), epochs=2)

    assert runs.events(tmp_path, "rollback") == []


@pytest.mark.parametrize(
    "schedule, name",
    [
        (
            lambda: schedules.ExponentialDecay(0.01, 0.9),
            "initial_learning_rate",
        ),
        pytest.param(
            lambda: schedules.PiecewiseConstantDecay([9], [0.1, 0.01]),
            "value_1",
            marks=pytest.mark.slow,
        ),
        (lambda: keras.optimizers.schedules.CosineDecay(0.1, 100), None),
    ],
)
def test_schedules_are_lowered_where_they_can_be(
    tmp_path, runs, schedule, name
):
    model = runs.network(optimizers.Momentum(schedule()))
    runs.train(model, Panda(tmp_path), Plant(4, ruin), epochs=1)

    assert finite(model)
    if name:
        (nudge,) = runs.events(tmp_path, "nudge")
        assert nudge["after"][name] == nudge["before"][name] / 2
    else:
        (refusal,) = runs.events(tmp_path, "refuse")
        assert "follows a schedule" in refusal["why"]
