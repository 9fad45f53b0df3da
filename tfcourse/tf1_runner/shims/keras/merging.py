"""`merge` and `Merge`, which Keras 1 joined tensors and models with."""

from tf_keras.api._v1 import keras


def merge(
    inputs,
    mode="sum",
    concat_axis=-1,
    dot_axes=-1,
    output_shape=None,
    output_mask=None,
    arguments=None,
    name=None,
):
    """Returns one tensor of several.

    Args:
        inputs: A list of tensors.
        mode: `sum`, `mul`, `ave`, `max`, `concat`, `dot`, `cos`, or a function
            of the list.
        concat_axis: Along which to join.
        dot_axes: Which axes the product sums over.
        output_shape: Of what the function returns.
        output_mask: Not needed: masks go through layers by themselves.
        arguments: Further arguments of the function.
        name: Of the layer.
    """
    layers = keras.layers
    if callable(mode):
        join = layers.Lambda(mode, output_shape, arguments=arguments, name=name)
    elif mode == "concat":
        join = layers.Concatenate(concat_axis, name=name)
    elif mode in {"dot", "cos"}:
        axes = dot_axes
        if isinstance(axes, list | tuple):
            axes = tuple(
                a[0] if isinstance(a, list | tuple) else a for a in axes
            )
        join = layers.Dot(axes, normalize=mode == "cos", name=name)
    elif mode in _ELEMENTWISE:
        join = getattr(layers, _ELEMENTWISE[mode])(name=name)
    else:
        modes = ", ".join([*_ELEMENTWISE, "concat", "dot", "cos"])
        raise ValueError(
            f"`mode` of merge must be one of {modes}, or a function. Received: "
            f"mode={mode!r}"
        )
    return join(inputs)


_ELEMENTWISE = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
}


class Merge:
    """Joins models at the beginning of a `Sequential`, or tensors by a call.

    Args:
        layers: Models, or layers that have been called.
        **settings: Of `merge`.
    """

    def __init__(self, layers=None, mode="sum", **settings):
        self._branches = layers
        self._settings = {"mode": mode} | settings

    def __call__(self, inputs):
        return merge(inputs, **self._settings)

    def inputs_and_output(self):
        """Returns the inputs of all models, and the tensor of their outputs."""
        outputs = [branch.output for branch in self._branches]
        inputs = [tensor for b in self._branches for tensor in _inputs_of(b)]
        return inputs, self(outputs)


def _inputs_of(branch):
    inputs = branch.input
    return inputs if isinstance(inputs, list) else [inputs]
