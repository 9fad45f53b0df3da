"""Dropout, by the probability of keeping a unit."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfcourse.hyperparameter import (
    Hyperparameter,
    current_values,
    hyperparameters_of,
    without,
)


@keras.saving.register_keras_serializable(package="tfcourse")
class InvertedDropout(keras.layers.Layer):
    r"""Keeps each unit with a given probability and scales up what it keeps.

    In training, with $d$ drawn for each unit, 1 with probability $p$, else 0,

    $$y = \frac{d \, x}{p},$$

    whose expected value is $x$: nothing needs to be scaled at inference, where
    $y = x$.

    `keras.layers.Dropout(rate)` is the same with $rate = 1 - p$; on TensorFlow
    it draws the same $d$ from the same seed. Here $p$ is a variable: it can be
    set during training, also to 1 and back, and takes effect in the next step.
    The state of the random numbers is saved with the weights, so that training
    continues from a file as if it had not been interrupted.

    Args:
        keep_prob: $p$, the probability of keeping a unit, in (0, 1].
        seed: An integer that makes the sequence of masks reproducible.
        noise_shape: The shape of $d$, which is broadcast to that of the inputs.
            None stands for the size of the inputs: `(None, 1, None)`, for
            instance, keeps or drops a feature at all steps of a sequence
            together.
        **kwargs: Passed to `keras.layers.Layer`.

    Call arguments:
        inputs: Floats of any shape.
        training: Whether to drop anything.

    Returns:
        Shape and dtype of `inputs`.

    Raises:
        TypeError: If `keep_prob` is not a number.
        ValueError: If `keep_prob` lies outside its interval, or `noise_shape`
            holds anything but positive integers and None.

    Example:

    >>> layer = InvertedDropout(0.5, seed=0)
    >>> y = layer(np.ones((100, 100), "float32"), training=True)
    >>> np.unique(y).tolist()
    [0.0, 2.0]
    >>> layer.keep_prob = 1.0
    >>> np.unique(layer(np.ones((2, 3)), training=True)).tolist()
    [1.0]

    Reference:
        Srivastava et al. (2014), Section 10 for the division in training,
        https://jmlr.org/papers/v15/srivastava14a.html.
    """

    keep_prob = Hyperparameter("(0, 1]")
    hyperparameters = property(hyperparameters_of)

    def __init__(
        self,
        keep_prob: float,
        seed: Any = None,
        noise_shape: Sequence[int | None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.keep_prob = keep_prob
        self.seed = seed
        self.noise_shape = _checked(noise_shape)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        # Nothing is left to create once the shape of the inputs is known.
        self.built = type(self).build is keras.layers.Layer.build

    @property
    def weights(self) -> list[keras.Variable]:
        """None: `keep_prob` is a setting."""
        return without(super().weights, self.hyperparameters.values())

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if not training:
            return inputs
        # In float16 a draw has a thousand values only, in bfloat16 128.
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        keep_prob = ops.cast(self.keep_prob, dtype)
        draw = keras.random.uniform(
            self._mask_shape(inputs), dtype=dtype, seed=self.seed_generator
        )
        kept = draw >= 1 - keep_prob
        scaled = inputs / ops.cast(keep_prob, inputs.dtype)
        return ops.where(kept, scaled, ops.zeros_like(scaled))

    def _mask_shape(self, inputs):
        sizes = ops.shape(inputs)
        if self.noise_shape is None:
            return sizes
        return tuple(
            size if chosen is None else chosen
            for size, chosen in zip(sizes, self.noise_shape, strict=True)
        )

    # Keras saves no state of random numbers: a run that goes on from a file
    # would draw other masks than one that was never cut.
    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        store["seed"] = self.seed_generator.state

    def load_own_variables(self, store: Any) -> None:
        variables = {name: store[name] for name in store.keys()}  # noqa: SIM118
        self.seed_generator.state.assign(variables.pop("seed"))
        super().load_own_variables(variables)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        own = {"seed": self.seed, "noise_shape": self.noise_shape}
        return {**super().get_config(), **current_values(self), **own}


def _checked(noise_shape):
    if noise_shape is None:
        return None
    sizes = list(noise_shape) if isinstance(noise_shape, list | tuple) else [0]
    for size in sizes:
        if size is not None and not (type(size) is int and size > 0):
            raise ValueError(
                "`noise_shape` of InvertedDropout must be a tuple of positive "
                f"integers and None. Received: noise_shape={noise_shape!r}"
            )
    return tuple(sizes)
