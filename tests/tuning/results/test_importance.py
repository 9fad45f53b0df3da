"""What mattered: is the one that mattered found, and chance not?"""

import numpy as np
import pytest
from run_folders import SPACE, draw, make_run

from tfcourse.tuning.report.importance_figures import tiers
from tfcourse.tuning.results.importance import importances, tier_of
from tfcourse.tuning.results.search_results import read_results


@pytest.mark.parametrize(
    "name, tier",
    [
        *[(name, 0) for name in ("learning_rate", "lr", "alpha", "adam_lr")],
        *[(name, 1) for name in ("beta", "momentum", "units", "units_3")],
        *[(name, 1) for name in ("batch_size", "batchSize", "Hidden units")],
        *[(name, 2) for name in ("layers", "num_layers", "decay", "lr_decay")],
        *[(name, 2) for name in ("learning_rate_decay", "decay_rate")],
        *[(name, 3) for name in ("beta_1", "beta_2", "beta1", "epsilon")],
        *[(name, None) for name in ("optimizer", "weight_decay", "dropout")],
        *[(name, None) for name in ("activation", "salary", "keep_prob")],
    ],
)
def test_tier_of_the_course(name, tier):
    assert tier_of(name) == tier


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "made", trials=60)


@pytest.mark.parametrize("evaluator", ["ped-anova", "fanova"])
def test_the_one_that_mattered_comes_first(run, evaluator):
    found = importances(run, evaluator)

    name, share = next(iter(found.shares.items()))
    assert name == "learning_rate"
    assert share > 0.5
    assert sum(found.shares.values()) == pytest.approx(1)
    shares = list(found.shares.values())
    assert shares == sorted(shares, reverse=True)
    for low, high in found.ranges.values():
        assert 0 <= low <= high <= 1


def test_it_says_the_same_each_time(run):
    assert importances(run) == importances(run)


def test_the_trials_that_failed_count(tmp_path):
    """Learning rates above 0.01 fail; of the others all score by chance."""
    rng = np.random.default_rng(2)
    drawn = [draw(rng) for _ in range(60)]
    failed = [n for n, v in enumerate(drawn) if v["learning_rate"] > 0.01]
    assert 20 < len(failed) < 40
    make_run(
        tmp_path / "run",
        drawn=drawn,
        failed=failed,
        score=lambda _: float(rng.uniform()),
    )

    assert next(iter(importances(tmp_path / "run").shares)) == "learning_rate"


@pytest.mark.parametrize("trials", [1, 9])
def test_few_trials_tell_nothing(tmp_path, trials):
    make_run(tmp_path / "run", trials=trials)

    found = importances(tmp_path / "run")

    assert found.shares == found.ranges == {}
    assert f"{trials} trial" in found.remark
    assert "too few" in found.remark


def test_ten_trials_tell_a_rough_guess(tmp_path):
    make_run(tmp_path / "run", trials=10)

    assert "rough" in importances(tmp_path / "run").remark


def test_equal_scores_tell_nothing(tmp_path):
    make_run(tmp_path / "run", trials=20, score=lambda _: 0.5)

    found = importances(tmp_path / "run")

    assert found.shares == {}
    assert "scored the same" in found.remark


def test_unknown_evaluator_is_refused(run):
    with pytest.raises(ValueError, match="one of 'ped-anova', 'fanova'"):
        importances(run, "shapley")


def test_courses_tiers_stand_beside_what_was_found(run):
    results = read_results(run)
    rows = tiers(results.axes, importances(run))

    assert rows[0][2] == "learning_rate (place 1)"
    assert {name.split(" (")[0] for name in rows[1][2].split(", ")} == {
        "beta",
        "units",
        "batch_size",
    }
    assert rows[2][2] == rows[3][2] == "not searched"
    assert rows[4][2].startswith("optimizer (place ")


def test_what_is_held_has_no_importance(tmp_path):
    space = [*SPACE[:1], ("Fixed", "batch_size", {"value": 32}), *SPACE[2:]]
    rng = np.random.default_rng(0)
    drawn = [{**draw(rng), "batch_size": 32} for _ in range(24)]
    run = make_run(tmp_path / "run", space=space, drawn=drawn)

    found = importances(run)

    assert "learning_rate" in found.shares
    assert "batch_size" not in found.shares
