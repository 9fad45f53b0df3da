"""A member of a population as the live model that its callbacks ask for."""

from typing import Any

import keras
import numpy as np

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.caviar.callbacks.lending import LentModel
from tfcourse.tuning.population.trainer import PopulationTrainer

# What says nothing of a member's values.
_OF_ALL = {"name", "compiled", "built", "loss"}
# And is alike in all that one program trains.
_OF_PROGRAM = {"metrics", "metrics_names"}
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
            "_rate": None,
            "_values": {},
            "_trained": [],
            "stop_training": False,
        }
        vars(self).update(values)

    def begin(self, trainer: PopulationTrainer) -> None:
        """Begins a time in which callbacks are called."""
        vars(self).update(_trainer=trainer)

    def end(self) -> dict[int, np.ndarray]:
        """Returns what the callbacks have set, by number of the variable."""
        lent: LentModel = self._lent
        values, trained, rate = self._values, self._trained, self._rate
        vars(self).update(_trainer=None, _values={}, _trained=[], _rate=None)
        if rate is not None:
            return rate.changed()
        if not values:
            return {}
        if trained and lent.trained() != trained:
            raise CannotVectorize("a callback sets what is trainable")
        return lent.returned(values)

    def rate_apart(self) -> keras.Variable | None:
        """Returns a variable that stands for the learning rate, or None.

        As long as callbacks ask for nothing else, no model is built for them.
        """
        if self._rate is None and not self._values:
            trainer = self._during()
            i = self._lent.rate_apart(trainer.count_values(self._member))
            if i is not None:
                value = trainer.value(self._member, i)
                vars(self).update(_rate=_RateApart(i, value))
        return None if self._rate is None else self._rate.variable

    def read_rate(self) -> None:
        """Gives the real model the member's learning rate."""
        self._end_rate_apart()
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
        self._end_rate_apart()
        values = self._during().values(self._member)
        # What a callback has set before stays set.
        left = {i: v for i, v in enumerate(values) if i not in self._values}
        self._read(left)
        vars(self).update(_trained=self._lent.trained())

    def _end_rate_apart(self) -> None:
        """Gives the real model the rate that callbacks have had till now."""
        if self._rate is None:
            return
        rate: _RateApart = self._rate
        vars(self).update(_rate=None)
        self._read({rate.number: rate.before})
        self._lent.lend(rate.changed())

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
        if name in _OF_PROGRAM:
            return getattr(self._lent.template, name)
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


class _RateApart:
    """A learning rate without its model.

    Args:
        number: That of the variable.
        before: Its value.
    """

    def __init__(self, number: int, before: np.ndarray) -> None:
        self.number, self.before = number, before
        self.variable = keras.Variable(
            before, trainable=False, dtype=str(before.dtype)
        )

    def changed(self) -> dict[int, np.ndarray]:
        """Returns its value, by its number, if it is another now."""
        now = np.array(keras.ops.convert_to_numpy(self.variable.value))
        same = now.tobytes() == self.before.tobytes()
        return {} if same else {self.number: now}


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
        draft = self._model._lent.draft.optimizer
        if name == "optimizers" and not hasattr(draft, name):
            raise AttributeError(name)
        if name == "learning_rate":
            rate = self._model.rate_apart()
            if rate is not None:
                return rate
            self._model.read_rate()
        elif name in ("iterations", "variables"):
            self._model.read_all()
        elif name not in ("name",):
            raise CannotVectorize(f"a callback uses `optimizer.{name}`")
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "learning_rate":
            raise CannotVectorize(f"a callback sets `optimizer.{name}`")
        rate = None if callable(value) else self._model.rate_apart()
        if rate is not None:
            rate.assign(value)
            return
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
