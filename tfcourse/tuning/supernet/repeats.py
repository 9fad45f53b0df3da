"""Blocks of layers that a model repeats, however often."""

import dataclasses
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tfcourse.tuning.supernet.graph import Graph, Node
from tfcourse.tuning.supernet.settings import gives_sequences
from tfcourse.tuning.supernet.supported import Shape, has_weights

_IN_BLOCKS = Shape.KEPT, Shape.CHANGED


@dataclasses.dataclass(eq=False)
class Repeat:
    """A block, as often as a model has it.

    Attributes:
        instances: The elements of each, `Node`s and further `Repeat`s.
        exits: How many of the nodes that follow must be computed for each
            number of instances, until the shape is the same for all.
    """

    instances: "list[list[Element]]"
    exits: int = 0


Element = Node | Repeat


@dataclasses.dataclass(eq=False)
class _Item:
    """An element, while blocks are looked for.

    Attributes:
        element: It.
        core: What those of repeated blocks must share.
        sequences: Whether it gives a sequence, of what may also give its last
            value only.
        inputs: Which outputs of which others it takes.
        shape: What it does to shapes.
    """

    element: Element
    core: Hashable
    sequences: bool | None
    inputs: "list[_Input]"
    shape: Shape


class _Input(NamedTuple):
    item: _Item
    number: int


def with_repeats(
    graph: Graph,
    cores: Mapping[Node, Hashable],
    shapes: Mapping[Node, Shape],
) -> list[Element]:
    """Returns the nodes of a graph, those of repeated blocks in `Repeat`s.

    It also gives each node its `place`: that which it would have if the model
    had each block once.

    Args:
        graph: The graph.
        cores: What nodes of repeated blocks share.
        shapes: What nodes do to shapes, of those that may be in a block.
    """
    items: dict[Node, _Item] = {}
    for node in graph.nodes:
        inputs = [_Input(items[x.node], x.number) for x in node.inputs]
        shape = shapes.get(node, Shape.UNKNOWN)
        sequences = gives_sequences(node.layer)
        items[node] = _Item(node, cores[node], sequences, inputs, shape)
    row, ends = list(items.values()), [items[o.node] for o in graph.outputs]
    length = 1
    while 2 * length <= len(row):
        row = _collapsed(row, length, ends)
        length += 1
    elements = [item.element for item in row]
    _number(elements, 0)
    return elements


def _collapsed(row: list[_Item], length: int, ends: list[_Item]) -> list[_Item]:
    """Returns a row of items with the blocks of some length in `Repeat`s."""
    start = 1
    while start + 2 * length <= len(row):
        places = {id(item): i for i, item in enumerate(row)}
        count = 1
        while _follows_alike(row, places, start, length, count):
            count += 1
        exits = _exits(row, places, start, length, count, ends)
        if (
            count > 1
            and exits is not None
            and _is_closed(row, places, start, length, count, ends)
        ):
            row = _replaced(row, start, length, count, ends, exits)
        start += 1
    return row


def _follows_alike(
    row: list[_Item], places: dict[int, int], start: int, length: int, n: int
) -> bool:
    """Whether the n-th block is like the one before it."""
    first = start + n * length
    if first + length > len(row):
        return False
    return all(
        row[i].shape in _IN_BLOCKS
        and row[i - length].shape in _IN_BLOCKS
        and row[i - length].sequences in (None, True)
        and row[i].core == row[i - length].core
        and len(row[i].inputs) == len(row[i - length].inputs)
        and all(
            _corresponds(a, b, places, start, first, length)
            for a, b in zip(row[i - length].inputs, row[i].inputs, strict=True)
        )
        for i in range(first, first + length)
    )


def _exits(
    row: list[_Item],
    places: dict[int, int],
    start: int,
    length: int,
    count: int,
    ends: list[_Item],
) -> int | None:
    """Returns the `exits` of a `Repeat`, or None if it has no end to them."""
    stop = start + count * length
    if all(item.shape is Shape.KEPT for item in row[start:stop]):
        return 0
    for i in range(stop, len(row)):
        element = row[i].element
        users = [x for x in row if any(y.item is row[i - 1] for y in x.inputs)]
        if (
            isinstance(element, Repeat)
            or has_weights(element.layer)
            or row[i].shape is Shape.UNKNOWN
            or [places[id(x.item)] for x in row[i].inputs] != [i - 1]
            or users != [row[i]]
            or row[i - 1] in ends
        ):
            return None
        if row[i].shape is Shape.GONE:
            return i + 1 - stop
    return None


