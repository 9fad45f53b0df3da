"""Small networks as slices of the variables of a large one."""

import itertools
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
from keras import layers

from tfcourse.tuning.population.deferred import (
    all_variables,
    deferred_initialization,
    initial_value,
)
from tfcourse.tuning.population.functional.keras_optimizers import (
    build_noting_slots,
    functional_copy,
    make_functional,
)
from tfcourse.tuning.population.functional.switched import SwitchedOptimizer
from tfcourse.tuning.supernet.build import build_supernet, kind_of_optimizer
from tfcourse.tuning.supernet.optional_block import OptionalBlock
from tfcourse.tuning.supernet.signature import blocks_of, family
from tfcourse.tuning.supernet.supported import is_wide, width

# Boolean masks, one an axis, of which part of a variable a network has.
Masks = list[np.ndarray]
# Which of the supernet's variables one of a network's is in, by its number,
# and which part of it, or None for all of it.
Slice = tuple[int, Masks | None]
# Of an optimizer's variables, by index, which are slots: the index of their
# parameter, and their name.
Slots = dict[int, tuple[int, str]]


class Supernet:
    """A network, and which slices of it others are.

    Args:
        builds: The functions that made the models.
        models: Deferred models of one `family`.

    Attributes:
        model: The network, built.
    """

    def __init__(
        self,
        builds: list[Callable[[], keras.Model]],
        models: list[keras.Model],
    ) -> None:
        shared: Any = family(models[0])
        self._family, _ = shared
        self._kinds = {kind_of_optimizer(model) for model in models}
        # Of each model, the kind of its optimizer and the slots of it.
        self._completed = weakref.WeakKeyDictionary()
        self.model = build_supernet(builds, models)
        self._optional = [
            x for x in self.model.layers if isinstance(x, OptionalBlock)
        ]
        self._layers = list(
            itertools.chain.from_iterable(
                x.layers if isinstance(x, OptionalBlock) else [x]
                for x in self.model.layers
            )
        )
        every = all_variables(self.model)
        self._numbers = {id(v): i for i, v in enumerate(every)}
        # What is not in the slice of a member: zero where it is trained, but
        # slots, and optional blocks, may begin at another number.
        self._background = [
            np.zeros(v.shape, v.dtype)
            if v.trainable
            else keras.ops.convert_to_numpy(v)
            for v in every
        ]
        self._number_optimizers()

    def _number_optimizers(self) -> None:
        """Notes where the variables of each optimizer lie, and begin."""
        self._slots, self._initial_state = {}, {}
        for kind, optimizer in _by_kind(self.model.optimizer):
            numbers = self._numbers_of(optimizer)
            self._slots[kind] = self._slots_of(optimizer, numbers)
            self._initial_state[kind] = [
                (number, keras.ops.convert_to_numpy(variable))
                for number, variable in zip(
                    numbers, optimizer.variables, strict=True
                )
            ]

    def accepts(self, models: list[keras.Model]) -> bool:
        """Whether all of these can be embedded in it."""
        hidden = [x for x in self._layers if is_wide(x)][:-1]
        widths = [width(layer) for layer in hidden]
        fewest = len(hidden) - len(self._optional)

        def fits(model):
            shared, _ = family(model) or (None, None)
            if shared != self._family:
                return False
            own = blocks_of(model).widths
            return (
                fewest <= len(own) <= len(widths)
                and all(a <= b for a, b in zip(own, widths, strict=False))
                and kind_of_optimizer(model) in self._kinds
            )

        return all(map(fits, models))

    def initial_values(
        self, models: list[keras.Model]
    ) -> tuple[list[np.ndarray], list[list[Slice]]]:
        """Returns the initial values of some deferred models, embedded in it.

        Returns:
            The columns and the slices, as `PopulationTrainer` draws them.
        """
        slices = [self._slices(model) for model in models]
        rows = map(self._embed, models, slices)
        columns = [np.stack(column) for column in zip(*rows, strict=True)]
        return columns, slices

    def _slices(self, model: keras.Model) -> list[Slice]:
        """Returns of each of a model's variables which slice it is."""
        kind, slots = self._complete(model)
        of_layers = dict(self._slices_of_layers(model))
        own = [*model.trainable_variables, *model.non_trainable_variables]
        slices = [of_layers[id(variable)] for variable in own]
        numbers_of_slots, others = self._slots[kind]
        others = iter(others)
        for i in range(len(model.optimizer.variables)):
            if i in slots:
                parameter, name = slots[i]
                number, masks = slices[parameter]
                slices.append((numbers_of_slots[number, name], masks))
            else:
                slices.append((next(others), None))
        return slices

    def _embed(
        self, model: keras.Model, slices: list[Slice]
    ) -> list[np.ndarray]:
        """Returns the values of the supernet's variables for a model."""
        row: list[Any] = list(self._background)
        kind, _ = self._complete(model)
        for number, value in self._initial_state[kind]:
            row[number] = value
        for variable, (number, masks) in zip(
            all_variables(model), slices, strict=True
        ):
            value = initial_value(variable)
            if masks is None:
                row[number] = value
            else:
                row[number] = row[number].copy()
                row[number][np.ix_(*masks)] = value
        count = len(blocks_of(model).hidden) - self._blocks_of_all()
        for i, layer in enumerate(self._optional):
            row[self._numbers[id(layer.present)]] = np.float32(i < count)
        optimizer = self.model.optimizer
        if isinstance(optimizer, SwitchedOptimizer):
            chosen = [one == kind for one in optimizer.kinds]
            row[self._numbers[id(optimizer.choice)]] = np.array(
                chosen, "float32"
            )
        return row

    def _blocks_of_all(self) -> int:
        """Returns how many hidden blocks every member has."""
        optional = {id(x) for o in self._optional for x in o.layers}
        wide = [x for x in self._layers if is_wide(x)][:-1]
        return sum(id(layer) not in optional for layer in wide)

    def _slices_of_layers(
        self, model: keras.Model
    ) -> Iterator[tuple[int, Slice]]:
        """Yields the id of each variable of a model's layers, and its slice."""
        tail = len(blocks_of(model).tail)
        own_layers = [
            *self._layers[: len(model.layers) - tail],
            *self._layers[-tail:],
        ]
        features = None
        for small, large in zip(model.layers, own_layers, strict=True):
            before = features
            if is_wide(large):
                features = np.arange(width(large)) < width(small)
            elif isinstance(large, layers.Flatten) and features is not None:
                flattened: Any = large.output
                times = flattened.shape[-1] // len(features)
                features = np.tile(features, times)
            for own, variable in zip(
                small.variables, large.variables, strict=True
            ):
                masks = _masks(large, variable, before, features)
                yield id(own), (self._numbers[id(variable)], masks)

    def _complete(self, model: keras.Model) -> tuple[Hashable, Slots]:
        """Returns the kind of a model's optimizer, or None, and its slots.

        The first time, the model is built.
        """
        if model not in self._completed:
            # Optimizers differ by what they are made with, which is
            # to be seen only before they are built.
            kind = None
            if isinstance(self.model.optimizer, SwitchedOptimizer):
                kind = kind_of_optimizer(model)
            with deferred_initialization():
                slots = _build(model, self.model.input_shape)
            self._completed[model] = kind, slots
        return self._completed[model]

    def _numbers_of(self, optimizer: keras.optimizers.Optimizer) -> list[int]:
        """Returns where each of an optimizer's variables lies."""
        home = getattr(self.model.optimizer, "home", lambda variable: variable)
        return [self._numbers[id(home(v))] for v in optimizer.variables]

    def _slots_of(
        self, optimizer: keras.optimizers.Optimizer, numbers: list[int]
    ) -> tuple[dict[tuple[int, str], int], list[int]]:
        """Distinguishes an optimizer's slots from its other variables.

        Returns:
            A dict from the number of a parameter and the name of a slot to the
            number of the slot, and a list of those that are no slots.
        """
        with deferred_initialization():
            slots = build_noting_slots(
                functional_copy(optimizer), self.model.trainable_variables
            )
        return (
            {slot: numbers[i] for i, slot in slots.items()},
            [n for i, n in enumerate(numbers) if i not in slots],
        )


