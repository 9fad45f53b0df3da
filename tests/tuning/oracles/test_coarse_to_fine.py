"""Coarse to fine: the regions, the rounds, and whether they help."""

import json
import math

import keras_tuner
import numpy as np
import pytest
from oracles import OBJECTIVE, ask, run, start, tell, values

from tfcourse.tuning.oracles.coarse_to_fine import (
    CoarseToFineOracle,
    read_rounds,
)
from tfcourse.tuning.oracles.random_search import RandomSearchOracle
from tfcourse.tuning.search_space.scales import (
    log_uniform,
    one_minus_log_uniform,
)
from tfcourse.utils import atomic_files as files


def square(dimensions=2):
    hp = keras_tuner.HyperParameters()
    for n in range(dimensions):
        hp.Float(f"x{n}", 0, 1)
    return hp


def mixed():
    """Every kind of hyperparameter, two of them conditional."""
    hp = keras_tuner.HyperParameters()
    log_uniform(hp, "alpha", 1e-4, 1.0)
    hp.Int("units", 50, 100)
    hp.Choice("batch_size", [32, 64, 128, 256])
    hp.Choice("optimizer", ["adam", "momentum", "rmsprop"])
    hp.Boolean("norm")
    hp.Fixed("classes", 10)
    with hp.conditional_scope("optimizer", ["momentum"]):
        one_minus_log_uniform(hp, "beta", 0.9, 0.999)
    with hp.conditional_scope("optimizer", ["rmsprop"]):
        hp.Float("rho", 0.5, 1.0, step=0.1)
    return hp


def far_from_best(v):
    return abs(math.log10(v["alpha"]) + 2) + (v["optimizer"] != "momentum")


def oracle(folder, trials=20, seed=0, hp=None, **kwargs):
    hp = hp or square()
    return start(
        CoarseToFineOracle(
            OBJECTIVE, trials, seed, hyperparameters=hp, **kwargs
        ),
        folder,
    )


def sphere(v):
    return sum((x - 0.3) ** 2 for x in v.values())


def regions(folder, r):
    found = read_rounds(folder / "search")[r]["regions"]
    return {region["name"]: region for region in found}


# The rounds


def test_first_round_is_the_larger_one_and_others_are_alike(tmp_path):
    run(oracle(tmp_path, trials=20), sphere)

    rounds = read_rounds(tmp_path / "search")

    assert [len(r["trials"]) for r in rounds] == [8, 4, 4, 4]
    names = [name for r in rounds for name in r["trials"]]
    assert names == [f"{n:02d}" for n in range(20)]


@pytest.mark.parametrize(
    "trials, rounds, each, sizes",
    [
        (20, 3, 5, [5, 5, 10]),
        (6, 2, 3, [3, 3]),
        (7, 1, None, [7]),
        (2, 4, None, [1, 1]),
        (11, 3, None, [4, 4, 3]),
    ],
)
def test_sizes_of_rounds(tmp_path, trials, rounds, each, sizes):
    run(oracle(tmp_path, trials, rounds=rounds, trials_per_round=each), sphere)
    found = read_rounds(tmp_path / "search")
    assert [len(r["trials"]) for r in found] == sizes


def test_each_part_of_a_region_has_one_draw(tmp_path):
    trials = run(oracle(tmp_path, 20, explore=0.0), sphere)

    for r, (first, size) in enumerate([(0, 8), (8, 4), (12, 4), (16, 4)]):
        drawn = values(trials)[first : first + size]
        for name, region in regions(tmp_path, r).items():
            low, high = region["low"], region["high"]
            share = [(v[name] - low) / (high - low) for v in drawn]
            parts = sorted(math.floor(size * s) for s in share)
            assert parts == list(range(size))


def test_next_round_waits_for_all_trials_of_the_one_before(tmp_path):
    tuned = oracle(tmp_path, 20)
    trials = [ask(tuned, f"tuner{n}") for n in range(9)]

    assert [t.status for t in trials] == 8 * ["RUNNING"] + ["IDLE"]
    for trial in trials[:7]:
        tell(tuned, trial, sphere)
    assert ask(tuned, "tuner8").status == "IDLE"
    tell(tuned, trials[7], sphere)
    assert ask(tuned, "tuner8").status == "RUNNING"


def test_retried_trial_is_waited_for(tmp_path):
    tuned = oracle(tmp_path, 20, max_retries_per_trial=1)
    trials = [ask(tuned, f"tuner{n}") for n in range(8)]
    for trial in trials[1:]:
        tell(tuned, trial, sphere)
    tell(tuned, trials[0], None, status="INVALID")

    again = ask(tuned)
    assert again.trial_id == trials[0].trial_id
    assert ask(tuned, "other").status == "IDLE"
    tell(tuned, again, None, status="INVALID")
    assert tuned.trials["00"].status == "FAILED"
    assert ask(tuned, "other").status == "RUNNING"


