"""The search space of a run: the course's own, or a user's, checked."""

import importlib.util
import inspect
import pathlib
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import keras
import keras_tuner
import numpy as np

from tfcourse.data.image_folders import are_images
from tfcourse.errors import InputError
from tfcourse.export import outputs_match_classes
from tfcourse.runs.hyperparameter_values import pair, registered
from tfcourse.tuning.search_space.course_space import CourseSpace, WideSpace
from tfcourse.tuning.search_space.full_space import FullSpace
from tfcourse.tuning.search_space.held import Held
from tfcourse.tuning.search_space.hypermodel import Build, as_hypermodel
from tfcourse.tuning.search_space.image_space import ImageSpace
from tfcourse.tuning.search_space.scales import to_display
from tfcourse.tuning.search_space.small_space import SmallSpace
from tfcourse.utils.text import first_line
from tfcourse.utils.validation import unknown_name

SPACES = {
    "course": CourseSpace,
    "wide": WideSpace,
    "full": FullSpace,
    "small": SmallSpace,
    "cnn": ImageSpace,
}
_HINT = "--fix takes one hyperparameter, as in learning_rate=0.01."
_HINT_BEGIN = (
    "--begin takes one hyperparameter, as in learning_rate=0.01, and may be "
    "repeated."
)
_TARGETS = {
    "classification": "classes numbered from 0",
    "regression": "targets of mean 0 and variance 1",
}


def load_space(
    spec: str,
    input_shape: tuple[int, ...],
    classes: int,
    task: str = "classification",
    objective: str | None = None,
    examples: int = 1,
) -> keras_tuner.HyperModel | Build:
    """Returns the search space of that name, or of the user's module.

    Args:
        spec: A key of `SPACES`, or `path/module.py:name` (also
            `package.module:name`) of a function from
            `keras_tuner.HyperParameters` to a compiled model, or of a
            `keras_tuner.HyperModel`.
        input_shape: Shape of one example.
        classes: The number of classes.
        task: `"classification"` or `"regression"`.
        objective: What the search goes by: our own spaces compute it.
        examples: How many there are for training.

    Returns:
        A `keras_tuner.HyperModel`, or a function.

    Raises:
        InputError: If there is no such space, module or name, or the examples
            are no images, which `"cnn"` is for.
    """
    if ":" in spec:
        return _load_user_space(spec)
    if spec not in SPACES:
        raise InputError(
            unknown_name("search space", spec, SPACES)
            + " Write a space of your own as module.py:build."
        )
    if spec == "cnn" and not are_images(input_shape):
        raise InputError(
            f"--space cnn is for images; the examples have shape {input_shape}."
            " Choose --space course."
        )
    score = objective and objective.removeprefix("val_")
    return SPACES[spec](input_shape, classes, task, score, examples)


def holding(
    space: keras_tuner.HyperModel | Build, fixed: Sequence[str]
) -> keras_tuner.HyperModel:
    """Returns a search space of which some hyperparameters are not searched.

    Args:
        space: What `load_space` returns.
        fixed: Each as `"name=value"`.

    Raises:
        InputError: If one is not so, or the space has none of that name or
            cannot have that value.
    """
    space = as_hypermodel(space)
    if not fixed:
        return space
    given = dict(pair(word, _HINT) for word in fixed)
    values = registered(space.build, given).values
    names = {name: to_display(name, 0)[0] for name in values}
    return Held(
        space,
        {name: v for name, v in values.items() if names[name] in given},
    )


def first_trial(
    space: keras_tuner.HyperModel, begin: Sequence[str]
) -> list[dict[str, Any]]:
    """Returns the initial points of a search: one, or none.

    Args:
        space: What `holding` returns.
        begin: What it sets, each as `"name=value"`.

    Raises:
        InputError: If one is not so, or the space has none of that name or
            cannot have that value.
    """
    point = dict(pair(word, _HINT_BEGIN) for word in begin)
    if not point:
        return []
    registered(space.build, point)
    return [point]


