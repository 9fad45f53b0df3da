"""Which widths of a model's layers may differ between members."""

from typing import Any

from tfcourse.tuning.supernet.graph import Graph, Node, Output
from tfcourse.tuning.supernet.supported import Role, maps_zero_to_zero, role

# Which features there are, by the widths that they have; those that all
# members have by their number, in a tuple of its own.
Layout = tuple[Any, ...]


def free_widths(graph: Graph) -> set[Node]:
    """Returns the wide nodes whose zeros would do no harm.

    Whatever sees the features of such a node computes each by itself, or
    multiplies it with weights of its own.
    """
    classes = _Classes()
    layouts: dict[Output, Layout | None] = {}
    wide = {}
    for node in graph.nodes:
        before = [layouts[output] for output in node.inputs]
        after, number = _after(node, before, classes)
        if number is not None:
            wide[node] = number
        for i in range(len(node.shapes or [None])):
            layouts[Output(node, i)] = after
    for output in graph.outputs:
        classes.fix(layouts[output])
    return {node for node, number in wide.items() if classes.is_free(number)}


def _after(
    node: Node, before: list[Layout | None], classes: "_Classes"
) -> tuple[Layout | None, int | None]:
    """Returns the layout of a node's outputs, and its width if it has one."""
    kind = role(node)
    if kind is Role.WIDE:
        number = classes.new(is_free=maps_zero_to_zero(node.layer))
        return (number,), number
    if kind is Role.FEATURE_BY_FEATURE:
        return before[0], None
    if kind is Role.FLATTENS:
        return (("flat", before[0]) if before[0] else None), None
    for layout in before:
        classes.fix(layout)
    return None, None


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
