"""Which trials are trained as one program, in what order; why not others."""

import types

import keras
import numpy as np

from tfcourse.tuning import supernet
from tfcourse.tuning.caviar.steps import costs
from tfcourse.tuning.caviar.steps.candidates import Candidate, SerialTrial
from tfcourse.tuning.caviar.steps.grouping import (
    SerialGroup,
    grouped,
    make_groups,
)
from tfcourse.tuning.population import build_deferred


def candidate(number, nesterov):
    def build():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        # So many steps of several optimizers would take longer.
        model.add(keras.layers.Dense(supernet.SMALL))
        model.compile(keras.optimizers.SGD(0.1, 0.5, nesterov), "mse")
        return model

    hp = types.SimpleNamespace(values={"nesterov": nesterov})
    trial = types.SimpleNamespace(trial_id=number, hyperparameters=hp)
    return Candidate(trial, build, build_deferred(build), ARGUMENTS)


class Pays:
    """Takes groups of so many, and lets so many share a step."""

    steps_are_shared = False

    def __init__(self, least=0, shared=99):
        self.least, self.shared = least, shared

    def too_few(self, parts):
        return "too few" if len(parts[0]) < self.least else ""

    def share_step(self, candidates):
        return len(candidates) >= self.shared


def test_says_why_a_trial_is_in_a_program_of_its_own():
    one = [candidate("0", False), candidate("1", True), candidate("2", False)]
    (_, first, *_), (second, why, what, _) = make_groups(one, Pays())
    assert first == ""
    assert [c.trial.trial_id for c in second[0]] == ["1"]
    assert why == "not with trial 0: optimizer, nesterov: False and True"
    assert what.startswith("`nesterov` is True here and False there")


ARGUMENTS = {
    "x": np.ones((9, 2)),
    "epochs": 1,
    "initial_epoch": 0,
    "subsets": None,
}


def dropped(number):
    def build():
        some = [keras.layers.Dense(1), keras.layers.AlphaDropout(0.1)]
        model = keras.Sequential([keras.Input((2,)), *some])
        model.compile("sgd", "mse")
        return model

    hp = types.SimpleNamespace(values={})
    trial = types.SimpleNamespace(trial_id=number, hyperparameters=hp)
    return Candidate(trial, build, build_deferred(build), ARGUMENTS)


def deep(number, depth):
    def build():
        hidden = [keras.layers.Dense(3, "relu") for _ in range(depth)]
        model = keras.Sequential(
            [keras.Input((2,)), *hidden, keras.layers.Dense(1)]
        )
        model.compile("sgd", "mse")
        return model

    hp = types.SimpleNamespace(values={"depth": depth})
    trial = types.SimpleNamespace(trial_id=number, hyperparameters=hp)
    return Candidate(trial, build, build_deferred(build), ARGUMENTS)


def wide(number, width):
    def build():
        hidden = keras.layers.Dense(width, "relu")
        model = keras.Sequential(
            [keras.Input((2,)), hidden, keras.layers.Dense(1)]
        )
        model.compile("sgd", "mse")
        return model

    hp = types.SimpleNamespace(values={"units": width})
    trial = types.SimpleNamespace(trial_id=number, hyperparameters=hp)
    return Candidate(trial, build, build_deferred(build), ARGUMENTS)


def test_networks_of_like_depth_are_neighbours():
    candidates = [deep(str(i), n) for i, n in enumerate([3, 1, 2, 1, 3])]
    ((part,),) = grouped(candidates)
    assert [c.trial.trial_id for c in part] == ["1", "3", "2", "0", "4"]


def test_says_so_if_networks_of_other_widths_are_apart(monkeypatch):
    monkeypatch.setattr(costs, "PROGRAM", 0)
    monkeypatch.setattr(costs, "_PROGRAM_LAYER", 0)
    some = [wide(str(i), 8 if i < 4 else 16) for i in range(8)]
    first, second = make_groups(some, Pays())
    assert (len(first.parts[0]), first.why) == (4, "")
    assert (second.why, second.advice) == (
        "not with trial 0: to pad networks of other widths would take longer",
        "",
    )


def test_trials_to_train_alone_come_last_by_their_reason():
    alone = [SerialTrial(f"trial {n}", why) for n, why in enumerate("abab")]
    first, second, *others = make_groups(
        [*alone, candidate("0", False)], Pays()
    )
    assert first.parts[0][0].trial.trial_id == "0"
    assert second == SerialGroup(["trial 0", "trial 2"], "a")
    assert others == [SerialGroup(["trial 1", "trial 3"], "b")]


def test_what_is_too_few_is_trained_alone():
    one = [candidate("0", False), candidate("1", True), candidate("2", False)]
    group, alone = make_groups(one, Pays(least=2))
    assert [c.trial.trial_id for c in group.parts[0]] == ["0", "2"]
    assert [trial.trial_id for trial in alone.trials] == ["1"]
    assert alone.why == (
        "too few; not with trial 0: optimizer, nesterov: False and True"
    )


def test_what_is_too_few_shares_a_step_with_others_of_any_size():
    some = [wide(str(i), 8 * (i + 1)) for i in range(3)]
    some += [deep("3", 2), dropped("4")]
    together, alone = make_groups(some, Pays(least=9, shared=3))
    assert together.by_one_step
    trials = [c.trial.trial_id for c in together.parts[0]]
    assert trials == ["0", "1", "2", "3"]
    assert together.why == "to train them side by side would take longer"
    assert [trial.trial_id for trial in alone.trials] == ["4"]
    assert alone.why.startswith("too few")
