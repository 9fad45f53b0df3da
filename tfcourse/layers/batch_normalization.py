"""Batch normalization with unbiased moving statistics."""

import math
from typing import Any

import keras
from keras import ops

from tfcourse.hyperparameter import (
    Hyperparameter,
    current_values,
    hyperparameters_of,
    without,
)
from tfcourse.utils.validation import check_flag, check_integer, check_number


def batch_statistics(
    x: Any,
    axes: Any,
    mask: Any = None,
    keepdims: bool = False,
    synchronized: bool = False,
) -> tuple[Any, Any, Any]:
    """Returns the number, mean and biased variance of the values along `axes`.

    The variance is the mean of squared differences from the mean, so that a
    large common offset does not swallow it. Only values where `mask`, a boolean
    of the shape of `x`, is true are counted; if there are none, both statistics
    are 0. If `synchronized`, the values of all replicas are counted.
    """

    def everywhere(total):
        return sum_over_replicas(total) if synchronized else total

    def total(values):
        if mask is not None:
            values = ops.where(mask, values, 0)
        return everywhere(ops.sum(values, axes, keepdims=keepdims))

    if mask is None:
        count = ops.cast(math.prod(ops.shape(x)[a] for a in axes), x.dtype)
        count = everywhere(count)
    else:
        count = total(ops.ones_like(x))
    n = ops.maximum(count, 1)
    mean = total(x) / n
    # The differences sum to zero, so the mean adds nothing to the gradient.
    variance = total(ops.square(x - ops.stop_gradient(mean))) / n
    return count, mean, variance


def sum_over_replicas(x: Any) -> Any:
    """Returns the sum of `x` over the replicas of TensorFlow's strategy."""
    import tensorflow as tf  # Keras has no operation for it.

    context = tf.distribute.get_replica_context()
    # None in the strategy's own scope, where nothing is replicated.
    return x if context is None else context.all_reduce("SUM", x)


def normalize(
    x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float
) -> Any:
    """Returns gamma * (x - mean) / sqrt(variance + epsilon) + beta.

    Multiplied out, so that a value of `x` costs one product and one sum.
    """
    scale = ops.rsqrt(variance + epsilon)
    if gamma is not None:
        scale = scale * gamma
    offset = -mean * scale
    if beta is not None:
        offset = offset + beta
    return x * scale + offset


# Settings that are objects of Keras, for the config.
_OBJECTS = [
    "beta_initializer",
    "gamma_initializer",
    "moving_mean_initializer",
    "moving_variance_initializer",
    "beta_regularizer",
    "gamma_regularizer",
    "beta_constraint",
    "gamma_constraint",
]


