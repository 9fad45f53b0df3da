"""Layers of Keras 1 that are written otherwise today, or are gone."""

from tf_keras.api._v1 import keras

from tfcourse.tf1_runner.shims.keras.merging import Merge, merge  # noqa: F401

NAMES = (
    "AtrousConvolution1D",
    "AtrousConvolution2D",
    "Deconvolution2D",
    "Highway",
    "MaxoutDense",
    "Merge",
    "ParametricSoftplus",
    "TimeDistributedDense",
)
AtrousConvolution1D = keras.layers.Conv1D
AtrousConvolution2D = keras.layers.Conv2D


def Deconvolution2D(  # noqa: N802
    nb_filter, nb_row, nb_col, output_shape=None, **settings
):
    """Returns a transposed convolution, which finds its own output's shape."""
    return keras.layers.Conv2DTranspose(nb_filter, nb_row, nb_col, **settings)


def TimeDistributedDense(output_dim, *args, **settings):  # noqa: N802
    """Returns a dense layer for each step; `Dense` takes them all, too."""
    length = settings.pop("input_length", None)
    if "input_dim" in settings:
        settings["input_shape"] = (length, settings.pop("input_dim"))
    return keras.layers.Dense(output_dim, *args, **settings)


class MaxoutDense(keras.layers.Layer):
    """The greatest of several dense layers.

    Args:
        output_dim: The number of units.
        nb_feature: How many layers there are.
        init: The initializer of their weights.
        bias: Whether they have one.
        input_dim: The number of inputs.
        **settings: Of a layer.
    """

    def __init__(
        self,
        output_dim,
        nb_feature=4,
        init="glorot_uniform",
        bias=True,
        input_dim=None,
        **settings,
    ):
        if input_dim:
            settings["input_shape"] = (input_dim,)
        super().__init__(**settings)
        self._dense = [
            keras.layers.Dense(output_dim, init=init, bias=bias)
            for _ in range(nb_feature)
        ]

    def call(self, inputs):
        return keras.backend.max([d(inputs) for d in self._dense], axis=0)


class Highway(keras.layers.Layer):
    r"""A dense layer with a gate past it, $t f(Wx + b) + (1 - t) x$.

    Args:
        init: The initializer of its weights.
        activation: $f$.
        input_dim: The number of inputs, and of units.
        **settings: Of a layer.
    """

    def __init__(
        self, init="glorot_uniform", activation=None, input_dim=None, **settings
    ):
        if input_dim:
            settings["input_shape"] = (input_dim,)
        super().__init__(**settings)
        self._init, self._activation = init, activation

    def build(self, input_shape):
        units = int(input_shape[-1])
        # At first nearly all goes past.
        closed = keras.initializers.Constant(-2)
        self._gate = keras.layers.Dense(
            units, "sigmoid", init=self._init, bias_initializer=closed
        )
        self._dense = keras.layers.Dense(
            units, self._activation, init=self._init
        )
        super().build(input_shape)

    def call(self, inputs):
        open_ = self._gate(inputs)
        return open_ * self._dense(inputs) + (1 - open_) * inputs


class ParametricSoftplus(keras.layers.Layer):
    r"""$\alpha \log(1 + e^{\beta x})$, with both of them learned."""

    def __init__(self, alpha_init=0.2, beta_init=5.0, **settings):
        super().__init__(**settings)
        self._inits = alpha_init, beta_init

    def build(self, input_shape):
        constant = keras.initializers.Constant
        alpha, beta = self._inits
        shape = [int(n) for n in input_shape[1:]]
        self.alpha = self.add_weight("alpha", shape, None, constant(alpha))
        self.beta = self.add_weight("beta", shape, None, constant(beta))
        super().build(input_shape)

    def call(self, inputs):
        return self.alpha * keras.backend.softplus(self.beta * inputs)
