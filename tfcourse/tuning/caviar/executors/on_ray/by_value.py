"""Sending code that workers cannot import: by its content, not by its name."""

import contextlib
import functools
import pathlib
import site
import sys
import sysconfig
import types
from collections.abc import Iterable, Iterator
from typing import Any

_OURS = "tfcourse"
_DEEPEST = 5
_INSTALLED = ("site-packages", "dist-packages")


def users_modules() -> list[types.ModuleType]:
    """Returns the loaded modules that nobody has installed."""
    return [m for m in list(sys.modules.values()) if _is_users(m)]


@contextlib.contextmanager
def by_value(pickler: Any, extra: Iterable[Any] = ()) -> Iterator[None]:
    """While it lasts, what is of users' modules is pickled by value.

    Args:
        pickler: The `cloudpickle` module.
        extra: Further modules, or their names.
    """
    given = [sys.modules[m] if isinstance(m, str) else m for m in extra]
    registered = {m.__name__: m for m in [*users_modules(), *given]}
    for module in registered.values():
        pickler.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in registered.values():
            pickler.unregister_pickle_by_value(module)


def beside(space: Any, pickler: Any) -> dict[str, bytes]:
    """Returns the modules that lie beside a search space's, pickled.

    A build may import them only as it runs, on a worker that has no such file.
    One that cannot be pickled is left out.

    Args:
        space: The search space.
        pickler: The `cloudpickle` module, within `by_value`.
    """
    folders = {
        pathlib.Path(sys.modules[name].__file__ or "").parent
        for name in _modules_of(space, _DEEPEST)
        if name in sys.modules and _is_users(sys.modules[name])
    }
    found = {}
    for module in users_modules():
        place = pathlib.Path(module.__file__ or "")
        if folders.isdisjoint(place.parents):
            continue
        # A module may hold anything: a lock, an open file.
        with contextlib.suppress(Exception):
            found[module.__name__] = pickler.dumps(module)
    return found


def _modules_of(value: Any, depth: int) -> set[str]:
    """Returns the names of modules that a space and what it holds are of."""
    if isinstance(value, functools.partial):
        value = value.func
    own = isinstance(value, (types.FunctionType, type))
    names = {value.__module__ if own else type(value).__module__}
    if depth and not own:
        held = getattr(value, "__dict__", {}).values()
        names.update(*(_modules_of(one, depth - 1) for one in held))
    return names


def _is_users(module: Any) -> bool:
    path = getattr(module, "__file__", None)
    name = getattr(module, "__name__", "")
    if not path or name in ("__main__", "__mp_main__"):
        return False
    if name.partition(".")[0] == _OURS or sys.modules.get(name) is not module:
        return False
    place = pathlib.Path(path)
    return (
        place.suffix == ".py"
        and not any(part in place.parts for part in _INSTALLED)
        and not any(root in place.parents for root in _installed())
    )


@functools.cache
def _installed() -> frozenset[pathlib.Path]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = [sysconfig.get_path(name) for name in names]
    return frozenset(map(pathlib.Path, [*paths, *site.getsitepackages()]))
