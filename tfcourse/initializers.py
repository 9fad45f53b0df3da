"""Normal initial weights whose variance follows the size of the layer."""

import functools
import math

import keras

from tfcourse.saving import register
from tfcourse.utils.keras_private import layer_at_work

# Their kernels have the outputs before the inputs, which no shape says.
_TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


class _VarianceByFan(keras.initializers.VarianceScaling):
    """Draws a kernel from a normal distribution, not truncated."""

    def __init__(
        self,
        scale: float,
        mode: str,
        seed: int | keras.random.SeedGenerator | None,
        input_axes: tuple[int, ...] | None,
        output_axes: tuple[int, ...] | None,
    ) -> None:
        if (input_axes is None) != (output_axes is None):
            raise ValueError(
                f"{type(self).__name__} needs both of `input_axes` and "
                "`output_axes`, or neither. Received: "
                f"input_axes={input_axes}, output_axes={output_axes}"
            )
        super().__init__(
            scale=scale,
            mode=mode,
            distribution="untruncated_normal",
            seed=seed,
            input_axes=input_axes,
            output_axes=output_axes,
        )

    def __call__(
        self, shape: tuple[int, ...], dtype: str | None = None
    ) -> keras.KerasTensor:
        if len(shape) < 2:
            raise ValueError(
                f"{type(self).__name__} needs the shape of a kernel, with 2 "
                f"axes or more, to count inputs. Received: shape={shape}. For "
                'a bias use "zeros".'
            )
        return self._drawn(layer_at_work(), shape, dtype)

    def for_layer(self, layer: object) -> functools.partial:
        """Returns what draws a kernel for a layer, also when that is done."""
        return functools.partial(self._drawn, layer)

    def _drawn(self, layer, shape, dtype=None):
        w = super().__call__(shape, dtype)
        if self.input_axes is None and isinstance(layer, _TRANSPOSED):
            n_out, n_in = self._fan(shape), self._transposed_fan(layer, shape)
            w = w * keras.ops.cast(math.sqrt(n_out / n_in), w.dtype)
        return w

    def _fan(self, shape):
        """Returns the fan for which Keras takes the last axis but one."""
        window = math.prod(shape[:-2])
        fans = {
            "fan_in": window * shape[-2],
            "fan_avg": window * (shape[-2] + shape[-1]) / 2,
        }
        return max(1.0, fans[self.mode])

    def _transposed_fan(self, layer, shape):
        """Returns the fan of a convolution that is transposed.

        With a stride a unit sees the inputs of a part of the window, on
        average.
        """
        window = math.prod(shape[:-2])
        n_in = window * shape[-1] / math.prod(layer.strides)
        fans = {
            "fan_in": n_in,
            "fan_avg": (n_in + window * shape[-2]) / 2,
        }
        return max(1.0, fans[self.mode])

    def get_config(self) -> dict[str, object]:
        config = super().get_config()
        return {name: config[name] for name in _ARGUMENTS}


_ARGUMENTS = ("seed", "input_axes", "output_axes")


@keras.saving.register_keras_serializable(package="tfcourse")
class Xavier(_VarianceByFan):
    r"""Xavier initialization, for tanh: variance one over the inputs.

    With $n_{in}$ the inputs of one unit, the weights are drawn from

    $$w \sim N\left(0, \frac{1}{n_{in}}\right),$$

    so that at initialisation $\mathrm{var}(\sum w x) = \mathrm{var}(x)$ for
    inputs of mean zero. For a convolution $n_{in}$ is the window's size times
    the channels; for a transposed one, this is also divided by the product of
    its strides.

    `keras.initializers.LecunNormal` has the same variance but draws nothing
    beyond 2.27 deviations; `GlorotNormal` is `XavierBengio`, truncated.

    Args:
        seed: An integer, or a `keras.random.SeedGenerator`.
        input_axes, output_axes: Tuples of the kernel's axes that count as
            inputs and as outputs, where its shape does not say: `(0, 1)` and
            `(2, 3)` for a depthwise convolution, whose units see one channel.

    Raises:
        ValueError: If one of the two axes is given without the other, or, when
            called, if the shape has fewer than two axes.

    Example:

    >>> w = Xavier(seed=0)((400, 300))
    >>> round(float(np.std(w)), 2)
    0.05

    Reference:
        Glorot and Bengio (2010), equations 10 and 12,
        https://proceedings.mlr.press/v9/glorot10a.html.
    """

    def __init__(
        self,
        seed: int | keras.random.SeedGenerator | None = None,
        input_axes: tuple[int, ...] | None = None,
        output_axes: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_in", seed, input_axes, output_axes)


@keras.saving.register_keras_serializable(package="tfcourse")
class He(_VarianceByFan):
    r"""He initialization, for ReLU: variance two over the inputs.

    With $n_{in}$ the inputs of one unit, the weights are drawn from

    $$w \sim N\left(0, \frac{2}{n_{in}}\right).$$

    The 2 makes up for the half of the inputs that a ReLU before them has set to
    zero. For a convolution $n_{in}$ is the window's size times the channels.

    `keras.initializers.HeNormal` has the same variance but draws nothing beyond
    2.27 deviations.

    Args:
        seed: An integer, or a `keras.random.SeedGenerator`.
        input_axes, output_axes: As in `Xavier`.

    Raises:
        ValueError: As in `Xavier`.

    Example:

    >>> w = He(seed=0)((3, 3, 50, 300))
    >>> bool(abs(np.var(w) * 3 * 3 * 50 / 2 - 1) < 0.02)
    True

    Reference:
        He et al. (2015), equation 10, https://arxiv.org/abs/1502.01852.
    """

    def __init__(
        self,
        seed: int | keras.random.SeedGenerator | None = None,
        input_axes: tuple[int, ...] | None = None,
        output_axes: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(2.0, "fan_in", seed, input_axes, output_axes)


@keras.saving.register_keras_serializable(package="tfcourse")
class XavierBengio(_VarianceByFan):
    r"""Xavier's and Bengio's compromise between inputs and outputs.

    With $n_{in}$ the inputs of one unit and $n_{out}$ the units that one input
    feeds, the weights are drawn from

    $$w \sim N\left(0, \frac{2}{n_{in} + n_{out}}\right),$$

    between $1/n_{in}$, which keeps the variance of the activations, and
    $1/n_{out}$, which keeps that of the gradients.

    `keras.initializers.GlorotNormal` has the same variance but draws nothing
    beyond 2.27 deviations.

    Args:
        seed: An integer, or a `keras.random.SeedGenerator`.
        input_axes, output_axes: As in `Xavier`.

    Raises:
        ValueError: As in `Xavier`.

    Example:

    >>> w = XavierBengio(seed=0)((300, 500))
    >>> round(float(np.std(w)), 2)
    0.05

    Reference:
        Glorot and Bengio (2010), equation 12,
        https://proceedings.mlr.press/v9/glorot10a.html.
    """

    def __init__(
        self,
        seed: int | keras.random.SeedGenerator | None = None,
        input_axes: tuple[int, ...] | None = None,
        output_axes: tuple[int, ...] | None = None,
    ) -> None:
        # Keras averages the fans: 1 / mean is 2 / sum.
        super().__init__(1.0, "fan_avg", seed, input_axes, output_axes)


register()
