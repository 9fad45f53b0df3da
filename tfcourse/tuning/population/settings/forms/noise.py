"""Rates of dropout, and how strong noise is: zero is none."""

from typing import Any

import keras
from keras import layers, ops

from tfcourse.tuning.population.settings.member_number import MemberChoice
from tfcourse.tuning.population.settings.setting import (
    Form,
    Kind,
    MemberCall,
    Value,
)
from tfcourse.utils.keras_private import noise_shape_of

SEED_GENERATOR = "seed_generator"
NO_NOISE = Value((0.0,))


class Noise(Form):
    """The `rate` or `stddev` of a layer that does nothing if it is zero.

    A layer with zero has no generator of seeds. Where another member has one,
    the state of it is a variable of its own: the same numbers are drawn, and
    each member compares them with its own rate.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, "seed", SEED_GENERATOR)

    def read(self, owner: Any, name: str) -> Value | None:
        value = getattr(owner, name)
        # At one Keras computes another thing.
        return Value((float(value),)) if value < 1 else None

    def install(
        self,
        owner: Any,
        name: str,
        kinds: list[Kind],
        choice: MemberChoice | None,
    ) -> None:
        vars(owner)[name] = kinds[0].numbers[0]
        if seed_of(owner) is None:
            vars(owner)[SEED_GENERATOR] = keras.random.SeedGenerator(0)
        if type(owner) in _CALLS:
            vars(owner)["call"] = MemberCall(_CALLS[type(owner)](owner))


def dropped(inputs: Any, drawn: Any, rate: Any) -> Any:
    """Returns what Keras's own function does, of these random numbers."""
    kept = 1 - rate
    if keras.config.backend() == "jax":
        is_kept, scaled = drawn < kept, inputs / kept
    else:
        is_kept, scaled = drawn >= rate, inputs * (1 / kept)
    return ops.where(is_kept, scaled, ops.zeros_like(inputs))


class _Dropout:
    """What the layer computes, whose own function takes no scalar but one."""

    def __init__(self, layer: layers.Dropout) -> None:
        self._layer = layer

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        layer = self._layer
        sizes: Any = ops.shape(inputs)
        noise_shape = noise_shape_of(layer, inputs)
        if noise_shape is not None:
            pairs = zip(noise_shape, sizes, strict=True)
            sizes = [b if a is None else a for a, b in pairs]
        drawn = keras.random.uniform(
            sizes, dtype=inputs.dtype, seed=layer.seed_generator
        )
        return dropped(inputs, _own(drawn, layer), layer.rate)


class _GaussianDropout:
    """What the layer computes, which by itself takes the root of a float."""

    def __init__(self, layer: layers.GaussianDropout) -> None:
        self._layer = layer

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        layer = self._layer
        odds: Any = layer.rate / (1.0 - layer.rate)
        deviation: Any = ops.sqrt(ops.convert_to_tensor(odds))
        drawn = keras.random.normal(
            ops.shape(inputs),
            mean=1.0,
            stddev=deviation,
            dtype=layer.compute_dtype,
            seed=layer.seed_generator,
        )
        return inputs * _own(drawn, layer)


_CALLS = dict.fromkeys(
    (
        layers.Dropout,
        layers.SpatialDropout1D,
        layers.SpatialDropout2D,
        layers.SpatialDropout3D,
    ),
    _Dropout,
) | {layers.GaussianDropout: _GaussianDropout}
# The attribute with a variable, see `draw_as_narrow`.
_PLACES = "places_of_features"


def draw_as_narrow(layer: Any, variable: Any) -> None:
    """Lets a layer draw for each member as if it had its features only.

    Args:
        layer: A layer that drops features.
        variable: For each feature its place among those that the member has;
            and at the end how many these are.
    """
    vars(layer)[_PLACES] = variable
    vars(layer)["call"] = MemberCall(_CALLS[type(layer)](layer))


def can_draw_as_narrow(layer: Any) -> bool:
    """Whether `draw_as_narrow` is for a layer."""
    return type(layer) in _CALLS


def _own(drawn: Any, layer: Any) -> Any:
    return own_part(drawn, vars(layer).get(_PLACES))


def own_part(drawn: Any, variable: Any) -> Any:
    """Returns drawn numbers as the member's own, narrower layer has them.

    Args:
        drawn: Numbers for all features.
        variable: As for `draw_as_narrow`, or None.
    """
    features = drawn.shape[-1]
    if variable is None or variable.shape[0] != features + 1:
        # One number is for all features.
        return drawn
    places, count = variable.value[:-1], variable.value[-1]
    flat = ops.reshape(drawn, [-1])
    rows: Any = ops.arange(ops.size(flat) // features, dtype="int32")
    taken = ops.expand_dims(rows * count, 1) + places
    return ops.reshape(ops.take(flat, taken), ops.shape(drawn))


def seed_of(layer: Any) -> Any:
    """Returns the variable that a layer's numbers are drawn from, or None."""
    generator = getattr(layer, SEED_GENERATOR, None)
    return None if generator is None else generator.state