def probe(
    space: keras_tuner.HyperModel | Build,
    x: np.ndarray,
    y: np.ndarray,
    classes: int,
    objective: keras_tuner.Objective,
    task: str = "classification",
) -> None:
    """Tries a search space on a few examples, before a search begins.

    Args:
        space: What `load_space` returns.
        x: A few examples, shape `(m, ...)`.
        y: Their classes, shape `(m,)`.
        classes: How many classes there are.
        objective: The `keras_tuner.Objective` of the search.
        task: `"classification"` or `"regression"`.

    Raises:
        InputError: If a model cannot be built, is no compiled Keras model,
            cannot be evaluated on the examples, has another number of outputs
            than classes, or has no such metric.
    """
    models = _models_of_every_branch(space, objective)
    for model in models:
        _check_fits(model, x, classes, task)
    logs = _tried(
        lambda: models[0].evaluate(x, y, return_dict=True, verbose=0),
        "The models of the search space cannot be evaluated on examples of "
        f"shape {x.shape[1:]} with {_TARGETS[task]}, for the objective "
        f"{objective.name!r}",
    )
    metrics = [*logs, *(f"val_{name}" for name in logs)]
    if objective.name not in metrics:
        raise InputError(unknown_name("objective", objective.name, metrics))


def _models_of_every_branch(space, objective):
    """Returns a compiled model for each branch of conditions of a space."""
    build = as_hypermodel(space).build
    models = []

    def checked(hp):
        model = _tried(
            lambda: build(hp), "The search space fails to build a model"
        )
        _check_compiled(model)
        models.append(model)
        return model

    with tempfile.TemporaryDirectory() as folder:
        # keras-tuner builds them all to know the hyperparameters.
        keras_tuner.Tuner(
            keras_tuner.Oracle(objective=objective), checked, directory=folder
        )
    return models


def _check_compiled(model):
    if not isinstance(model, keras.Model):
        raise InputError(
            "The search space must return a compiled Keras model. It "
            f"returned {model!r}."
        )
    if not model.compiled:
        raise InputError(
            f"The search space returned the model {model.name!r} without "
            "compiling it. Call `model.compile(...)` before returning it."
        )


def _check_fits(model, x, classes, task):
    outputs = _tried(
        lambda: model(x[:1]).shape[-1],
        "The models of the search space cannot be called on examples of "
        f"shape {x.shape[1:]}",
    )
    if task == "regression" and outputs != 1:
        raise InputError(
            f"The models of the search space have {outputs} outputs; a "
            "regression needs one. Give the last layer one unit."
        )
    if task == "classification" and not outputs_match_classes(outputs, classes):
        raise InputError(
            f"The models of the search space have {outputs} outputs; the data "
            f"have {classes} classes. Give the last layer one unit per class."
        )
    _tried(
        model.get_config,
        "The models of the search space cannot be saved; give them a "
        "`get_config`",
    )


def _tried(action, complaint):
    try:
        return action()
    except InputError:
        raise
    # A user's code may raise anything.
    except Exception as error:
        # Keras's messages go on for pages.
        raise InputError(
            f"{complaint}: {type(error).__name__}: {first_line(error)}"
        ) from error


def _load_user_space(spec):
    # From the right: a Windows path has a colon of its own.
    module_name, _, name = spec.rpartition(":")
    module = _import_module(module_name)
    space = getattr(module, name, None)
    if space is None:
        known = [
            n
            for n, v in vars(module).items()
            if inspect.isfunction(v) and v.__module__ == module.__name__
        ] or ["no function"]
        raise InputError(
            f"{module_name}: {unknown_name('search space', name, known)}"
        )
    if inspect.isclass(space) and issubclass(space, keras_tuner.HyperModel):
        space = space()
    if not (callable(space) or isinstance(space, keras_tuner.HyperModel)):
        raise InputError(
            f"{spec} must be a function `build(hp)` or a "
            f"`keras_tuner.HyperModel`. It is {space!r}."
        )
    return space


def _import_module(name):
    complaint = f"{name} cannot be imported"
    if not name.endswith(".py"):
        sys.path.insert(0, str(pathlib.Path.cwd()))
        return _tried(lambda: importlib.import_module(name), complaint)
    path = pathlib.Path(name).resolve()
    if not path.is_file():
        raise InputError(f"There is no file {name}. Check `--space`.")
    # As for a script, modules beside it can be imported.
    sys.path.insert(0, str(path.parent))
    # Not by its own name, which may be that of a package, `keras.py` say.
    own_name = f"tfcourse_space_{path.stem}"
    module_spec = importlib.util.spec_from_file_location(own_name, path)
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[own_name] = module
    _tried(lambda: module_spec.loader.exec_module(module), complaint)
    return module
