"""Where the variables of small networks lie in those of their host."""

import weakref

import keras
import numpy as np
from keras import layers

from tfcourse.tuning.population.deferred import (
    deferred_initialization,
    initial_value,
    variables,
)
from tfcourse.tuning.population.functional.keras_optimizers import (
    build_noting_slots,
    make_functional,
    pure_copy,
)
from tfcourse.tuning.population.functional.switched import SwitchedOptimizer
from tfcourse.tuning.supernet import supported as rules
from tfcourse.tuning.supernet.build import kind_of_optimizer, largest
from tfcourse.tuning.supernet.optional_block import OptionalBlock
from tfcourse.tuning.supernet.signature import anatomy, family


class Supernet:
    """A network, and where others lie in it.

    Args:
        builds: The functions that made the drafts.
        drafts: Models of one `outline`.

    Attributes:
        model: The network, built.
    """

    def __init__(self, builds, drafts):
        self._outline, _ = family(drafts[0])
        self._kinds = {kind_of_optimizer(draft) for draft in drafts}
        # Of each draft, the kind of its optimizer and the slots of it.
        self._known = weakref.WeakKeyDictionary()
        self.model = largest(builds, drafts)
        self._optional = [
            x for x in self.model.layers if isinstance(x, OptionalBlock)
        ]
        self._layers = []
        for layer in self.model.layers:
            self._layers += (
                layer.layers if isinstance(layer, OptionalBlock) else [layer]
            )
        every = variables(self.model)
        self._numbers = {id(v): i for i, v in enumerate(every)}
        # Slots, and what is passed by, may begin at another number than zero.
        self._empty = [
            np.zeros(v.shape, v.dtype)
            if v.trainable
            else keras.ops.convert_to_numpy(v)
            for v in every
        ]
        self._slots, self._begins = {}, {}
        for kind, optimizer in _by_kind(self.model.optimizer):
            numbers = self._numbers_of(optimizer)
            self._slots[kind] = self._slots_of(optimizer, numbers)
            self._begins[kind] = [
                (number, keras.ops.convert_to_numpy(variable))
                for number, variable in zip(
                    numbers, optimizer.variables, strict=True
                )
            ]

    def takes(self, drafts):
        """Whether all of these can be laid into it."""
        hidden = [x for x in self._layers if rules.is_wide(x)][:-1]
        widths = [rules.width(layer) for layer in hidden]
        fewest = len(hidden) - len(self._optional)

        def fits(draft):
            shared, _ = family(draft) or (None, None)
            if shared != self._outline:
                return False
            own = anatomy(draft).widths
            return (
                fewest <= len(own) <= len(widths)
                and all(a <= b for a, b in zip(own, widths, strict=False))
                and kind_of_optimizer(draft) in self._kinds
            )

        return all(map(fits, drafts))

    def initial_values(self, drafts):
        """Returns the initial values of some of the drafts, laid into it.

        Returns:
            The columns and the crops that `Population.from_columns` takes.
        """
        crops = [self._crop(model) for model in drafts]
        rows = map(self._laid, drafts, crops)
        return [np.stack(column) for column in zip(*rows, strict=True)], crops

    def _crop(self, model):
        """Returns the place in the host of each of a draft's variables.

        Returns:
            A list of pairs, the number of a variable of the host and the masks,
            one an axis, or None if all of it is meant.
        """
        kind, slots = self._admitted(model)
        places = dict(self._of_layers(model))
        ours = [*model.trainable_variables, *model.non_trainable_variables]
        crop = [places[id(variable)] for variable in ours]
        of_slots, others = self._slots[kind]
        others = iter(others)
        for i in range(len(model.optimizer.variables)):
            if i in slots:
                parameter, name = slots[i]
                number, masks = crop[parameter]
                crop.append((of_slots[number, name], masks))
            else:
                crop.append((next(others), None))
        return crop

    def _laid(self, model, crop):
        """Returns the values of the host's variables for a draft."""
        row = list(self._empty)
        kind, _ = self._admitted(model)
        for number, value in self._begins[kind]:
            row[number] = value
        for variable, (number, masks) in zip(
            variables(model), crop, strict=True
        ):
            value = initial_value(variable)
            if masks is None:
                row[number] = value
            else:
                row[number] = row[number].copy()
                row[number][np.ix_(*masks)] = value
        count = len(anatomy(model).blocks) - self._always_present()
        for i, layer in enumerate(self._optional):
            flag = self._numbers[id(layer.present)]
            row[flag] = np.float32(i < count)
        optimizer = self.model.optimizer
        if isinstance(optimizer, SwitchedOptimizer):
            chosen = [one == kind for one in optimizer.kinds]
            row[self._numbers[id(optimizer.choice)]] = np.float32(chosen)
        return row

    def _always_present(self):
        optional = {id(x) for o in self._optional for x in o.layers}
        wide = [x for x in self._layers if rules.is_wide(x)][:-1]
        return sum(id(layer) not in optional for layer in wide)

    def _of_layers(self, model):
        """Yields the id of each variable of a draft's layers, and its place."""
        tail = len(anatomy(model).tail)
        hosts = [
            *self._layers[: len(model.layers) - tail],
            *self._layers[-tail:],
        ]
        features = None
        for narrow, wide in zip(model.layers, hosts, strict=True):
            before = features
            if rules.is_wide(wide):
                features = np.arange(rules.width(wide)) < rules.width(narrow)
            elif isinstance(wide, layers.Flatten) and features is not None:
                times = wide.output.shape[-1] // len(features)
                features = np.tile(features, times)
            for own, variable in zip(
                narrow.variables, wide.variables, strict=True
            ):
                masks = _masks(wide, variable, before, features)
                yield id(own), (self._numbers[id(variable)], masks)

    def _admitted(self, model):
        """Returns the kind of a draft's optimizer, or None, and its slots.

        The first time, the draft is built.
        """
        if model not in self._known:
            # What tells optimizers apart is what they are made with, which is
            # to be seen only before they are built.
            kind = None
            if isinstance(self.model.optimizer, SwitchedOptimizer):
                kind = kind_of_optimizer(model)
            with deferred_initialization():
                slots = _complete(model, self.model.input_shape)
            self._known[model] = kind, slots
        return self._known[model]

    def _numbers_of(self, optimizer):
        """Returns where each of an optimizer's variables lies."""
        home = getattr(self.model.optimizer, "home", lambda variable: variable)
        return [self._numbers[id(home(v))] for v in optimizer.variables]

    def _slots_of(self, optimizer, numbers):
        """Tells an optimizer's slots from its other variables.

        Returns:
            A dict from the number of a parameter and the name of a slot to the
            number of the slot, and a list of those that are no slots.
        """
        with deferred_initialization():
            slots = build_noting_slots(
                pure_copy(optimizer), self.model.trainable_variables
            )
        return (
            {slot: numbers[i] for i, slot in slots.items()},
            [n for i, n in enumerate(numbers) if i not in slots],
        )


def _by_kind(optimizer):
    if isinstance(optimizer, SwitchedOptimizer):
        return zip(optimizer.kinds, optimizer.optimizers, strict=True)
    return [(None, optimizer)]


def _masks(layer, variable, before, features):
    """Returns, for each axis of a variable, which part a member uses."""
    shape = variable.shape
    if features is None or not keras.backend.is_float_dtype(variable.dtype):
        return None
    if rules.is_wide(layer):
        axes = [np.ones(size, bool) for size in shape]
        axes[-1] = features
        if len(axes) > 1 and before is not None:
            axes[-2] = before
        return axes
    is_row = len(shape) == 1 and shape[0] == len(features)
    return [features] if is_row else None


def _complete(model, shape):
    """Builds the layers of a draft, and its optimizer; returns the slots."""
    for layer in model.layers:
        if not layer.built:
            layer.build(shape)
            layer.built = True
        shape = layer.compute_output_shape(shape)
    return build_noting_slots(
        make_functional(model.optimizer), model.trainable_variables
    )
