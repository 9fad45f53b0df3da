"""The settings of networks, and their narrowness, in a supernet."""

import itertools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from tfcourse.tuning.population.settings.changes import Changes
from tfcourse.tuning.population.settings.forms.loss import Loss
from tfcourse.tuning.population.settings.forms.noise import (
    NO_NOISE,
    Noise,
    can_draw_as_narrow,
    draw_as_narrow,
    seed_of,
)
from tfcourse.tuning.population.settings.forms.recurrent_noise import (
    INPUTS,
    draw_masks_as_narrow,
    masks_drawn_by,
)
from tfcourse.tuning.population.settings.gaps import aligned
from tfcourse.tuning.population.settings.layers import settings_of_layer
from tfcourse.tuning.population.settings.of_optimizers import MemberOptimizers
from tfcourse.tuning.population.settings.outputs import shown_to_losses
from tfcourse.tuning.population.settings.setting import Setting
from tfcourse.tuning.population.settings.varied import Values, VariedSettings
from tfcourse.tuning.supernet.blocks.optional_block import Chosen
from tfcourse.tuning.supernet.build import Built, noise_of
from tfcourse.tuning.supernet.members.slices import FeatureReader, Features
from tfcourse.tuning.supernet.merged import Alignment

# A layer of the supernet, and a network's, or None if that has none there.
Pair = tuple[Any, Any]
# What draws numbers, by its id, and a word for which of its masks.
_Drawn = tuple[int, str]


