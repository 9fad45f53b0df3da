"""Cross-validation: are the folds stratified, and is the score their mean?"""

import operator

import keras
import keras_tuner
import numpy as np
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning.caviar.arguments.fit_arguments import (
    SearchArguments,
    fit_arguments,
)
from tfcourse.tuning.caviar.coarse_to_fine_search import CoarseToFineSearch
from tfcourse.tuning.caviar.tuner import Caviar
from tfcourse.tuning.oracles.random_search import RandomSearchOracle
from tfcourse.tuning.population import CannotVectorize
from tfcourse.tuning.search_space.scales import log_uniform
from tfcourse.tuning.tuners.cross_validation import (
    CrossValidated,
    fold_indices,
    mean_over_folds,
)
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.utils.atomic_files import read_json

OBJECTIVE = keras_tuner.Objective("val_loss", "min")


@pytest.mark.parametrize("form", ["numbers", "column", "one hot"])
def test_each_fold_has_its_share_of_each_class(form):
    classes = np.repeat([0, 1, 2], [50, 30, 20])
    y = {
        "numbers": classes,
        "column": classes[:, None].astype("float32"),
        "one hot": np.eye(3)[classes],
    }[form]

    train, dev = fold_indices(y, 5)

    assert train.shape == (5, 80)
    assert dev.shape == (5, 20)
    for inside, outside in zip(train, dev, strict=True):
        assert np.bincount(classes[outside]).tolist() == [10, 6, 4]
        assert sorted([*inside, *outside]) == list(range(100))
    assert sorted(dev.ravel()) == list(range(100))


def test_folds_of_unequal_size_are_cut_to_one():
    train, dev = fold_indices(np.repeat([0, 1], [11, 12]), 3)
    assert (train.shape, dev.shape) == ((3, 15), (3, 7))
    for inside, outside in zip(train, dev, strict=True):
        assert not set(inside) & set(outside)


def test_numbers_are_split_without_classes():
    train, dev = fold_indices(np.linspace(0, 1, 12), 4)
    assert (train.shape, dev.shape) == ((4, 9), (4, 3))


def test_split_depends_on_the_seed_alone():
    y = np.repeat([0, 1], 20)
    np.testing.assert_array_equal(
        fold_indices(y, 4, 1)[0], fold_indices(y, 4, 1)[0]
    )
    assert (fold_indices(y, 4, 1)[0] != fold_indices(y, 4, 2)[0]).any()


def test_too_small_a_class_is_named():
    with pytest.raises(InputError, match="each of the 3 folds. Class 7 has 2"):
        fold_indices([4] * 9 + [7] * 2, 3)


def build(hp):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.layers[-1].kernel.assign([[1.0], [2.0]])
    rate = log_uniform(hp, "learning_rate", 1e-9, 1e-8)
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


@pytest.mark.slow
def test_score_is_the_mean_over_the_folds(tmp_path, rng):
    x = rng.normal(size=(12, 2)).astype("float32")
    y = np.repeat([0.0, 1.0], 6)
    tuner = CoarseToFineSearch(build, OBJECTIVE, 1, folds=3, directory=tmp_path)

    tuner.search(x, y, epochs=1, verbose=0)

    # The rate is too small to change the weights.
    loss = (x @ [1.0, 2.0] - y) ** 2
    _, dev = fold_indices(y, 3)
    (trial,) = tuner.oracle.trials.values()
    assert trial.score == pytest.approx(loss[dev].mean(), rel=1e-4)
    assert len(tuner.get_best_models()) == 1
    assert [g["how"] for g in tuner.groups] == ["vectorised"]


def network(hp):
    kernels = [keras.initializers.GlorotUniform(seed) for seed in (1, 2)]
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(4, kernel_initializer=kernels[0]),
            keras.layers.BatchNormalization(),
            keras.layers.Activation("relu"),
            keras.layers.Dense(1, kernel_initializer=kernels[1]),
        ]
    )
    rate = log_uniform(hp, "learning_rate", 1e-2, 1e-1)
    model.compile(keras.optimizers.SGD(rate), "mse", weighted_metrics=["mae"])
    return model


