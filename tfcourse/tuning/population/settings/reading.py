"""The settings of a model, and the structure that is left without them."""

import dataclasses
from collections.abc import Collection
from typing import Any

import keras

from tfcourse.tuning.population.settings.forms.activation import (
    ACTIVATION_LAYERS,
)
from tfcourse.tuning.population.settings.forms.loss import Loss
from tfcourse.tuning.population.settings.gaps import Gaps, split_at_noise
from tfcourse.tuning.population.settings.outputs import shown_to_losses
from tfcourse.tuning.population.settings.places import places
from tfcourse.tuning.population.settings.setting import Setting
from tfcourse.tuning.population.structure import StructureReader, digest
from tfcourse.tuning.population.structure.comparison import Digest

_MARK = "a setting"
_OF_OPTIMIZERS = (
    keras.optimizers.Optimizer,
    keras.optimizers.schedules.LearningRateSchedule,
)


@dataclasses.dataclass
class Settings:
    """The settings of a model, each in the order in which they are read.

    Attributes:
        of_model: Those of its layers, and of its loss.
        of_optimizer: Those of its optimizer.
        gaps: Between the layers of a chain, those of noise.
        shared: The ids of layers that others may have, too, which are left as
            they are.
    """

    of_model: list[Setting] = dataclasses.field(default_factory=list)
    of_optimizer: list[Setting] = dataclasses.field(default_factory=list)
    gaps: Gaps = dataclasses.field(default_factory=list)
    shared: frozenset[int] = frozenset()

    @property
    def values(self) -> tuple[tuple[str, Any], ...]:
        """What they are, by name."""
        noise = (noise.setting for gap in self.gaps for noise in gap)
        every = (*self.of_model, *self.of_optimizer, *noise)
        return tuple(
            (setting.name, (setting.value.kind, setting.value.numbers))
            for setting in every
        )


class SettingsReader:
    """What a `StructureReader` leaves out, as settings of their own.

    Args:
        shared: As that of `Settings`.
        shown: The ids of layers whose outputs losses see, as far as known.

    Attributes:
        settings: Those that were read.
        exposed: Whether anybody's own code may look at what has them.
    """

    def __init__(
        self,
        shared: frozenset[int] = frozenset(),
        shown: Collection[int] = (),
    ) -> None:
        self.settings = Settings(shared=shared)
        self.exposed = False
        self._shown = set(shown)
        self._reads_optimizer = True
        self._model: Any = None

    def expose(self, value: Any) -> None:
        """Notes that anybody's own code may look at something."""
        self.exposed |= isinstance(
            value, (keras.Operation, keras.optimizers.Optimizer, keras.Loss)
        )

    def forget(self) -> None:
        """Leaves out nothing after all."""
        self.settings = Settings(shared=self.settings.shared)

    def begin(self, model: Any) -> None:
        """Notes which layers' outputs losses see, before those are read."""
        self._shown |= shown_to_losses(model)
        if self._model is None:
            self._model = model

    def chain(self, model: keras.Sequential) -> list[Any]:
        """Returns the layers of a chain, without noise if it is the model."""
        if model is not self._model or type(model) is not keras.Sequential:
            return model.layers
        kept, self.settings.gaps = split_at_noise(
            model.layers, self.settings.shared
        )
        return kept

    def take(
        self, owner: Any, found: dict[str, Any]
    ) -> tuple[type, dict[str, Any]]:
        """Returns the class and attributes of an object without settings."""
        cls, found = type(owner), dict(found)
        kept = self.settings.of_model
        if id(owner) in self.settings.shared:
            return cls, found
        if isinstance(owner, keras.optimizers.LossScaleOptimizer):
            self._reads_optimizer = False
        if isinstance(owner, _OF_OPTIMIZERS):
            if not self._reads_optimizer:
                return cls, found
            kept = self.settings.of_optimizer
        for name, form in places(owner, id(owner) in self._shown):
            value = form.read(owner, name)
            if value is None:
                continue
            kept.append(Setting(owner, name, form, value))
            for attribute in form.attributes:
                found.pop(attribute, None)
            found[name] = _MARK
            if name == "call" and type(owner) in ACTIVATION_LAYERS:
                cls = keras.layers.Activation
        return cls, found

    def take_loss(self, model: Any) -> bool:
        """Whether the loss of a model is a setting, which is noted then."""
        form = Loss("loss")
        value = form.read(model, "loss")
        if value is not None:
            self.settings.of_model.append(Setting(model, "loss", form, value))
        return value is not None


def digest_and_settings(
    model: keras.Model,
    constants: Collection[Any] = (),
    shared: frozenset[int] = frozenset(),
) -> tuple[Digest, Settings]:
    """Returns what `digest` does, but for the settings, and these.

    Models of one such structure are trained by one program, to which each
    gives settings of its own.

    Args:
        model: A compiled `keras.Model`, just built by a user or deferred.
        constants: As for `digest`.
        shared: As that of `Settings`.

    Raises:
        CannotVectorize: If something cannot be read.
    """
    reader = SettingsReader(shared)
    found = digest(model, constants, reader)
    return found, reader.settings


def optimizer_settings(optimizer: Any) -> list[Setting]:
    """Returns the settings of an optimizer, not yet built."""
    settings = SettingsReader()
    own = {id(variable) for variable in optimizer.variables}
    StructureReader(own, settings).read(optimizer)
    return settings.settings.of_optimizer
