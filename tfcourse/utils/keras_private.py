"""The private names of Keras that tfcourse uses; a test holds each.

Should Keras rename one, that test fails and only this file changes.
"""

import contextlib
import dataclasses
import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src import backend
from keras.src.backend import Variable
from keras.src.backend.common import global_state
from keras.src.backend.common.dtypes import (
    BIT64_TO_BIT32_DTYPE as BIT64_TO_BIT32_DTYPE,
)
from keras.src.backend.common.global_state import (
    get_global_attribute,
    set_global_attribute,
)
from keras.src.layers.layer import Layer
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell
from keras.src.models.functional import Functional
from keras.src.ops import numpy as numpy_operations
from keras.src.optimizers.base_optimizer import BaseOptimizer
from keras.src.random.seed_generator import (
    GLOBAL_SEED_GENERATOR as GLOBAL_SEED_GENERATOR,
)
from keras.src.random.seed_generator import global_seed_generator
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED

_patching = threading.RLock()

# ---------------------------------------------------------------------------
# What a process has once (used by utils.global_state)


# What `set_random_seed` sets, among the attributes.
GLOBAL_SEEDS = GLOBAL_SEED_GENERATOR, GLOBAL_RANDOM_SEED


def global_attributes() -> dict[str, Any]:
    """Returns Keras's settings, and what it counts, by name.

    Its lists are copied: Keras appends to that of the variables that wait for
    their values.
    """
    return {
        name: list(value) if type(value) is list else value
        for name, value in vars(global_state.GLOBAL_STATE_TRACKER).items()
    }


def set_global_attributes(attributes: Mapping[str, Any]) -> None:
    """Restores what `global_attributes` gave, and forgets all else."""
    kept = vars(global_state.GLOBAL_STATE_TRACKER)
    kept.clear()
    kept.update(attributes)


# ---------------------------------------------------------------------------
# Models in training (used by tuning.panda)


def every_layer(model: keras.Model, itself: bool = True) -> list[Any]:
    """Returns all layers of a model, however deep; the model first.

    Args:
        model: The model.
        itself: Whether the model is among them.
    """
    return list(model._flatten_layers(include_self=itself))


def made_from_logits(outputs: Any) -> bool:
    """Returns whether a sigmoid or a softmax has just made these outputs.

    Keras's losses then take the logits before it, whatever they were told.
    """
    return hasattr(outputs, "_keras_logits")


def begin_at(model: keras.Model, epoch: int | None) -> None:
    """Lets the present `fit` begin at an epoch; `None` forgets it.

    As `keras.callbacks.BackupAndRestore` does, in `on_train_begin`.
    """
    model._initial_epoch = epoch


def global_seed() -> keras.Variable:
    """Returns the state of what draws for all that have no seed of their own.

    `keras.utils.set_random_seed` makes a new one.
    """
    return global_seed_generator().state


def learning_rate_of(optimizer: keras.optimizers.Optimizer) -> Any:
    """Returns the learning rate's variable, or its schedule.

    The public `learning_rate` is the value that the schedule gives now.
    """
    return optimizer._learning_rate