@keras.saving.register_keras_serializable(package="tfcourse")
class BatchNormalization(keras.layers.Layer):
    r"""Normalizes each feature over the batch, then scales and shifts it.

    With $\mu$, $\sigma^2$ the mean and the (biased) variance of a feature,

    $$y = \gamma \, \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta.$$

    In training $\mu, \sigma^2$ are those of the batch, and they also enter the
    moving statistics $\bar s \in \{\bar\mu, \bar\sigma^2\}$ that stand in for
    them at inference. With $\rho$ the momentum and $u_0 = 0$,

    $$u_t = \rho \, u_{t-1} + (1 - \rho), \qquad
      \bar s_t = \bar s_{t-1} + \frac{1 - \rho}{u_t} (s_t - \bar s_{t-1}).$$

    This is the exponentially weighted average with bias correction: for a
    constant $\rho$, $u_t = 1 - \rho^t$. After one batch $\bar s_1 = s_1$, where
    `keras.layers.BatchNormalization` with its momentum of 0.99 has gone one
    hundredth of the way from its initial value. For the exact statistics of
    the whole training set see `estimate_population_statistics`.

    Each feature has its own $u$: a feature with fewer than two values in a
    batch (an empty batch, a single example, or a mask) has no variance there,
    and keeps its $u$, $\bar\mu$ and $\bar\sigma^2$.

    Other differences from Keras's layer: `momentum` is a variable, which can be
    set during training; `epsilon` is 1e-8 and not 1e-3; `synchronized` heeds
    `mask`; integer inputs are refused; there is no batch renormalization
    (`renorm`).

    With an $\varepsilon$ this small, rounding shows in a feature that does not
    vary. In float32 the computed mean of a constant $c$ misses it by $\delta$,
    from $10^{-7} |c|$ for 8 examples to $5 \cdot 10^{-6} |c|$ for 1000, and all
    outputs are $\delta / \sqrt{\delta^2 + \varepsilon}$ instead of 0: about 1
    where $\delta > \sqrt\varepsilon = 10^{-4}$, e.g. for $c = 1000.1$. XLA
    rounds products differently, which adds up to $6 \cdot 10^{-4} |c|$. Remove
    such a feature, or set a larger `epsilon`.

    A layer with `trainable=False` always uses the moving statistics.

    Args:
        axis: The axis of the features. All others are averaged over.
        momentum: $\rho$, share of the moving statistics kept at each batch, in
            [0, 1). Can be set during training.
        epsilon: $\varepsilon > 0$, in units of $x^2$.
        center: Whether to add $\beta$.
        scale: Whether to multiply by $\gamma$.
        beta_initializer, gamma_initializer: For $\beta$ and $\gamma$.
        moving_mean_initializer, moving_variance_initializer: For $\bar\mu$ and
            $\bar\sigma^2$, used at inference until the first batch.
        beta_regularizer, gamma_regularizer: For $\beta$ and $\gamma$.
        beta_constraint, gamma_constraint: For $\beta$ and $\gamma$.
        synchronized: Whether, under a distribution strategy, the statistics are
            those of the batches of all replicas, masks and empty batches
            included. On TensorFlow only.
        **kwargs: Passed to `keras.layers.Layer`.

    Call arguments:
        inputs: Floats of any shape with `n` features along `axis`, e.g.
            `(m, n)` for `m` examples.
        training: Whether to use, and to record, the statistics of this batch.
        mask: Shape of `inputs` without its last axis. Where it is false, e.g.
            at the padded steps of a sequence, `inputs` are left out of the
            statistics.

    Returns:
        Shape of `inputs`. Inputs of float16 and bfloat16 are computed in
        float32, and the result is cast to the layer's compute dtype.

    Raises:
        TypeError: If an input is not floating-point, or a setting is of the
            wrong type.
        ValueError: If a setting lies outside its interval, or if the number of
            features is not known when building.

    Example:

    >>> layer = BatchNormalization()
    >>> y = layer(np.array([[1.0], [3.0]]), training=True)
    >>> np.round(y, 2).tolist()
    [[-1.0], [1.0]]
    >>> np.asarray(layer.moving_mean).tolist()
    [2.0]

    Reference:
        Ioffe and Szegedy (2015), Algorithms 1 and 2,
        https://arxiv.org/abs/1502.03167. The bias correction is that of
        Kingma and Ba (2015), Section 3, https://arxiv.org/abs/1412.6980.
    """

    momentum = Hyperparameter("[0, 1)")
    hyperparameters = property(hyperparameters_of)

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.9,
        epsilon: float = 1e-8,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_number(epsilon, "epsilon", "BatchNormalization", "(0, inf)")
        check_flag(center, "center", "BatchNormalization")
        check_flag(scale, "scale", "BatchNormalization")
        check_flag(synchronized, "synchronized", "BatchNormalization")
        check_integer(axis, "axis", "BatchNormalization", least=None)
        if synchronized and keras.backend.backend() != "tensorflow":
            raise ValueError(
                "`synchronized` of BatchNormalization may be True only on the "
                "TensorFlow backend. Received: synchronized=True"
            )
        self.axis = axis
        self.momentum = momentum
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.moving_mean_initializer = keras.initializers.get(
            moving_mean_initializer
        )
        self.moving_variance_initializer = keras.initializers.get(
            moving_variance_initializer
        )
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.beta_constraint = keras.constraints.get(beta_constraint)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)
        self.synchronized = synchronized
        self.supports_masking = True
        self.gamma = self.beta = None

    def build(self, input_shape: Any) -> None:
        self._check_axis(input_shape)
        ndim, n = len(input_shape), input_shape[self.axis]
        if n is None:
            raise ValueError(
                f"{self.name} needs a known number of features along axis "
                f"{self.axis} of its input. Received: "
                f"input_shape={input_shape}. Give the size in "
                "`keras.Input(shape=...)`."
            )
        self.input_spec = keras.layers.InputSpec(ndim=ndim, axes={self.axis: n})
        self._axis = -1 if self.axis == ndim - 1 else self.axis

        if self.scale:
            self.gamma = self._add_parameter("gamma", n)
        if self.center:
            self.beta = self._add_parameter("beta", n)
        self.moving_mean = self._add_statistic(
            "moving_mean", n, self.moving_mean_initializer
        )
        self.moving_variance = self._add_statistic(
            "moving_variance", n, self.moving_variance_initializer
        )
        self.moving_weight = self._add_statistic("moving_weight", n, "zeros")

    @property
    def weights(self) -> list[keras.Variable]:
        r"""$\gamma$, $\beta$ and the moving statistics, as Keras's layer has.

        The sum $u$ of each feature is saved with them but is not a weight:
        where `set_weights` gives a new layer moving statistics, it counts as 1,
        as in Keras's layer.
        """
        share = getattr(self, "moving_weight", None)
        return without(super().weights, [*self.hyperparameters.values(), share])

    # Both are read as they are, not autocast: float16 would round them.

    def _add_parameter(self, name, n):
        return self.add_weight(
            (n,),
            name=name,
            initializer=getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
            autocast=False,
        )

    def _add_statistic(self, name, n, initializer):
        return self.add_weight(
            (n,),
            name=name,
            initializer=initializer,
            # In float16 a variance beyond 65504 would be infinite.
            dtype=keras.backend.result_type(self.variable_dtype, "float32"),
            trainable=False,
            autocast=False,
        )

    def call(
        self, inputs: Any, training: bool | None = None, mask: Any = None
    ) -> Any:
        self._check_inputs(inputs, mask)
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        x = self._collapse(ops.cast(inputs, dtype))
        if training and self.trainable:
            count, mean, variance = self._statistics(x, inputs, mask)
            self._record(count, mean, variance)
        else:
            mean = self._by_feature(self.moving_mean, x)
            variance = self._by_feature(self.moving_variance, x)
        gamma = self._by_feature(self.gamma, x)
        beta = self._by_feature(self.beta, x)
        y = normalize(x, mean, variance, gamma, beta, self.epsilon)
        if len(y.shape) != len(inputs.shape):
            y = ops.reshape(y, ops.shape(inputs))
        return ops.cast(y, self.compute_dtype)

    def _collapse(self, x):
        """Returns `x` as examples by features, if features are its last axis.

        XLA takes half the time to sum over one axis that it takes over three.
        """
        if self._axis != -1 or len(x.shape) == 2:
            return x
        return ops.reshape(x, (-1, x.shape[-1]))

    def _by_feature(self, variable, x):
        """Returns the values of a variable, or None, for use with `x`."""
        if variable is None:
            return None
        values = ops.cast(variable, x.dtype)
        if self._axis == -1:
            return values
        shape = [1] * len(x.shape)
        shape[self._axis] = -1
        return ops.reshape(values, shape)

    def _statistics(self, x, inputs, mask):
        axes = list(range(len(x.shape)))
        del axes[self._axis]
        keepdims = self._axis != -1
        if mask is not None:
            mask = ops.expand_dims(ops.cast(mask, "bool"), -1)
            mask = ops.broadcast_to(mask, ops.shape(inputs))
            mask = self._collapse(mask)
        return batch_statistics(x, axes, mask, keepdims, self.synchronized)

    def _record(self, *statistics):
        count, mean, variance = (
            ops.ravel(s) if len(s.shape) > 1 else s for s in statistics
        )
        dtype = mean.dtype
        # What has no variance in the batch has no say.
        present = ops.cast(count > 1, dtype)
        share = (1 - ops.cast(self.momentum, dtype)) * present
        weight = (1 - share) * self._weight_so_far(dtype) + share
        self.moving_weight.assign(weight)
        step = ops.divide_no_nan(share, weight)
        keep = 1 - step
        for moving, new in [
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ]:
            moving.assign(keep * ops.cast(moving, dtype) + step * new)

    def _weight_so_far(self, dtype):
        weight = ops.cast(self.moving_weight, dtype)
        if not self._begins_as_usual():
            return weight
        # Statistics that `set_weights` brought are those of many batches.
        given = ops.logical_or(
            ops.not_equal(self.moving_mean, 0),
            ops.not_equal(self.moving_variance, 1),
        )
        given = ops.logical_and(ops.equal(weight, 0), given)
        return ops.where(given, ops.ones_like(weight), weight)

    def _begins_as_usual(self):
        """Whether a new layer's moving statistics are known to be 0 and 1."""
        return isinstance(
            self.moving_mean_initializer, keras.initializers.Zeros
        ) and isinstance(
            self.moving_variance_initializer, keras.initializers.Ones
        )

    def _check_axis(self, shape):
        if not -len(shape) <= self.axis < len(shape):
            raise ValueError(
                f"`axis` of {self.name} must be one of its input's "
                f"{len(shape)}. Received: axis={self.axis}, "
                f"input_shape={shape}"
            )

    def _check_inputs(self, inputs, mask=None):
        if not keras.backend.is_float_dtype(inputs.dtype):
            raise TypeError(
                f"{self.name} normalizes floating-point inputs. Received: "
                f"dtype={keras.backend.standardize_dtype(inputs.dtype)}. Cast "
                "them first."
            )
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ValueError(
                f"`mask` of {self.name} must have one axis less than the "
                f"inputs. Received: mask.shape={mask.shape}, "
                f"inputs.shape={inputs.shape}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        self._check_axis(input_shape)
        return input_shape

    def compute_output_spec(
        self, inputs: Any, training: bool | None = None, mask: Any = None
    ) -> Any:
        self._check_inputs(inputs)
        return super().compute_output_spec(inputs, training=training)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **current_values(self),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "synchronized": self.synchronized,
            **{
                name: keras.saving.serialize_keras_object(getattr(self, name))
                for name in _OBJECTS
            },
        }


# A layer of just these classes computes what is known of batch norm; one
# derived from them may do something else.
BATCH_NORMS = (BatchNormalization, keras.layers.BatchNormalization)


def is_batch_norm(layer: object) -> bool:
    """Returns whether a layer is batch norm, of tfcourse or of Keras."""
    return isinstance(layer, BATCH_NORMS)
