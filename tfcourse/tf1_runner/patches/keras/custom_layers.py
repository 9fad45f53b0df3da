"""Layers of a script's own, written for Keras 1 or early Keras 2."""

import functools

from tf_keras.src.engine import base_layer, base_layer_v1


def apply() -> None:
    """Lets them make and tell their weights as they did."""
    for layer in (base_layer.Layer, base_layer_v1.Layer):
        layer.add_weight = _taking_shape_first(layer.add_weight)
        layer.trainable_weights = _told(layer.trainable_weights)
        layer.non_trainable_weights = _told(layer.non_trainable_weights)
        layer.get_output_shape_for = layer.compute_output_shape


def _taking_shape_first(add_weight):
    """`add_weight(shape, initializer)`."""

    @functools.wraps(add_weight)
    def call(self, *args, **kwargs):
        if args and isinstance(args[0], list | tuple):
            kwargs["shape"], *rest = args
            kwargs |= dict(zip(("initializer", "name"), rest, strict=False))
            args = ()
        return add_weight(self, *args, **kwargs)

    return call


def _told(weights):
    """`self.trainable_weights = [w]`; what is an attribute is found anyway."""

    def tell(self, value):
        object.__setattr__(self, "_told_weights", list(value))
        known = {id(weight) for weight in self.weights}
        for weight in value:
            if id(weight) not in known:
                self._trainable_weights.append(weight)

    return property(weights.fget, tell)
