"""The elements of several models of a family, laid over each other."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.supernet.graph import Node
from tfcourse.tuning.supernet.repeats import (
    Element,
    Repeat,
    length_of,
    shortest,
)
from tfcourse.tuning.supernet.settings import gives_sequences

_MORE = "it has a block of layers more or less often than others"


@dataclasses.dataclass(eq=False)
class MergedNode:
    """A node that some or all members have.

    Attributes:
        place: As for `Node`.
        member: Which member it is connected as in.
        model: The node of that member.
        others: The nodes of all members that have it.
    """

    place: int
    member: int
    model: Node
    others: list[Node]


@dataclasses.dataclass(eq=False)
class MergedRepeat:
    """A block, as often as any member has it.

    Attributes:
        start: The place of its first node.
        stop: The place after its last one.
        fewest: How many instances all members have.
        instances: The elements of each.
        at_end: Whether the instances that all have are the last ones.
        exits: As for `Repeat`.
    """

    start: int
    stop: int
    fewest: int
    instances: "list[list[Merged]]"
    at_end: bool
    exits: int

    @property
    def has_exits(self) -> bool:
        """Whether members leave it after several numbers of instances."""
        return bool(self.exits) and self.fewest < len(self.instances)

    def is_optional(self, number: int) -> bool:
        """Whether some members do not have an instance."""
        if self.at_end:
            return number < len(self.instances) - self.fewest
        return number >= self.fewest

    def numbers(self, count: int) -> range:
        """Returns which instances a member with so many of them has."""
        first = len(self.instances) - count if self.at_end else 0
        return range(first, first + count)


Merged = MergedNode | MergedRepeat


def merge(models: Sequence[list[Element]]) -> list[Merged]:
    """Returns elements that those of each model can be found in."""
    return _merge(list(enumerate(models)), 0)


@dataclasses.dataclass
class Alignment:
    """Which elements of a merged model another model has.

    Attributes:
        nodes: For each of the merged nodes that it has, its own.
        counts: For each block, how many instances it has.
    """

    nodes: dict[MergedNode, Node]
    counts: dict[MergedRepeat, int]


def align(merged: list[Merged], elements: list[Element]) -> Alignment:
    """Returns where a model lies in a merged one.

    Raises:
        CannotVectorize: If it has blocks more often, or less often.
    """
    found = Alignment({}, {})
    _align(merged, list(elements), found)
    return found


def _align(
    merged: list[Merged], elements: list[Element], found: Alignment
) -> None:
    for part in merged:
        if isinstance(part, MergedNode):
            (node,) = _take(elements, 1)
            if isinstance(node, Repeat):
                raise CannotVectorize(_MORE)
            found.nodes[part] = node
            continue
        length = part.stop - part.start
        some = _take(elements, length)
        instances = _instances(some, length) or [some]
        count = len(instances)
        if not part.fewest <= count <= len(part.instances):
            raise CannotVectorize(_MORE)
        found.counts[part] = count
        for number, block in zip(part.numbers(count), instances, strict=True):
            _align(part.instances[number], list(block), found)


def _merge(models: list[tuple[int, list[Element]]], place: int) -> list[Merged]:
    merged: list[Merged] = []
    rests = [(member, list(elements)) for member, elements in models]
    while rests[0][1]:
        length = max(length_of(elements[0]) for _, elements in rests)
        exits = max(getattr(elements[0], "exits", 0) for _, elements in rests)
        taken = [(m, _take(elements, length)) for m, elements in rests]
        blocks = [(m, _instances(some, length)) for m, some in taken]
        if all(block is None for _, block in blocks):
            merged.append(_merged_node([(m, some[0]) for m, some in taken]))
        else:
            merged.append(
                _merged_repeat(
                    [
                        (m, block or [some])
                        for (m, some), (_, block) in zip(
                            taken, blocks, strict=True
                        )
                    ],
                    place,
                    length,
                    exits,
                )
            )
        place += length
    return merged


def _merged_node(nodes: list[tuple[int, Any]]) -> MergedNode:
    member, node = nodes[0]
    return MergedNode(node.place, member, node, [node for _, node in nodes])


def _merged_repeat(
    members: list[tuple[int, list[list[Element]]]],
    place: int,
    length: int,
    exits: int,
) -> MergedRepeat:
    members = sorted(members, key=lambda pair: -len(pair[1]))
    counts = [len(instances) for _, instances in members]
    at_end = any(_is_at_end(instances) for _, instances in members)
    if at_end and (
        exits
        or any(
            isinstance(element, Repeat)
            for _, instances in members
            for some in instances
            for element in some
        )
    ):
        raise CannotVectorize("its recurrent blocks repeat within others")
    repeat = MergedRepeat(
        place,
        place + length,
        min(counts),
        [[]] * counts[0],
        at_end,
        exits,
    )
    for number in range(counts[0]):
        some = []
        for member, instances in members:
            numbers = repeat.numbers(len(instances))
            if number in numbers:
                some.append((member, instances[number - numbers.start]))
        repeat.instances[number] = _merge(some, place)
    return repeat


def _is_at_end(instances: list[list[Element]]) -> bool:
    """Whether the last instance is unlike the others."""
    return len(instances) > 1 and any(
        gives_sequences(a.layer) != gives_sequences(b.layer)
        for (a, _), (b, _) in zip(
            shortest(instances[-2]), shortest(instances[-1]), strict=True
        )
    )


def _take(elements: list[Element], length: int) -> list[Element]:
    """Removes and returns the first elements, of so many nodes."""
    taken: list[Element] = []
    while length > 0:
        taken.append(elements.pop(0))
        length -= length_of(taken[-1])
    if length:
        raise CannotVectorize("its blocks of layers repeat in another way")
    return taken


def _instances(some: list[Element], length: int) -> list[list[Element]] | None:
    """Returns the instances of the one block that elements may be."""
    if len(some) == 1 and isinstance(some[0], Repeat):
        return some[0].instances
    return None if length == 1 else [some]


def alike(merged: Iterable[Merged]) -> Iterator[list[MergedNode]]:
    """Yields nodes, those of optional blocks with their likes."""
    for part in merged:
        if isinstance(part, MergedNode):
            yield [part]
        elif part.fewest == len(part.instances):
            for some in part.instances:
                yield from alike(some)
        else:
            by_place: dict[int, list[MergedNode]] = {}
            for node in nodes_of(part.instances):
                by_place.setdefault(node.place, []).append(node)
            yield from by_place.values()


def nodes_of(instances: Iterable[list[Merged]]) -> Iterator[MergedNode]:
    for some in instances:
        for part in some:
            if isinstance(part, MergedNode):
                yield part
            else:
                yield from nodes_of(part.instances)
