"""A run that was broken off equals one that was not, bit for bit."""

import numpy as np
import pytest
import tensorflow as tf

from tfcourse import optimizers, schedules
from tfcourse.tuning.panda import Panda


def with_own_optimizer(runs):
    decay = schedules.ExponentialDecay(0.1, 0.9, steps_per_epoch=6)
    return runs.network(optimizers.Momentum(decay))


def endless(runs):
    data = tf.data.Dataset.from_tensor_slices((runs.X, runs.Y))
    data = data.shuffle(22, seed=1).repeat().batch(4)
    return {
        "x": data,
        "y": None,
        "batch_size": None,
        "shuffle": False,
        "steps_per_epoch": 6,
    }


def plain(runs):
    return {}


def built(runs):
    return runs.fresh()


# Panda's settings, the model, its data, and after how many batches it breaks:
# in the first epoch, at the end of the second, in the third.
CASES = {
    "epochs": ({}, built, plain, 13),
    "steps": ({"period": 4}, built, plain, 11),
    "executions": (
        {"period": 2},
        lambda runs: runs.network(steps_per_execution=4),
        plain,
        5,
    ),
    "unbuilt epochs": (
        {},
        lambda runs: runs.network(built=False),
        plain,
        13,
    ),
    "unbuilt steps": (
        {"period": 2},
        lambda runs: runs.network(built=False),
        plain,
        3,
    ),
    "own optimizer": ({"period": 5}, with_own_optimizer, plain, 12),
    "endless": ({"period": 4}, built, endless, 11),
    "validation": (
        {"period": 4},
        built,
        lambda runs: {"validation_data": (runs.X[:4], runs.Y[:4])},
        15,
    ),
}


def numbers(folder, runs):
    """Returns what the journal says of each period, the last that it says."""
    return {
        (e["step"], e["epoch"]): (e["metrics"], e["hyperparameters"])
        for e in runs.periods(folder)
    }


def state(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [np.asarray(variable).copy() for variable in variables]


def broken_off(runs, batches, folder, model, data, **settings):
    panda = Panda(folder, share=1.0, **settings)
    with pytest.raises(runs.BrokenOffError):
        runs.train(model, panda, runs.StopAt(batches), **data)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_broken_run_equals_an_unbroken_one(tmp_path, runs, case):
    settings, build, data, batches = CASES[case]
    whole = build(runs)
    panda = Panda(tmp_path / "whole", share=1.0, **settings)
    # The data anew for each: a dataset shuffles otherwise the second time.
    history = runs.train(whole, panda, **data(runs)).history
    expected = state(whole)

    folder = tmp_path / "broken"
    broken_off(runs, batches, folder, build(runs), data(runs), **settings)
    broken = build(runs)
    panda = Panda(folder, share=1.0, **settings)
    rest = runs.train(broken, panda, **data(runs)).history

    for old, new in zip(expected, state(broken), strict=True):
        np.testing.assert_array_equal(old, new)
    for name, values in rest.items():
        assert values == history[name][-len(values) :]
    assert numbers(tmp_path / "broken", runs) == numbers(
        tmp_path / "whole", runs
    )
