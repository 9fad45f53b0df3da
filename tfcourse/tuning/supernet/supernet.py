"""Small networks as slices of the variables of a large one."""

import functools
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import keras
import numpy as np

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.deferred import (
    all_variables,
    deferred_initialization,
    initial_value,
    stacked,
)
from tfcourse.tuning.population.functional.keras_optimizers import (
    build_noting_slots,
    functional_copy,
    make_functional,
)
from tfcourse.tuning.population.functional.switched import SwitchedOptimizer
from tfcourse.tuning.population.settings.of_optimizers import MemberOptimizers
from tfcourse.tuning.population.settings.reading import optimizer_settings
from tfcourse.tuning.supernet.blocks.optional_block import (
    Chosen,
    SmallerKernels,
)
from tfcourse.tuning.supernet.build import (
    build_optimizer,
    build_supernet,
    kind_of_optimizer,
)
from tfcourse.tuning.supernet.graph import Node
from tfcourse.tuning.supernet.members.own_settings import SupernetSettings
from tfcourse.tuning.supernet.members.slices import (
    Masks,
    feature_masks,
    shapes_of_absent,
    slices_of_layers,
    variables_of_layers,
)
from tfcourse.tuning.supernet.merged import Alignment, align, merge
from tfcourse.tuning.supernet.settings import inner
from tfcourse.tuning.supernet.signature import Parts, family, known_parts_of
from tfcourse.tuning.supernet.sizes import KERNEL, fits, part_of_kernel
from tfcourse.tuning.supernet.supported import pooling_of

# Which of the supernet's variables one of a network's is in, by its number,
# and which part of it, or None for all of it.
Slice = tuple[int, Masks | None]
# Of an optimizer's variables, by index, which are slots: the index of their
# parameter, and their name.
Slots = dict[int, tuple[int, str]]

# Of each model that was built, the kind of its optimizer and the slots of it.
_completed: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def can_merge(models: list[keras.Model]) -> bool:
    """Whether there is a supernet for models of one `family`."""
    try:
        merge([known_parts_of(model).elements for model in models])
    except CannotVectorize:
        return False
    return True


