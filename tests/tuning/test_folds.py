"""Cross-validation: are the folds stratified, and is the score their mean?"""

import keras
import keras_tuner
import numpy as np
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning.coarse_to_fine_search import CoarseToFineSearch
from tfcourse.tuning.folds import CrossValidated, fold_indices
from tfcourse.tuning.scales import log_uniform


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
    tuner = CoarseToFineSearch(
        build,
        keras_tuner.Objective("val_loss", "min"),
        1,
        folds=3,
        directory=tmp_path,
    )

    tuner.search(x, y, epochs=1, verbose=0)

    # The rate is too small to change the weights.
    loss = (x @ [1.0, 2.0] - y) ** 2
    _, dev = fold_indices(y, 3)
    (trial,) = tuner.oracle.trials.values()
    assert trial.score == pytest.approx(loss[dev].mean(), rel=1e-4)
    assert len(tuner.get_best_models()) == 1


def test_validation_data_are_refused():
    space = CrossValidated(build, 3)
    with pytest.raises(InputError, match="Leave `validation_data` out"):
        space.fit(None, None, 1, 2, validation_data=(1, 2))


@pytest.mark.parametrize("folds", [1, 0, 2.5])
def test_bad_number_of_folds(folds):
    with pytest.raises(ValueError, match=f"`folds` .* folds={folds}"):
        CrossValidated(build, folds)
