"""Real models that stand for members while callbacks are called."""

import collections
from collections.abc import Callable, Collection, Hashable
from typing import Any

import keras
import numpy as np

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.deferred import all_variables
from tfcourse.utils.keras_private import every_layer, learning_rate_of

# How many are kept for members to come, and of how many bytes at most.
_MOST_KEPT = 8
_LARGEST_KEPT = 2**24


class LentModel:
    """A real model that members of one structure have one after another.

    Args:
        build: A function that builds it, with all its variables.
        draft: A model of the structure, which need have no values.
        template: The model of the program.
        constants: Those of its variables that it shares with others.
    """

    def __init__(
        self,
        build: Callable[[], keras.Model],
        draft: keras.Model,
        template: keras.Model,
        constants: Collection[int],
    ) -> None:
        self.draft, self.template = draft, template
        self._build = build
        self._constants = constants
        self._model: keras.Model | None = None

    @property
    def model(self) -> keras.Model:
        if self._model is None:
            self._model = self._build()
        return self._model

    @property
    def variables(self) -> list[keras.Variable]:
        return all_variables(self.model)

    @property
    def size(self) -> int:
        """How many bytes its values take at most."""
        if self._model is None:
            return 0
        # None takes more than eight a number.
        return 8 * sum(int(np.prod(v.shape)) for v in self.variables)

    def rate(self) -> int | None:
        """Returns which variable the learning rate is, or None."""
        return _place_of_rate(self.model)

    def rate_apart(self, count: int) -> int | None:
        """Returns the same, if one can do without the model, or None.

        Args:
            count: How many variables the model has.
        """
        if self._model is not None or not self.draft.optimizer.built:
            return None
        variables = all_variables(self.draft)
        i = _place_of_rate(self.draft)
        if i is None or len(variables) != count:
            return None
        return None if id(variables[i]) in self._constants else i

    def lend(self, values: dict[int, np.ndarray]) -> None:
        """Gives variables, by number, their values."""
        variables = self.variables
        for i, value in values.items():
            if id(variables[i]) not in self._constants:
                variables[i].assign(value)

    def returned(self, lent: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
        """Returns which of the variables have other values now."""
        variables, changed = self.variables, {}
        for i, before in lent.items():
            now: Any = keras.ops.convert_to_numpy(variables[i].value)
            if now.tobytes() == np.asarray(before, now.dtype).tobytes():
                continue
            if id(variables[i]) in self._constants:
                raise CannotVectorize(
                    f"a callback sets {variables[i].path}, which was made "
                    "before the build of its model"
                )
            changed[i] = np.array(now)
        return changed

    def trained(self) -> list[bool]:
        return [layer.trainable for layer in every_layer(self.model)]


class LentModels:
    """The models that were lent last; others of their kind may come."""

    def __init__(self) -> None:
        self._kept: collections.OrderedDict[Hashable, LentModel] = (
            collections.OrderedDict()
        )

    def of(self, key: Hashable, make: Callable[[], LentModel]) -> LentModel:
        """Returns the model of a kind.

        Args:
            key: What makes one stand for another.
            make: A function that makes it, if there is none.
        """
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        return self._kept[key]

    def forget(self) -> None:
        """Lets the oldest go, and what takes much memory."""
        for key, lent in list(self._kept.items()):
            if lent.size > _LARGEST_KEPT or len(self._kept) > _MOST_KEPT:
                del self._kept[key]


def _place_of_rate(model: keras.Model) -> int | None:
    optimizer = model.optimizer
    # Under mixed precision, another is around it.
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    wanted = learning_rate_of(optimizer)
    for i, variable in enumerate(all_variables(model)):
        if variable is wanted:
            return i
    return None
