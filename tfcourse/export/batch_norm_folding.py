"""Batch norm merged into the layer before it, for inference."""

from typing import TYPE_CHECKING

from tfcourse.errors import InputError

if TYPE_CHECKING:
    import keras


def fold_batch_normalization(model: "keras.Model") -> "keras.Model":
    r"""Returns a model with fewer layers that gives the answers of `model`.

    At inference batch norm is affine, so where it follows a layer without
    activation, $z = a * W + b$, the two can be merged into one:

    $$W' = W s, \qquad b' = (b - \mu) s + \beta, \qquad
      s = \frac{\gamma}{\sqrt{\sigma^2 + \varepsilon}},$$

    along the axis of the features. This is done for tfcourse's and Keras's
    `BatchNormalization` after `Dense`, `Conv1D` to `Conv3D`, their transposes,
    and depthwise and separable convolutions. Batch norm that cannot be merged
    stays: after an activation, in a layer or model inside the model, or where
    another layer takes $z$, too.

    Args:
        model: A built functional or sequential model; it is left as it is.

    Returns:
        A new functional model, with the loss of `model`, so that
        `export_saved_model` knows what its outputs are. It is meant for
        inference: training it would train a different model.

    Raises:
        InputError: If the model is not built, or is written as a class, whose
            calls cannot be seen; or if the two differ on a random sample by
            more than rounding.

    Example:

    >>> from tfcourse.layers import BatchNormalization
    >>> layers = [keras.Input((2,)), keras.layers.Dense(3, use_bias=False)]
    >>> model = keras.Sequential([*layers, BatchNormalization()])
    >>> [layer.name for layer in fold_batch_normalization(model).layers[1:]]
    ['dense']
    """
    from tfcourse.export.model_signature import ModelSignature
    from tfcourse.export.verification import compare_on_sample

    if not getattr(model, "inputs", None):
        raise InputError(
            f"The calls inside the model {model.name!r} cannot be seen. Give "
            "a functional or sequential model that has been built."
        )
    graph = _graph(model)
    folded = _folded(graph, _merged(graph))
    if model.compiled:
        folded.compile(loss=model.loss)
    compare_on_sample(model, ModelSignature(model), ModelSignature(folded).call)
    return folded


def _graph(model):
    """Returns the functional model that shares the layers of `model`."""
    import keras

    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs[0], model.outputs[0])
    return keras.Model(model.input, model.output)


def _folded(graph, merged):
    """Returns a copy of `graph` without the layers that are `merged`."""
    import keras

    by_producer = {producer: norm for norm, producer in merged.items()}

    def clone(layer):
        config = layer.get_config()
        if layer.name in by_producer:
            config["use_bias"] = True
        return type(layer).from_config(config)

    def call(layer, *args, **kwargs):
        return args[0] if layer.name in merged else layer(*args, **kwargs)

    folded = keras.models.clone_model(
        graph, clone_function=clone, call_function=call
    )
    for layer in folded.layers:
        if not layer.weights:
            continue  # Inputs are given new names.
        old = graph.get_layer(layer.name)
        if layer.name in by_producer:
            _set_folded(layer, old, graph.get_layer(by_producer[layer.name]))
        else:
            layer.set_weights(old.get_weights())
    return folded


def _merged(graph):
    """Returns the names of batch-norm layers to merge, and into which."""
    from keras import tree

    from tfcourse.layers.batch_normalization import BATCH_NORMS
    from tfcourse.utils.keras_private import calls

    every = calls(graph)
    operations = [call.operation for call in every]
    taken = [id(tensor) for call in every for tensor in call.inputs]
    taken += [id(tensor) for tensor in tree.flatten(graph.output)]
    maker = {id(t): call.operation for call in every for t in call.outputs}
    merged = {}
    for call in every:
        norm, symbol = call.operation, next(iter(call.inputs), None)
        producer = maker.get(id(symbol))
        if (
            type(norm) in BATCH_NORMS
            and _can_take(producer, norm, symbol)
            and operations.count(norm) == operations.count(producer) == 1
            and taken.count(id(symbol)) == 1
        ):
            merged[norm.name] = producer.name
    return merged


def _can_take(producer, norm, tensor):
    import keras

    if type(producer) not in _kernels():
        return False
    axis = norm.axis[0] if isinstance(norm.axis, (list, tuple)) else norm.axis
    rank = len(tensor.shape)
    first = getattr(producer, "data_format", None) == "channels_first"
    return (
        axis % rank == (1 if first else rank - 1)
        and producer.activation is keras.activations.linear
        and not getattr(producer, "lora_enabled", False)
        and getattr(producer, "quantization_mode", None) is None
    )


def _kernels():
    """Returns how each layer's kernel is scaled by output feature.

    By class the name of the kernel, and a function of its shape that gives
    the shape in which the scale of each feature multiplies it.
    """
    from keras import layers

    def last(shape):
        return (1,) * (len(shape) - 1) + (-1,)

    def transposed(shape):
        return (1,) * (len(shape) - 2) + (-1, 1)

    def depthwise(shape):
        return (1,) * (len(shape) - 2) + tuple(shape[-2:])

    return {
        layers.Dense: ("kernel", last),
        layers.Conv1D: ("kernel", last),
        layers.Conv2D: ("kernel", last),
        layers.Conv3D: ("kernel", last),
        layers.Conv1DTranspose: ("kernel", transposed),
        layers.Conv2DTranspose: ("kernel", transposed),
        layers.Conv3DTranspose: ("kernel", transposed),
        layers.DepthwiseConv1D: ("kernel", depthwise),
        layers.DepthwiseConv2D: ("kernel", depthwise),
        layers.SeparableConv1D: ("pointwise_kernel", last),
        layers.SeparableConv2D: ("pointwise_kernel", last),
    }


def _set_folded(layer, old, norm):
    """Sets the weights of `layer` to those of `old` with `norm` merged in."""
    import numpy as np

    def values(variable, default):
        if variable is None:
            return default
        return np.asarray(variable).astype("float64")

    scale = values(norm.gamma, 1.0) / np.sqrt(
        values(norm.moving_variance, None) + norm.epsilon
    )
    bias = values(old.bias, 0.0) if old.use_bias else 0.0
    shift = (bias - values(norm.moving_mean, None)) * scale
    name, shape_of = _kernels()[type(layer)]
    for own in ("depthwise_kernel", "pointwise_kernel", "kernel"):
        variable = getattr(old, own, None)
        if variable is None:
            continue
        kernel = values(variable, None)
        if own == name:
            kernel = kernel * scale.reshape(shape_of(kernel.shape))
        getattr(layer, own).assign(kernel)
    layer.bias.assign(shift + values(norm.beta, 0.0))
