"""Random search: seeds, duplicates, the end of a space."""

import itertools

import keras_tuner
import pytest

from tfcourse.tuning import RandomSearchOracle


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
    with pytest.raises(ValueError, match=f"`seed` must be .* {seed!r}"):
        RandomSearchOracle("val_loss", 3, seed)
