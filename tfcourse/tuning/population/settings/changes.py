"""Attributes that were changed, and can be as before for a while."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

_NONE = object()


class Changes:
    """What was changed in the attributes of some objects."""

    def __init__(self) -> None:
        self._found: list[tuple[dict[str, Any], str, Any, Any]] = []

    @contextlib.contextmanager
    def noted(self, owners: Iterable[Any]) -> Iterator[None]:
        """While it lasts, notes what changes in these objects."""
        before = {id(o): (vars(o), dict(vars(o))) for o in owners}
        yield
        for now, then in before.values():
            for name in now.keys() | then.keys():
                old, new = then.get(name, _NONE), now.get(name, _NONE)
                if old is not new:
                    self._found.append((now, name, old, new))

    def are_in(self, things: Iterable[Any]) -> bool:
        """Whether nothing but these objects was changed."""
        known = {id(vars(thing)) for thing in things}
        return all(id(attributes) in known for attributes, *_ in self._found)

    def touch(self, thing: Any) -> bool:
        """Whether an object was changed."""
        return any(attributes is vars(thing) for attributes, *_ in self._found)

    @contextlib.contextmanager
    def undone(self) -> Iterator[None]:
        """While it lasts, the attributes are as they were."""
        for attributes, name, old, _ in reversed(self._found):
            _set(attributes, name, old)
        try:
            yield
        finally:
            for attributes, name, _, new in self._found:
                _set(attributes, name, new)


def _set(attributes: dict[str, Any], name: str, value: Any) -> None:
    if value is _NONE:
        attributes.pop(name, None)
    else:
        attributes[name] = value