class SupernetSettings:
    """What networks have of their own beside their slices.

    Args:
        built: The supernet.
        merged: Its merged elements.
        models: The networks.
        found: Where each lies in them.
        optimizers: Their optimizers.
        own_sizes: Whether each network computes in its own size.

    Attributes:
        optimizers: As given.
        changes: What they have changed in the supernet.
    """

    def __init__(
        self,
        built: Built,
        merged: list[Any],
        models: list[keras.Model],
        found: list[Alignment],
        optimizers: MemberOptimizers,
        own_sizes: bool = False,
    ) -> None:
        self._built, self._merged = built, merged
        self._own_sizes = own_sizes
        self.optimizers = optimizers
        self._noise = {part: noise_of(part) for part in built.layers}
        shown = shown_to_losses(built.model)
        self._own = {
            id(layer): _settings(layer, shown) for layer in self._layers()
        }
        every = [s for some in self._own.values() for s in some]
        every += _of_loss(built.model)
        each = list(zip(models, found, strict=True))
        self._varied = VariedSettings([self.values(*one) for one in each])
        self.changes = Changes()
        owners = [s.owner for s in every] + self._layers()
        owners += [cell for x in self._layers() for cell in _cells(x)]
        with self.changes.noted(owners):
            self._varied.install(every)
            self._draw([self._narrow_noise(x) for x in found])
        known = {id(v) for v in built.model.variables}
        seeds = (seed_of(s.owner) for s in every if isinstance(s.form, Noise))
        self._seeds = [s for s in seeds if s is not None and id(s) not in known]

    def __bool__(self) -> bool:
        return bool(self.model_variables or self.optimizer)

    @property
    def optimizer(self) -> Any:
        """Settings of the optimizer, if there is one for all."""
        return self.optimizers.settings

    @property
    def model_variables(self) -> list[Any]:
        """Variables of a member beside those of the supernet's layers."""
        return [
            *self._varied.variables,
            *self._seeds,
            *self._places.values(),
        ]

    def accepts(self, model: keras.Model, found: Alignment) -> bool:
        """Whether a further network of the family fits in."""
        return (
            all(
                aligned([node.noise], [self._noise[part]]) is not None
                for part, node in found.nodes.items()
            )
            and self._varied.accepts(self.values(model, found))
            and self._narrow_noise(found).keys() <= self._places.keys()
        )

    def rows(
        self, model: keras.Model, found: Alignment
    ) -> Iterator[tuple[Any, np.ndarray]]:
        """Yields variables of its own, and their values for a network."""
        for variable in self._varied.variables:
            yield variable, self._varied.row(self.values(model, found))
        narrow = self._narrow_noise(found)
        for key, variable in self._places.items():
            features = narrow.get(key, np.ones(variable.shape[0] - 1, bool))
            places = np.maximum(np.cumsum(features) - 1, 0)
            value = np.append(places, features.sum())
            yield variable, value.astype("int32")

    def seeds(
        self, model: keras.Model, found: Alignment
    ) -> Iterator[tuple[Any, Any]]:
        """Yields what noise is drawn from in a network, and in the supernet."""
        shown = shown_to_losses(model)
        for large, small in self.pairs(found):
            if small is None:
                continue
            own = (
                settings_of_layer(small, shown) if self._own[id(large)] else []
            )
            for one, other in zip(own, self._own[id(large)], strict=True):
                if not isinstance(one.form, Noise):
                    continue
                seed = seed_of(one.owner)
                if seed is not None:
                    yield seed, seed_of(other.owner)

    @property
    def seeds_of_supernet(self) -> list[Any]:
        """What noise is drawn from in the supernet."""
        every = (s for some in self._own.values() for s in some)
        seeds = (seed_of(s.owner) for s in every if isinstance(s.form, Noise))
        return [seed for seed in seeds if seed is not None]

    def pairs(self, found: Alignment) -> Iterator[Pair]:
        """Yields the layers of the supernet that a network passes through."""
        times = self._read(found).times
        for part, node in found.nodes.items():
            yield self._built.layers[part], node.layer
            noise = aligned([node.noise], [self._noise[part]]) or []
            of_part = self._built.noise[part][times[part]]
            for large, own in zip(of_part, noise, strict=True):
                yield large, own and own.setting.owner

    def values(self, model: keras.Model, found: Alignment) -> Values:
        """Returns the values of a network's settings, in the supernet."""
        shown = shown_to_losses(model)
        own = {
            id(large): [NO_NOISE]
            if small is None
            else [s.value for s in settings_of_layer(small, shown)]
            for large, small in self.pairs(found)
            if self._own[id(large)]
        }
        values: Values = []
        for key, settings in self._own.items():
            # What a network has not, it does not compute with.
            some = own.get(key, [])
            values += [*some, *[None] * (len(settings) - len(some))]
        return [*values, *(setting.value for setting in _of_loss(model))]

    def _layers(self) -> list[Any]:
        built = self._built
        return [
            layer
            for part, one in built.layers.items()
            for layer in (one, *itertools.chain(*built.noise[part]))
        ]

    def _read(self, found: Alignment) -> FeatureReader:
        reader = FeatureReader(self._built, found)
        reader.read(self._merged)
        return reader

    def _narrow_noise(self, found: Alignment) -> dict[_Drawn, np.ndarray]:
        """Returns which features of what draws numbers a network has, if some.

        That is the output of a layer of dropout, and of a recurrent layer the
        inputs and the outputs of its cells.
        """
        reader, built = self._read(found), self._built
        narrow: dict[_Drawn, np.ndarray] = {}
        if self._own_sizes:
            return narrow
        for part in found.nodes:
            layer = built.layers[part]
            before, after = reader.of_nodes[part]
            for cell, name in _masks(layer):
                features = before if name == INPUTS else after
                narrow[id(cell), name] = features
            of_part = built.noise[part][reader.times[part]]
            for one in (layer, *of_part):
                # One of no noise for anybody draws nothing.
                if can_draw_as_narrow(one) and seed_of(one) is not None:
                    narrow[id(one), ""] = reader.of_outputs(part)
        return {k: some for k, some in narrow.items() if _is_narrow(some)}

    def _draw(self, members: list[dict[_Drawn, np.ndarray]]) -> None:
        self._places = {
            key: _variable(len(features) + 1, "int32")
            for some in members
            for key, features in some.items()
        }
        for layer in self._layers():
            if (id(layer), "") in self._places:
                draw_as_narrow(layer, self._places[id(layer), ""])
            for cell, name in _masks(layer):
                variable = self._places.get((id(cell), name))
                if variable is not None:
                    draw_masks_as_narrow(cell, name, variable)


def _settings(layer: Any, shown: set[int]) -> list[Setting]:
    # Kinds of pooling that are chosen from, and operations, have none.
    if isinstance(layer, Chosen) or not isinstance(layer, keras.layers.Layer):
        return []
    return settings_of_layer(layer, shown)


def _masks(layer: Any) -> list[tuple[Any, str]]:
    is_layer = isinstance(layer, keras.layers.Layer)
    return list(masks_drawn_by(layer)) if is_layer else []


def _cells(layer: Any) -> list[Any]:
    return [cell for cell, _ in _masks(layer)]


def _is_narrow(features: Features) -> bool:
    return features is not None and not features.all()


def _variable(size: int, dtype: str) -> keras.Variable:
    zeros = keras.initializers.Zeros()
    return keras.Variable(zeros, (size,), dtype, trainable=False)


def _of_loss(model: keras.Model) -> list[Setting]:
    form = Loss("loss")
    value = form.read(model, "loss")
    return [] if value is None else [Setting(model, "loss", form, value)]
