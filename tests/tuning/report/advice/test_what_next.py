"""What a search advises: each piece where it is due, and only there."""

import dataclasses
import shlex

import numpy as np
import pytest
from run_folders import draw, make_run, score_of
from scipy.stats import binomtest
from typer.testing import CliRunner

from tfcourse.export.evaluation import classification_scores
from tfcourse.runs.settings import Settings
from tfcourse.tuning.report.advice.advice import DEFAULTS, tune_command
from tfcourse.tuning.report.advice.chance import (
    luck,
    not_apart,
    score_interval,
)
from tfcourse.tuning.report.advice.gaps import errors
from tfcourse.tuning.report.advice.ranges import negligible
from tfcourse.tuning.report.advice.what_next import what_next
from tfcourse.tuning.results.importance import Importances
from tfcourse.tuning.results.search_results import read_results

NONE = Importances({}, {}, "", "")
# The curves of made-up trials have three epochs, the last the best.
LONG = {"epochs": 10}


def titled(run, found=NONE):
    advice = what_next(read_results(run), found)
    return {one.title: one for one in advice}


def right_of(m, right):
    """Returns what is kept of a set of which so many are right."""
    true = ["a", "b"] * (m // 2)
    predicted = [
        ("b" if label == "a" else "a") if n >= right else label
        for n, label in enumerate(true)
    ]
    found = classification_scores(true, predicted, ["a", "b"])
    return {"scores": {"accuracy": found.pop("accuracy")}, **found}


def evaluation(train, dev, test, m=400):
    parts = {"train": train, "dev": dev, "test": test}
    return {n: right_of(m, round(share * m)) for n, share in parts.items()}


def test_the_command_has_what_was_set_and_no_more(tmp_path):
    settings = dataclasses.asdict(
        Settings(
            data="/d/my file.csv",
            target="y",
            drop=("a", "b"),
            skip_bad=True,
            objective="val_accuracy",
            space="course",
            target_score=0.99,
        )
    )
    run = make_run(tmp_path / "run", settings=settings)

    words = tune_command(read_results(run), epochs=20, fix=["units=64"])

    assert shlex.join(words) == (
        "tfcourse tune --data '/d/my file.csv' --target y --drop a --drop b "
        "--skip-bad --target-score 0.99 --epochs 20 --fix units=64"
    )


def test_what_is_left_out_is_usual():
    usual = dataclasses.asdict(Settings(space="course"))
    assert {name: usual[name] for name in DEFAULTS} == DEFAULTS


def test_commands_are_understood_by_the_command_line(tmp_path):
    from tfcourse.cli import app

    settings = {"drop": ["a"], "sampler": "tpe", "folds": 5, "fix": ["u=1"]}
    run = make_run(tmp_path / "run", settings=settings)
    words = tune_command(read_results(run), space="full", objective="val_f1")

    done = CliRunner().invoke(app, [*words[1:], "--help"])

    assert done.exit_code == 0
    assert "--class-weight" in done.output


def test_interval_of_the_best_is_that_of_its_accuracy(tmp_path):
    """0.9833 and 0.9777 of 359 examples are not apart."""
    drawn = [draw(np.random.default_rng(n)) for n in range(3)]
    scores = {0: 353 / 359, 1: 351 / 359, 2: 340 / 359}
    run = make_run(
        tmp_path / "run",
        drawn=drawn,
        score=lambda values: scores[drawn.index(values)],
    )
    results = read_results(run)

    expected = binomtest(353, 359).proportion_ci(method="wilson")
    assert score_interval(results) == pytest.approx(tuple(expected))
    assert [r.trial for r in not_apart(results)] == ["00", "01"]
    advice = titled(run)["Others are as good as the best"]
    assert "2 of 3 trials scored within 0.964" in advice.why
    assert advice.command[-2:] == ("--folds", "5")


def test_a_squared_error_has_the_interval_of_its_root(tmp_path):
    scores = {"r2": 0.5, "rmse": 20.0, "mae": 15.0}
    kept = {
        "examples": 50,
        "scores": scores,
        "intervals": {"r2": [0.3, 0.6], "rmse": [18.0, 24.0]},
    }
    run = make_run(
        tmp_path / "run",
        direction="min",
        score=lambda values: 1 - score_of(values),
        evaluation={"train": kept, "dev": kept, "test": kept},
        data={"task": "regression", "classes": 0},
    )
    results = read_results(run)

    best = results.best[0].score
    assert score_interval(results) == pytest.approx(
        (best * 0.9**2, best * 1.2**2)
    )


def test_luck_is_that_of_the_greatest_of_some_draws(tmp_path):
    """As many draws of 359 examples each, by simulation."""
    rng = np.random.default_rng(0)
    run = make_run(tmp_path / "run", trials=20, score=lambda values: 0.9)

    drawn = rng.binomial(359, 0.9, size=(20_000, 20)) / 359

    found = luck(read_results(run))
    # Blom's formula is right to some percent, and binomials are skewed.
    assert found == pytest.approx(drawn.max(axis=1).mean() - 0.9, rel=0.08)


@pytest.mark.parametrize(
    "test, advised", [(0.70, True), (0.92, False)], ids=["far", "near"]
)
def test_a_test_score_below_is_explained(tmp_path, test, advised):
    run = make_run(
        tmp_path / "run",
        score=lambda values: 0.95,
        settings=LONG,
        evaluation=evaluation(0.96, 0.95, test, m=360),
    )

    advice = titled(run)["The test score is the one to trust"]

    assert "the best of 12 trials was chosen there" in advice.why
    assert ("is more than chance" in advice.why) == advised
    assert (advice.command[-2:] == ("--folds", "5")) == advised


def test_a_test_score_above_needs_no_word(tmp_path):
    run = make_run(
        tmp_path / "run", evaluation=evaluation(0.9, 0.9, 0.91), settings=LONG
    )
    assert "The test score is the one to trust" not in titled(run)


@pytest.mark.parametrize(
    "shares, title, option",
    [
        ((0.99, 0.85, 0.85), "Variance: generalise better", "full"),
        ((0.80, 0.90, 0.90), "Bias: fit the training set better", "wide"),
        ((0.80, 0.80, 0.80), "Bias, or noise", "wide"),
        ((0.99, 0.99, 0.99), None, None),
    ],
)
def test_the_courses_table_decides(tmp_path, shares, title, option):
    run = make_run(
        tmp_path / "run", evaluation=evaluation(*shares), settings=LONG
    )

    found = titled(run)

    about = {"Variance", "Bias"} & {name[:8].split(":")[0] for name in found}
    if title is None:
        assert not about
        return
    words = found[title].command
    assert words[words.index("--space") + 1] == option
    if "noise" not in title:
        assert "The course advises: " in found[title].why


def test_the_least_error_is_the_lowest_that_is_known(tmp_path):
    run = make_run(tmp_path / "run", evaluation=evaluation(0.8, 0.8, 0.8))
    results = read_results(run)
    results.manifest["result"]["baselines"] = {
        "logistic regression": {"test": {"accuracy": 0.9}}
    }

    found = errors(results)

    assert found.bayes_error == pytest.approx(0.1)
    assert found.avoidable_bias == pytest.approx(0.1)
    assert found.high == ("avoidable bias",)


def test_more_epochs_where_scores_still_rise(tmp_path):
    run = make_run(tmp_path / "run", settings={"epochs": 3})

    advice = titled(run)["Still rising: more epochs"]

    assert "10 of the 10 best trials were best in epoch 3" in advice.why
    assert advice.command[-2:] == ("--epochs", "6")
    ended = make_run(tmp_path / "ended", settings=LONG)
    assert "Still rising: more epochs" not in titled(ended)


def test_wider_where_the_best_is_at_an_edge(tmp_path):
    drawn = [
        {"units": 75, "optimizer": "adam", "learning_rate": rate}
        for rate in (0.999, 0.01)
    ]

    def run(name, **kwargs):
        return make_run(
            tmp_path / name,
            drawn=drawn,
            score=lambda v: v["learning_rate"],
            **kwargs,
        )

    advice = titled(run("course"))["Best at the edge: widen"]

    assert "learning_rate 0.999" in advice.why
    assert advice.command[-2:] == ("--space", "wide")
    own = titled(run("own", settings={"space": "m.py:build"}))
    assert own["Best at the edge: widen"].command == ()


def test_what_mattered_little_can_be_held(tmp_path):
    run = make_run(tmp_path / "run", 20, settings={"fix": ["layers=3"]})
    found = Importances(
        {"learning_rate": 0.8, "units": 0.15, "batch_size": 0.05},
        {
            "learning_rate": (0.6, 0.9),
            "units": (0.0, 0.3),
            "batch_size": (0.0, 0.1),
        },
        "PED-ANOVA",
        "",
    )

    advice = titled(run, found)["Not worth searching"]

    best = read_results(run).best[0].hyperparameters
    assert negligible(found) == ["batch_size"]
    held = f"--fix layers=3 --fix batch_size={best['batch_size']}"
    assert held in advice.command_text
    few = make_run(tmp_path / "few", 19)
    assert "Not worth searching" not in titled(few, found)


def test_more_trials_while_they_get_better(tmp_path):
    place = iter(range(20))
    run = make_run(
        tmp_path / "run", trials=20, score=lambda _: 0.5 + next(place) / 100
    )

    advice = titled(run)["Still improving: run more trials"]

    assert advice.command_text == (
        f"tfcourse tune --resume --out {run} --trials 40"
    )


def test_many_failures_are_told_with_their_learning_rates(tmp_path):
    drawn = [
        {"units": 75, "optimizer": "adam", "learning_rate": rate}
        for rate in (0.9, 0.8, 0.1, 0.01, 0.001)
    ]
    run = make_run(tmp_path / "run", drawn=drawn, failed=[0, 1])

    advice = titled(run)["Many trials failed"]

    assert "2 of 5 trials failed" in advice.why
    assert (
        "a learning rate of 0.8 or more, all the others one of 0.1"
        in advice.why
    )


def test_always_the_same_class_is_told(tmp_path):
    true = ["a"] * 90 + ["b"] * 10
    found = classification_scores(true, ["a"] * 100, ["a", "b"])
    kept = {"scores": {"accuracy": found.pop("accuracy")}, **found}
    parts = dict.fromkeys(("train", "dev", "test"), kept)
    run = make_run(tmp_path / "run", evaluation=parts)

    advice = titled(run)["Hardly better than the commonest class"]

    assert "always answering 'a' would get, 0.9000" in advice.why
    assert "--objective val_f1" in advice.command_text
    assert "--class-weight balanced" in advice.command_text
    # A space of one's own may have no such metric.
    own = make_run(
        tmp_path / "own",
        evaluation=parts,
        settings={"space": "m.py:build"},
    )
    advice = titled(own)["Hardly better than the commonest class"]
    assert advice.command[-2:] == ("--class-weight", "balanced")
    assert "--objective" not in advice.command


@pytest.mark.parametrize("rare, advised", [(2, False), (3, True)])
def test_no_folds_where_a_class_has_too_few_examples(tmp_path, rare, advised):
    def kept(of_rare):
        true = ["a"] * 90 + ["b"] * of_rare
        found = classification_scores(true, true, ["a", "b"])
        return {"scores": {"accuracy": found.pop("accuracy")}, **found}

    parts = {"train": kept(rare), "dev": kept(2), "test": kept(2)}
    run = make_run(
        tmp_path / "run", evaluation=parts, score=lambda values: 0.95
    )

    advice = titled(run)["Others are as good as the best"]

    assert ("--folds" in advice.command) == advised


def test_folders_are_named_from_everywhere(tmp_path, monkeypatch):
    make_run(tmp_path / "run")
    monkeypatch.chdir(tmp_path)

    advice = titled("run")["When you have chosen: train on more"]

    assert advice.command[-1] == str(tmp_path.resolve() / "run")


def test_no_command_is_given_twice(tmp_path):
    run = make_run(
        tmp_path / "run",
        score=lambda values: 0.95,
        evaluation=evaluation(0.99, 0.95, 0.7),
    )

    commands = [one.command for one in titled(run).values() if one.command]

    assert len(commands) == len(set(commands)) >= 3


def test_a_bare_project_gets_no_commands(tmp_path):
    run = make_run(tmp_path / "run", trials=12)

    advice = what_next(read_results(run / "search"), NONE)

    assert all(one.command == () for one in advice)
