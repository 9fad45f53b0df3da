"""Adding names to a library, and old arguments to its functions."""

import functools
import inspect

# What was put back so far, such as `np.float`, for the check.
PUT_BACK = set()
_SHORT = {"numpy": "np"}


def add(module, **names) -> None:
    """Gives a module, or a class, the names that it has not."""
    short = _SHORT.get(module.__name__, module.__name__)
    for name, value in names.items():
        # An alias that warns, or a lazy one, may be there but not listed.
        if name not in vars(module):
            setattr(module, name, value)
            PUT_BACK.add(f"{short}.{name}")


def taking(function, renamed=None, ignored=()):
    """Returns `function`, which takes old arguments besides its own.

    Arguments that have to be named today are taken by their position, too.

    Args:
        function: Of a library.
        renamed: From old names to those of today.
        ignored: Names of arguments that have no more effect.
    """
    if getattr(function, "_takes_old_arguments", False):
        return function
    renamed = renamed or {}
    most, names = _positions(function)

    @functools.wraps(function)
    def call(*args, **kwargs):
        more = args[most:] if names else ()
        kwargs.update(zip(names, more, strict=False))
        for old in {*renamed} & {*kwargs}:
            kwargs[renamed[old]] = kwargs.pop(old)
        for old in {*ignored} & {*kwargs}:
            del kwargs[old]
        return function(*(args[:most] if names else args), **kwargs)

    call._takes_old_arguments = True
    call._old_arguments = {*renamed, *ignored}
    return call


def _positions(function):
    """Returns how many arguments may be given by position, and what follows."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0, []
    kinds = [parameter.kind for parameter in parameters]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return 0, []
    named = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    before = {
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    }
    return sum(kind in before for kind in kinds), named
