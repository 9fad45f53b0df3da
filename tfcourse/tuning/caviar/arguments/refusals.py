"""With which arguments of `model.fit` a trial is trained alone."""

import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tfcourse.data.adapters import (
    are_arrays,
    is_tensorflow_dataset,
    leaves,
)
from tfcourse.errors import CannotVectorize

FIT = inspect.signature(keras.Model.fit)
Arguments = dict[str, Any]
# Returns why a trial must be trained alone, or nothing if it need not.
Refusal = Callable[[Arguments], str | None]


class OnlyDefault:
    """Refuses an argument that is not left at its default."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, arguments: Arguments) -> str | None:
        value = arguments[self.name]
        default = FIT.parameters[self.name].default
        if type(value) is type(default) and value == default:
            return None
        return f"`{self.name}` is given"


def _has_no_epochs(arguments: Arguments) -> str | None:
    first, end = arguments["initial_epoch"], arguments["epochs"]
    if _is_integer(first) and _is_integer(end) and first < end:
        return None
    return f"there are no epochs from {first} to {end}"


def _is_of_a_kind(name: str) -> Refusal:
    """Returns what refuses arrays that NumPy does not read as they are."""

    def refusal(arguments: Arguments) -> str | None:
        value = arguments[name]
        if not are_arrays(value):
            return None
        for leaf in leaves(value):
            if not hasattr(leaf, "__array__") or not hasattr(leaf, "__len__"):
                return f"`{name}` is a {type(leaf).__name__}"
        return None

    return refusal


def _splits_dataset(arguments: Arguments) -> str | None:
    splits = arguments["validation_split"]
    if not splits or arguments["validation_data"] is not None:
        return None
    if are_arrays(arguments["x"]):
        return None
    return "`validation_split` is given beside a dataset"


def _is_no_pair(arguments: Arguments) -> str | None:
    data = arguments["validation_data"]
    if not isinstance(data, (tuple, list)):
        return None
    if len(data) in (2, 3) and are_arrays(data[0]):
        return None
    return "`validation_data` are not two or three arrays"


def _shuffles_otherwise(arguments: Arguments) -> str | None:
    shuffle = arguments["shuffle"]
    return None if isinstance(shuffle, bool) else f"`shuffle` is {shuffle!r}"


def _is_count(value: Any) -> bool:
    return _is_integer(value) and value > 0


def _is_integer(value: Any) -> bool:
    integer = isinstance(value, (int, np.integer))
    return integer and not isinstance(value, bool)


def _counts_no(name: str) -> Refusal:
    def refusal(arguments: Arguments) -> str | None:
        value = arguments[name]
        known = value is None or _is_count(value)
        return None if known else f"`{name}` is {value!r}"

    return refusal


def _validates_otherwise(arguments: Arguments) -> str | None:
    value = arguments["validation_freq"]
    if isinstance(value, list) or _is_count(value):
        return None
    return f"`validation_freq` is {value!r}"


def _weighs_twice(arguments: Arguments) -> str | None:
    weights = arguments["class_weight"], arguments["sample_weight"]
    if any(weight is None for weight in weights):
        return None
    return "`class_weight` and `sample_weight` are both given"


def _weighs_classes_of_many(arguments: Arguments) -> str | None:
    if arguments["class_weight"] is None:
        return None
    x, y = arguments["x"], arguments["y"]
    if isinstance(x, keras.utils.PyDataset):
        # What its targets are is known when they are read.
        return None
    if is_tensorflow_dataset(x):
        one = _has_one_target(x.element_spec)
    else:
        one = are_arrays(x) and not keras.tree.is_nested(y)
    return None if one else "`class_weight` is given beside several targets"


def _has_one_target(spec: Any) -> bool:
    """Whether a dataset's targets are a number an example, or one-hot."""
    if not isinstance(spec, tuple) or len(spec) != 2:
        return False
    target: Any = spec[1]
    # Not those of the kinds with a length for each example.
    plain = type(target).__name__ == "TensorSpec"
    return plain and target.shape.rank in (1, 2)


# What a population does with each parameter of `fit`: what it is trained as
# `fit` trains but for the cases that are named. A parameter that is not here is
# one of a Keras to come, and must be left at its default.
FIT_PARAMETERS: dict[str, tuple[Refusal, ...]] = {
    "x": (_is_of_a_kind("x"),),
    "y": (_is_of_a_kind("y"),),
    "batch_size": (),
    "epochs": (_has_no_epochs,),
    "verbose": (),
    "callbacks": (),
    "validation_split": (_splits_dataset,),
    "validation_data": (_is_no_pair, _is_of_a_kind("validation_data")),
    "shuffle": (_shuffles_otherwise,),
    "class_weight": (_weighs_twice, _weighs_classes_of_many),
    "sample_weight": (_is_of_a_kind("sample_weight"),),
    "initial_epoch": (),
    "steps_per_epoch": (_counts_no("steps_per_epoch"),),
    "validation_steps": (_counts_no("validation_steps"),),
    "validation_batch_size": (),
    "validation_freq": (_validates_otherwise,),
}


def taken(arguments: Arguments) -> Arguments:
    """Returns those of the arguments of `fit` that a population takes.

    Args:
        arguments: All arguments of `fit`, by name.

    Raises:
        CannotVectorize: If a trial that is fitted with them must be trained
            alone.
    """
    _refuse_limits_of_keras()
    found = {}
    for name, value in arguments.items():
        refusals = FIT_PARAMETERS.get(name, (OnlyDefault(name),))
        for refusal in refusals:
            why = refusal(arguments)
            if why:
                raise CannotVectorize(why)
        if not any(isinstance(r, OnlyDefault) for r in refusals):
            found[name] = int(value) if _is_integer(value) else value
    return found


def _refuse_limits_of_keras() -> None:
    for setting in (
        keras.config.max_epochs,
        keras.config.max_steps_per_epoch,
        keras.distribution.distribution,
    ):
        if setting() is not None:
            raise CannotVectorize(
                "Keras is set to limit epochs, or to distribute"
            )
