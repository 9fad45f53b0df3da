"""The attributes of Keras's base classes: which of them are settings."""

import functools
from typing import Any

import keras

# Names and seeds differ from model to model, and do not enter the graph.
NAMES = frozenset({"name", "_name"})
_IGNORED = frozenset(
    {
        *(*NAMES, "_init_seed", "_initial_seed"),
        # What an optimizer has found out of its settings.
        "_exclude_from_weight_decay_cache",
        # What a cell drops while it goes through a sequence.
        *("_dropout_mask", "_recurrent_dropout_mask"),
    }
)


@functools.cache
def attributes_of_bases(cls: type) -> frozenset[str]:
    """Attributes of Keras's base classes, which say nothing of a subclass."""
    for base, names in _base_attributes():
        if issubclass(cls, base):
            return names
    return _IGNORED


@functools.cache
def _base_attributes() -> list[tuple[type, frozenset[str]]]:
    class Layer(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    class Model(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    def names(*things: Any) -> frozenset[str]:
        return _IGNORED.union(*(vars(thing) for thing in things))

    x = keras.Input((1,))
    layer, model = Layer(), Model()
    functional = keras.Model(x, layer(x))
    sequential = keras.Sequential([keras.Input((1,)), Layer()])
    models = [model, functional, sequential]
    for any_model in models:
        any_model.compile(keras.optimizers.SGD(), "mse")
    optimizer = keras.optimizers.Optimizer(0.1)
    # It then remembers of each variable whether it decays.
    optimizer.exclude_from_weight_decay(var_names=[])
    optimizer.build([])
    return [
        (keras.Model, names(layer, *models)),
        (keras.layers.Layer, names(layer)),
        (keras.Operation, names(layer)),
        (keras.optimizers.Optimizer, names(optimizer)),
        (keras.metrics.Metric, names(keras.metrics.Metric())),
    ]


def settings_of_bases(value: Any) -> list[str]:
    """Settings of the base classes that do count."""
    if isinstance(value, keras.layers.Layer):
        return [
            "trainable",
            "dtype_policy",
            "activity_regularizer",
            "supports_masking",
            "autocast",
        ]
    if isinstance(value, keras.optimizers.Optimizer):
        return [
            name
            for name in (
                "weight_decay",
                "clipnorm",
                "global_clipnorm",
                "clipvalue",
                "use_ema",
                "ema_momentum",
                "ema_overwrite_frequency",
                "loss_scale_factor",
                "gradient_accumulation_steps",
                "_learning_rate",
                "_exclude_from_weight_decay_pattern",
            )
            if hasattr(value, name)
        ]
    return []
