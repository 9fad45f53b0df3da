"""Optuna's samplers: do they see what was tried, and can they go on?"""

import importlib.util
import math

import keras_tuner
import numpy as np
import optuna
import pytest
from oracles import OBJECTIVE, ask, run, start, tell, values

from tfcourse.tuning.oracles.optuna import OptunaOracle
from tfcourse.tuning.search_space.scales import (
    log_uniform,
    one_minus_log_uniform,
)


def has(module):
    return importlib.util.find_spec(module) is not None


SAMPLERS = [
    "tpe",
    "qmc",
    pytest.param(
        "cmaes",
        marks=pytest.mark.skipif(not has("cmaes"), reason="needs cmaes"),
    ),
    pytest.param(
        "gp",
        marks=[
            pytest.mark.skipif(not has("torch"), reason="needs torch"),
            pytest.mark.slow,
        ],
    ),
]


def space():
    """Every kind of hyperparameter, two of them conditional."""
    hp = keras_tuner.HyperParameters()
    log_uniform(hp, "alpha", 1e-4, 1.0)
    hp.Int("units", 50, 100)
    hp.Int("width", 8, 512, sampling="log")
    hp.Int("log_steps", 1, 16, step=2, sampling="log")
    hp.Float("steps", 0.1, 1.0, step=0.1)
    hp.Float("reverse", 1.0, 10.0, sampling="reverse_log")
    hp.Choice("batch_size", [32, 64, 128])
    hp.Choice("optimizer", ["adam", "momentum", "rmsprop"])
    hp.Boolean("norm")
    hp.Fixed("classes", 10)
    with hp.conditional_scope("optimizer", ["momentum"]):
        one_minus_log_uniform(hp, "beta", 0.9, 0.999)
    with hp.conditional_scope("optimizer", ["rmsprop"]):
        hp.Float("rho", 0.5, 1.0)
    return hp


def plain():
    hp = keras_tuner.HyperParameters()
    log_uniform(hp, "alpha", 1e-4, 1.0)
    hp.Float("x", 0, 1)
    return hp


def score(v):
    return (math.log10(v["alpha"]) + 2) ** 2 + sum(
        (x - 0.3) ** 2 for n, x in v.items() if n == "x"
    )


def oracle(folder, sampler="tpe", trials=25, seed=0, hp=None, **kwargs):
    return start(
        OptunaOracle(
            OBJECTIVE,
            trials,
            seed,
            sampler=sampler,
            hyperparameters=hp or space(),
            **kwargs,
        ),
        folder,
    )


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_values_lie_in_the_space_and_only_active_ones_are_there(
    tmp_path, sampler
):
    trials = values(run(oracle(tmp_path, sampler, 15), score, at_once=4))

    assert len(trials) == 15
    for v in trials:
        assert 1e-4 <= v["alpha"] <= 1
        assert isinstance(v["units"], int)
        assert 50 <= v["units"] <= 100
        assert isinstance(v["width"], int)
        assert 8 <= v["width"] <= 512
        assert v["log_steps"] in (1, 2, 4, 8, 16)
        assert round(10 * v["steps"], 9) in range(1, 11)
        assert 1 <= v["reverse"] <= 10
        assert v["batch_size"] in (32, 64, 128)
        assert isinstance(v["norm"], bool)
        assert v["classes"] == 10
        assert ("1 - beta" in v) == (v["optimizer"] == "momentum")
        assert ("rho" in v) == (v["optimizer"] == "rmsprop")
        if "1 - beta" in v:
            assert 0.001 <= v["1 - beta"] <= 0.1


def test_scales_are_those_of_the_space(tmp_path):
    """A quarter of a scrambled Sobol sequence lies in each of four decades."""
    drawn = values(
        run(oracle(tmp_path, "qmc", 32, hp=plain()), score, at_once=32)
    )
    decades = np.floor([math.log10(v["alpha"]) for v in drawn])
    # The first trial is none of the sequence.
    for decade in (-4, -3, -2, -1):
        assert 7 <= (decades == decade).sum() <= 9


@pytest.mark.parametrize("sampler", ["tpe", SAMPLERS[2]])
def test_learns_from_results(tmp_path, sampler):
    late = []
    for seed in range(2):
        tuned = oracle(tmp_path / f"{seed}", sampler, 40, seed, plain())
        late += [trial.score for trial in run(tuned, score)][-10:]
    # Random draws have a median above 1.
    assert np.median(late) < 0.5


def test_objective_to_be_raised(tmp_path):
    tuned = start(
        OptunaOracle(
            keras_tuner.Objective("score", "max"), 40, hyperparameters=plain()
        ),
        tmp_path,
    )
    late = [trial.score for trial in run(tuned, lambda v: v["x"])][20:]
    assert np.median(late) > 0.8


