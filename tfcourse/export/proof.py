"""Does a written model answer as the model does?"""

import numpy as np

from tfcourse.errors import InputError

# Where a model takes any length, e.g. of a sequence or an image.
_LENGTH = 32
# How far float16 arithmetic in another order may lead, and float32.
_TOLERANCES = {"float16": 1e-2, "bfloat16": 5e-2}


def check_equal(model, ports, path):
    """Raises unless the model at `path` returns what `model` returns.

    On a random sample, with and without XLA.

    Raises:
        InputError: If it does not.
    """
    import tensorflow as tf

    sample = sample_of(ports)
    expected = ports.call(*sample)
    loaded = tf.saved_model.load(path)
    # In two parts, because an example's answer must not depend on others.
    parts = [[x[:1] for x in sample], [x[1:] for x in sample]]
    _compare(model, expected, [loaded.serve(*part) for part in parts], "")
    compiled = tf.function(loaded.serve, jit_compile=True)
    try:
        answer = compiled(*sample)
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
        return  # It has an operation that XLA does not know.
    _compare(model, expected, [answer], " under XLA")


def compare_on_sample(model, ports, call):
    """Raises unless `call` returns what `model` does, on a random sample.

    Raises:
        InputError: If it does not.
    """
    sample = sample_of(ports)
    _compare(model, ports.call(*sample), [call(*sample)], "")


def sample_of(ports):
    """Returns random examples for the inputs of a model, an array each."""
    return [
        _some(shape, dtype)
        for shape, dtype in zip(ports.shapes, ports.dtypes, strict=True)
    ]


def _some(shape, dtype):
    rng = np.random.default_rng(0)
    shape = [3, *(_LENGTH if size is None else size for size in shape[1:])]
    if np.issubdtype(np.dtype(_numpy_name(dtype)), np.floating):
        return rng.normal(size=shape).astype(_numpy_name(dtype))
    # Words, classes: 0 and 1 are in any vocabulary.
    return rng.integers(0, 2, size=shape).astype(_numpy_name(dtype))


def _numpy_name(dtype):
    return "float32" if dtype == "bfloat16" else dtype


def _compare(model, expected, parts, where):
    for name, wanted in expected.items():
        dtype = wanted.dtype.name
        wanted = np.asarray(wanted).astype("float64")
        actual = np.concatenate(
            [np.asarray(part[name]).astype("float64") for part in parts]
        )
        tolerance = _TOLERANCES.get(_least_precise(model, dtype), 1e-5)
        # Relative to the largest, as sums of many terms round alike.
        scale = max(1.0, np.abs(wanted).max(initial=0))
        error = np.abs(actual - wanted).max(initial=0)
        # So written that a NaN where there was none is an error too.
        if not (error <= tolerance * scale or _same_gaps(actual, wanted)):
            raise InputError(
                f"The exported model returns other values than {model.name!r}"
                f"{where}, by up to {error:.2g} in `{name}`. Does the model "
                "behave at random, or depend on the batch, at inference?"
            )


def _least_precise(model, dtype):
    computes = {layer.compute_dtype for layer in model._flatten_layers()}
    half = computes & set(_TOLERANCES)
    return half.pop() if half else dtype


def _same_gaps(actual, wanted):
    return np.allclose(actual, wanted, rtol=1e-4, atol=1e-5, equal_nan=True)
