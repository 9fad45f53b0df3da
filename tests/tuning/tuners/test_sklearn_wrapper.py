"""scikit-learn: the same scales, and a classifier that its searches can use."""

import keras
import keras_tuner
import numpy as np
import pytest
import scipy.stats
from sklearn.base import clone
from sklearn.model_selection import RandomizedSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfcourse.optimizers import Adam, Momentum
from tfcourse.tuning.search_space.scales import (
    log_uniform,
    one_minus_log_uniform,
)
from tfcourse.tuning.tuners.sklearn_wrapper import (
    OneMinusLogUniform,
    SpaceClassifier,
    sklearn_space,
)


def build(hp):
    hp.Int("units", 2, 9)
    alpha = log_uniform(hp, "alpha", 1e-4, 1.0)
    optimizer = Adam(alpha)
    if hp.Choice("optimizer", ["momentum", "adam"]) == "momentum":
        with hp.conditional_scope("optimizer", ["momentum"]):
            beta = one_minus_log_uniform(hp, "beta", 0.9, 0.999)
        optimizer = Momentum(alpha, beta)
    model = keras.Sequential([keras.layers.Dense(3, "softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


@pytest.fixture
def data(rng):
    y = np.repeat(["ash", "elm", "oak"], 20)
    x = rng.normal(size=(60, 4)) + 4 * np.eye(3, 4)[np.repeat(range(3), 20)]
    return x, y


def classifier(epochs=12, **hyperparameters):
    return SpaceClassifier(
        build,
        {"optimizer": "adam", "alpha": 0.3, **hyperparameters},
        fit_kwargs={"epochs": epochs, "verbose": 0},
        seed=0,
    )


# The scales


def test_each_decade_has_equal_mass():
    space = sklearn_space(build)

    alpha = space["alpha"].rvs(10_000, random_state=0)
    beta = space["beta"].rvs(10_000, random_state=0)

    six_sigma = 6 * np.sqrt(10_000 * 0.25 * 0.75)
    counts, _ = np.histogram(np.log10(alpha), [-4, -3, -2, -1, 0])
    np.testing.assert_allclose(counts, 2500, atol=six_sigma)
    six_sigma = 6 * np.sqrt(10_000 * 0.25)
    counts, _ = np.histogram(beta, [0.9, 0.99, 0.999])
    np.testing.assert_allclose(counts, 5000, atol=six_sigma)


def test_each_kind_of_hyperparameter_has_its_distribution():
    def space(hp):
        hp.Int("n", 2, 4)
        hp.Int("even", 2, 6, step=2)
        hp.Int("width", 8, 512, sampling="log")
        hp.Float("x", -1, 3)
        hp.Float("halves", 0, 2, step=0.5)
        hp.Choice("kind", ["a", "b"])
        hp.Boolean("flag")
        return build(hp)

    found = sklearn_space(space)

    def drawn(name):
        return set(found[name].rvs(500, random_state=0).tolist())

    assert drawn("n") == {2, 3, 4}
    assert drawn("even") == {2, 4, 6}
    assert min(drawn("width")) >= 8
    assert max(drawn("width")) <= 512
    # Half of the draws below the geometric mean.
    width = found["width"].rvs(2000, random_state=1)
    assert 900 < (width < 64).sum() < 1100
    assert found["x"].support() == (-1, 3)
    assert drawn("halves") == {0, 0.5, 1, 1.5, 2}
    assert found["kind"] == ["a", "b"]
    assert found["flag"] == [False, True]
    assert found["alpha"].dist.name == scipy.stats.loguniform.name


def test_one_draw_is_a_number():
    assert isinstance(OneMinusLogUniform(0.9, 0.99).rvs(), float)


@pytest.mark.parametrize("low, high", [(0.9, 1), (0, 0.5), (0.99, 0.9)])
def test_bad_bounds_are_refused(low, high):
    with pytest.raises(ValueError, match=f"low={low}, high={high}"):
        OneMinusLogUniform(low, high)


# The classifier


def test_clone_keeps_everything():
    original = classifier(epochs=7, beta=0.95)
    copy = clone(original)
    assert copy.get_params() == original.get_params()
    assert copy.fit_kwargs == {"epochs": 7, "verbose": 0}
    copy.set_params(alpha=0.5)
    assert original.get_params()["alpha"] == 0.3


@pytest.mark.slow
def test_learns_and_gives_probabilities(data):
    x, y = data
    fitted = classifier().fit(x, y)

    p = fitted.predict_proba(x)

    assert p.shape == (60, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert fitted.classes_.tolist() == ["ash", "elm", "oak"]
    expected = fitted.classes_[p.argmax(axis=1)]
    assert (fitted.predict(x) == expected).all()
    assert fitted.score(x, y) > 0.9
    assert len(fitted.history_.history["loss"]) == 12
    again = classifier().fit(x, y)
    np.testing.assert_array_equal(again.predict_proba(x), p)


@pytest.mark.slow
def test_hyperparameters_reach_the_model(data):
    fitted = classifier(1, optimizer="momentum", beta=0.95).fit(*data)
    optimizer = fitted.model_.optimizer
    assert float(optimizer.learning_rate.numpy()) == pytest.approx(0.3)
    assert float(optimizer.beta.numpy()) == pytest.approx(0.95)


@pytest.mark.slow
def test_cross_validation_trains_for_all_epochs(data):
    scores = cross_val_score(
        make_pipeline(StandardScaler(), classifier()), *data, cv=2
    )
    # With one epoch it is about 0.5.
    assert min(scores) > 0.85


@pytest.mark.slow
def test_randomized_search(data):
    search = RandomizedSearchCV(
        SpaceClassifier(build, fit_kwargs={"epochs": 2, "verbose": 0}, seed=0),
        sklearn_space(build),
        n_iter=2,
        cv=2,
        random_state=0,
    )
    search.fit(*data)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_.keys() == {
        "units",
        "alpha",
        "optimizer",
        "beta",
    }
    assert 1e-4 <= search.best_params_["alpha"] <= 1


class Single(keras_tuner.HyperModel):
    """One sigmoid unit, and a choice in `fit`."""

    def build(self, hp):
        model = keras.Sequential([keras.layers.Dense(1, "sigmoid")])
        model.compile("adam", "binary_crossentropy")
        return model

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch", [20]), **kwargs)


@pytest.mark.slow
def test_two_classes_and_a_hypermodel(data):
    x, y = data[0][:40], data[1][:40]
    fitted = SpaceClassifier(Single(), fit_kwargs={"verbose": 0}).fit(x, y)
    assert fitted.predict_proba(x).shape == (40, 2)
    assert set(fitted.predict(x)) <= {"ash", "elm"}
    assert fitted.history_.params["steps"] == 2


def test_unknown_hyperparameter_is_named(data):
    with pytest.raises(ValueError, match="no hyperparameter 'alfa'.*'alpha'"):
        classifier(alfa=0.1).fit(*data)


def test_logits_become_probabilities(data):
    def of_logits(hp):
        model = keras.Sequential([keras.layers.Dense(3)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss)
        return model

    x, y = data
    fitted = SpaceClassifier(of_logits, fit_kwargs={"verbose": 0}).fit(x, y)

    p = fitted.predict_proba(x)
    assert (p > 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
