"""Do activations and gradients keep their size from layer to layer?"""

import contextlib
import dataclasses
import functools
import math
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.diagnostics.backend_gradient import gradient
from tfcourse.diagnostics.model_graph import (
    activation,
    is_batch_norm,
    unwrapped,
)
from tfcourse.utils.keras_private import sublayers
from tfcourse.utils.notebook import Shown

# How much the deviation may change in all before it is called one or the other.
EXPLODING, VANISHING = 10.0, 0.1

RELU_LIKE = ("elu", "gelu", "leaky_relu", "prelu", "relu", "relu6", "silu")


@dataclasses.dataclass(frozen=True)
class LayerSignal:
    """What passes through one layer, forwards and backwards.

    Attributes:
        layer: Name of the layer.
        activation: Name of the activation that follows its weights, or `None`.
        activation_mean: Mean of its output over examples and units.
        activation_std: Standard deviation of the same.
        gradient_mean: Mean of the derivative of the loss by its output.
        gradient_std: Standard deviation of the same.
        weight_variance: n·mean(W²), with n the fan-in: 2 under He, 1 under
            Xavier. `None` for a layer without a kernel.
    """

    layer: str
    activation: str | None
    activation_mean: float
    activation_std: float
    gradient_mean: float
    gradient_std: float
    weight_variance: float | None

    @property
    def advised_variance(self) -> float | None:
        """The n·mean(W²) that the course advises: 2 for relu, otherwise 1."""
        return 2.0 if self.activation in RELU_LIKE else 1.0

    @property
    def advised_initializer(self) -> str | None:
        return "He" if self.advised_variance == 2 else "Xavier"