@pytest.mark.slow
def test_folds_trained_at_once_are_those_trained_one_by_one(tmp_path, rng):
    x = rng.normal(size=(30, 2)).astype("float32")
    y = (x[:, :1] > 0.2) * 1.0
    weight = rng.uniform(0.5, 2, size=30)
    settings = {"directory": tmp_path, "project_name": "at once"}
    ours = Caviar(
        network, OBJECTIVE, 2, folds=3, executions_per_trial=2, **settings
    )
    theirs = SerialTuner(
        RandomSearchOracle(OBJECTIVE, 2),
        CrossValidated(network, 3),
        **settings | {"project_name": "one by one"},
    )

    for tuner in (ours, theirs):
        tuner.search(
            x,
            y,
            sample_weight=weight,
            batch_size=8,
            epochs=3,
            shuffle=False,
            verbose=0,
        )

    assert [(g["how"], g["members"]) for g in ours.groups] == [
        ("vectorised", 2 * 2 * 3)
    ]
    for trial_id, trial in ours.oracle.trials.items():
        other = theirs.oracle.trials[trial_id]
        assert trial.score == pytest.approx(other.score, rel=1e-4)
        curves, expected = (
            read_json(tuner.history_file_of(trial))["history"]
            for tuner in (ours, theirs)
        )
        assert curves.keys() == expected.keys()
        assert trial.score == min(curves["val_loss"])
        for name, values in expected.items():
            assert curves[name] == pytest.approx(values, rel=1e-4)
        np.testing.assert_allclose(
            ours.load_model(trial).predict(x, verbose=0),
            theirs.load_model(other).predict(x, verbose=0),
            rtol=1e-3,
            atol=1e-5,
        )


def history_of(*losses):
    history = keras.callbacks.History()
    history.epoch = list(range(len(losses)))
    history.history = {"loss": list(losses)}
    return history


def test_mean_goes_as_far_as_all_do():
    mean = mean_over_folds([history_of(3.0, 2.0, 1.0), history_of(1.0, 1.0)])
    assert mean.history == {"loss": [2.0, 1.5]}
    assert mean.epoch == [0, 1]


class GivenHistories(keras_tuner.HyperModel):
    """Its models have the histories that it is given."""

    def __init__(self, histories):
        super().__init__()
        self.histories = list(histories)

    def build(self, hp):
        return None

    def fit(self, hp, model, *args, **kwargs):
        return self.histories.pop(0)


def test_model_that_diverges_ends_the_trial():
    bad = history_of(3.0, 2.0, float("nan"))
    space = GivenHistories([history_of(1.0), bad, history_of(2.0)])
    history = CrossValidated(space, 3).fit(
        None, None, np.ones((9, 1)), np.repeat([0, 1, 2], 3)
    )
    assert history is bad
    assert len(space.histories) == 1


class Scaled(keras_tuner.HyperModel):
    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, x, y, **kwargs):
        return model.fit(x / x.std(), y, **kwargs)


def test_what_folds_share_must_not_change_the_data():
    data = np.arange(12.0)[:, None], np.repeat([0, 1], 6)
    with pytest.raises(CannotVectorize, match="changes the data of folds"):
        fit_arguments(
            CrossValidated(Scaled(), 3), None, SearchArguments(data, {})
        )


def test_all_trials_of_a_search_have_the_same_folds():
    data = np.arange(12.0)[:, None], np.repeat([0, 1], 6)
    space, search = CrossValidated(build, 3, seed=1), SearchArguments(data, {})
    first, second = (fit_arguments(space, None, search) for _ in range(2))
    # Otherwise they would be trained apart.
    assert all(map(operator.is_, first["subsets"], second["subsets"]))
    np.testing.assert_array_equal(
        first["subsets"][1], fold_indices(data[1], 3, 1)[1]
    )
    assert first["validation_data"] is None


def test_patience_is_with_respect_to_the_folds_left_out(tmp_path):
    tuner = Caviar(
        build, OBJECTIVE, folds=3, early_stopping=2, directory=tmp_path
    )
    assert tuner._stopping_callback({}).monitor == "val_loss"


def test_hyperband_is_refused():
    oracle = keras_tuner.oracles.HyperbandOracle(OBJECTIVE)
    with pytest.raises(ValueError, match="Hyperband, .* folds=3"):
        Caviar(build, oracle=oracle, folds=3)


def test_validation_data_are_refused():
    space = CrossValidated(build, 3)
    with pytest.raises(InputError, match="Leave out `validation_data`"):
        space.fit(None, None, 1, 2, validation_data=(1, 2))


@pytest.mark.parametrize(
    "folds, error", [(1, ValueError), (0, ValueError), (2.5, TypeError)]
)
def test_bad_number_of_folds(folds, error):
    with pytest.raises(error, match=f"`folds` .* folds={folds}"):
        CrossValidated(build, folds)
