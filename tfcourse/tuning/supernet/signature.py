"""What networks of different sizes must share to be slices of one."""

import dataclasses
import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import keras
from keras import layers

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.deferred import build_late
from tfcourse.tuning.population.settings.layers import (
    names_of_settings,
    shared_class,
)
from tfcourse.tuning.population.settings.outputs import shown_to_losses
from tfcourse.tuning.population.settings.reading import SettingsReader
from tfcourse.tuning.population.structure import (
    StructureReader,
    compile_structure,
    difference_between,
    own_variables,
)
from tfcourse.tuning.population.structure.values import keras_settings
from tfcourse.tuning.supernet.graph import (
    Graph,
    Node,
    graph_of_nodes,
    join_noise,
)
from tfcourse.tuning.supernet.repeats import (
    Element,
    Repeat,
    shortest,
    with_repeats,
)
from tfcourse.tuning.supernet.settings import (
    SEQUENCES,
    WRAPPERS,
    gives_sequences,
    inner,
    settings,
)
from tfcourse.tuning.supernet.sizes import Sizes, free_sizes
from tfcourse.tuning.supernet.supported import (
    Role,
    is_supported_optimizer,
    pooling_of,
    role,
    shape_of,
)
from tfcourse.tuning.supernet.widths import free_widths
from tfcourse.utils.keras_private import changed_variables

# Of larger networks an update is not computed for nothing.
SMALL = 2**16
_OF_OPTIMIZER = "optimizer"


@dataclasses.dataclass
class Parts:
    """A model as a supernet sees it.

    Attributes:
        graph: Its nodes.
        elements: The nodes, with what repeats.
        known: The nodes whose layers can be made anew.
        sizes: For each of these, its sizes that may be others.
        signature: What models of one family share.
        optimizer: The structure of its optimizer.
    """

    graph: Graph
    elements: list[Element]
    known: set[Node]
    sizes: dict[Node, Sizes]
    signature: Hashable
    optimizer: Hashable

    @property
    def sizes_matter(self) -> bool:
        """Whether models of other sizes may be of the family."""
        return (
            any(self.sizes.values())
            or any(isinstance(x, Repeat) for x in self.elements)
            or any(pooling_of(node.layer) for node in self.known)
        )


_parts: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def parts_of(model: keras.Model) -> Parts | None:
    """Returns the `Parts` of a compiled model, or None if it has none.

    They are those that it had when they were first asked for.
    """
    if model not in _parts:
        _parts[model] = _parts_of(model)
    return _parts[model]


def known_parts_of(model: keras.Model) -> Parts:
    """Returns the `Parts` of a model that has a `family`."""
    parts = parts_of(model)
    if parts is None:
        raise ValueError(f"{model.name} cannot be embedded in a supernet.")
    return parts


def family(model: keras.Model) -> tuple[Hashable, Hashable] | None:
    """Returns what networks must share to be embedded in one, or None.

    Args:
        model: A compiled model, built or deferred.

    Returns:
        Nested tuples, which are hashable: what the layers of a family share,
        and the optimizer's structure. Networks that share the first may be
        embedded in one `Supernet`.
    """
    parts = parts_of(model)
    if parts is None or not parts.sizes_matter or changed_variables(model):
        return None
    return ("supernet", parts.signature), parts.optimizer


def as_before(build: Callable[[], keras.Model], before: Parts) -> keras.Model:
    """Returns the model of a function that has made a like one before.

    A `keras.Sequential` is not built.

    Args:
        build: The function.
        before: The `Parts` of what it made.

    Raises:
        CannotVectorize: If it makes another model now.
    """
    model = build_late(build)
    present = parts_of(model)
    signatures = [
        parts and (parts.signature, parts.optimizer)
        for parts in (before, present)
    ]
    if signatures[0] != signatures[1]:
        raise CannotVectorize(
            "its build gives a different model each time: "
            f"{difference_between(*(s or () for s in signatures))}"
        )
    return model


def are_in_prefix(
    variables: Iterable[keras.Variable], model: keras.Model
) -> bool:
    """Whether variables are only in layers that a supernet takes as they are.

    Others would be made anew, and wider, for all that use them.

    Args:
        variables: Some of a model's variables.
        model: A compiled model, built or deferred.
    """
    variables = list(variables)
    if not variables:
        return True
    parts = parts_of(model)
    if parts is None:
        return False
    kept = [n.layer for n in parts.graph.nodes if n not in parts.known]
    inside = {id(v) for layer in kept for v in layer.variables}
    return all(id(variable) in inside for variable in variables)


