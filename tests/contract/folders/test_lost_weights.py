"""A trial whose weights are lost is trained again, and no other."""

import pathlib

import pytest
from damaged.changes import damages_of
from damaged.searches import LOSS, X, Y, build
from kills import SPACE, completed_trials, outcome, search

from tfcourse.errors import InputError
from tfcourse.runs.search import SearchRun
from tfcourse.runs.settings import Settings, read_settings
from tfcourse.tuning import Caviar, RandomSearchOracle, SerialTuner

WEIGHTS = "checkpoint.weights.h5"
DAMAGES = damages_of(pathlib.Path(WEIGHTS))


def resumed(folder):
    run = SearchRun(read_settings(folder), folder, resume=True)
    with run.locked():
        run.search()
        return run.finish()


@pytest.mark.parametrize(
    "strategy, damage",
    [
        ("caviar", "half"),
        *(
            pytest.param(strategy, damage, marks=pytest.mark.slow)
            for strategy in ("caviar", "serial")
            for damage in ("missing", "empty", "random", "zeros", "a pipe")
        ),
    ],
)
def test_the_best_trial_is_trained_again(tmp_path, caplog, strategy, damage):
    settings = Settings(
        data="iris", space=SPACE, trials=3, epochs=1, strategy=strategy
    )
    search(vars(settings), tmp_path / "r")
    trials, result = outcome(tmp_path / "r")
    before = completed_trials(tmp_path / "r")
    best = f"trial_{result['best_trial']}"
    DAMAGES[damage](tmp_path / "r/search" / best / WEIGHTS)

    again = resumed(tmp_path / "r")

    assert f"{best}/{WEIGHTS} is missing or damaged" in caplog.text
    assert again.best.trial == result["best_trial"]
    rows, found = outcome(tmp_path / "r")
    assert found["test"] == result["test"]
    assert [r["trial"] for r in rows] == [r["trial"] for r in trials]
    after = completed_trials(tmp_path / "r")
    assert before.pop(best) != after.pop(best)
    assert before == after


@pytest.mark.parametrize("kind", [Caviar, SerialTuner])
def test_in_python_it_is_asked_for(tmp_path, kind):
    def tuner_in(folder):
        return kind(
            oracle=RandomSearchOracle(LOSS, 3, seed=0),
            hypermodel=build,
            directory=folder,
        )

    tuner = tuner_in(tmp_path)
    tuner.search(X, Y, epochs=1, verbose=0)
    values = tuner.get_best_hyperparameters()[0].values
    best = tuner.oracle.get_best_trials()[0].trial_id
    pathlib.Path(tuner.get_trial_dir(best), WEIGHTS).write_bytes(b"")
    with pytest.raises(
        InputError, match="call the tuner's `run_again`"
    ) as raised:
        tuner.get_best_models()
    assert WEIGHTS in str(raised.value)

    # In this process or in another one.
    tuner.run_again(best)
    again = tuner_in(tmp_path)
    assert again.oracle.trials[best].status == "RUNNING"
    tuner.search(X, Y, epochs=1, verbose=0)

    assert tuner.get_best_models()
    assert len(tuner.oracle.end_order) == len({*tuner.oracle.end_order}) == 3
    assert tuner.oracle.trials[best].hyperparameters.values == values
