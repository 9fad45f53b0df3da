r"""Networks of different widths, trained as one program.

Trials that differ in how many units or filters a layer has are different
graphs. A narrow network can be laid into a wide one, though: its weights in a
corner of the wide one's, with zeros around. A unit whose weights and bias are
zero gives $f(0) = 0$ if its activation passes through the origin; what it feeds
does not depend on it; so its gradient is zero, and the gradient of the weights
that leave it is, too. Optimizers, $L_1$, $L_2$ and batch norm leave such zeros
alone: they stay zero, exactly, and the rest is trained as in the narrow network
to rounding.

So nothing is asked of a search space: `keras.layers.Dense(hp.Int("units", 50,
100))` is wide enough. The narrow networks draw their initial weights by their
own fan-in, and what comes out is an ordinary, narrow Keras model. Only masks of
dropout are others than when trained alone.

This holds for `keras.Sequential`s of the layers, activations and optimizers
listed here. Anything else is not laid into anything.
"""

import contextlib

import keras
import numpy as np
from keras import layers

from tfcourse.tuning.population.drafts import (
    complete_optimizer,
    drafting,
    unbuilt,
    variables,
)
from tfcourse.tuning.population.structure import structure

_WIDE = {
    layers.Dense: "units",
    layers.Conv1D: "filters",
    layers.Conv2D: "filters",
    layers.Conv3D: "filters",
}
_ONE_BY_ONE = (
    layers.Activation,
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.Dropout,
    layers.ELU,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.LeakyReLU,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.ReLU,
)
_NORMALIZATIONS = ("BatchNormalization",)
_THROUGH_ORIGIN = [
    "celu",
    "elu",
    "gelu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "mish",
    "relu",
    "relu6",
    "selu",
    "silu",
    "softsign",
    "tanh",
]
_OPTIMIZERS = [
    "SGD",
    "RMSprop",
    "Adam",
    "AdamW",
    "Nadam",
    "Adagrad",
    "Adamax",
    "Lion",
    "GradientDescent",
    "Momentum",
]
_REGULARIZERS = ("L1", "L2", "L1L2", "Frobenius")


def widths(model):
    """Returns how wide the hidden layers of a model are, or None.

    None if the model is of a kind that cannot be laid into a wider one.

    Args:
        model: A compiled `keras.Sequential`, built or drafted.

    Returns:
        A tuple of integers, one for each dense and convolution layer but the
        last.
    """
    if type(model) is not keras.Sequential or not _optimizer_will_do(model):
        return None
    wide = _wide(model)
    if not wide or type(wide[-1]) is not layers.Dense:
        return None
    first, last = (model.layers.index(wide[i]) for i in (0, -1))
    # What comes before the first is the same for all.
    if not all(_will_do(layer) for layer in model.layers[first:]):
        return None
    if not all(_passes_origin(layer) for layer in model.layers[first:last]):
        return None
    return tuple(_width(layer) for layer in wide[:-1])


def structure_of_any_width(model):
    """Returns the `structure` of a model, but for its `widths`."""
    own = widths(model)
    if own is None:
        return structure(model)
    with _of_widths(model, [0] * len(own)):
        return ("any width", structure(model))


def widest(build, drafts):
    """Returns a model, built, that all of the drafts can be laid into.

    Args:
        build: The function that made one of the drafts.
        drafts: Models of one `structure_of_any_width`.
    """
    with unbuilt():
        model = build()
    wide = _wide(model)
    every = zip(*(widths(draft) for draft in drafts), strict=True)
    for layer, width in zip(wide, map(max, every), strict=False):
        setattr(layer, _WIDE[type(layer)], width)
    model._maybe_rebuild()
    model.optimizer.build(model.trainable_variables)
    return model


def places(draft, template):
    """Returns where the variables of a narrow model lie in those of a wide.

    Args:
        draft: A built or completed narrow model.
        template: The wide model.

    Returns:
        A list with a tuple of boolean masks, one an axis, for each variable
        of the template: trainable ones, other ones, the optimizer's.
    """
    features = None
    where = {}
    for narrow, wide in zip(draft.layers, template.layers, strict=True):
        if type(wide) in _WIDE:
            n_in = wide.kernel.shape[-2]
            before = np.ones(n_in, bool) if features is None else features
            features = np.arange(_width(wide)) < _width(narrow)
            for variable in wide.weights:
                axes = [np.ones(size, bool) for size in variable.shape]
                axes[-1] = features
                if len(axes) > 1:
                    axes[-2] = before
                where[id(variable)] = axes
        elif isinstance(wide, layers.Flatten):
            if features is not None:
                times = wide.output.shape[-1] // len(features)
                features = np.tile(features, times)
        else:
            for variable in wide.variables:
                is_row = len(variable.shape) and features is not None
                if is_row and variable.shape[-1] == len(features):
                    where[id(variable)] = [features]
    known = [
        where.get(id(v)) or [np.ones(size, bool) for size in v.shape]
        for v in [
            *template.trainable_variables,
            *template.non_trainable_variables,
        ]
    ]
    return known + _of_optimizer(template, known)


