"""Search spaces: the course's bounds, and a sentence for each mistake."""

import keras
import keras_tuner
import numpy as np
import pytest

from tfcourse.errors import InputError
from tfcourse.runs.spaces import first_trial, holding, load_space, probe
from tfcourse.tuning import CourseSpace

OBJECTIVE = keras_tuner.Objective("val_accuracy", "max")


def compiled(units=3, inputs=4, loss="sparse_categorical_crossentropy"):
    model = keras.Sequential(
        [keras.Input((inputs,)), keras.layers.Dense(units, "softmax")]
    )
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


def probe_with(build, objective=OBJECTIVE):
    x, y = np.ones((4, 4), "float32"), np.array([0, 1, 2, 0])
    probe(build, x, y, 3, objective)


def test_course_space_has_the_courses_bounds():
    hp = keras_tuner.HyperParameters()
    hp.values["optimizer"] = "momentum"
    CourseSpace((4,), 3).build(hp)

    bounds = {
        p.name: p.values
        if isinstance(p, keras_tuner.engine.hyperparameters.Choice)
        else (p.min_value, p.max_value, p.sampling)
        for p in hp.space
    }
    assert bounds == {
        "units": (50, 100, "linear"),
        "layers": (2, 4, "linear"),
        "batch_size": [32, 64, 128, 256],
        "learning_rate": (1e-4, 1.0, "log"),
        "optimizer": ["momentum", "rmsprop", "adam"],
        "1 - beta": (1e-3, 1e-1, "log"),
    }


@pytest.mark.parametrize("optimizer", ["momentum", "rmsprop", "adam"])
@pytest.mark.parametrize("layers", [2, 4])
def test_course_model_is_what_was_drawn(optimizer, layers):
    hp = keras_tuner.HyperParameters()
    drawn = {"units": 70, "layers": layers, "learning_rate": 0.02}
    hp.values = {**drawn, "optimizer": optimizer, "1 - beta": 0.05}

    model = CourseSpace((4, 2), 3).build(hp)

    dense = [d for d in model.layers if isinstance(d, keras.layers.Dense)]
    assert [d.units for d in dense] == [70] * layers + [3]
    assert [d.use_bias for d in dense] == [False] * layers + [True]
    kinds = [type(layer).__name__ for layer in model.layers[1:4]]
    assert kinds == ["Dense", "BatchNormalization", "Activation"]
    drawn = {"learning_rate": 0.02, "beta": 0.95}
    settings = model.optimizer.hyperparameters
    for name in drawn if optimizer == "momentum" else ["learning_rate"]:
        assert float(settings[name]) == pytest.approx(drawn[name])


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda hp: 3, "must return a compiled Keras model. It returned 3"),
        (lambda hp: None, "returned None"),
        (lambda hp: 1 / 0, "fails to build .* ZeroDivisionError"),
        (lambda hp: keras.Sequential([keras.Input((4,))]), "without compiling"),
        (lambda hp: compiled(inputs=5), r"called on examples of shape \(4,\)"),
        (lambda hp: compiled(units=4), "4 outputs; the data have 3 classes"),
        (lambda hp: compiled(loss="categorical_crossentropy"), "numbered"),
    ],
)
def test_unusable_space_is_refused(build, message):
    with pytest.raises(InputError, match=message):
        probe_with(build)


def test_unknown_objective_is_refused_with_those_there_are():
    auc = keras_tuner.Objective("val_acc", "max")
    with pytest.raises(InputError, match="'val_acc'. Did you mean 'val_accu"):
        probe_with(lambda hp: compiled(), auc)


def test_every_branch_is_tried():
    def build(hp):
        kind = hp.Choice("kind", ["good", "bad"])
        with hp.conditional_scope("kind", ["bad"]):
            if kind == "bad":
                return 1 / hp.Int("zero", 0, 0)
        return compiled()

    with pytest.raises(InputError, match="ZeroDivisionError"):
        probe_with(build)


def test_model_that_cannot_be_saved_is_refused():
    class Secretive(keras.Sequential):
        def get_config(self):
            raise NotImplementedError("a secret")

    def build(hp):
        model = Secretive(compiled().layers)
        model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])
        return model

    with pytest.raises(InputError, match="cannot be saved.*a secret"):
        probe_with(build)


def test_usable_space_passes():
    probe_with(lambda hp: compiled())
    probe_with(CourseSpace((4,), 3))


MODULE = """
import helper_beside_it
import keras_tuner

def build(hp):
    return helper_beside_it.ANSWER

class Space(keras_tuner.HyperModel):
    def build(self, hp):
        return 43

number = 3
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", __import__("sys").path[:])
    (tmp_path / "helper_beside_it.py").write_text("ANSWER = 42")
    (tmp_path / "my_space.py").write_text(MODULE)
    (tmp_path / "broken.py").write_text("import nothing_there")
    return tmp_path


def test_users_function_and_class_are_found(module):
    build = load_space(f"{module}/my_space.py:build", (4,), 3)
    space = load_space(f"{module}/my_space.py:Space", (4,), 3)

    assert build(None) == 42
    assert space.build(None) == 43


@pytest.mark.parametrize(
    "spec, message",
    [
        ("corse", "no search space 'corse'. Did you mean 'course'"),
        ("none.py:build", "There is no file"),
        ("my_space.py:biuld", "no search space 'biuld'. Did you mean 'build'"),
        ("my_space.py:number", "must be a function"),
        ("broken.py:build", "cannot be imported: ModuleNotFoundError"),
        ("no_such_module:build", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_missing_space_is_refused(module, monkeypatch, spec, message):
    monkeypatch.chdir(module)
    with pytest.raises(InputError, match=message):
        load_space(spec, (4,), 3)


def test_images_alone_have_convolutions():
    with pytest.raises(
        InputError, match=r"--space cnn is for images; .*\(4,\)"
    ):
        load_space("cnn", (4,), 3)
    load_space("cnn", (8, 8), 3)


@pytest.mark.parametrize(
    "word, message",
    [
        ("units", "'units' is not name=value. --fix takes one"),
        ("unit=3", "no hyperparameter 'unit'. Did you mean 'units'"),
        ("units=3.5", "units must be a whole number"),
        ("optimizer=sgd", "no value of optimizer 'sgd'"),
        ("learning_rate=fast", "learning_rate must be a number"),
    ],
)
def test_a_wrong_hold_is_refused(word, message):
    with pytest.raises(InputError, match=message):
        holding(CourseSpace((4,), 3), (word,))


def test_beta_is_held_as_a_person_writes_it():
    held = holding(CourseSpace((4,), 3), ("beta=0.95", "batch_size=64"))

    assert held.values == {"1 - beta": 0.05, "batch_size": 64}


def test_a_first_trial_is_checked_before_a_search():
    space = holding(load_space("course", (4,), 3), ())

    assert first_trial(space, ()) == []
    assert first_trial(space, ("learning_rate=0.01", "units=60")) == [
        {"learning_rate": 0.01, "units": 60}
    ]
    with pytest.raises(InputError, match="'unit'.*Did you mean 'units'"):
        first_trial(space, ("unit=60",))
    with pytest.raises(InputError, match="--begin takes one hyperparameter"):
        first_trial(space, ("units",))
