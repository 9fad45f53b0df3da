"""Features of mean 0 and variance 1, computed in float64."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="tfcourse")
class Standardize(keras.layers.Layer):
    r"""Computes $(x - \mu) / \sigma$ in float64, and gives float32.

    With $\mu$ and $\sigma$ of the training set. A feature that never varied
    there ($\sigma = 0$) says nothing: it becomes 0.

    Unlike `keras.layers.Normalization`, which has $\mu$ and $x$ in float32, it
    tells 100000000 from 100000001; and a small $\sigma$ is what it is, where
    Keras takes 1e-7 at least.

    Args:
        mean: $\mu$ of each feature.
        deviation: $\sigma$ of each feature, 0 or more.
        **kwargs: Passed to `keras.layers.Layer`.

    Call arguments:
        inputs: Shape `(m, n)`, float64.

    Returns:
        Shape `(m, n)`, float32.
    """

    def __init__(self, mean, deviation, **kwargs):
        super().__init__(**{"dtype": "float64", **kwargs})
        self.mean = [float(value) for value in mean]
        self.deviation = [float(value) for value in deviation]

    def call(self, inputs):
        deviation = np.array(self.deviation)
        varies = deviation > 0
        factor = np.where(varies, 1 / np.where(varies, deviation, 1), 0)
        mean = ops.convert_to_tensor(np.array(self.mean), inputs.dtype)
        factor = ops.convert_to_tensor(factor, inputs.dtype)
        return ops.cast((inputs - mean) * factor, "float32")

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, "float32")

    def get_config(self):
        own = {"mean": self.mean, "deviation": self.deviation}
        return {**super().get_config(), **own}
