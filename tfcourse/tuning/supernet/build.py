"""Building the supernet of some networks."""

import collections
import dataclasses
import functools
import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import keras
from keras import layers

from tfcourse.tuning.population.settings.gaps import (
    OptionalNoise,
    copy_of_noise,
)
from tfcourse.tuning.population.settings.gaps import merged as united
from tfcourse.tuning.population.settings.of_optimizers import MemberOptimizers
from tfcourse.tuning.supernet.blocks.optional_block import (
    Chosen,
    MaskedFeatures,
    OptionalBlock,
    PaddedFeatures,
    masked_convolution,
)
from tfcourse.tuning.supernet.blocks.own_sizes import (
    OwnChosen,
    OwnFeatures,
    OwnOptionalBlock,
)
from tfcourse.tuning.supernet.graph import Graph, Node
from tfcourse.tuning.supernet.merged import (
    Merged,
    MergedNode,
    MergedRepeat,
    alike,
    nodes_of,
)
from tfcourse.tuning.supernet.settings import remade
from tfcourse.tuning.supernet.signature import (
    Parts,
    as_before,
    known_parts_of,
)
from tfcourse.tuning.supernet.sizes import KERNEL, Sizes, largest
from tfcourse.tuning.supernet.supported import (
    Role,
    computes_elements,
    maps_zero_to_zero,
    role,
)
from tfcourse.utils.keras_private import compile_as

# Of the inputs and the outputs of a layer.
Widths = tuple[list[int], list[int]]


@dataclasses.dataclass
class Gate:
    """Where some members have a block, and others do not.

    Attributes:
        block: The block.
        before: How many features there are before it.
        inside: How many its last layer gives.
        after: How many there are after it.
    """

    block: OptionalBlock
    before: int
    inside: int
    after: int


@dataclasses.dataclass
class Built:
    """A supernet's model, and what it is made of.

    Attributes:
        model: The model, built.
        layers: The layer of each node.
        gates: For each block, those of its instances that some do not have, by
            their number.
        exits: For each block that members leave after several numbers of
            instances, what chooses from what they give.
        masks: For each node whose activation gives something for zero, what
            sets to zero what a member does not have, each time that it is
            called.
        widths: For each node, how many features its inputs and its outputs
            have, at each time that it is called.
        noise: For each node the layers of dropout that some have after it, at
            each time that it is called.
    """

    model: keras.Model
    layers: dict[MergedNode, Any]
    gates: dict[MergedRepeat, dict[int, Gate]]
    exits: dict[MergedRepeat, Chosen]
    masks: dict[MergedNode, list[MaskedFeatures]]
    widths: dict[MergedNode, list[Widths]]
    noise: dict[MergedNode, list[list[Any]]]


def build_supernet(
    builds: list[Callable[[], keras.Model]],
    models: list[keras.Model],
    merged: list[Merged],
    own_sizes: bool = False,
) -> Built:
    """Returns a model, built, that all of some models can be embedded in.

    Args:
        builds: The functions that made the models.
        models: Deferred models of one `family`.
        merged: Their merged elements.
        own_sizes: Whether it computes with weights of a model's own sizes.
    """
    parts = [known_parts_of(model) for model in models]
    builder = _Builder(builds, parts, own_sizes)
    model = builder.model(merged)
    return Built(
        model,
        builder.layers,
        builder.gates,
        builder.exits,
        builder.masks,
        builder.widths,
        builder.noise,
    )