@contextlib.contextmanager
def without_rate(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """While it lasts, an optimizer has a number for its learning rate."""
    attributes: Any = vars(optimizer)
    rate = attributes["_learning_rate"]
    attributes["_learning_rate"] = 0.0
    try:
        yield
    finally:
        attributes["_learning_rate"] = rate


# ---------------------------------------------------------------------------
# The layers and calls inside a model (used by layers, diagnostics and export)


def sublayers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns the layers directly inside a layer or model."""
    return layer._flatten_layers(include_self=False, recursive=False)


def graph_of(model: Any) -> keras.Model | None:
    """Returns the functional model that a model runs as it stands.

    `None` if there is none: the model is a layer, written as a class or, if
    sequential, not built.
    """
    if isinstance(model, keras.Sequential):
        plain = type(model).call is keras.Sequential.call
        return model._functional if plain else None
    if isinstance(model, Functional):
        return model if type(model).call is Functional.call else None
    return None


def is_plain_functional(model: keras.Model) -> bool:
    """Whether a model is just what `keras.Model(inputs, outputs)` gives."""
    return type(model) is Functional


# What `x + y` and its like leave in a functional model.
ELEMENTWISE_OPERATIONS = (
    numpy_operations.Add,
    numpy_operations.Subtract,
    numpy_operations.Multiply,
    numpy_operations.Maximum,
    numpy_operations.Minimum,
)


@dataclasses.dataclass(frozen=True, eq=False)
class Call:
    """One call in a functional model.

    Attributes:
        operation: A layer, or an operation of `keras.ops`.
        inputs: The `KerasTensor`s that it takes, a list.
        outputs: Those that it gives.
        args, kwargs: With what it was called, the inputs in their places.
    """

    operation: Any
    inputs: list
    outputs: list
    _arguments: Any = dataclasses.field(repr=False)

    @property
    def args(self) -> tuple:
        return self._arguments.args

    @property
    def kwargs(self) -> Mapping[str, Any]:
        return self._arguments.kwargs

    def filled(self, values: list) -> tuple[tuple, dict]:
        """Returns the arguments, with these values for the inputs."""
        return self._arguments.fill_in(
            dict(zip(map(id, self.inputs), values, strict=True))
        )

    def run(self, values: list) -> list:
        """Calls the operation, at inference, on the values of its inputs."""
        args, kwargs = self.filled(values)
        if "training" in getattr(self.operation, "_call_context_args", ()):
            kwargs = {**kwargs, "training": False}
        return keras.tree.flatten(self.operation(*args, **kwargs))


def calls(graph: keras.Model) -> list[Call]:
    """Returns the calls that make up a functional model, inputs first."""
    return [
        Call(
            node.operation,
            node.input_tensors,
            node.output_tensors,
            node.arguments,
        )
        for depth in sorted(graph._nodes_by_depth, reverse=True)
        for node in graph._nodes_by_depth[depth]
        if not node.is_input
    ]


def standardized_inputs(graph: keras.Model, x: Any) -> list:
    """Returns the inputs of a functional model as it takes them, flat."""
    return graph._standardize_inputs(x)


def mask_of(tensor: Any) -> Any:
    """Returns the mask that a tensor carries, or `None`."""
    return getattr(tensor, "_keras_mask", None)


def set_mask(tensor: Any, mask: Any) -> None:
    """Gives a tensor the mask to carry."""
    tensor._keras_mask = mask


# ---------------------------------------------------------------------------
# Models and optimizers as functions (used by tuning.population)


def first_of_sequential(model: keras.Sequential) -> Any:
    """Returns the first layer, also an `InputLayer`, which `layers` omits."""
    return (model._layers or [None])[0]


def give_input(model: keras.Sequential, shape: tuple[int | None, ...]) -> None:
    """Puts the input layer first that a batch of some shape would put there."""
    first = keras.layers.InputLayer(
        batch_shape=shape, dtype=model._layers[0].compute_dtype
    )
    model._layers = [first, *model._layers]


def build_shapes(layer: keras.layers.Layer) -> dict[str, Any]:
    """Returns the arguments that a layer's `build` was called with."""
    return layer._build_shapes_dict or {}


def called(layer: keras.layers.Layer, x: Any, training: bool) -> Any:
    """Returns a layer's outputs, called with `training` if it takes that."""
    if layer._call_has_training_arg:
        return layer(x, training=training)
    return layer(x)


def build_symbolically(
    model: keras.Model, x: Any, y: Any = None, sample_weight: Any = None
) -> None:
    """Builds a model, its loss and its metrics, and computes nothing.

    Args:
        model: A compiled model.
        x, y, sample_weight: A few examples, nested arrays or tensors.
    """

    def as_fit_takes_it(array: Any) -> Any:
        if isinstance(array, np.ndarray) and array.dtype.kind == "f":
            return array.astype(keras.config.floatx())
        return array

    data = keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
    model._symbolic_build(
        data_batch=keras.tree.map_structure(as_fit_takes_it, data)
    )


def loss_of(model: keras.Model, **batch: Any) -> Any:
    """Returns the loss of a batch, by `compute_loss` of any signature."""
    return model._compute_loss(**batch)


def loss_tracker(model: keras.Model) -> keras.metrics.Metric:
    """Returns the metric that `fit` reports as `"loss"`."""
    return model._loss_tracker


def compiled_metrics(model: keras.Model) -> Any:
    """Returns the metric that holds those of `compile`, or None."""
    return model._compile_metrics


def compile_argument(model: keras.Model, name: str) -> Any:
    """Returns what `compile` was given by that name, or None."""
    config = getattr(model, "_compile_config", None)
    return (config.config if config is not None else {}).get(name)


_COMPILED = (
    "loss",
    "loss_weights",
    "metrics",
    "weighted_metrics",
    "run_eagerly",
    "jit_compile",
    "auto_scale_loss",
)


def compile_as(model: keras.Model, other: keras.Model) -> None:
    """Compiles a model with what another was compiled with."""
    arguments = {name: compile_argument(other, name) for name in _COMPILED}
    model.compile(optimizer="sgd", **arguments)
    model.optimizer = other.optimizer


# The attributes in which a variable, a layer and a model hold what computes.
VALUE, DTYPE, DTYPE_POLICY = "_value", "_dtype", "_dtype_policy"
COMPILED_LOSS = "_compile_loss"


def compiled_loss(model: keras.Model) -> Any:
    """Returns the loss of `compile`, with its weights, or None."""
    return getattr(model, COMPILED_LOSS)


def loss_weights_of(model: keras.Model) -> Any:
    """Returns the `loss_weights` of `compile`, for a model with a loss."""
    return model._compile_loss._user_loss_weights


def clear_losses(model: keras.Model) -> None:
    """Forgets the losses that layers have added in the last call."""
    model._clear_losses()


def adds_losses(layer: keras.layers.Layer) -> bool:
    """Whether a layer has called `add_loss`."""
    return bool(layer._losses)


def wrapped_function(metric: Any) -> Callable[..., Any] | None:
    """Returns the function that a metric is the mean of, or None."""
    return getattr(metric, "_fn", None)


def loss_arguments(loss: Any) -> tuple[Callable[..., Any] | None, dict]:
    """Returns the function that a loss wraps, or None, and its arguments."""
    return getattr(loss, "fn", None), getattr(loss, "_fn_kwargs", {})


def noise_shape_of(layer: keras.layers.Dropout, inputs: Any) -> Any:
    """Returns which of the numbers that a layer draws are the same."""
    if hasattr(layer, "_get_noise_shape"):
        return layer._get_noise_shape(inputs)
    return layer.noise_shape


def cells_with_masks(layer: Any) -> list[Any]:
    """Returns what in a layer may draw masks of dropout for sequences."""
    every = every_layer(layer)
    return [cell for cell in every if isinstance(cell, DropoutRNNCell)]


def set_masks(cell: Any, draw: Callable[[str, Any, int], list[Any]]) -> None:
    """Lets a recurrent cell draw its masks of dropout by another function.

    Args:
        cell: The cell.
        draw: A function of the name of the rate, of what the mask is for, and
            of how many masks there are.
    """
    count = getattr(cell, "dropout_mask_count", None)

    def set_mask(name: str) -> None:
        kept = f"_{name}_mask"

        def mask(inputs: Any) -> Any:
            if getattr(cell, kept, None) is None and getattr(cell, name):
                masks = draw(name, inputs, count or 1)
                setattr(cell, kept, masks[0] if count is None else masks)
            return getattr(cell, kept, None)

        vars(cell)[f"get_{name}_mask"] = mask

    set_mask("dropout")
    set_mask("recurrent_dropout")


def with_loss_arguments(
    loss: keras.losses.Loss, function: Callable[..., Any], arguments: dict
) -> keras.losses.Loss:
    """Returns a loss that is like another, but for what it wraps."""
    # Keras copies by saving and loading, which takes floats only.
    other: Any = object.__new__(type(loss))
    vars(other).update(vars(loss))
    other.fn, other._fn_kwargs = function, arguments
    return other


def set_loss(model: keras.Model, loss: keras.losses.Loss) -> None:
    """Gives a model that was compiled with one loss another one."""
    compiled = model._compile_loss
    compiled._user_loss = loss
    if compiled.built:
        (flat,) = compiled._flat_losses
        compiled._flat_losses = [flat._replace(loss=loss)]


def logits_of(tensor: Any) -> Any:
    """Returns what a softmax or sigmoid was computed of, or `None`."""
    return getattr(tensor, "_keras_logits", None)


def set_logits(tensor: Any, logits: Any) -> None:
    """Notes what a softmax or sigmoid was computed of, for losses."""
    tensor._keras_logits = logits


def losses_of_outputs(model: keras.Model) -> list[keras.metrics.Metric]:
    """Returns the metrics that `fit` reports as each output's loss.

    There are none if there is one output.
    """
    compiled = model._compile_loss
    return list(compiled.metrics) if compiled is not None else []


def larger_is_better(model: keras.Model, monitor: str) -> bool:
    """Returns whether `mode="auto"` takes the larger values for the better.

    Keras knows by the metric, not by its name.
    """
    callback = keras.callbacks.EarlyStopping(monitor)
    callback.set_model(model)
    callback._set_monitor_op()
    return callback.monitor_op == ops.greater


def decays(optimizer: keras.optimizers.Optimizer, variable: Any) -> bool:
    """Whether an optimizer's weight decay goes for a variable."""
    return optimizer._use_weight_decay(variable)


def set_decays(
    optimizer: keras.optimizers.Optimizer, answers: dict[int, bool]
) -> None:
    """Settles for which variables, by their id, weight decay goes.

    The optimizer must be one that `in_place_undone` made work on any backend.
    """
    optimizer._exclude_from_weight_decay_cache = answers


# In how many ways an optimizer may clip gradients; each has one at most.
CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")


def clipped(
    optimizer: keras.optimizers.Optimizer,
    limits: dict[str, Any],
    gradients: list[Any],
) -> list[Any]:
    """Returns gradients clipped in several ways, one after the other."""
    for name, limit in limits.items():
        settings: Any = vars(optimizer)
        settings.update(dict.fromkeys(CLIPS) | {name: limit})
        gradients = type(optimizer)._clip_gradients(optimizer, gradients)
    return gradients


def set_clipping(
    optimizer: keras.optimizers.Optimizer,
    clip: Callable[[list[Any]], list[Any]],
) -> None:
    """Gives an optimizer another function that clips gradients."""
    attributes: Any = vars(optimizer)
    attributes["_clip_gradients"] = clip


def iterations_and_rate(optimizer: keras.optimizers.Optimizer) -> list[Any]:
    """Returns the first two of an optimizer's own variables."""
    return optimizer._variables[:2]


@functools.cache
def in_place_undone() -> type:
    """Returns a class to inherit from, between an optimizer and Keras's.

    On TensorFlow Keras's optimizers override methods of `BaseOptimizer`, which
    is written for any backend, to update variables in place. A subclass of that
    override comes just before it in the order of resolution, and after what an
    optimizer itself overrides: it puts the methods back.
    """
    from keras.src.backend.tensorflow.optimizer import TFOptimizer

    # The second serves sparse gradients and changes nothing in place.
    kept = ("__init__", "_clip_by_norm")
    methods = {
        name: getattr(BaseOptimizer, name)
        for name in vars(TFOptimizer)
        if name in vars(BaseOptimizer) and name not in kept
    }
    return type("InPlaceUndone", (TFOptimizer,), methods)


def overwrite_without_branches(optimizer: keras.optimizers.Optimizer) -> None:
    """Lets averages overwrite the parameters by a choice, now and then.

    Keras assigns in a branch, and a scope takes note of each assignment.
    """
    every = optimizer.ema_overwrite_frequency
    average = optimizer._update_model_variables_moving_average
    overwrite = optimizer._overwrite_model_variables_with_average_value
    optimizer.ema_overwrite_frequency = None

    def average_and_overwrite(variables: list[Any]) -> None:
        average(variables)
        iterations: Any = optimizer.iterations
        now = ops.equal((iterations + 1) % every, 0)
        before = [ops.convert_to_tensor(v.value) for v in variables]
        overwrite(variables)
        for variable, value in zip(variables, before, strict=True):
            variable.assign(ops.where(now, variable.value, value))

    name = "_update_model_variables_moving_average"
    setattr(optimizer, name, average_and_overwrite)


def initializer_of(variable: keras.Variable) -> Any:
    """Returns what a variable begins with, or None if it was given a value."""
    return variable._initializer


def layer_at_work() -> Layer | None:
    """Returns the layer that is making a variable now, if it is one."""
    stack = global_state.get_global_attribute("name_scope_stack") or []
    callers = (scope.caller for scope in reversed(stack))
    return next((one for one in callers if isinstance(one, Layer)), None)


def set_layers(model: keras.Sequential, layers: list[Any]) -> None:
    """Builds a `keras.Sequential` of other layers, on the same input."""
    for _ in model.layers:
        model.pop(rebuild=False)
    for layer in layers:
        model.add(layer, rebuild=False)
    model._maybe_rebuild()


def rebuild(model: keras.Sequential) -> None:
    """Builds a `keras.Sequential` whose layers have an input."""
    model._maybe_rebuild()


@contextlib.contextmanager
def fresh_names() -> Iterator[None]:
    """While it lasts, what has no name is named as in a new session."""
    counts = "object_name_uids"
    before = get_global_attribute(counts)
    set_global_attribute(counts, None)
    try:
        yield
    finally:
        set_global_attribute(counts, before)


@contextlib.contextmanager
def divide_replaced(divided: Callable[..., Any]) -> Iterator[None]:
    """While it lasts, `keras.ops.divide` computes something else.

    Args:
        divided: A function of Keras's own `divide` for this backend, and of the
            numerator and the denominator, which may be sparse.
    """
    numbers = backend.numpy
    own = functools.partial(divided, numbers.divide)
    with _patched((numbers, "divide", own)):
        yield


class NotBuiltYetError(Exception):
    """Code asks for, or changes, what would have been built by then."""


_LISTS_OF_VARIABLES = (
    *("variables", "trainable_variables", "non_trainable_variables"),
    *("weights", "trainable_weights", "non_trainable_weights"),
)


@contextlib.contextmanager
def unbuilt() -> Iterator[None]:
    """While it lasts, a `keras.Sequential` waits to be built.

    Code that meanwhile looks at its variables meets a `NotBuiltYetError`, as
    does code that sets an attribute of its layers: it would come too late to
    have an effect on what Keras had built.
    """
    waiting: dict[int, Any] = {}
    call, set_attribute = Layer.__call__, Layer.__setattr__
    build_by_keras = keras.Sequential._maybe_rebuild

    def wait(model: keras.Sequential) -> None:
        first = model._layers[0]
        knows_shape = isinstance(first, keras.layers.InputLayer) or hasattr(
            first, "input_shape"
        )
        if knows_shape and len(model._layers) > 1:
            waiting.update((id(x), x) for x in every_layer(model))

    def build_now(self: Any, *args: Any, **kwargs: Any) -> Any:
        if id(self) in waiting:
            for layer in every_layer(self):
                waiting.pop(id(layer), None)
            if isinstance(self, keras.Sequential):
                build_by_keras(self)
        return call(self, *args, **kwargs)

    def check_built(self: Any, what: str) -> None:
        if id(self) in waiting:
            raise NotBuiltYetError(
                f"{self.name} is not built yet, and has no {what}"
            )

    def set_before(self: Any, name: str, value: Any) -> None:
        if name not in ("trainable", "_trainable") and not isinstance(
            self, keras.Model
        ):
            check_built(self, name)
        set_attribute(self, name, value)

    def checked(name: str) -> property:
        own = vars(Layer)[name].fget

        def get(self: Any) -> list[Variable]:
            check_built(self, name)
            return own(self)

        return property(get)

    with _patched(
        (keras.Sequential, "_maybe_rebuild", wait),
        (Layer, "__call__", build_now),
        (Layer, "__setattr__", set_before),
        *((Layer, name, checked(name)) for name in _LISTS_OF_VARIABLES),
    ):
        yield


def changed_variables(model: keras.Model) -> dict[str, Any]:
    """Returns how variables differ from what their layers made them, by place.

    Code can freeze a variable, or give it a regularizer or a constraint, of
    which no config tells; and what it gives to a layer that is built comes too
    late for them.
    """
    found: dict[str, Any] = {}
    for number, layer in enumerate(every_layer(model)):
        own = [
            *((v, layer.trainable) for v in layer._trainable_variables),
            *((v, False) for v in layer._non_trainable_variables),
        ]
        given = {id(value) for value in vars(layer).values()}
        of = f"layer {number} ({type(layer).__name__})"
        for i, (variable, trainable) in enumerate(own):
            place = f"{of}, variable {i}"
            if bool(variable.trainable) != bool(trainable):
                found[f"{place}, trainable"] = bool(variable.trainable)
            if getattr(variable, "overwrite_with_gradient", False):
                found[f"{place}, overwrite_with_gradient"] = True
            for kind in ("regularizer", "constraint"):
                value = getattr(variable, kind, None)
                if value is not None and id(value) not in given:
                    found[f"{place}, {kind}"] = value
        for name in _given_too_late(layer, own):
            found[f"{of}, {name}"] = "given too late"
    return found


def _given_too_late(layer: Any, own: list[tuple[Any, bool]]) -> list[str]:
    """Returns regularizers and constraints that no variable has."""
    if not own:
        return []
    kinds = ("regularizer", "constraint")
    used = {id(getattr(v, kind, None)) for v, _ in own for kind in kinds}
    return [
        name
        for name, value in vars(layer).items()
        if name.endswith(("_regularizer", "_constraint"))
        and name != "activity_regularizer"
        and value is not None
        and id(value) not in used
    ]


@contextlib.contextmanager
def deferred_initialization(built: bool = False) -> Iterator[None]:
    """While it lasts, variables keep how they begin, instead of memory.

    Args:
        built: Whether a `keras.Sequential` is built as always.
    """
    with (
        contextlib.nullcontext() if built else unbuilt(),
        _patched(
            *_deferring_methods(),
            *(
                (owner, "__setattr__", _set_untracked(owner))
                for owner in keras.layers.Layer.__mro__
                if owner.__name__ == "KerasAutoTrackable"
            ),
        ),
    ):
        yield


@dataclasses.dataclass
class Created:
    """The ids of what was created while it was noted."""

    operations: set[int] = dataclasses.field(default_factory=set)
    variables: set[int] = dataclasses.field(default_factory=set)


@contextlib.contextmanager
def noting_created() -> Iterator[Created]:
    """While it lasts, notes which layers, models and variables are created.

    What existed before has none of their ids: it was alive all the while.
    """
    created = Created()
    new, init = keras.Operation.__new__, Variable.__init__

    def new_operation(cls: type, *args: Any, **kwargs: Any) -> Any:
        operation = new(cls, *args, **kwargs)
        created.operations.add(id(operation))
        return operation

    def init_variable(self: Any, *args: Any, **kwargs: Any) -> None:
        created.variables.add(id(self))
        init(self, *args, **kwargs)

    with _patched(
        (keras.Operation, "__new__", new_operation),
        (Variable, "__init__", init_variable),
    ):
        yield created


def _deferring_methods() -> list[tuple[type, str, Callable[..., Any]]]:
    assign_in_place = Variable._direct_assign
    convert = Variable._convert_to_tensor

    def convert_by_numpy(self: Any, value: Any, dtype: Any = None) -> Any:
        if isinstance(value, (bool, int, float)):
            # After each new seed TensorFlow's first operation takes a while.
            return np.asarray(value, dtype)
        return convert(self, value, dtype)

    def initialize(self: Any, value: Any) -> None:
        self._value = value() if callable(value) else value
        self._is_deferred = True

    def initialize_with_initializer(self: Any, initializer: Any) -> None:
        # One that asks for the layer is asked while that is at work.
        bind = getattr(initializer, "for_layer", lambda layer: initializer)
        self._value, self._initializer = None, bind(layer_at_work())
        self._is_deferred = True

    def initialize_later(self: Any) -> None:
        # Created in a symbolic call, which has noted the initializer.
        self._is_deferred = True

    def assign(self: Any, value: Any) -> None:
        if not hasattr(self, "_is_deferred"):
            # Of a layer from elsewhere, which models may share.
            assign_in_place(self, value)
            return
        self._value = ops.cast(value, self._dtype)
        # What it begins with is no longer what its initializer gives.
        self._initializer = None

    return [
        (Variable, "_initialize", initialize),
        (Variable, "_initialize_with_initializer", initialize_with_initializer),
        (Variable, "_deferred_initialize", initialize_later),
        (Variable, "_direct_assign", assign),
        (Variable, "_convert_to_tensor", convert_by_numpy),
    ]


def _set_untracked(owner: type) -> Callable[..., None]:
    """Returns what sets an attribute, and lets TensorFlow note nothing of it.

    Its notes are for files of its own, and take a third of the time of building
    a model without memory.
    """
    _, of_tensorflow, *_ = owner.__mro__

    def set_untracked(self: Any, name: str, value: Any) -> None:
        super(of_tensorflow, self).__setattr__(name, value)

    return set_untracked


@contextlib.contextmanager
def _patched(
    *changes: tuple[Any, str, Any],
) -> Iterator[None]:
    """While it lasts, classes or modules have other functions."""
    with _patching, contextlib.ExitStack() as stack:
        for owner, name, method in changes:
            if name in vars(owner):
                stack.callback(setattr, owner, name, vars(owner)[name])
            else:
                stack.callback(delattr, owner, name)
            setattr(owner, name, method)
        yield
