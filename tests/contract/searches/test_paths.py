"""Is any path of a project a path, and not a pattern?"""

import keras
import keras_tuner
import numpy as np
import pytest

from tfcourse.tuning import Caviar, RandomSearchOracle, SerialTuner
from tfcourse.tuning.results.trials import read_records

X, Y = np.ones((4, 2)), np.ones((4, 1))
LOSS = keras_tuner.Objective("loss", "min")
NAMES = [
    "exp[1]",
    "a*b?c",
    "[!x]",
    "two words",
    "per%20cent#1",
    "Versüch 试验",
    "{a,b}~",
    "a'b\"c\\d",
]


def build(hp):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-3, 1e-1)), "mse")
    return model


def search(tuner_class, directory, trials=2, project="p", oracle=None):
    oracle = oracle or RandomSearchOracle
    tuner = tuner_class(
        oracle=oracle(LOSS, trials, seed=2),
        hypermodel=build,
        directory=directory,
        project_name=project,
    )
    tuner.search(X, Y, epochs=1, verbose=0)
    return tuner


def check(tuner_class, directory, project="p"):
    first = search(tuner_class, directory, project=project)
    again = search(tuner_class, directory, 3, project)
    assert len(again.oracle.trials) == 3
    for name, trial in first.oracle.trials.items():
        assert again.oracle.trials[name].score == trial.score
    records = read_records(again.project_dir)
    assert [record.status for record in records] == ["completed"] * 3
    assert again.get_best_models(1)


@pytest.mark.parametrize("name", ["exp[1]", "a*b?c#%20 ü"])
def test_a_path_is_taken_literally(tmp_path, name):
    check(Caviar, tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("tuner_class", [Caviar, SerialTuner])
@pytest.mark.parametrize("name", NAMES)
def test_any_path_is_taken_literally(tmp_path, name, tuner_class):
    check(tuner_class, tmp_path / name / "below")
    check(tuner_class, tmp_path, project=name)


@pytest.mark.slow
@pytest.mark.parametrize("directory", ["runs[1]", "./runs/", "a/../b", "~"])
def test_a_relative_path_is_taken_literally(tmp_path, monkeypatch, directory):
    monkeypatch.chdir(tmp_path)
    check(Caviar, directory)
    assert (tmp_path / directory / "p").is_dir()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The optimal value found")
@pytest.mark.parametrize(
    "oracle",
    [
        keras_tuner.oracles.RandomSearchOracle,
        keras_tuner.oracles.BayesianOptimizationOracle,
        keras_tuner.oracles.GridSearchOracle,
    ],
)
@pytest.mark.parametrize("tuner_class", [Caviar, SerialTuner])
def test_keras_tuner_s_oracles_go_on_in_any_path(tmp_path, oracle, tuner_class):
    first = search(tuner_class, tmp_path / "a[1]", oracle=oracle)
    again = search(tuner_class, tmp_path / "a[1]", 4, oracle=oracle)
    assert len(again.oracle.trials) == 4
    assert again.oracle.trials["0"].score == first.oracle.trials["0"].score