def _corresponds(
    a: _Input,
    b: _Input,
    places: dict[int, int],
    start: int,
    first: int,
    length: int,
) -> bool:
    """Whether an input of a block is like one of the block before."""
    if a.number != b.number:
        return False
    place_a, place_b = places[id(a.item)], places[id(b.item)]
    # Of the block itself, or the last of the one before.
    inside = place_a >= first - length - 1 and place_b == place_a + length
    return inside or (place_a == place_b < start)


def _is_closed(
    row: list[_Item],
    places: dict[int, int],
    start: int,
    length: int,
    count: int,
    ends: list[_Item],
) -> bool:
    """Whether blocks are seen by others through their last output only."""
    stop = start + count * length
    inner = {id(item) for item in row[start : stop - 1]}
    if any(id(item) in inner for item in ends):
        return False
    for i, item in enumerate(row):
        for used, number in item.inputs:
            place = places[id(used)]
            if not start <= place < stop:
                continue
            same = start <= i < stop and (
                (place - start) // length == (i - start) // length
            )
            is_last = (place - start) % length == length - 1
            previous = is_last and place < i <= place + length
            after = place == stop - 1 and i >= stop
            if not same and not (number == 0 and (previous or after)):
                return False
    return True


def _replaced(
    row: list[_Item],
    start: int,
    length: int,
    count: int,
    ends: list[_Item],
    exits: int,
) -> list[_Item]:
    """Returns a row, and changes the ends, with a `Repeat` for its blocks."""
    block = row[start : start + count * length]
    instances = [block[i : i + length] for i in range(0, len(block), length)]
    inside = {id(item): i for i, item in enumerate(instances[0])}
    inputs: list[_Input] = []
    cores = []
    for item in instances[0]:
        places = []
        for used in item.inputs:
            if id(used.item) in inside:
                places.append((inside[id(used.item)], used.number))
                continue
            if used not in inputs:
                inputs.append(used)
            places.append((-1 - inputs.index(used), 0))
        cores.append((item.core, tuple(places)))
    whole = _Item(
        Repeat([[x.element for x in some] for some in instances], exits),
        ("block", tuple(cores)),
        None,
        inputs,
        _shape(instances[-1], exits),
    )
    last = block[-1]
    rest = row[start + len(block) :]
    for item in rest:
        item.inputs = [
            _Input(whole, 0) if x.item is last else x for x in item.inputs
        ]
    ends[:] = [whole if item is last else item for item in ends]
    return [*row[:start], whole, *rest]


def _shape(last: list[_Item], exits: int) -> Shape:
    """Returns what blocks do to shapes, of which these are the last."""
    if exits or any(x.sequences not in (None, True) for x in last):
        return Shape.UNKNOWN
    kept = all(x.shape is Shape.KEPT for x in last)
    return Shape.KEPT if kept else Shape.CHANGED


def _number(elements: list[Element], place: int) -> int:
    """Gives nodes their places, and returns the next one."""
    for element in elements:
        if isinstance(element, Repeat):
            ends = [_number(some, place) for some in element.instances]
            place = ends[0]
        else:
            element.place = place
            place += 1
    return place


def shortest(elements: Iterable[Element]) -> Iterator[tuple[Node, Node]]:
    """Yields the nodes of a model that has each block once.

    Yields:
        The node of a block's first instance, and that of its last.
    """
    for element in elements:
        if isinstance(element, Repeat):
            first, last = element.instances[0], element.instances[-1]
            yield from (
                (a, b)
                for (a, _), (_, b) in zip(
                    shortest(first), shortest(last), strict=True
                )
            )
        else:
            yield element, element


def length_of(element: Any) -> int:
    """Returns how many nodes an element has if it has each block once."""
    if isinstance(element, Repeat):
        return sum(map(length_of, element.instances[0]))
    return 1