def initial_values(template, drafts):
    """Returns the initial values of narrow models, laid into a wide one.

    Args:
        template: What `widest` returned.
        drafts: The models that `draft` returned.

    Returns:
        The columns and the crops that `Population.from_columns` takes.
    """
    crops, rows = [], []
    for model in drafts:
        with drafting():
            _build(model, template.input_shape)
        masks = places(model, template)
        crops.append(masks)
        rows.append(
            [
                _laid(narrow, wide, axes)
                for narrow, wide, axes in zip(
                    variables(model), variables(template), masks, strict=True
                )
            ]
        )
    return [np.stack(column) for column in zip(*rows, strict=True)], crops


def _build(model, shape):
    for layer in model.layers:
        if not layer.built:
            layer.build(shape)
            layer.built = True
        shape = layer.compute_output_shape(shape)
    complete_optimizer(model)


def _laid(narrow, wide, axes):
    value = keras.ops.convert_to_numpy(narrow.value)
    if all(axis.all() for axis in axes):
        return value
    # Slots may begin at another number than zero.
    whole = keras.ops.convert_to_numpy(wide.value)
    laid = np.zeros_like(whole) if wide.trainable else whole.copy()
    laid[np.ix_(*axes)] = value
    return laid


def _of_optimizer(template, masks):
    """Returns where the optimizer's slots lie: where their parameters do."""
    parameters = [
        (v.path.replace("/", "_") + "_", axes)
        for v, axes in zip(template.trainable_variables, masks, strict=False)
    ]
    found = []
    for slot in template.optimizer.variables:
        named_for = [
            (len(name), axes)
            for name, axes in parameters
            if slot.name.startswith(name) and len(axes) == len(slot.shape)
        ]
        axes = [np.ones(size, bool) for size in slot.shape]
        found.append(
            max(named_for, key=lambda m: m[0])[1] if named_for else axes
        )
    return found


def _wide(model):
    return [layer for layer in model.layers if type(layer) in _WIDE]


def _width(layer):
    return getattr(layer, _WIDE[type(layer)])


@contextlib.contextmanager
def _of_widths(model, numbers):
    """Changes, for a while, what a model says its widths are."""
    wide = _wide(model)[:-1]
    before = [_width(layer) for layer in wide]

    def assign(numbers):
        for layer, number in zip(wide, numbers, strict=True):
            setattr(layer, _WIDE[type(layer)], number)

    assign(numbers)
    try:
        yield
    finally:
        assign(before)


def _will_do(layer):
    if type(layer) in _WIDE:
        return (
            getattr(layer, "groups", 1) == 1
            and layer.activity_regularizer is None
            and layer.kernel_constraint is None
            and layer.bias_constraint is None
            and _regularizer_will_do(layer.kernel_regularizer)
            and _regularizer_will_do(layer.bias_regularizer)
            and getattr(layer, "data_format", "channels_last")
            in (None, "channels_last")
        )
    if type(layer).__name__ in _NORMALIZATIONS:
        return getattr(layer, "axis", -1) in (-1, None) and not any(
            getattr(layer, f"{name}_{kind}", None)
            for name in ("beta", "gamma")
            for kind in ("regularizer", "constraint")
        )
    return type(layer) in (*_ONE_BY_ONE, layers.Flatten, layers.InputLayer) or (
        type(layer).__name__ == "InvertedDropout"
    )


def _regularizer_will_do(regularizer):
    return regularizer is None or type(regularizer).__name__ in _REGULARIZERS


def _optimizer_will_do(model):
    optimizer = model.optimizer
    return type(optimizer).__name__ in _OPTIMIZERS


def _passes_origin(layer):
    activation = getattr(layer, "activation", None)
    return activation is None or activation.__name__ in _THROUGH_ORIGIN
