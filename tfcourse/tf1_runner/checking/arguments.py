"""Which arguments of a call its function does not take, today or put back."""

import inspect

# What every layer of Keras takes besides its own.
_OF_ANY_LAYER = {
    *("activity_regularizer", "autocast", "batch_input_shape", "batch_size"),
    *("dtype", "dynamic", "implementation", "input_dim", "input_dtype"),
    *("input_length", "input_shape", "name", "ragged", "sparse", "tensor"),
    *("time_major", "trainable", "weights", "cell"),
}


def refused(value: object, keywords: tuple[str | None, ...]) -> list[str]:
    """Returns the names of arguments that a function or class refuses.

    Only where that is sure: what takes `**kwargs` refuses none.

    Args:
        value: What is called.
        keywords: The names that it is given; None stands for `**kwargs`.
    """
    known = _known(value)
    if known is None or None in keywords:
        return []
    return [name for name in keywords if name not in known]


def _known(value):
    """Returns the names that are taken, or None if any may be."""
    layer = _layer()
    if inspect.isclass(value):
        if layer and issubclass(value, layer):
            return _of_layer(value)
        return _of_function(value.__init__)
    return _of_function(value) if callable(value) else None


def _layer():
    from tf_keras.api._v1 import keras

    return keras.layers.Layer


def _of_layer(kind):
    """A layer hands what it does not know to the class above."""
    from tf_keras.api._v1 import keras

    from tfcourse.tf1_runner.patches.keras import layer_arguments

    keras_has_it = kind.__module__.startswith(("tf_keras", "tfcourse"))
    if issubclass(kind, keras.Model) or not keras_has_it:
        return None  # A model takes what its makers take.
    known = _OF_ANY_LAYER | layer_arguments.arguments(kind.__name__)
    for above in kind.__mro__[:-1]:
        if "__init__" in vars(above):
            known |= {
                name
                for link in _chain(vars(above)["__init__"])
                for name in _parameters(link)
            }
    return known


def _of_function(function):
    chain = list(_chain(function))
    try:
        innermost = inspect.signature(chain[-1], follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    kinds = {p.kind for p in innermost.parameters.values()}
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return None
    known = set()
    for link in chain:
        known |= {*_parameters(link), *getattr(link, "_old_arguments", ())}
    return known


def _chain(function):
    """Yields a function, and what it wraps."""
    while function is not None:
        yield function
        function = getattr(function, "__wrapped__", None)


def _parameters(function):
    """Returns the names in a function's own head.

    `inspect.signature` would tell those of what it wraps, where a decorator has
    copied its signature.
    """
    code = getattr(function, "__code__", None)
    if code:
        return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    try:
        return [*inspect.signature(function, follow_wrapped=False).parameters]
    except (TypeError, ValueError):
        return []