@dataclasses.dataclass(frozen=True, repr=False)
class SignalPropagation(Shown):
    """The signal in every layer, and how it changes over the depth.

    Attributes:
        layers: A `LayerSignal` for each call of a layer, inputs first.
        hidden: The `layers` that have weights, except the last.
    """

    layers: tuple
    hidden: tuple

    @property
    def activation_growth(self) -> float:
        """Last hidden layer's standard deviation over the first one's."""
        return _growth([layer.activation_std for layer in self.hidden])

    @property
    def gradient_growth(self) -> float:
        """First hidden layer's gradient deviation over the last one's."""
        return _growth([layer.gradient_std for layer in self.hidden[::-1]])

    @property
    def verdict(self) -> str:
        """`"healthy"`, `"vanishing"` or `"exploding"`.

        Exploding if the standard deviation of activations or gradients grows
        more than tenfold over all the hidden layers, otherwise vanishing if one
        of them shrinks to less than a tenth.
        """
        sizes = (self.activation_growth, self.gradient_growth)
        # First, because activations that explode make gradients vanish.
        if max(sizes) > EXPLODING:
            return "exploding"
        return "vanishing" if min(sizes) < VANISHING else "healthy"

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do, in sentences; none if the signal is healthy."""
        if self.verdict == "healthy":
            return ()
        advice = []
        for initializer, how in [
            ("He", 'tfcourse.initializers.He or "he_normal"'),
            ("Xavier", 'tfcourse.initializers.Xavier or "glorot_normal"'),
        ]:
            names = ", ".join(
                f"{layer.layer} ({layer.activation or 'linear'}, "
                f"n·mean(W²) = {layer.weight_variance:.2g})"
                for layer in self.hidden
                if layer.advised_initializer == initializer
                and _is_off(layer.weight_variance, layer.advised_variance)
            )
            if names:
                advice.append(
                    f"Initialize with {initializer} ({how}): {names}."
                )
        if advice:
            return tuple(advice)
        return (
            "The weights are as large as their activations require. Shorten "
            "the path with residual connections, put batch norm between the "
            "layers if there is none, use relu instead of sigmoid or tanh, or "
            "use fewer layers.",
        )

    @property
    def columns(self) -> dict[str, list]:
        """The numbers of all layers by column, for a plot or a data frame."""
        names = [field.name for field in dataclasses.fields(LayerSignal)]
        return {
            name: [getattr(layer, name) for layer in self.layers]
            for name in names
        }

    def __str__(self):
        width = max([5, *(len(layer.layer) for layer in self.layers)])
        lines = [
            f"{'layer':<{width}}  {'activations':^21}  {'gradients':^21}",
            " " * width + f"  {'mean':>10} {'std':>10}" * 2,
        ]
        lines += [
            f"{layer.layer:<{width}}  {layer.activation_mean:>10.3g} "
            f"{layer.activation_std:>10.3g}  {layer.gradient_mean:>10.3g} "
            f"{layer.gradient_std:>10.3g}"
            for layer in self.layers
        ]
        return "\n".join([*lines, self._said()])

    def _as_table(self):
        header = (
            *("layer", "activations: mean", "deviation"),
            *("gradients: mean", "deviation"),
        )
        rows = [
            (
                layer.layer,
                f"{layer.activation_mean:.3g}",
                f"{layer.activation_std:.3g}",
                f"{layer.gradient_mean:.3g}",
                f"{layer.gradient_std:.3g}",
            )
            for layer in self.layers
        ]
        return header, rows, self._said()

    def _said(self):
        """Returns what was found and what to do, a sentence a line."""
        found = (
            f"{self.verdict}: over {len(self.hidden)} hidden layers the "
            f"activations change by a factor of {self.activation_growth:.3g}, "
            "and the gradients, going backwards, by "
            f"{self.gradient_growth:.3g}."
        )
        return "\n".join([found, *self.advice])


def signal_propagation(
    model: keras.Model, x: Any, y: Any = None, seed: int = 0
) -> SignalPropagation:
    r"""Measures activations and gradients in every layer of a model.

    In a deep network of linear layers with weights $W = c I$ the activations
    grow as $c^l$, and so do the gradients, going backwards: at $c = 1.5$ they
    explode, at $c = 0.5$ they vanish. The right variance of the weights, 2/n
    for relu (He) and 1/n for tanh (Xavier), keeps both about constant. Keras
    has nothing of the kind.

    The model runs forwards and backwards in training mode, in its own dtype,
    and is left as it was. Measure at the initial weights, with a batch of
    normalized inputs. (Batch norm keeps the activations constant, but lets the
    gradients grow by a factor of about 1.2 per layer in random relu layers:
    after a dozen of them without residual connections, `"exploding"` is the
    true verdict.)

    Args:
        model: A built Keras model; the layers of a subclassed one are taken in
            the order in which they run.
        x: Inputs of one batch, an array or a list or dict of arrays.
        y: Targets of the batch, for the gradients of the compiled loss. Without
            them, a random linear function of the outputs stands for the loss;
            the gradients change from layer to layer in much the same way.
        seed: The seed of that function.

    Returns:
        A `SignalPropagation`. Its `verdict` is `"healthy"`, `"vanishing"` or
        `"exploding"`; printed, it is a table with advice.

    Raises:
        TypeError: If `model` is not a Keras model.
        ValueError: If the model is not built, or if `y` is given but the model
            has no loss.

    Example:

    >>> model = keras.Sequential(
    ...     [
    ...         keras.Input((64,)),
    ...         *[
    ...             keras.layers.Dense(
    ...                 64,
    ...                 "relu",
    ...                 kernel_initializer=keras.initializers.RandomNormal(
    ...                     stddev=0.01, seed=layer
    ...                 ),
    ...             )
    ...             for layer in range(5)
    ...         ],
    ...     ]
    ... )
    >>> x = np.random.default_rng(0).normal(size=(32, 64))
    >>> signal_propagation(model, x).verdict
    'vanishing'

    Reference:
        Ng, "Improving Deep Neural Networks", week 1, "Vanishing/exploding
        gradients" and "Weight initialization"; Glorot and Bengio (2010),
        https://proceedings.mlr.press/v9/glorot10a.html.
    """
    _check(model, y)
    x = keras.tree.map_structure(ops.convert_to_tensor, x)
    if y is not None:
        y = keras.tree.map_structure(ops.convert_to_tensor, y)

    def run(probes=None):
        """Returns the loss, and each layer that ran with its output."""
        ran = []

        def note(layer, output):
            if probes is not None:
                output = output + probes[len(ran)]
            ran.append((layer, output))
            return output

        state = [(v, v.value) for v in model.trainable_variables]
        with (
            _replaced_outputs(_units(model), note),
            keras.StatelessScope(state, collect_losses=True),
        ):
            outputs = model(x, training=True)
            if y is None:
                loss = _random_function(outputs, seed)
            else:
                loss = model.compute_loss(x=x, y=y, y_pred=outputs)
        return loss, ran

    _, ran = run()
    # The derivative by something added to an output is that by the output.
    probes = [ops.zeros_like(output) for _, output in ran]
    gradients = gradient(lambda probes: run(probes)[0], probes)
    rows = tuple(
        _row(place, ran, slope) for place, slope in enumerate(gradients)
    )
    weighted = [row for row in rows if row.weight_variance is not None]
    return SignalPropagation(layers=rows, hidden=tuple(weighted[:-1]))


def _units(layer):
    """Returns the layers to be measured: those that others are made of.

    Keras's own composite layers, such as LSTM, stay whole: their parts run in
    loops that nothing can be taken out of.
    """
    inner = [
        each
        for each in sublayers(layer)
        if not isinstance(each, keras.layers.InputLayer)
    ]
    is_keras = type(layer).__module__.startswith("keras.")
    if isinstance(layer, keras.Model) or (inner and not is_keras):
        units = [unit for each in inner for unit in _units(each)]
        return list({id(unit): unit for unit in units}.values())
    return [layer]


@contextlib.contextmanager
def _replaced_outputs(layers, replace):
    """A `with` block that puts `replace(layer, output)` for each output."""

    def with_replaced_output(layer):
        call = layer.call

        @functools.wraps(call)
        def wrapped(*args, **kwargs):
            output = call(*args, **kwargs)
            if not keras.ops.is_tensor(output):
                return output
            if not keras.backend.is_float_dtype(output.dtype):
                return output
            return replace(layer, output)

        return wrapped

    with contextlib.ExitStack() as stack:
        for layer in layers:
            own = layer.__dict__
            if "call" in own:
                stack.callback(own.__setitem__, "call", own["call"])
            else:
                stack.callback(own.pop, "call")
            own["call"] = with_replaced_output(layer)
        yield


def _random_function(outputs, seed):
    rng = np.random.default_rng(seed)
    return sum(
        ops.sum(
            output
            * ops.convert_to_tensor(rng.normal(size=output.shape), output.dtype)
        )
        / output.shape[0]
        for output in keras.tree.flatten(outputs)
    )


def _row(place, ran, slope):
    layer, output = ran[place]
    values = [
        ops.convert_to_numpy(ops.cast(each, "float32")).astype("float64")
        for each in (output, slope)
    ]
    (mean, std), (slope_mean, slope_std) = (
        (float(np.mean(each)), float(np.std(each))) for each in values
    )
    return LayerSignal(
        layer.name,
        _activation_after(place, ran),
        mean,
        std,
        slope_mean,
        slope_std,
        _weight_variance(layer),
    )


def _activation_after(place, ran):
    """Returns the activation that follows the weights of a layer."""
    layer = ran[place][0]
    name = activation(layer)
    if name != "linear":
        return name
    for follower, _ in ran[place + 1 :]:
        if _kernel(follower) is not None:
            break
        if activation(follower) not in (None, "linear"):
            return activation(follower)
        if not is_batch_norm(follower):
            break
    return None


def _kernel(layer):
    layer = unwrapped(layer)
    kernel = getattr(layer, "kernel", None)
    return kernel if len(getattr(kernel, "shape", ())) >= 2 else None


def _weight_variance(layer):
    """Returns n·mean(W²), n the number of inputs that enter one output."""
    kernel = _kernel(layer)
    if kernel is None:
        return None
    kind = type(unwrapped(layer)).__name__
    shape = kernel.shape
    fan_in = math.prod(shape[:-1])
    if "Depthwise" in kind:
        fan_in = math.prod(shape[:-2])
    elif "Transpose" in kind:
        fan_in = math.prod(shape[:-2]) * shape[-1]
    values = ops.convert_to_numpy(ops.cast(kernel, "float32"))
    return fan_in * float(np.mean(values.astype("float64") ** 2))


def _growth(deviations):
    """Returns the last deviation over the first; NaN counts as infinite."""
    if not all(map(math.isfinite, deviations)):
        return math.inf
    if len(deviations) < 2:
        return 1.0
    if min(deviations) == 0:
        return 0.0
    return deviations[-1] / deviations[0]


def _is_off(variance, advised):
    return not 0.7 < variance / advised < 1.4


def _check(model, y):
    if not isinstance(model, keras.Model):
        raise TypeError(
            "`model` of signal_propagation must be a Keras model. "
            f"Received: {model!r}"
        )
    if not model.built:
        raise ValueError(
            f"{model.name} has no weights yet. Call it on a batch, or start "
            "it with `keras.Input`, before measuring its signal."
        )
    if y is not None and not model.compiled:
        raise ValueError(
            f"{model.name} has no loss for `y`. Call `compile` first, or leave "
            "out `y`."
        )
