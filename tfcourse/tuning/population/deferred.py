"""Models without memory: what a trial needs of its model, at a tenth the cost.

Most of the time of building a small model goes into variables, and into
calling its layers on symbolic tensors. Of the K models of a population one is
enough; of the others only the structure is asked, the values of their
hyperparameters, and from what their initial weights are drawn. A draft has
just that.
"""

import contextlib
import threading

import keras
import numpy as np
from keras import ops
from keras.src.backend import Variable

from tfcourse.tuning.population.functional.keras_optimizers import (
    make_functional,
)

_lock = threading.RLock()


def build_deferred(build, seed=None):
    """Returns the model that `build` makes, without memory for its variables.

    A `keras.Sequential` is not built, a functional model is. Where `build`
    does what a draft cannot, such as reading weights, the model itself is
    returned: a draft is good wherever a model is.

    Args:
        build: A function without arguments that returns a compiled model.
        seed: Given to `keras.utils.set_random_seed` first.
    """

    def seeded():
        if seed is not None:
            keras.utils.set_random_seed(seed)
        return build()

    try:
        with deferred_initialization():
            return seeded()
    except Exception:
        # If the fault is not the draft's, it will be raised again.
        return seeded()


def initial_values(template, drafts):
    """Returns the initial values of all variables, stacked over the drafts.

    They are, bit for bit, those that each model would have if it were built
    instead of drafted with the same seed.

    Args:
        template: A compiled and built model of the drafts' structure.
        drafts: The models that `draft` returned.

    Returns:
        A list of arrays `(K, ...)`, as `Population.from_columns` takes them.
    """
    wanted = variables(template)
    rows = []
    for model in drafts:
        with deferred_initialization():
            _complete(model, template)
        row = variables(model)
        if [tuple(v.shape) for v in row] != [tuple(v.shape) for v in wanted]:
            raise ValueError(
                "The draft is not of the template's structure: its variables "
                "have other shapes."
            )
        rows.append(row)
    return [
        np.stack([initial_value(variable) for variable in column])
        for column in zip(*rows, strict=True)
    ]


def initial_value(variable):
    """Returns what a variable of a draft begins with, in NumPy."""
    initializer = variable._initializer
    # Which most are; TensorFlow takes its time for each.
    if type(initializer) is keras.initializers.Zeros:
        return np.zeros(variable.shape, variable.dtype)
    if type(initializer) is keras.initializers.Ones:
        return np.ones(variable.shape, variable.dtype)
    return ops.convert_to_numpy(variable.value)


def variables(model):
    """Returns all variables that are saved with a compiled model."""
    return [
        *model.trainable_variables,
        *model.non_trainable_variables,
        *model.optimizer.variables,
    ]


def _complete(model, template):
    """Builds the layers of a draft, on the shapes that the template saw."""
    for layer, built in zip(
        model._flatten_layers(include_self=False),
        template._flatten_layers(include_self=False),
        strict=True,
    ):
        if layer.built:
            continue
        shapes = built._build_shapes_dict
        if shapes:
            layer.build(**shapes)
        layer.built = True
    if not model.optimizer.built:
        make_functional(model.optimizer).build(model.trainable_variables)


_TRACKABLE = [
    owner
    for owner in keras.layers.Layer.__mro__
    if owner.__name__ == "KerasAutoTrackable"
]


@contextlib.contextmanager
def unbuilt():
    """While it lasts, a `keras.Sequential` waits to be built."""
    with _changed((keras.Sequential, "_maybe_rebuild", lambda self: None)):
        yield


@contextlib.contextmanager
def deferred_initialization():
    """While it lasts, variables keep how they begin, instead of memory."""

    assign_in_place = Variable._direct_assign
    convert = Variable._convert_to_tensor

    def convert_by_numpy(self, value, dtype=None):
        if isinstance(value, (bool, int, float)):
            # After each new seed TensorFlow's first operation takes a while.
            return np.asarray(value, dtype)
        return convert(self, value, dtype)

    def initialize(self, value):
        self._value = value() if callable(value) else value
        self._is_draft = True

    def initialize_with_initializer(self, initializer):
        self._value, self._initializer = None, initializer
        self._is_draft = True

    def assign(self, value):
        if not hasattr(self, "_is_draft"):
            # Of a layer from elsewhere, which models may share.
            assign_in_place(self, value)
            return
        self._value = ops.cast(value, self._dtype)
        # What it begins with is no longer what its initializer gives.
        self._initializer = None

    changes = [
        (Variable, "_initialize", initialize),
        (Variable, "_initialize_with_initializer", initialize_with_initializer),
        (Variable, "_direct_assign", assign),
        (Variable, "_convert_to_tensor", convert_by_numpy),
        *(
            (owner, "__setattr__", _set_untracked(owner))
            for owner in _TRACKABLE
        ),
    ]
    with unbuilt(), _changed(*changes):
        yield


def _set_untracked(owner):
    """Returns what sets an attribute, and lets TensorFlow note nothing of it.

    Its notes are for files of its own, and take a third of a draft's time.
    """
    _, tensorflows, *_ = owner.__mro__

    def set_untracked(self, name, value):
        super(tensorflows, self).__setattr__(name, value)

    return set_untracked


@contextlib.contextmanager
def _changed(*changes):
    with _lock, contextlib.ExitStack() as stack:
        for owner, name, method in changes:
            if name in vars(owner):
                stack.callback(setattr, owner, name, getattr(owner, name))
            else:
                stack.callback(delattr, owner, name)
            setattr(owner, name, method)
        yield