def test_draws_do_not_depend_on_how_many_run_at_once(tmp_path):
    found = [
        values(run(oracle(tmp_path / str(n), 30, 3, mixed()), far_from_best, n))
        for n in (1, 5, 64)
    ]
    assert found[0] == found[1] == found[2]


def test_one_round_is_random_search(tmp_path):
    ours = run(oracle(tmp_path / "a", 9, 5, mixed(), rounds=1), far_from_best)
    other = start(
        RandomSearchOracle(OBJECTIVE, 9, 5, hyperparameters=mixed()),
        tmp_path / "b",
    )
    assert values(ours) == values(run(other, far_from_best))


def test_trials_that_come_back_from_workers_are_understood(tmp_path, capsys):
    """A chief and its workers exchange floats of 32 bits."""
    tuned = oracle(tmp_path, 40, hp=mixed())
    for _ in range(40):
        trial = ask(tuned)
        assert trial.status == "RUNNING"
        tuned.update_trial(
            trial.trial_id,
            {"score": far_from_best(trial.hyperparameters.values)},
        )
        trial.status = "COMPLETED"
        tuned.end_trial(type(trial).from_proto(trial.to_proto()))

    assert regions(tmp_path, 3)["alpha"]["high"] < 0.1
    assert regions(tmp_path, 3)["optimizer"]["values"] == ["momentum"]


def test_seeds_differ(tmp_path):
    first = [
        values(run(oracle(tmp_path / str(s), 8, s), sphere))[0]["x0"]
        for s in range(20)
    ]
    assert len(set(first)) == 20


# The regions


def position(name, value):
    """Where a value of `mixed` lies on its own scale, from 0 to 1."""
    if name == "alpha":
        return 1 + math.log10(value) / 4
    if name == "1 - beta":
        return math.log10(value / 0.001) / 2
    if name == "units":
        return (value - 50 + 0.5) / 51
    raise AssertionError(name)


def expected_ends(name, best, r, margin=0.1, shrink=0.6, least=0.02):
    """The equation of the docstring, on numbers."""
    p = np.array([position(name, v[name]) for v in best])
    a, b = p.min(), p.max()
    low, high = a - margin * (b - a), b + margin * (b - a)
    if high - low > shrink**r:
        start = min(max(p[0] - shrink**r / 2, low), high - shrink**r)
        low, high = start, start + shrink**r
    if high - low < least:
        middle = (low + high) / 2
        low, high = middle - least / 2, middle + least / 2
    return max(low, 0), min(high, 1)


def test_regions_are_those_of_the_equation(tmp_path):
    trials = run(oracle(tmp_path, 60, 1, mixed()), far_from_best)

    seen = 0
    for r in (1, 2, 3):
        earlier = [t for t in trials if int(t.trial_id) < (24, 36, 48)[r - 1]]
        ranked = values(sorted(earlier, key=lambda t: t.score))
        found = regions(tmp_path, r)
        for name in ("alpha", "units", "1 - beta"):
            there = [v for v in ranked if name in v]
            best = there[: max(4, math.ceil(0.1 * len(there)))]
            ends = found[name.removeprefix("1 - ")]["positions"]
            assert ends == pytest.approx(expected_ends(name, best, r))
        best = ranked[: max(4, math.ceil(0.1 * len(ranked)))]
        among = {v["optimizer"] for v in best}
        assert set(found["optimizer"]["values"]) == among
        seen += len(among) < 3
        sizes = [v["batch_size"] for v in best]
        assert found["batch_size"]["values"] == [
            size
            for size in [32, 64, 128, 256]
            if min(sizes) <= size <= max(sizes)
        ]
    assert seen, "no category was ever left out"


def test_bounds_are_told_as_a_person_reads_them(tmp_path):
    run(oracle(tmp_path, 30, hp=mixed()), far_from_best)

    first, later = regions(tmp_path, 0), regions(tmp_path, 3)

    assert first["alpha"]["axis"] == "log"
    assert first["alpha"]["low"] == pytest.approx(1e-4)
    assert first["alpha"]["high"] == pytest.approx(1.0)
    assert first["beta"]["axis"] == "one_minus_log"
    assert first["beta"]["low"] == pytest.approx(0.9)
    assert first["beta"]["high"] == pytest.approx(0.999)
    assert first["beta"]["when"] == {"optimizer": ["momentum"]}
    assert (first["units"]["low"], first["units"]["high"]) == (50, 100)
    assert first["optimizer"]["values"] == ["adam", "momentum", "rmsprop"]
    assert 1e-4 < later["alpha"]["low"] < later["alpha"]["high"] < 0.1
    json.dumps([first, later], allow_nan=False)


