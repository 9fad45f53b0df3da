"""What the model of a trial would be fitted with."""

import contextlib
import dataclasses
import enum
import inspect
import operator
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner

from tfcourse.data.adapters import (
    are_arrays,
    is_tensorflow_dataset,
    overridden_hooks,
)
from tfcourse.tuning.caviar.symbolic_inputs import SymbolicInputs
from tfcourse.tuning.population import CannotVectorize
from tfcourse.tuning.tuners.cross_validation import CrossValidated

_FIT = inspect.signature(keras.Model.fit)


class Support(enum.Enum):
    """What a population does with a parameter of `model.fit`."""

    TAKEN = "as model.fit does"
    DEFAULT = "trained alone unless it is left at its default"


# A parameter that is not here is one of a Keras to come: with it, a trial is
# trained alone.
FIT_PARAMETERS = {
    "x": Support.TAKEN,
    "y": Support.TAKEN,
    "batch_size": Support.TAKEN,
    "epochs": Support.TAKEN,
    "verbose": Support.TAKEN,
    "callbacks": Support.TAKEN,
    "validation_split": Support.TAKEN,
    "validation_data": Support.TAKEN,
    "shuffle": Support.TAKEN,
    "class_weight": Support.TAKEN,
    "sample_weight": Support.TAKEN,
    "initial_epoch": Support.TAKEN,
    "steps_per_epoch": Support.DEFAULT,
    "validation_steps": Support.DEFAULT,
    "validation_batch_size": Support.TAKEN,
    "validation_freq": Support.DEFAULT,
}


@dataclasses.dataclass(frozen=True)
class SearchArguments:
    """What `search` was called with.

    Attributes:
        args: The positional arguments.
        kwargs: The others.
        inputs: What knows the shapes of its data.
    """

    args: tuple
    kwargs: dict[str, Any]
    inputs: SymbolicInputs = dataclasses.field(default_factory=SymbolicInputs)


class _FitSpy:
    """Takes the place of a model in `HyperModel.fit`, and notes what for."""

    def __init__(self) -> None:
        self.arguments: dict[str, Any] = {}
        self.answer = keras.callbacks.History()

    def fit(self, *args, **kwargs) -> keras.callbacks.History:
        if self.arguments:
            raise CannotVectorize("its `HyperModel.fit` fits more than once")
        bound = _FIT.bind(None, *args, **kwargs)
        bound.apply_defaults()
        self.arguments = dict(list(bound.arguments.items())[1:])
        return self.answer

    def __getattr__(self, name: str) -> Any:
        raise CannotVectorize(f"its `HyperModel.fit` uses `model.{name}`")


def fit_arguments(
    hypermodel: keras_tuner.HyperModel,
    hp: keras_tuner.HyperParameters,
    args: tuple,
    kwargs: dict[str, Any],
    early_stopping: int | keras.callbacks.EarlyStopping | None = None,
) -> dict[str, Any]:
    """Returns what a hypermodel would fit its model with.

    Args:
        hypermodel: A `keras_tuner.HyperModel`.
        hp: The trial's hyperparameters.
        args: The positional arguments of the search.
        kwargs: The other ones.
        early_stopping: As for `Population.fit`.

    Returns:
        A dict of arguments for `Population.fit`; its `subsets`, if they are not
        None, have a row for each fold.

    Raises:
        CannotVectorize: If it does anything but call `model.fit` once, or a
            population does not take what it calls that with.
    """
    kwargs = {**kwargs, "callbacks": list(kwargs.get("callbacks") or [])}
    arguments, data = _spied(hypermodel, hp, args, kwargs)
    _refuse_unsupported(arguments)
    arguments["subsets"] = None
    if isinstance(hypermodel, CrossValidated):
        _check_unchanged(arguments, data)
        arguments["validation_data"] = None
        arguments["subsets"] = hypermodel.split(arguments["y"])
    arguments["verbose"] = bool(arguments["verbose"])
    arguments["early_stopping"] = _early_stopping(
        arguments.pop("callbacks"), early_stopping
    )
    return arguments


def discover_fit_hyperparameters(
    hypermodel: keras_tuner.HyperModel,
    oracle: keras_tuner.Oracle,
    search: SearchArguments,
) -> None:
    """Lets an oracle know the hyperparameters that `HyperModel.fit` uses."""
    hp = oracle.get_space()
    with contextlib.suppress(CannotVectorize):
        fit_arguments(hypermodel, hp, search.args, search.kwargs)
    oracle.update_space(hp)


def _spied(
    hypermodel: keras_tuner.HyperModel,
    hp: keras_tuner.HyperParameters,
    args: tuple,
    kwargs: dict[str, Any],
) -> tuple[dict[str, Any], tuple | None]:
    """Returns what `model.fit` is called with, and the data of the folds."""
    spy, data = _FitSpy(), None
    try:
        if isinstance(hypermodel, CrossValidated):
            answer, data = hypermodel.fit_at_once(hp, spy, *args, **kwargs)
        else:
            answer = hypermodel.fit(hp, spy, *args, **kwargs)
    except CannotVectorize:
        raise
    except Exception as error:
        raise CannotVectorize(
            "its `HyperModel.fit` cannot do without a model: "
            f"{type(error).__name__}: {error}"
        ) from error
    if answer is not spy.answer:
        raise CannotVectorize(
            "its `HyperModel.fit` returns something else than what "
            "`model.fit` does"
        )
    return spy.arguments, data


