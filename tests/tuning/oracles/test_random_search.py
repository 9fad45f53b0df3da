"""Random search: seeds, duplicates, first points, the end of a search."""

import itertools

import keras_tuner
import pytest
from oracles import OBJECTIVE, ask, run, start, values

from tfcourse.errors import InputError
from tfcourse.tuning import RandomSearchOracle
from tfcourse.tuning.oracles import base as search_oracle
from tfcourse.tuning.results.warm_start import best_points
from tfcourse.tuning.search_space.scales import (
    log_uniform,
    one_minus_log_uniform,
)


def space():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0, 1)
    hp.Float("y", 1e-3, 1, sampling="log")
    kind = hp.Choice("kind", ["a", "b"])
    with hp.conditional_scope("kind", ["b"]):
        if kind == "b":
            hp.Int("n", 1, 5)
    return hp


def draws(tmp_path, seed, trials=5, hp=None):
    oracle = RandomSearchOracle(
        "val_loss", trials, seed, hyperparameters=hp or space()
    )
    oracle.verbose = 0
    oracle._set_project_dir(tmp_path, f"seed {seed}")
    created = [oracle.create_trial(f"tuner {n}") for n in range(trials)]
    return [t.hyperparameters.values for t in created if t.status == "RUNNING"]


def test_no_two_seeds_share_a_trial(tmp_path):
    # keras-tuner's seeds 0 to 8 do: four draws a trial, shifted.
    sequences = [draws(tmp_path / str(s), s) for s in range(9)]

    xs = [values["x"] for values in itertools.chain(*sequences)]
    assert len(set(xs)) == len(xs)


def test_the_same_seed_draws_the_same_trials(tmp_path):
    assert draws(tmp_path / "1", 0) == draws(tmp_path / "2", 0)


def test_trials_do_not_depend_on_those_before(tmp_path):
    assert draws(tmp_path / "1", 3, 2) == draws(tmp_path / "2", 3, 7)[:2]


def test_only_active_hyperparameters_have_values(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["a", "b"])
    with hp.conditional_scope("kind", ["b"]):
        hp.Int("n", 1, 50)

    values = draws(tmp_path, 0, 20, hp)

    assert {v["kind"] for v in values} == {"a", "b"}
    assert all(("n" in v) == (v["kind"] == "b") for v in values)


