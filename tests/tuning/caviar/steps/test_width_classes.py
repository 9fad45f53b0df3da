"""Networks are padded to the widest only where that costs less."""

import itertools
import types

import keras
import numpy as np
import pytest
from keras import layers

from tfcourse.tuning.caviar.steps import costs
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.caviar.steps.width_classes import classes
from tfcourse.tuning.population import build_deferred

EXAMPLES, EPOCHS, INPUTS = 100, 3, 10


def candidate(*widths, make=layers.Dense, shape=(INPUTS,), data=None):
    def build():
        hidden = [make(width) for width in widths]
        if len(shape) > 1:
            hidden.append(layers.Flatten())
        model = keras.Sequential([keras.Input(shape), *hidden, layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    x = np.zeros((EXAMPLES, *shape)) if data is None else data
    arguments = {"x": x, "epochs": EPOCHS, "initial_epoch": 0, "subsets": None}
    trial = types.SimpleNamespace(trial_id=str(widths))
    return Candidate(trial, build, build_deferred(build), arguments)


def widths_of(some):
    """Returns the widths of the candidates of each class."""
    return [[c.model.layers[0].units for c in members] for members in some]


@pytest.fixture
def program(monkeypatch):
    """Sets how many multiplications a program costs, and nothing else does."""
    for name in ("_PROGRAM_LAYER", "_ALONE_LAYER"):
        monkeypatch.setattr(costs, name, 0.0)
    monkeypatch.setattr(costs, "_CONVOLVED", 1.0)
    return lambda cost: monkeypatch.setattr(costs, "PROGRAM", cost)


def test_a_program_that_costs_more_than_padding_serves_all(program):
    some = [candidate(width) for width in [1, 2, 100, 3, 120, 4, 110, 90]]
    # Padding the four narrow ones to 120: at most that many multiplications.
    wasted = 4 * 120 * (INPUTS + 1) * EXAMPLES * EPOCHS
    program(wasted)
    assert classes(some) == [some]
    program(wasted * 0.9)
    assert widths_of(classes(some)) == [[1, 2, 3, 4], [100, 120, 110, 90]]


def test_costs_least_of_all_ways_to_cut(program):
    rng = np.random.default_rng(0)
    widths = sorted(rng.integers(1, 200, 12).tolist())
    program(1e6)

    def cost(cuts):
        return sum(
            1e6 + (b - a) * widths[b - 1] * (INPUTS + 1) * EXAMPLES * EPOCHS
            for a, b in itertools.pairwise([0, *cuts, 12])
        )

    ways = [
        cuts
        for count in range(3)
        for cuts in itertools.combinations(range(1, 12), count)
        if all(b - a >= 4 for a, b in itertools.pairwise([0, *cuts, 12]))
    ]
    found = classes([candidate(width) for width in widths])
    best = min(ways, key=cost)
    assert len(found) > 1
    assert np.cumsum([len(some) for some in found])[:-1].tolist() == list(best)


def test_more_executions_are_worth_more_programs(program):
    some = [candidate(width) for width in [1, 2, 100, 3, 120, 4, 110, 90]]
    program(4 * 120 * (INPUTS + 1) * EXAMPLES * EPOCHS)
    assert len(classes(some, executions=2)) == 2


def test_deep_networks_are_padded_to_the_widest_of_all_layers(program):
    shallow = [candidate(4) for _ in range(4)]
    deep = [candidate(4, 100, 4) for _ in range(4)]
    together = 8 * 100 * (INPUTS + 100 + 100 + 1)
    apart = 4 * 4 * (INPUTS + 1) + 4 * (4 * INPUTS + 400 + 400 + 4)
    saved = (together - apart) * EXAMPLES * EPOCHS
    program(0.9 * saved)
    assert classes([*deep, *shallow]) == [shallow, deep]
    program(1.1 * saved)
    assert len(classes([*deep, *shallow])) == 1


def test_a_convolution_works_at_each_place(program):
    def convolution(width):
        return layers.Conv2D(width, 3)

    some = [
        candidate(width, make=convolution, shape=(8, 8, 2))
        for width in [1, 1, 1, 1, 5, 5, 5, 5]
    ]
    # 36 places, a kernel of 9 and two channels; then a weight a place.
    work = 36 * (9 * 2 + 1)
    wasted = 4 * (5 - 1) * work * EXAMPLES * EPOCHS
    program(wasted * 0.95)
    assert len(classes(some)) == 2
    program(wasted * 1.05)
    assert len(classes(some)) == 1


def test_data_of_unknown_length_are_not_known_to_be_worth_it(program):
    program(1)
    unknown = iter(())
    some = [candidate(width, data=unknown) for width in range(1, 9)]
    assert classes(some) == [some]


def test_what_pays_in_no_program_is_left_to_be_trained_alone(
    program, monkeypatch
):
    some = [candidate(width) for width in [1, 2, 3, 4, 400, 800, 1600]]
    # The four narrow ones are worth a program; the others' padding is not.
    program(1.0)
    monkeypatch.setattr(costs, "ALONE", 1e5)
    for name in ("_STEP_TOGETHER", "_STEP_ALONE"):
        monkeypatch.setattr(costs, name, 0.0)
    assert widths_of(classes(some)) == [[1, 2, 3, 4], [400, 800, 1600]]