def test_later_draws_lie_in_their_region_but_for_the_explored_share(tmp_path):
    trials = run(oracle(tmp_path, 200, explore=0.25, rounds=2), sphere)

    found = regions(tmp_path, 1)
    outside = sum(
        not all(found[n]["low"] <= v <= found[n]["high"] for n, v in d.items())
        for d in values(trials)[80:]
    )

    # A quarter of 120 explore, and few of these hit the region.
    width = found["x0"]["high"] - found["x0"]["low"]
    assert width < 0.6
    assert 30 * (1 - width) ** 1 * 0.5 <= outside <= 30


def test_unimportant_hyperparameters_keep_more_of_their_range(tmp_path):
    widths = {"x0": [], "x1": []}
    for seed in range(10):
        folder = tmp_path / str(seed)
        run(
            oracle(folder, 40, seed, shrink=1.0),
            lambda v: abs(v["x0"] - 0.3),
        )
        for name, region in regions(folder, 3).items():
            widths[name].append(region["high"] - region["low"])
    assert np.median(widths["x0"]) < 0.15
    assert np.median(widths["x1"]) > 3 * np.median(widths["x0"])


def test_failed_trials_are_not_among_the_best(tmp_path):
    tuned = oracle(tmp_path, 40, explore=0.0)
    for _ in range(16):
        trial = ask(tuned)
        bad = trial.hyperparameters.values["x0"] < 0.5
        tell(tuned, trial, 1.0, "FAILED" if bad else "COMPLETED")

    ask(tuned)

    assert regions(tmp_path, 1)["x0"]["low"] > 0.45


def test_infinite_score_is_not_the_best(tmp_path):
    tuned = oracle(tmp_path, 40, explore=0.0)
    for _ in range(16):
        trial = ask(tuned)
        bad = trial.hyperparameters.values["x0"] < 0.5
        tell(tuned, trial, -math.inf if bad else 1.0)

    ask(tuned)

    assert regions(tmp_path, 1)["x0"]["low"] > 0.45


def test_when_all_have_failed_the_whole_space_is_drawn_from(tmp_path):
    tuned = oracle(tmp_path, 20)
    for _ in range(8):
        tell(tuned, ask(tuned), 1.0, "FAILED")

    assert ask(tuned).status == "RUNNING"
    assert regions(tmp_path, 1)["x0"]["positions"] == [0, 1]


def test_objective_to_be_raised(tmp_path):
    tuned = start(
        CoarseToFineOracle(
            keras_tuner.Objective("score", "max"),
            40,
            hyperparameters=square(),
        ),
        tmp_path,
    )
    run(tuned, lambda v: v["x0"])
    assert regions(tmp_path, 3)["x0"]["low"] > 0.7


# Going on


def killed_and_resumed(folder, moments, trials, hp, score):
    """Runs a search that ends without a word after so many more trials."""
    for moment in moments:
        tuned = oracle(folder, trials, 7, hp())
        run(tuned, score, most=moment)
        # These are lost, and must be given out again.
        ask(tuned, "lost")
        ask(tuned, "lost too")
    return values(run(oracle(folder, trials, 7, hp()), score))


def test_resumed_search_draws_what_an_unbroken_one_does(tmp_path):
    unbroken = run(oracle(tmp_path / "a", 30, 7, mixed()), far_from_best)

    killed_and_resumed(tmp_path / "b", [3, 8, 1, 6], 30, mixed, far_from_best)

    again = oracle(tmp_path / "b", 30, 7, mixed())
    assert {i: t.hyperparameters.values for i, t in again.trials.items()} == {
        t.trial_id: t.hyperparameters.values for t in unbroken
    }
    assert read_rounds(tmp_path / "a/search") == read_rounds(
        tmp_path / "b/search"
    )


def test_list_that_was_not_written_is_no_loss(tmp_path):
    """A kill between the file of a round's first trial and the list."""
    unbroken = run(oracle(tmp_path / "a", 20, 7), sphere)
    tuned = oracle(tmp_path / "b", 20, 7)
    run(tuned, sphere, most=8)
    before = (tmp_path / "b/search/oracle.json").read_text()
    ask(tuned)
    (tmp_path / "b/search/oracle.json").write_text(before)

    resumed = run(oracle(tmp_path / "b", 20, 7), sphere)

    assert values(resumed) == values(unbroken)[8:]
    assert read_rounds(tmp_path / "a/search") == read_rounds(
        tmp_path / "b/search"
    )


class Killed(BaseException):
    """Ends a process as `kill -9` would, as far as files can tell."""