def is_small(model: keras.Model) -> bool:
    """Whether another optimizer's update costs less than another program.

    That of kernels that move over an input, or of recurrent ones, is little
    beside what is computed with them.

    Args:
        model: One that has a `family`.
    """
    shapes: dict[Node, list[Any]] = {}
    size = 0
    for node in known_parts_of(model).graph.nodes:
        inputs = [shapes[x.node][x.number] for x in node.inputs]
        layer: Any = node.layer
        if type(layer) is layers.Dense and len(inputs[0]) == 2:
            size += (inputs[0][-1] or 1) * layer.units
        if type(layer) is layers.Embedding:
            size += layer.input_dim * layer.output_dim
        shapes[node] = node.shapes or _shapes_of(layer, inputs)
    return size <= SMALL


def _shapes_of(layer: Any, inputs: list[Any]) -> list[Any]:
    """Returns the shapes of a layer's outputs, as far as it says them."""
    try:
        return [layer.compute_output_shape(*inputs)]
    except NotImplementedError:
        return inputs[:1]


def _parts_of(model: keras.Model) -> Parts | None:
    graph = graph_of_nodes(model)
    if graph is None or not is_supported_optimizer(model.optimizer):
        return None
    own = own_variables(model)
    join_noise(graph)
    shown = shown_to_losses(model)
    values = SettingsReader(shown=shown)
    reader = StructureReader(own, values)
    compiled = dict(compile_structure(model, reader, values))
    optimizer = compiled.pop(_OF_OPTIMIZER)
    roles = {n: role(n) for n in graph.nodes}
    known = {n for n in graph.nodes if roles[n] is not Role.OPAQUE}
    several = len(graph.inputs) > 1
    opaque = {
        n: _input(n, several) or reader.read(n.layer)
        for n in graph.nodes
        if n not in known
    }
    if (
        values.exposed
        or reader.has_read(model)
        or any(reader.has_read(n.layer) for n in known)
    ):
        # Something holds on to what a supernet makes anew.
        return None
    free = free_widths(graph, roles)
    sizes = {n: free_sizes(n.layer, n in free) for n in known}
    cores = opaque | {n: _core(n.layer, sizes[n], shown) for n in known}
    masks = any(getattr(n.layer, "mask_zero", False) for n in graph.nodes)
    elements = with_repeats(
        graph, cores, {n: shape_of(n.layer, masks) for n in known}
    )
    described = tuple(
        (cores[first], gives_sequences(last.layer), _wires(first))
        for first, last in shortest(elements)
    )
    ends = tuple((o.node.place, o.number) for o in graph.outputs)
    signature = (
        described,
        ends,
        StructureReader().read(list(graph.ends)),
        tuple(compiled.items()),
        keras_settings(),
    )
    return Parts(graph, elements, known, sizes, signature, optimizer)


def _wires(node: Node) -> Hashable:
    """Returns how a node is connected."""
    inputs = tuple((o.node.place, o.number) for o in node.inputs)
    if node.call is None:
        return inputs
    numbers = {id(x): i for i, x in enumerate(node.call.inputs)}

    def numbered(value: Any) -> Any:
        return ("input", numbers[id(value)]) if id(value) in numbers else value

    arguments = keras.tree.map_structure(
        numbered, [node.call.args, dict(node.call.kwargs)], none_is_leaf=True
    )
    return inputs, StructureReader().read(arguments)


def _input(node: Node, several: bool) -> Hashable:
    """Returns what an input is; where there are several, names tell them."""
    layer = node.layer
    if type(layer) is not layers.InputLayer:
        return None
    shape, name = tuple(layer.batch_shape), layer.name if several else ""
    return ("input", shape, str(layer.dtype), bool(layer.sparse), name)


def _core(layer: Any, sizes: Sizes, shown: set[int]) -> Hashable:
    kept = settings(layer)
    for part, own in [
        (layer, kept),
        *((getattr(layer, n), kept[n]) for n in WRAPPERS.get(type(layer), ())),
    ]:
        for name in names_of_settings(part, shown):
            own.pop(name, None)
    for part in (kept, *(x for x in kept.values() if isinstance(x, dict))):
        for name in (SEQUENCES, *sizes):
            part.pop(name, None)
    names = (
        [pooling_of(layer)]
        if pooling_of(layer)
        else [
            f"{x.__module__}.{x.__qualname__}"
            for x in map(shared_class, (layer, inner(layer)))
        ]
    )
    return tuple(names), StructureReader().read(kept)