def _refuse_unsupported(arguments: dict[str, Any]) -> None:
    """Refuses, and takes away, what a population does not take."""
    for name in list(arguments):
        if FIT_PARAMETERS.get(name) is Support.TAKEN:
            continue
        value = arguments.pop(name)
        if not _is_same(value, _FIT.parameters[name].default):
            raise CannotVectorize(f"`{name}` is given")
    for occurs, why in _PROBLEMS:
        if occurs(arguments):
            raise CannotVectorize(why.format(**arguments))
    if arguments["y"] is None:
        # Beside targets, what is no array is refused when it is read.
        _refuse_unknown_data(arguments["x"], "x")
    _refuse_unknown_data(arguments["validation_data"], "validation_data")


def _is_same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and value == default


def _has_no_epochs(arguments: dict[str, Any]) -> bool:
    first, end = arguments["initial_epoch"], arguments["epochs"]
    return not (isinstance(first, int) and isinstance(end, int) and first < end)


def _splits_dataset(arguments: dict[str, Any]) -> bool:
    return bool(
        arguments["validation_split"]
        and arguments["validation_data"] is None
        and not are_arrays(arguments["x"])
    )


def _weighs_twice(arguments: dict[str, Any]) -> bool:
    weights = arguments["class_weight"], arguments["sample_weight"]
    return all(weight is not None for weight in weights)


def _weighs_classes_of_many(arguments: dict[str, Any]) -> bool:
    return arguments["class_weight"] is not None and (
        keras.tree.is_nested(arguments["y"]) or not are_arrays(arguments["x"])
    )


def _shuffles_otherwise(arguments: dict[str, Any]) -> bool:
    return not isinstance(arguments["shuffle"], bool)


def _keras_limits_or_distributes(_: dict[str, Any]) -> bool:
    return any(
        setting() is not None
        for setting in (
            keras.config.max_epochs,
            keras.config.max_steps_per_epoch,
            keras.distribution.distribution,
        )
    )


# What `model.fit` refuses, or does in a way that a population has not.
_PROBLEMS: list[tuple[Callable[[dict[str, Any]], bool], str]] = [
    (_shuffles_otherwise, "`shuffle` is {shuffle!r}"),
    (_has_no_epochs, "there are no epochs from {initial_epoch} to {epochs}"),
    (_splits_dataset, "`validation_split` is given beside a dataset"),
    (_weighs_twice, "`class_weight` and `sample_weight` are both given"),
    (
        _weighs_classes_of_many,
        "`class_weight` is given beside a dataset or several targets",
    ),
    (
        _keras_limits_or_distributes,
        "Keras is set to limit epochs, or to distribute",
    ),
]


def _refuse_unknown_data(data: Any, name: str) -> None:
    """Refuses data that `model.fit` may go through in another way."""
    if name == "validation_data" and isinstance(data, (tuple, list)):
        if len(data) not in (2, 3) or not are_arrays(data[0]):
            raise CannotVectorize(f"`{name}` are not two or three arrays")
        return
    if data is None or are_arrays(data):
        return
    if isinstance(data, keras.utils.PyDataset):
        hooks = overridden_hooks(data)
        if hooks:
            raise CannotVectorize(
                f"`{name}` is a PyDataset that overrides `{hooks[0]}`"
            )
    elif not is_tensorflow_dataset(data):
        raise CannotVectorize(
            f"`{name}` is no array and no dataset but {type(data).__name__}"
        )
    elif int(data.cardinality()) < 0:
        raise CannotVectorize(f"`{name}` is a dataset of unknown length")


def _check_unchanged(arguments: dict[str, Any], data: Any) -> None:
    """Refuses data other than those whose parts are the folds."""
    given = [arguments[name] for name in ("x", "y", "sample_weight")]
    same = all(map(operator.is_, given, (*data, None)))
    if not same or arguments["validation_data"] is not data:
        raise CannotVectorize("its `HyperModel.fit` changes the data of folds")


def _early_stopping(
    callbacks: list, early_stopping: int | keras.callbacks.EarlyStopping | None
) -> int | keras.callbacks.EarlyStopping | None:
    """Returns the one callback that a population has of its own."""
    if early_stopping is not None:
        callbacks = [*callbacks, early_stopping]
    for callback in callbacks:
        if type(callback) not in (int, keras.callbacks.EarlyStopping):
            raise CannotVectorize(
                f"the callback {type(callback).__name__} needs a live model"
            )
    if len(callbacks) > 1:
        raise CannotVectorize("there are two rules of early stopping")
    return callbacks[0] if callbacks else None
