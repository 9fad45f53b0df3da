"""A search space of which some hyperparameters are not searched."""

from collections.abc import Mapping
from typing import Any

import keras
import keras_tuner


class Held(keras_tuner.HyperModel):
    """A search space with some of its hyperparameters held at a value.

    They are registered as fixed, so that trials and their records have them.

    Args:
        hypermodel: The search space.
        values: Name to value, as keras-tuner has them.
    """

    def __init__(
        self, hypermodel: keras_tuner.HyperModel, values: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self.hypermodel = hypermodel
        self.values = dict(values)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        return self.hypermodel.build(_Holding.of(hp, self.values))

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: keras.Model,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        return self.hypermodel.fit(hp, model, *args, **kwargs)


class _Holding(keras_tuner.HyperParameters):
    """Hyperparameters that register some as fixed, whatever is asked for."""

    # Apart from what it shares with the hyperparameters that it stands for.
    __slots__ = ("_held",)

    @classmethod
    def of(cls, hp, held):
        self = cls.__new__(cls)
        self.__dict__ = hp.__dict__
        self._held = held
        return self

    def Choice(self, name, *args, **kwargs):  # noqa: N802
        return self._one(super().Choice, name, args, kwargs)

    def Int(self, name, *args, **kwargs):  # noqa: N802
        return self._one(super().Int, name, args, kwargs)

    def Float(self, name, *args, **kwargs):  # noqa: N802
        return self._one(super().Float, name, args, kwargs)

    def Boolean(self, name, *args, **kwargs):  # noqa: N802
        return self._one(super().Boolean, name, args, kwargs)

    def _one(self, method, name, args, kwargs):
        if name not in self._held:
            return method(name, *args, **kwargs)
        parents = {
            key: kwargs[key]
            for key in ("parent_name", "parent_values")
            if key in kwargs
        }
        return self.Fixed(name, self._held[name], **parents)
