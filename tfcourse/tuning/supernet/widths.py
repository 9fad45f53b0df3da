"""Which widths of a model's layers may differ between members."""

from collections.abc import Mapping
from typing import Any

from tfcourse.tuning.supernet.graph import Graph, Node, Output
from tfcourse.tuning.supernet.supported import Role, computes_elements

# Which features there are, by the numbers of the widths that they have, and
# words for what is the same for all.
Layout = tuple[Any, ...]


def free_widths(graph: Graph, roles: Mapping[Node, Role]) -> set[Node]:
    """Returns the wide nodes whose zeros would do no harm.

    Whatever sees the features of such a node computes each by itself, or
    multiplies it with weights of its own.

    Args:
        graph: The graph.
        roles: The `role` of each of its nodes.
    """
    classes = _Classes()
    layouts: dict[Output, Layout | None] = {}
    wide = {}
    for node in graph.nodes:
        before = [layouts[output] for output in node.inputs]
        count = len(node.shapes or [None])
        if roles[node] is Role.WIDE:
            wide[node] = classes.new(is_free=computes_elements(node.layer))
            after = [_own(node, i, wide[node]) for i in range(count)]
        else:
            after = [_after(node, roles[node], before, classes)] * count
        for i, layout in enumerate(after):
            layouts[Output(node, i)] = layout
    for output in graph.outputs:
        classes.fix(layouts[output])
    return {node for node, number in wide.items() if classes.is_free(number)}


def _own(node: Node, output: int, number: int) -> Layout:
    """Returns the layout of an output of a wide node."""
    joined = getattr(node.layer, "merge_mode", None) == "concat"
    return (number, number) if joined and output == 0 else (number,)


def _after(
    node: Node, kind: Role, before: list[Layout | None], classes: "_Classes"
) -> Layout | None:
    """Returns the layout of the outputs of a node that is not wide."""
    if kind is Role.FEATURE_BY_FEATURE:
        return before[0]
    if kind is Role.FLATTENS:
        return before[0] and ("flat", before[0])
    if kind is Role.DEPTHWISE:
        times = node.layer.depth_multiplier
        return before[0] and ((f"each {times} times", before[0]),)
    if kind is Role.MERGES:
        for layout in before[1:]:
            classes.unite(before[0], layout)
        return before[0]
    if kind is Role.JOINS and any(before):
        return tuple(
            part
            for layout, output in zip(before, node.inputs, strict=True)
            for part in layout or (f"all {_width(output)}",)
        )
    for layout in before:
        classes.fix(layout)
    return None


def _width(output: Output) -> int | None:
    shapes = output.node.shapes
    return shapes[output.number][-1] if shapes else None


class _Classes:
    """Widths that must be equal, by number; some are the same for all."""

    def __init__(self) -> None:
        self._parents: list[int] = []
        self._fixed: set[int] = set()

    def new(self, is_free: bool) -> int:
        self._parents.append(len(self._parents))
        if not is_free:
            self._fixed.add(len(self._parents) - 1)
        return len(self._parents) - 1

    def is_free(self, number: int) -> bool:
        return self._root(number) not in self._fixed

    def unite(self, a: Any, b: Any) -> None:
        """Notes that two layouts are the same.

        If they are not of the same kind, all members have all of it.
        """
        if isinstance(a, int) and isinstance(b, int) and a != b:
            one, other = self._root(a), self._root(b)
            self._parents[other] = one
            if other in self._fixed:
                self._fixed.add(one)
        elif isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
            for one, other in zip(a, b, strict=True):
                self.unite(one, other)
        elif a != b:
            self.fix(a)
            self.fix(b)

    def fix(self, layout: Any) -> None:
        """Notes that all members have all of these features."""
        if isinstance(layout, int):
            self._fixed.add(self._root(layout))
        elif isinstance(layout, tuple):
            for part in layout:
                self.fix(part)

    def _root(self, number: int) -> int:
        while self._parents[number] != number:
            number = self._parents[number]
        return number