class Supernet:
    """A network, and which slices of it others are.

    Args:
        builds: The functions that made the models.
        models: Deferred models of one `family`.
        own_sizes: Whether its variables have the sizes of a network's own while
            it computes as that, instead of zeros around them.

    Attributes:
        model: The network, built.
        settings: What networks have of their own beside slices of it.
    """

    def __init__(
        self,
        builds: list[Callable[[], keras.Model]],
        models: list[keras.Model],
        own_sizes: bool = False,
    ) -> None:
        self._own_sizes = own_sizes
        shared: Any = family(models[0])
        self._family, _ = shared
        self._kinds = {kind_of_optimizer(model) for model in models}
        self._merged = merge([known_parts_of(x).elements for x in models])
        self._built = build_supernet(builds, models, self._merged, own_sizes)
        self.model = self._built.model
        optimizers = MemberOptimizers(
            [kind_of_optimizer(model) for model in models],
            [optimizer_settings(model.optimizer) for model in models],
        )
        build_optimizer(self.model, builds, models, optimizers)
        self.settings = SupernetSettings(
            self._built,
            self._merged,
            models,
            list(map(self._align, models)),
            optimizers,
            own_sizes,
        )
        every = self.variables
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
        return all(map(self._accepts, models))

    def _accepts(self, model: keras.Model) -> bool:
        shared, _ = family(model) or (None, None)
        if (
            shared != self._family
            or kind_of_optimizer(model) not in self._kinds
        ):
            return False
        try:
            found = self._align(model)
        except CannotVectorize:
            return False
        own = known_parts_of(model)
        return (
            all(
                self._has_room(self._built.layers[part], node, own)
                for part, node in found.nodes.items()
            )
            and self.settings.accepts(model, found)
            and self.settings.optimizers.accepts(
                kind_of_optimizer(model), optimizer_settings(model.optimizer)
            )
        )

    def _has_room(self, large: Any, node: Node, own: Parts) -> bool:
        """Whether the layer of a node finds room in one of the supernet."""
        if isinstance(large, Chosen):
            return type(node.layer) in map(type, large.parts)
        if pooling_of(node.layer):
            return type(node.layer) is type(large)
        sizes = own.sizes.get(node, {})
        large = inner(large)
        if self._own_sizes:
            sizes = {n: size for n, size in sizes.items() if n != KERNEL}
        if (
            KERNEL in sizes
            and not isinstance(large, SmallerKernels)
            and tuple(sizes[KERNEL]) != tuple(large.kernel_size)
        ):
            return False
        return fits(sizes, {name: getattr(large, name) for name in sizes})

    def layer_pairs(self, model: keras.Model) -> list[tuple[Any, Any]]:
        """Returns which layer of it is which of a model's.

        Args:
            model: One that it accepts.

        Returns:
            Pairs of a layer of the supernet and that of the model which is
            embedded in it. Layers that the model does not have are in none.
        """
        return [
            (self._built.layers[part], node.layer)
            for part, node in self._align(model).nodes.items()
        ]

    def _align(self, model: keras.Model) -> Alignment:
        return align(self._merged, known_parts_of(model).elements)

    def initial_values(
        self, models: list[keras.Model]
    ) -> tuple[list[np.ndarray], list[list[Slice]]]:
        """Returns the initial values of some deferred models, embedded in it.

        Returns:
            The columns and the slices, as `PopulationTrainer` draws them.
        """
        slices = [self._slices(model) for model in models]
        rows = map(self._embed, models, slices)
        columns = [stacked(list(column)) for column in zip(*rows, strict=True)]
        return columns, slices

    def _slices(self, model: keras.Model) -> list[Slice]:
        """Returns of each of a model's variables which slice it is."""
        kind, slots = self._complete(model)
        found = self._align(model)
        seeds = list(self.settings.seeds(model, found))
        left_out = {id(own) for own, _ in seeds}
        left_out |= {id(v) for v in self.settings.seeds_of_supernet}
        of_layers: dict[int, Slice] = {
            id(own): (self._numbers[id(variable)], None)
            for own, variable in seeds
        }
        of_layers |= {
            id(own): (self._numbers[id(variable)], masks)
            for own, variable, masks in self._of_layers(found, left_out)
        }
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

    def _of_layers(
        self, found: Alignment, left_out: set[int]
    ) -> Iterator[tuple[Any, Any, Masks | None]]:
        """Yields a model's variables, and which part of the supernet's."""
        if not self._own_sizes:
            yield from slices_of_layers(
                self._built, self._merged, found, left_out
            )
            return
        for _, own, variable in variables_of_layers(
            self._built, found, left_out
        ):
            yield own, variable, None

    def shapes(self, model: keras.Model) -> list[tuple[int, ...]]:
        """Returns the shapes of all variables while it computes as a model."""
        every, slices = self.variables, self._slices(model)
        found = {
            number: tuple(variable.shape)
            for variable, (number, _) in zip(
                all_variables(model), slices, strict=True
            )
        }
        absent = shapes_of_absent(self._built, self._merged, self._align(model))
        found |= {self._numbers[id(v)]: shape for v, shape in absent}
        for slots, _ in self._slots.values():
            for (parameter, _), slot in slots.items():
                if every[slot].shape == every[parameter].shape:
                    found.setdefault(slot, found[parameter])
        return [found.get(i, tuple(v.shape)) for i, v in enumerate(every)]

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
        for variable, value in (
            *self._choices(model),
            *self.settings.rows(model, self._align(model)),
            *self.settings.optimizers.choices(
                kind_of_optimizer(model), optimizer_settings(model.optimizer)
            ),
        ):
            row[self._numbers[id(variable)]] = value
        if self._own_sizes:
            for number, shape in enumerate(self.shapes(model)):
                if row[number].shape != shape:
                    # What the model does not have: the same number all over.
                    row[number] = np.full_like(
                        row[number], row[number].flat[0], shape=shape
                    )
        return row

    @property
    def variables(self) -> list[Any]:
        """Returns all variables, in the order of a `Member`'s."""
        model = self.model
        return [
            *model.trainable_variables,
            *model.non_trainable_variables,
            *self.settings.model_variables,
            *model.optimizer.variables,
            *self.settings.optimizer.variables,
        ]

    def _choices(
        self, model: keras.Model
    ) -> Iterator[tuple[keras.Variable, np.ndarray]]:
        """Yields what a model's member has, of what some have only."""
        counts = self._align(model).counts
        for part, gates in self._built.gates.items():
            numbers = part.numbers(counts.get(part, 0))
            for number, gate in gates.items():
                yield gate.block.present, np.array(number in numbers, "f")
        for part, chosen in self._built.exits.items():
            yield chosen.choice, _one_hot(chosen, counts[part] - part.fewest)
        yield from feature_masks(self._built, self._merged, self._align(model))
        for large, small in self.layer_pairs(model):
            if isinstance(large, Chosen):
                number = [type(x) for x in large.parts].index(type(small))
                yield large.choice, _one_hot(large, number)
            if isinstance(large, SmallerKernels):
                layer: Any = large
                masks = part_of_kernel(
                    layer.padding, small.kernel_size, layer.kernel_size
                )
                mask = functools.reduce(np.multiply.outer, masks)
                yield large.kernel_mask, mask.astype("float32")

    def _complete(self, model: keras.Model) -> tuple[Hashable, Slots]:
        """Returns the kind of a model's optimizer, or None, and its slots.

        The first time, the model is built.
        """
        if model not in _completed:
            # Optimizers differ by what they are made with, which is
            # to be seen only before they are built.
            kind = kind_of_optimizer(model)
            with deferred_initialization():
                slots = _build(model)
            _completed[model] = kind, slots
        kind, slots = _completed[model]
        if isinstance(self.model.optimizer, SwitchedOptimizer):
            return kind, slots
        return None, slots

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


def _one_hot(chosen: Chosen, number: int) -> np.ndarray:
    return np.eye(chosen.choice.shape[0], dtype="float32")[number]


def _by_kind(
    optimizer: keras.optimizers.Optimizer | SwitchedOptimizer,
) -> Iterable[tuple[Hashable, keras.optimizers.Optimizer]]:
    if isinstance(optimizer, SwitchedOptimizer):
        return zip(optimizer.kinds, optimizer.optimizers, strict=True)
    return [(None, optimizer)]


def _build(model: keras.Model) -> Slots:
    """Builds a model's layers, and its optimizer; returns the slots."""
    shape: Any = None
    for node in known_parts_of(model).graph.nodes:
        if isinstance(node.layer, keras.layers.InputLayer):
            shape = node.layer.batch_shape
        elif not model.built:
            if not node.layer.built:
                node.layer.build(shape)
                node.layer.built = True
            shape = node.layer.compute_output_shape(shape)
    return build_noting_slots(
        make_functional(model.optimizer), model.trainable_variables
    )