class _Builder:
    """Calls the layers of a supernet, one after the other."""

    def __init__(
        self,
        builds: list[Callable[[], keras.Model]],
        parts: list[Parts],
        own_sizes: bool,
    ) -> None:
        self._builds = builds
        self._parts = parts
        self._own_sizes = own_sizes
        self._optional: type[OptionalBlock] = OptionalBlock
        self._chosen: type[Chosen] = Chosen
        self._padded: type[PaddedFeatures] = PaddedFeatures
        if own_sizes:
            self._optional, self._chosen = OwnOptionalBlock, OwnChosen
            self._padded = OwnFeatures
        self._hosts: dict[int, tuple[keras.Model, Graph]] = {}
        self._names: set[str] = set()
        self._sizes: dict[MergedNode, Sizes] = {}
        # The newest outputs, by the place of the node that gives them.
        self._outputs: dict[int, list[Any]] = {}
        self.layers: dict[MergedNode, Any] = {}
        self.gates: dict[MergedRepeat, dict[int, Gate]] = {}
        self.exits: dict[MergedRepeat, Chosen] = {}
        self.masks: dict[MergedNode, list[MaskedFeatures]] = {}
        self.widths: dict[MergedNode, list[Widths]] = {}
        self.noise: dict[MergedNode, list[list[Any]]] = {}

    def model(self, merged: list[Merged]) -> keras.Model:
        self._set_sizes(merged)
        first, graph = self._host(0)
        self._call_all(merged)
        places = [node.place for node in self._parts[0].graph.inputs]
        inputs = [
            layer.output
            for place in places
            for part, layer in self.layers.items()
            if part.place == place
        ]
        outputs = [
            self._outputs[o.node.place][o.number]
            for o in self._parts[0].graph.outputs
        ]
        model = keras.Model(
            *(
                keras.tree.map_structure(some.__getitem__, end)
                for some, end in zip((inputs, outputs), graph.ends, strict=True)
            ),
            name=first.name,
        )
        compile_as(model, first)
        return model

    def _call_all(self, merged: Iterable[Merged]) -> None:
        rest = iter(merged)
        for part in rest:
            if isinstance(part, MergedNode):
                self._call(part)
            elif part.has_exits:
                following = itertools.islice(rest, part.exits)
                self._leave(part, list(following))
            else:
                collections.deque(self._repeat(part), 0)

    def _call(self, part: MergedNode) -> None:
        if part not in self.layers:
            self.layers[part] = self._layer(part)
        layer, inputs = self.layers[part], self._inputs(part)
        call = part.model.call
        if type(layer) is layers.InputLayer:
            outputs = layer.output
        elif call is None:
            outputs = layer(inputs[0])
        else:
            args, kwargs = call.filled(inputs)
            outputs = layer(*args, **kwargs)
        if not self._own_sizes and _needs_mask(part):
            mask = MaskedFeatures()
            self.masks.setdefault(part, []).append(mask)
            outputs = mask(outputs)
        # One for each time, as each draws numbers.
        noise = [
            copy_of_noise(x.setting.owner, self._name(x.setting.owner))
            for x in noise_of(part)
        ]
        self.noise.setdefault(part, []).append(noise)
        for one in noise:
            outputs = one(outputs)
        self._outputs[part.place] = keras.tree.flatten(outputs)
        self.widths.setdefault(part, []).append(
            (_widths(inputs), _widths(self._outputs[part.place]))
        )

    def _inputs(self, part: MergedNode) -> list[Any]:
        inputs = [
            self._outputs[x.node.place][x.number] for x in part.model.inputs
        ]
        if role(part.model) is Role.MERGES:
            width = max(_widths(inputs))
            return [
                x if x.shape[-1] == width else self._padded(width)(x)
                for x in inputs
            ]
        return inputs

    def _repeat(self, part: MergedRepeat) -> Iterator[int]:
        """Calls each instance, and yields its number."""
        self.gates[part] = {}
        for number, some in enumerate(part.instances):
            if part.is_optional(number):
                self._call_optional(part, number, some)
            else:
                self._call_all(some)
            yield number

    def _leave(self, part: MergedRepeat, following: list[Any]) -> None:
        """Computes what follows after each number of instances."""
        exits = []
        for number in self._repeat(part):
            if number + 1 < part.fewest:
                continue
            outputs = self._outputs[part.stop - 1]
            self._call_all(following)
            exits += self._outputs[following[-1].place]
            self._outputs[part.stop - 1] = outputs
        chosen = self.exits[part] = self._chosen()
        self._outputs[following[-1].place] = [chosen(exits)]

    def _call_optional(
        self, part: MergedRepeat, number: int, some: list[Merged]
    ) -> None:
        before = (part.stop if number else part.start) - 1
        used = [(before, 0)] + [
            output
            for output in dict.fromkeys(_used(some))
            if output != (before, 0)
        ]
        given = [self._outputs[place][k] for place, k in used]
        outside = {place: list(some) for place, some in self._outputs.items()}
        inputs = [
            keras.Input(batch_shape=x.shape, dtype=x.dtype) for x in given
        ]
        for (place, k), tensor in zip(used, inputs, strict=True):
            self._outputs[place][k] = tensor
        self._call_all(some)
        (output,) = self._outputs[part.stop - 1]
        self._outputs = outside
        one = len(inputs) == 1
        body = keras.Model(inputs[0] if one else inputs, output)
        block = self._optional(body, passes=not part.has_exits)
        after = block(given[0] if one else given)
        self._outputs[part.stop - 1] = [after]
        self.gates[part][number] = Gate(
            block, *(x.shape[-1] for x in (given[0], output, after))
        )

    def _layer(self, part: MergedNode) -> Any:
        """Returns a node's layer: one made anew, or that of a host."""
        parts = self._parts[part.member]
        place = parts.graph.nodes.index(part.model)
        host = self._host(part.member)[1].nodes[place].layer
        if type(host) is layers.InputLayer:
            return layers.InputLayer(
                batch_shape=host.batch_shape,
                dtype=host.dtype,
                sparse=host.sparse,
                name=self._name(host),
            )
        if part.model not in parts.known:
            return host
        if not isinstance(host, layers.Layer):
            return host
        kinds = {type(node.layer): node.layer for node in part.others}
        if len(kinds) > 1:
            parts = [remade(x, {}, self._name(x)) for x in kinds.values()]
            return self._chosen(parts)
        cls: Any = type(host)
        size = self._sizes[part].get(KERNEL)
        if (
            size
            and not self._own_sizes
            and any(x.layer.kernel_size != size for x in part.others)
        ):
            cls = masked_convolution(cls)
        return remade(host, self._sizes[part], self._name(host), cls)

    def _host(self, member: int) -> tuple[keras.Model, Graph]:
        """Returns a model of the supernet's own, built as a member's was."""
        if member not in self._hosts:
            model = as_before(self._builds[member], self._parts[member])
            self._hosts[member] = model, known_parts_of(model).graph
        return self._hosts[member]

    def _name(self, layer: Any) -> str:
        name, number = layer.name, 0
        while name in self._names:
            number += 1
            name = f"{layer.name}_{number}"
        self._names.add(name)
        return name

    def _set_sizes(self, merged: list[Merged]) -> None:
        """Gives each node the largest sizes that a member has there.

        Of blocks that not all have, all instances have the same.
        """
        of_nodes: dict[Node, Sizes] = {}
        for parts in self._parts:
            of_nodes |= parts.sizes
        for some in alike(merged):
            nodes = [node for part in some for node in part.others]
            sizes = largest(of_nodes.get(node, {}) for node in nodes)
            self._sizes |= dict.fromkeys(some, sizes)


