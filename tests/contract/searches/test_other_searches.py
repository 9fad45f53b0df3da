"""Do grids, classifiers and defaults give what others give for the same?"""

import errno
import os

import keras
import keras_tuner
import numpy as np
import pytest
from keras import layers
from marks import slow_but
from side_by_side import compiled, examples

from tfcourse.errors import InputError
from tfcourse.tuning import Caviar, SpaceClassifier
from tfcourse.tuning.search_space.scales import one_minus_log_uniform

LOSS = keras_tuner.Objective("loss", "min")
X, Y = examples(60)
CLASSES = np.array(["ash", "elm", "oak"])[np.arange(60) % 3]


# SpaceClassifier


def of_outputs(outputs, loss, activation=None, **settings):
    def build(hp):
        hp.Float("alpha", 0.01, 1.0, default=0.5)
        model = keras.Sequential(
            [keras.Input((3,)), layers.Dense(outputs, activation)]
        )
        loss_class = getattr(keras.losses, loss)
        model.compile("sgd", loss_class(**settings))
        return model

    return build


LOGITS = {"from_logits": True}
SPACES = {
    "one logit": (of_outputs(1, "BinaryCrossentropy", **LOGITS), 2, {}),
    "one probability": (
        of_outputs(1, "BinaryCrossentropy", "sigmoid"),
        2,
        {},
    ),
    "focal logit": (of_outputs(1, "BinaryFocalCrossentropy", **LOGITS), 2, {}),
    "logits": (
        of_outputs(3, "SparseCategoricalCrossentropy", **LOGITS),
        3,
        {},
    ),
    "two logits": (
        of_outputs(2, "SparseCategoricalCrossentropy", **LOGITS),
        2,
        {},
    ),
    "one-hot logits": (
        of_outputs(3, "CategoricalCrossentropy", **LOGITS),
        3,
        {"one_hot": True},
    ),
    "probabilities": (
        of_outputs(3, "SparseCategoricalCrossentropy", "softmax"),
        3,
        {},
    ),
    "sigmoids": (
        of_outputs(3, "BinaryCrossentropy", "sigmoid"),
        3,
        {"one_hot": True},
    ),
    "a sigmoid that is said to be a logit": (
        of_outputs(1, "BinaryCrossentropy", "sigmoid", **LOGITS),
        2,
        {},
    ),
}


@pytest.mark.filterwarnings("ignore:.*from_logits")
@pytest.mark.parametrize(
    "name",
    slow_but(SPACES, ["logits", "a sigmoid that is said to be a logit"]),
)
def test_probabilities_are_those_of_the_loss(name):
    space, classes, settings = SPACES[name]
    y = CLASSES if classes == 3 else np.where(Y[:, 0] > 0, "yes", "no")
    kwargs = {"epochs": 3, "verbose": 0}
    fitted = SpaceClassifier(space, fit_kwargs=kwargs, seed=0, **settings)
    fitted.fit(X, y)

    p = fitted.predict_proba(X)
    outputs = fitted.model_.predict(X, verbose=0)
    if "logit" in name and "said" not in name:
        one = 1 / (1 + np.exp(-outputs))
        many = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        outputs = one if outputs.shape[1] == 1 else many
    if outputs.shape[1] == 1:
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    best = fitted.classes_[outputs.argmax(axis=1)]
    np.testing.assert_array_equal(fitted.predict(X), best)
    assert p.min() >= 0
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    if name != "sigmoids":
        np.testing.assert_allclose(p, outputs, rtol=1e-4, atol=1e-6)


# Grids


class InRunTrial:
    """Names its hyperparameters only when a trial is run."""

    def run_trial(self, trial, *args, **kwargs):
        hp = trial.hyperparameters
        a = hp.Choice("a", [1, 2, 3, 4, 5])
        return {"loss": (a - 3.0) ** 2 + self.more(hp)}

    def more(self, hp):
        return 0.0


class TwoInRunTrial(InRunTrial):
    def more(self, hp):
        return 0.1 * hp.Int("b", 0, 2)


class ConditionalInRunTrial(InRunTrial):
    def more(self, hp):
        if hp.get("a") != 2:
            return 0.0
        with hp.conditional_scope("a", [2]):
            return 0.1 * hp.Choice("c", [7, 8])


KINDS = {InRunTrial: 5, TwoInRunTrial: 15, ConditionalInRunTrial: 6}


@pytest.mark.parametrize("tuner_class", [Caviar, keras_tuner.Tuner])
@pytest.mark.parametrize("kind", KINDS)
def test_a_grid_meets_hyperparameters_in_run_trial(tmp_path, kind, tuner_class):
    class Tuner(kind, tuner_class):
        pass

    oracle = keras_tuner.oracles.GridSearchOracle(LOSS, seed=1)
    tuner = Tuner(oracle=oracle, directory=tmp_path)
    tuner.search()
    trials = tuner.oracle.trials.values()
    points = {tuple(t.hyperparameters.values.items()) for t in trials}
    assert len(points) == len(trials) == KINDS[kind]


# Defaults


@pytest.mark.parametrize("default, value", [(None, 0.9), (0.95, 0.95)])
def test_the_default_of_a_beta_is_a_value_of_the_course(default, value):
    hp = keras_tuner.HyperParameters()
    given = {} if default is None else {"default": default}
    beta = one_minus_log_uniform(hp, "beta", 0.9, 0.999, **given)
    assert beta == pytest.approx(value, abs=1e-12)
    again = one_minus_log_uniform(hp, "beta", 0.9, 0.999, **given)
    assert again == pytest.approx(value, abs=1e-12)


# Faults of the machine


def plain(hp):
    return compiled(hp, layers.Dense(1))


@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("population", [1, 64])
def test_a_full_disk_fails_no_trial(tmp_path, monkeypatch, number, population):
    replace = os.replace
    full = {"now": False}

    def write(path, target):
        if full["now"] and "trial_" in str(target):
            raise OSError(number, "no space left on the disk", str(target))
        return replace(path, target)

    def tuner():
        return Caviar(
            plain,
            LOSS,
            2,
            population=population,
            directory=tmp_path,
            project_name="p",
        )

    first = tuner()
    # `pathlib.Path.replace` calls it, too.
    monkeypatch.setattr("os.replace", write)
    full["now"] = True
    with pytest.raises((InputError, OSError)) as raised:
        first.search(X, Y, epochs=1, verbose=0)
    assert "\n" not in str(raised.value)
    full["now"] = False
    again = tuner()
    again.search(X, Y, epochs=1, verbose=0)
    statuses = [trial.status for trial in again.oracle.trials.values()]
    assert statuses == ["COMPLETED"] * 2
