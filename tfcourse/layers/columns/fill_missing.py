"""Values for those that are missing, and a mark that they were."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="tfcourse")
class FillMissing(keras.layers.Layer):
    r"""Replaces missing numbers by one that is known, and says where.

    With $\tilde x$ the median of a feature over the training set,

    $$y = \begin{cases} \tilde x & \text{if $x$ is missing} \\
                        x & \text{else,} \end{cases} \qquad
      r = [x \text{ is missing}].$$

    Args:
        values: $\tilde x$ of each of the $n$ features.
        marked: Positions of the features that get an $r$.
        **kwargs: Passed to `keras.layers.Layer`.

    Call arguments:
        inputs: Shape `(m, n)`, `NaN` where missing. In float64, so that
            neighbouring timestamps are not one.

    Returns:
        Two tensors: $y$ `(m, n)`, and $r$ `(m, k)` for `k` marked features,
        0 or 1, in float32.
    """

    def __init__(self, values, marked=(), **kwargs):
        super().__init__(**{"dtype": "float64", **kwargs})
        self.values = [float(value) for value in values]
        self.marked = [int(place) for place in marked]

    def call(self, inputs):
        missing = ops.isnan(inputs)
        values = ops.convert_to_tensor(np.array(self.values), inputs.dtype)
        filled = ops.where(missing, values, inputs)
        marks = ops.take(missing, np.array(self.marked, "int32"), axis=1)
        return filled, ops.cast(marks, "float32")

    def compute_output_spec(self, inputs):
        m = inputs.shape[0]
        return (
            keras.KerasTensor(inputs.shape, inputs.dtype),
            keras.KerasTensor((m, len(self.marked)), "float32"),
        )

    def get_config(self):
        own = {"values": self.values, "marked": self.marked}
        return {**super().get_config(), **own}