def _needs_mask(part: MergedNode) -> bool:
    kind = role(part.model)
    # Members may have several activations.
    return kind in (Role.WIDE, Role.FEATURE_BY_FEATURE) and any(
        computes_elements(node.layer) and not maps_zero_to_zero(node.layer)
        for node in part.others
    )


def _widths(tensors: Iterable[Any]) -> list[int]:
    # A number an example has no features.
    return [x.shape[-1] if x.shape else 0 for x in tensors]


def _used(some: list[Merged]) -> Iterator[tuple[int, int]]:
    """Yields which outputs from outside a block's nodes take."""
    inside: set[int] = set()
    for node in nodes_of([some]):
        for x in node.model.inputs:
            if x.node.place not in inside:
                yield x.node.place, x.number
        inside.add(node.place)


def noise_of(part: MergedNode) -> list[OptionalNoise]:
    """Returns as many layers of dropout as are needed to have any member's."""
    (noise,) = united([[node.noise] for node in part.others])
    return noise


def build_optimizer(
    supernet: keras.Model,
    builds: list[Callable[[], keras.Model]],
    models: list[keras.Model],
    optimizers: MemberOptimizers,
) -> None:
    """Gives a supernet the models' optimizer, or all that they have; built."""
    kinds = {}
    for build, model in zip(builds, models, strict=True):
        kinds.setdefault(kind_of_optimizer(model), (build, model))

    def make(build: Callable[[], keras.Model], model: keras.Model) -> Any:
        return as_before(build, known_parts_of(model)).optimizer

    optimizers.build(
        supernet,
        [functools.partial(make, *some) for some in kinds.values()],
    )


def kind_of_optimizer(model: keras.Model) -> Hashable:
    """Returns the structure of a model's optimizer, without settings."""
    return known_parts_of(model).optimizer