@pytest.mark.slow
def test_killed_at_any_write(tmp_path, monkeypatch):
    def outcome(folder):
        again = oracle(folder, 9, 7)
        found = {
            i: (t.hyperparameters.values, t.score)
            for i, t in again.trials.items()
        }
        return found, read_rounds(folder / "search")

    run(oracle(tmp_path / "whole", 9, 7), sphere)
    expected = outcome(tmp_path / "whole")
    original = files.write_text

    for fatal in range(1, 1000, 4):
        folder, count = tmp_path / str(fatal), 0

        def write_text(path, text, fatal=fatal):
            nonlocal count
            count += 1
            if count == fatal:
                raise Killed
            original(path, text)

        with monkeypatch.context() as patch:
            patch.setattr(files, "write_text", write_text)
            try:
                run(oracle(folder, 9, 7), sphere, at_once=2)
            except Killed:
                pass
            else:
                break
        run(oracle(folder, 9, 7), sphere)
        assert outcome(folder) == expected
    # One write when a trial begins, and two when it ends.
    assert fatal > 9 * 3


def test_more_trials_make_a_further_round(tmp_path):
    run(oracle(tmp_path, 20), sphere)
    more = run(oracle(tmp_path, 32), sphere)

    rounds = read_rounds(tmp_path / "search")
    assert len(more) == 12
    assert [len(r["trials"]) for r in rounds] == [8, 4, 4, 4, 12]
    assert regions(tmp_path, 4) != regions(tmp_path, 3)


def test_new_hyperparameter_is_drawn_from_its_whole_range(tmp_path):
    tuned = oracle(tmp_path, 40)
    run(tuned, sphere, most=16)
    trial = ask(tuned)
    trial.hyperparameters.Float("late", 5, 6)
    tell(tuned, trial, sphere)

    late = [v["late"] for v in values(run(tuned, sphere))]

    assert len(late) == 23
    assert all(5 <= value <= 6 for value in late)
    assert "late" in regions(tmp_path, 2)
    assert "late" not in regions(tmp_path, 1)


def test_used_up_space_ends_the_search_with_every_point_tried(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Int("n", 1, 40)
    hp.Choice("kind", ["a", "b"])
    with hp.conditional_scope("kind", ["b"]):
        hp.Int("m", 1, 3)

    tuned = oracle(tmp_path, 500, hp=hp)
    found = values(run(tuned, lambda v: v["n"]))

    assert len(found) == 40 * (1 + 3)
    assert len({tuple(sorted(v.items())) for v in found}) == len(found)


# Does it help?

ONE_IMPORTANT = (
    5,
    lambda x: (x[0] - 0.37) ** 2 + 0.01 * ((x[1:] - 0.6) ** 2).sum(),
)
BOWL = (2, lambda x: (x[0] - 0.37) ** 2 + (x[1] - 0.81) ** 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "dimensions, function", [ONE_IMPORTANT, BOWL], ids=["one", "bowl"]
)
def test_better_than_random_search(tmp_path, dimensions, function):
    def best(tuned):
        tuned.save = lambda: None
        tuned._save_trial = lambda trial: None
        trials = run(
            tuned, lambda v: float(function(np.array(list(v.values()))))
        )
        return min(trial.score for trial in trials)

    hp = square(dimensions)
    ours = [best(oracle(tmp_path, 32, s, hp)) for s in range(20)]
    theirs = [best(oracle(tmp_path, 32, s, hp, rounds=1)) for s in range(20)]

    wins = sum(a < b for a, b in zip(ours, theirs, strict=True))
    assert np.median(ours) < np.median(theirs)
    # By chance alone in one of 48 runs.
    assert wins >= 15


# Bad input


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"rounds": 0}, "`rounds` of CoarseToFineOracle .*rounds=0"),
        ({"rounds": 2.0}, "`rounds` .*rounds=2.0"),
        ({"trials_per_round": 6}, "4 rounds of 6 trials .*max_trials=20"),
        ({"trials_per_round": 0}, "`trials_per_round` .*=0"),
        ({"shrink": 0}, r"`shrink` .*\(0, 1\]\. Received: shrink=0"),
        ({"shrink": 1.5}, "`shrink` .*shrink=1.5"),
        ({"best": 0}, "`best` .*best=0"),
        ({"margin": -0.1}, "`margin` .*margin=-0.1"),
        ({"explore": 1}, r"`explore` .*\[0, 1\).*explore=1"),
        ({"least_width": math.nan}, "`least_width` .*nan"),
        ({"max_trials": 0}, "`max_trials` .*max_trials=0"),
        ({"max_trials": None}, "`max_trials` .*None"),
        ({"seed": -1}, "`seed` .*seed=-1"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        CoarseToFineOracle(OBJECTIVE, **{"max_trials": 20, **arguments})


def test_project_of_another_oracle_is_gone_on_with(tmp_path):
    other = start(
        RandomSearchOracle(OBJECTIVE, 10, hyperparameters=square()), tmp_path
    )
    run(other, sphere)
    assert read_rounds(tmp_path / "search") == []

    assert len(run(oracle(tmp_path, 20), sphere)) == 10
