"""Is a wrong argument refused in one sentence, before the first trial?"""

import re

import keras
import keras_tuner
import numpy as np
import pytest
from keras import layers
from side_by_side import compiled, examples

from tfcourse.errors import InputError
from tfcourse.tuning import Caviar, CoarseToFineSearch

X, Y = examples(12)
LABELS = np.arange(12) % 3
NAN = np.where(np.arange(36).reshape(12, 3) == 7, np.nan, X)
V = X[:6], LABELS[:6]


def classifier(hp, outputs=3, **settings):
    loss = {"loss": "sparse_categorical_crossentropy"}
    return compiled(
        hp,
        layers.Dense(outputs, "softmax"),
        **loss | {"metrics": ["accuracy"]} | settings,
    )


def uncompiled(hp):
    hp.Choice("learning_rate", [0.05, 0.2])
    return keras.Sequential([keras.Input((3,)), layers.Dense(3)])


def no_model(hp):
    classifier(hp)


WRONG = {
    "lengths": ((X, LABELS[:-5]), {}, "12.*7|7.*12"),
    "lengths of validation": (
        (X, LABELS),
        {"validation_data": (X, LABELS[:5])},
        "validation",
    ),
    "no validation data": ((X, LABELS), {"validation_data": None}, "validat"),
    "strings": ((X, np.array(["a", "b", "c"] * 4)), {}, "y|strings|numbers"),
    "objects": ((X, np.array([[1], [1, 2]] * 6, object)), {}, "y|objects"),
    "a label beyond the outputs": ((X, LABELS + 1), {}, "3.*outputs|label"),
    "a negative label": ((X, LABELS - 1), {}, "-1"),
    "a label beyond, to validate": (
        (X, LABELS),
        {"validation_data": (X, LABELS + 1)},
        "validation",
    ),
    "shape": ((X[:, :2], LABELS), {}, "3.*2|2.*3"),
    "shape of validation": (
        (X, LABELS),
        {"validation_data": (X[:, :2], LABELS)},
        "validation",
    ),
    "no data": ((), {}, "data|x"),
    "no targets": ((X,), {}, "y"),
    "one-hot": ((X, np.eye(3)[LABELS]), {}, "one-hot|sparse"),
    "no epochs": ((X, LABELS), {"epochs": 0}, "epochs"),
    "negative epochs": ((X, LABELS), {"epochs": -2}, "epochs"),
    "part of an epoch": ((X, LABELS), {"epochs": 1.5}, "epochs"),
    "NaN": ((NAN, LABELS), {}, "(?i)nan"),
    "infinity": ((np.where(np.isnan(NAN), np.inf, NAN), LABELS), {}, "(?i)inf"),
    "NaN to validate": (
        (X, LABELS),
        {"validation_data": (NAN, LABELS)},
        "validation",
    ),
    "empty": ((X[:0], LABELS[:0]), {}, "0|no examples|empty"),
    "no batch": ((X, LABELS), {"batch_size": -1}, "batch_size"),
    "a negative split": ((X, LABELS), {"validation_split": -0.1}, r"\[0, 1\)"),
    "all to validate": ((X, LABELS), {"validation_split": 1.0}, r"\[0, 1\)"),
    "a split of words": ((X, LABELS), {"validation_split": "0.2"}, "split"),
    "begun after its end": ((X, LABELS), {"initial_epoch": 2}, "nothing"),
    "no steps": ((X, LABELS), {"steps_per_epoch": 0}, "steps_per_epoch"),
    "half a step": ((X, LABELS), {"validation_steps": 0.5}, "validation_steps"),
    "never validated": ((X, LABELS), {"validation_freq": 0}, "freq"),
    "x alone to validate": ((X, LABELS), {"validation_data": X}, "x_val"),
    "weights in a list": ((X, LABELS), {"class_weight": [1, 2, 3]}, "dict"),
    "weights of words": ((X, LABELS), {"class_weight": {"0": 2}}, "class_w"),
    "half a class": ((X, LABELS), {"class_weight": {0.5: 2}}, "class_w"),
    "a weight of a word": ((X, LABELS), {"class_weight": {0: "2"}}, "class_w"),
    "weights of both kinds": (
        (X, LABELS),
        {"class_weight": {0: 2}, "sample_weight": np.ones(12)},
        "sample_weight",
    ),
    "a name of a callback": (
        (X, LABELS),
        {"callbacks": ["EarlyStopping"]},
        "callbacks",
    ),
    "a name for callbacks": (
        (X, LABELS),
        {"callbacks": "EarlyStopping"},
        "callbacks",
    ),
    "a callback in no list": (
        (X, LABELS),
        {"callbacks": keras.callbacks.EarlyStopping()},
        "list",
    ),
    "a class of callbacks": (
        (X, LABELS),
        {"callbacks": [keras.callbacks.EarlyStopping]},
        "callbacks",
    ),
    "a word for a number": ((X, LABELS), {"batch_size": "8"}, "batch_size"),
    "a misspelt argument": ((X, LABELS), {"validaton_split": 0.2}, "validat"),
}