def _by_kind(
    optimizer: keras.optimizers.Optimizer | SwitchedOptimizer,
) -> Iterable[tuple[Hashable, keras.optimizers.Optimizer]]:
    if isinstance(optimizer, SwitchedOptimizer):
        return zip(optimizer.kinds, optimizer.optimizers, strict=True)
    return [(None, optimizer)]


def _masks(
    layer: keras.layers.Layer,
    variable: keras.Variable,
    before: np.ndarray | None,
    features: np.ndarray | None,
) -> Masks | None:
    """Returns, for each axis of a variable, which part a member has.

    Args:
        layer: The supernet's layer that the variable is of.
        variable: One of its variables.
        before: Which features of the layer's input the member has, or None if
            it has all.
        features: The same for the layer's output.
    """
    shape = variable.shape
    if features is None or not keras.backend.is_float_dtype(variable.dtype):
        return None
    if is_wide(layer):
        axes = [np.ones(size, bool) for size in shape]
        axes[-1] = features
        if len(axes) > 1 and before is not None:
            axes[-2] = before
        return axes
    is_row = len(shape) == 1 and shape[0] == len(features)
    return [features] if is_row else None


def _build(model: keras.Model, shape: tuple) -> Slots:
    """Builds a model's layers, and its optimizer; returns the slots."""
    for layer in model.layers:
        if not layer.built:
            layer.build(shape)
            layer.built = True
        shape = layer.compute_output_shape(shape)
    return build_noting_slots(
        make_functional(model.optimizer), model.trainable_variables
    )
