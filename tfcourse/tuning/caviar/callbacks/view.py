"""A member of a population as the live model that its callbacks ask for."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.deferred import all_variables
from tfcourse.tuning.population.trainer import PopulationTrainer
from tfcourse.utils.keras_private import every_layer, learning_rate_of

# What says nothing of a member's values.
_OF_ALL = {"name", "metrics", "metrics_names", "compiled", "built", "loss"}
_OF_MODEL = {
    "__call__",
    "call",
    "count_params",
    "evaluate",
    "get_layer",
    "get_weights",
    "layers",
    "non_trainable_variables",
    "non_trainable_weights",
    "predict",
    "save",
    "save_weights",
    "set_weights",
    "trainable_variables",
    "trainable_weights",
    "variables",
    "weights",
}


class LentModel:
    """A real model that members of one structure have one after another.

    Args:
        build: A function that builds it, with all its variables.
        constants: Those of its variables that it shares with others.
    """

    def __init__(
        self, build: Callable[[], keras.Model], constants: set[int]
    ) -> None:
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

    def rate(self) -> int | None:
        """Returns which variable the learning rate is, or None."""
        optimizer = self.model.optimizer
        # Under mixed precision, another is around it.
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        wanted = learning_rate_of(optimizer)
        for i, variable in enumerate(self.variables):
            if variable is wanted:
                return i
        return None

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


class MemberModel:
    """What a callback has for `self.model`.

    Its values are those of a member. They are read when a callback asks for
    them, and what it has set is written when all callbacks have been called.

    Args:
        member: The number of the member.
        lent: The model that stands for it.
    """

    def __init__(self, member: int, lent: LentModel) -> None:
        values = {
            "_member": member,
            "_lent": lent,
            "_trainer": None,
            "_values": {},
            "_trained": [],
            "stop_training": False,
        }
        vars(self).update(values)

    def begin(self, trainer: PopulationTrainer) -> None:
        """Begins a time in which callbacks are called."""
        vars(self).update(_trainer=trainer, _values={}, _trained=[])

    def end(self) -> dict[int, np.ndarray]:
        """Returns what the callbacks have set, by number of the variable."""
        lent: LentModel = self._lent
        values, trained = self._values, self._trained
        vars(self).update(_trainer=None, _values={}, _trained=[])
        if not values:
            return {}
        if trained and lent.trained() != trained:
            raise CannotVectorize("a callback sets what is trainable")
        return lent.returned(values)

    def read_rate(self) -> None:
        """Gives the real model the member's learning rate."""
        rate = self._lent.rate()
        if rate is None:
            # A schedule, which tells it from how many steps there were.
            self.read_all()
        elif rate not in self._values:
            self._read({rate: self._during().value(self._member, rate)})

    def read_all(self) -> None:
        """Gives the real model all that the member has."""
        if self._trained:
            return
        values = self._during().values(self._member)
        # What a callback has set before stays set.
        left = {i: v for i, v in enumerate(values) if i not in self._values}
        self._read(left)
        vars(self).update(_trained=self._lent.trained())

    def _read(self, values: dict[int, np.ndarray]) -> None:
        self._lent.lend(values)
        self._values.update(values)

    def _during(self) -> PopulationTrainer:
        if self._trainer is None:
            raise CannotVectorize("a callback uses its model between epochs")
        return self._trainer

    @property
    def __class__(self) -> Any:  # pyright: ignore
        return type(self._lent.model)

    @property
    def optimizer(self) -> "MemberOptimizer":
        return MemberOptimizer(self)

    def __getattr__(self, name: str) -> Any:
        if name in _OF_ALL:
            return getattr(self._lent.model, name)
        if name == "jax_state_sync":
            # Keras's callbacks ask whether there is one.
            raise AttributeError(name)
        if name not in _OF_MODEL:
            raise CannotVectorize(f"a callback uses `model.{name}`")
        self.read_all()
        return getattr(self._lent.model, name)

    def __call__(self, *args, **kwargs) -> Any:
        self.read_all()
        return self._lent.model(*args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "stop_training":
            raise CannotVectorize(f"a callback sets `model.{name}`")
        vars(self)[name] = bool(value)


class MemberOptimizer:
    """What a callback has for `self.model.optimizer`.

    Args:
        model: The member's model.
    """

    def __init__(self, model: MemberModel) -> None:
        vars(self)["_model"] = model

    @property
    def _real(self) -> Any:
        return self._model._lent.model.optimizer

    def __getattr__(self, name: str) -> Any:
        # Keras asks whether it is one of several.
        if name == "optimizers" and not hasattr(self._real, name):
            raise AttributeError(name)
        if name == "learning_rate":
            self._model.read_rate()
        elif name in ("iterations", "variables"):
            self._model.read_all()
        elif name not in ("name",):
            raise CannotVectorize(f"a callback uses `optimizer.{name}`")
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "learning_rate":
            raise CannotVectorize(f"a callback sets `optimizer.{name}`")
        self._model.read_rate()
        self._real.learning_rate = value


def keeps_parts(holder: Any) -> bool:
    """Whether an object keeps variables or layers, which are others' later."""
    return any(
        isinstance(
            leaf,
            (keras.Variable, keras.layers.Layer, keras.optimizers.Optimizer),
        )
        for name, value in vars(holder).items()
        if name != "_model"
        for leaf in keras.tree.flatten(value)
    )