def test_used_up_space_ends_the_search_with_every_point_tried(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Int("n", 1, 6)
    hp.Boolean("flag")

    values = draws(tmp_path, 0, 30, hp)

    assert sorted((v["n"], v["flag"]) for v in values) == list(
        itertools.product(range(1, 7), [False, True])
    )


@pytest.mark.parametrize("seed", [-1, 0.5, None, "0"])
def test_bad_seed_is_refused(seed):
    with pytest.raises((TypeError, ValueError), match=f"`seed` of .*=.?{seed}"):
        RandomSearchOracle("val_loss", 3, seed)


# What every search of tfcourse has


def log_space():
    hp = keras_tuner.HyperParameters()
    log_uniform(hp, "alpha", 1e-4, 1.0)
    hp.Choice("optimizer", ["adam", "momentum"])
    with hp.conditional_scope("optimizer", ["momentum"]):
        one_minus_log_uniform(hp, "beta", 0.9, 0.999)
    hp.Int("units", 50, 100, step=5)
    return hp


def random_search(folder, trials=6, **kwargs):
    kwargs = {"hyperparameters": log_space(), **kwargs}
    return start(RandomSearchOracle(OBJECTIVE, trials, **kwargs), folder)


def test_initial_points_come_first_and_the_rest_is_drawn(tmp_path):
    points = [
        {"alpha": 0.01, "optimizer": "momentum", "beta": 0.99, "units": 75},
        {"units": 100},
    ]

    drawn = values(run(random_search(tmp_path, initial_points=points), rate))

    first, second = drawn[:2]
    assert first == {
        "alpha": 0.01,
        "optimizer": "momentum",
        "1 - beta": pytest.approx(0.01, rel=1e-12),
        "units": 75,
    }
    assert second["units"] == 100
    assert len({v["alpha"] for v in drawn}) == 6
    # The others are those of a search without initial points.
    without = values(run(random_search(tmp_path / "b"), rate))
    assert drawn[2:] == without[2:]


def rate(v):
    return v["alpha"]


def test_initial_points_are_tried_once_also_after_a_crash(tmp_path):
    points = [{"alpha": 0.5, "units": 50}, {"alpha": 0.25, "units": 50}]
    run(random_search(tmp_path, initial_points=points), rate, most=1)

    again = random_search(tmp_path, initial_points=points)
    drawn = values(run(again, rate))

    assert drawn[0]["alpha"] == 0.25
    assert len(drawn) == 5


@pytest.mark.parametrize(
    "point, message",
    [
        ({"alfa": 0.1}, "sets 'alfa', which is not .*: alpha, optimizer, beta"),
        ({"alpha": 2.0}, r"'alpha' .* in \[0.0001, 1\]. Received: alpha=2.0"),
        ({"alpha": "x"}, "'alpha' of an initial point must be a number"),
        ({"units": 52}, "'units' .* must be a multiple of the step"),
        ({"optimizer": "sgd"}, r"must be one of \['adam', 'momentum'\]"),
        (
            {"optimizer": "momentum", "beta": 0.5},
            r"'beta' .* in \[0.9, 0.999\]. Received: beta=0.5",
        ),
        (
            {"optimizer": "adam", "beta": 0.9},
            "'beta', which exists only where optimizer is momentum. Set",
        ),
    ],
)
def test_initial_point_outside_the_space_is_refused(tmp_path, point, message):
    with pytest.raises(InputError, match=message):
        ask(random_search(tmp_path, initial_points=[point]))


def test_best_points_of_an_older_search_begin_a_new_one(tmp_path):
    older = run(random_search(tmp_path / "a", 9), rate)
    best = sorted(older, key=lambda trial: trial.score)[:2]

    points = best_points(tmp_path / "a/search", 2)
    newer = random_search(tmp_path / "b", 4, seed=1, initial_points=points)

    drawn = values(run(newer, rate))[:2]
    for ours, theirs in zip(drawn, values(best), strict=True):
        assert ours.pop("optimizer") == theirs.pop("optimizer")
        # Records give β with twelve digits.
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_target_ends_the_search(tmp_path):
    tuned = random_search(tmp_path, 500, seed=1, target=0.0002)

    scores = [trial.score for trial in run(tuned, rate)]

    assert len(scores) < 500
    assert scores[-1] <= 0.0002 < min(scores[:-1])


def test_target_of_an_objective_to_be_raised(tmp_path):
    tuned = start(
        RandomSearchOracle(
            keras_tuner.Objective("score", "max"),
            500,
            hyperparameters=log_space(),
            target=0.9,
        ),
        tmp_path,
    )
    scores = [trial.score for trial in run(tuned, rate)]
    assert scores[-1] >= 0.9 > max(scores[:-1])


def test_time_limit_ends_the_search(tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr(search_oracle.time, "monotonic", lambda: now)
    tuned = random_search(tmp_path, time_limit=10)

    ask(tuned, "one")
    now = 109.9
    assert ask(tuned, "two").status == "RUNNING"
    now = 110.0
    assert ask(tuned, "three").status == "STOPPED"
    # Counted anew by a search that goes on, which first ends what had begun.
    again = random_search(tmp_path, time_limit=10)
    assert [ask(again, f"{n}").trial_id for n in range(3)] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"time_limit": 0}, "`time_limit` of RandomSearchOracle .*=0"),
        ({"target": float("nan")}, "`target` of RandomSearchOracle .*nan"),
        ({"max_trials": 2.5}, "`max_trials` of RandomSearchOracle .*2.5"),
    ],
)
def test_bad_end_is_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        RandomSearchOracle("val_loss", **arguments)


def test_last_point_of_a_large_space_is_found(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Int("n", 1, 3000)
    tuned = start(
        RandomSearchOracle(OBJECTIVE, 3000, hyperparameters=hp), tmp_path
    )
    for n in range(1, 3001):
        if n != 1234:
            tuned._tried_so_far.add(tuned._compute_values_hash({"n": n}))

    assert ask(tuned, "one").hyperparameters.values == {"n": 1234}
    assert ask(tuned, "two").status == "STOPPED"


def test_what_was_tried_is_known_after_a_crash(tmp_path):
    """A kill may come between a trial's file and the list of what was tried."""
    hp = keras_tuner.HyperParameters()
    hp.Int("n", 1, 3)
    settings = {"trials": 9, "hyperparameters": hp}
    tuned = random_search(tmp_path, **settings)
    ask(tuned, "one")
    listed = (tmp_path / "search/oracle.json").read_text()
    ask(tuned, "two")
    (tmp_path / "search/oracle.json").write_text(listed)

    again = run(random_search(tmp_path, **settings), lambda v: v["n"])

    assert sorted(v["n"] for v in values(again)) == [1, 2, 3]