def test_failed_trials_are_told_as_failed(tmp_path):
    tuned = oracle(tmp_path, trials=40, hp=plain())
    tell(tuned, ask(tuned), None, status="FAILED")
    tell(tuned, ask(tuned), 1.5)
    tell(tuned, ask(tuned), math.inf)
    ask(tuned)

    told = [tuned._frozen(name) for name in tuned.start_order]

    assert [trial.state.name for trial in told] == [
        "FAIL",
        "COMPLETE",
        "FAIL",
        "RUNNING",
    ]
    assert told[1].value == 1.5
    for trial, own in zip(told, tuned.trials.values(), strict=True):
        assert trial.params == own.hyperparameters.values
        assert isinstance(
            trial.distributions["alpha"], optuna.distributions.FloatDistribution
        )
        assert trial.distributions["alpha"].log


def test_as_many_at_once_as_there_are_results(tmp_path):
    tuned = oracle(tmp_path, trials=40, hp=plain())

    def at_once():
        trials = []
        while (t := ask(tuned, f"tuner{len(trials)}")).status == "RUNNING":
            trials.append(t)
        for trial in trials:
            tell(tuned, trial, score)
        return len(trials)

    assert [at_once() for _ in range(3)] == [10, 10, 20]


def test_what_runs_is_known_to_the_sampler(tmp_path):
    """The constant liar keeps proposals apart that are asked for at once."""

    def spread(told):
        tuned = oracle(tmp_path / str(told), trials=90, hp=plain(), at_once=60)
        run(tuned, score, most=30)
        if not told:
            # Without those that run.
            frozen = tuned._frozen
            tuned._frozen = lambda name: (
                frozen(tuned.start_order[0])
                if tuned.trials[name].status == "RUNNING"
                else frozen(name)
            )
        drawn = [
            ask(tuned, f"tuner{n}").hyperparameters.values for n in range(20)
        ]
        return np.std([math.log10(v["alpha"]) for v in drawn])

    assert spread(True) > 1.3 * spread(False)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_resumed_search_draws_what_an_unbroken_one_does(tmp_path, sampler):
    unbroken = values(run(oracle(tmp_path / "a", sampler, 18, 3), score))

    for most in (5, 7):
        tuned = oracle(tmp_path / "b", sampler, 18, 3)
        run(tuned, score, most=most)
        ask(tuned, "lost")
    run(oracle(tmp_path / "b", sampler, 18, 3), score)

    resumed = oracle(tmp_path / "b", sampler, 18, 3)
    assert values(map(resumed.get_trial, sorted(resumed.trials))) == unbroken


def test_used_up_space_ends_the_search_with_every_point_tried(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Int("n", 1, 6)
    hp.Boolean("flag")

    drawn = values(run(oracle(tmp_path, trials=30, hp=hp), lambda v: v["n"]))

    assert len({(v["n"], v["flag"]) for v in drawn}) == len(drawn) == 12


def test_one_name_under_two_conditions(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["a", "b"])
    with hp.conditional_scope("kind", ["a"]):
        hp.Int("n", 1, 9)
    with hp.conditional_scope("kind", ["b"]):
        hp.Choice("n", ["x", "y"])

    drawn = values(
        run(oracle(tmp_path, trials=11, hp=hp), lambda v: v["kind"] == "a")
    )

    assert {v["kind"] for v in drawn} == {"a", "b"}
    # keras-tuner loses the value of a name whose last condition does not hold,
    # and draws one of its own, without a seed, where another one does not.
    assert {v["n"] for v in drawn if v["kind"] == "b"} <= {"x", "y"}


def test_initial_points_come_first(tmp_path):
    point = {"alpha": 0.01, "x": 0.5}
    tuned = oracle(tmp_path, hp=plain(), initial_points=[point])
    assert ask(tuned).hyperparameters.values == point


def test_sampler_as_an_object(tmp_path):
    sampler = optuna.samplers.RandomSampler(seed=0)
    assert len(run(oracle(tmp_path, sampler, 12, hp=plain()), score)) == 12


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"sampler": "grid"}, "`sampler` of OptunaOracle .*'tpe'.*'grid'"),
        ({"at_once": 0}, "`at_once` of OptunaOracle .*at_once=0"),
        ({"seed": 0.5}, "`seed` of OptunaOracle .*seed=0.5"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        OptunaOracle(OBJECTIVE, **arguments)


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="`pip install optuna cmaes`"):
        OptunaOracle(OBJECTIVE, sampler="cmaes")