def refused(folder, build, args, kwargs, tuner_class=Caviar, **settings):
    """Returns the one sentence that is said before any trial."""
    objective = keras_tuner.Objective("val_loss", "min")
    settings = {"objective": objective, "directory": folder} | settings
    kwargs = {"validation_data": V, "epochs": 2} | kwargs
    tuner = tuner_class(build, max_trials=64, **settings)
    with pytest.raises(InputError) as raised:
        tuner.search(*args, **kwargs)
    assert not list(folder.glob("**/trial.json"))
    return str(raised.value)


@pytest.mark.parametrize("name", WRONG)
def test_is_refused_in_one_sentence(tmp_path, name, capfd):
    args, kwargs, said = WRONG[name]
    message = refused(tmp_path, classifier, args, kwargs)
    assert "\n" not in message
    assert re.search(said, message), message
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    assert len((out + err).splitlines()) < 10


def test_a_model_that_is_not_compiled_is_refused(tmp_path):
    assert "compile" in refused(tmp_path, uncompiled, (X, LABELS), {})


def test_what_builds_no_model_is_refused(tmp_path):
    assert "model" in refused(tmp_path, no_model, (X, LABELS), {})


@pytest.mark.parametrize(
    "objective, meant",
    [
        ("val_acuracy", "val_accuracy"),
        ("val_acc", "val_accuracy"),
        ("accurcy", "accuracy"),
        ("val_los", "val_loss"),
    ],
)
@pytest.mark.parametrize("tuner_class", [Caviar, CoarseToFineSearch])
def test_the_nearest_name_of_an_objective_is_said(
    tmp_path, objective, meant, tuner_class
):
    message = refused(
        tmp_path,
        classifier,
        (X, LABELS),
        {},
        tuner_class,
        objective=keras_tuner.Objective(objective, "max"),
    )
    assert objective in message
    assert meant in message


def test_an_objective_of_the_users_own_fit_is_not_checked(tmp_path):
    class Own(keras_tuner.HyperModel):
        def build(self, hp):
            return classifier(hp)

        def fit(self, hp, model, *args, **kwargs):
            model.fit(*args, **kwargs)
            return {"cost": hp.get("learning_rate")}

    tuner = Caviar(
        Own(),
        keras_tuner.Objective("cost", "min"),
        2,
        directory=tmp_path,
    )
    tuner.search(X, LABELS, epochs=1, verbose=0)
    scores = {trial.score for trial in tuner.oracle.trials.values()}
    assert scores <= {0.05, 0.2}


def test_an_objective_that_a_callback_logs_is_not_checked(tmp_path):
    class Doubles(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["doubled"] = 2 * logs["loss"]

    objective = keras_tuner.Objective("doubled", "min")
    tuner = Caviar(classifier, objective, 1, directory=tmp_path)
    tuner.search(X, LABELS, epochs=1, verbose=0, callbacks=[Doubles()])
    (trial,) = tuner.oracle.trials.values()
    assert trial.score == 2 * trial.metrics.get_best_value("loss")


def test_trials_that_all_fail_alike_show_one_traceback(tmp_path, capfd):
    def broken(hp):
        hp.Choice("units", list(range(1, 9)))
        model = classifier(hp)
        model.compile("sgd", lambda y, p: undefined(y))  # noqa: F821
        return model

    tuner = Caviar(broken, "loss", 8, directory=tmp_path)
    with pytest.raises(InputError, match="8|undefined"):
        tuner.search(X, LABELS, epochs=1, verbose=0)
    said = "".join(capfd.readouterr())
    assert said.count("Traceback") <= 1


SETTINGS = {
    "device": "cuda",
    "early_stopping": "3",
    "max_trial": 4,
    "max_trials": "4",
    "objectve": "loss",
    "population": 2.5,
    "folds": "3",
    "halving": "yes",
    "seed": -1,
    "epochs": 3,
    "on_trial": "print",
}


@pytest.mark.parametrize("tuner_class", [Caviar, CoarseToFineSearch])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_wrong_setting_is_refused_at_once(tmp_path, name, tuner_class):
    settings = {"objective": "loss", "directory": tmp_path}
    with pytest.raises((TypeError, ValueError)) as raised:
        tuner_class(classifier, **settings | {name: SETTINGS[name]})
    message = str(raised.value)
    assert name in message
    assert "\n" not in message
    assert repr(SETTINGS[name]) in message or name.startswith(
        ("max", "obj", "ep")
    )


@pytest.mark.parametrize("tuner_class", [Caviar, CoarseToFineSearch])
@pytest.mark.parametrize("given", ["model", "string", "hp"])
def test_what_builds_nothing_is_refused_at_once(tmp_path, given, tuner_class):
    hp = keras_tuner.HyperParameters()
    things = {"model": classifier(hp), "string": "build", "hp": hp}
    with pytest.raises((TypeError, ValueError), match="hypermodel|build") as e:
        tuner_class(things[given], "loss", directory=tmp_path)
    assert "\n" not in str(e.value)
