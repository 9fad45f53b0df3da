"""Does a written model answer as the model does?"""

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tfcourse.errors import InputError
from tfcourse.export.model_signature import ModelSignature
from tfcourse.utils.keras_private import every_layer
from tfcourse.utils.literal_paths import without_pattern
from tfcourse.utils.text import first_line

# Tried in turn where a model takes any length, e.g. of a sequence or an
# image: some know of no later position, others make an image much smaller.
_LENGTHS = (32, 8, 256)
# How far float16 arithmetic in another order may lead, and float32.
_TOLERANCES = {"float16": 1e-2, "bfloat16": 5e-2}


def check_equal(
    model: keras.Model, signature: ModelSignature, path: str | os.PathLike
) -> None:
    """Raises unless the model at `path` returns what `model` returns.

    On a random sample, with and without XLA.

    Raises:
        InputError: If it does not.
    """
    import tensorflow as tf

    sample, expected = call_on_sample(model, signature)
    with without_pattern(path) as literal:
        loaded = tf.saved_model.load(literal)
    # In two parts, because an example's answer must not depend on others.
    parts = [[x[:1] for x in sample], [x[1:] for x in sample]]
    parts = [loaded.serve(signature.pack(part)) for part in parts]
    _compare(model, expected, parts, "")
    if "string" in signature.dtypes:
        return  # XLA ends the process when it is given text.
    compiled = tf.function(loaded.serve, jit_compile=True)
    try:
        answer = compiled(signature.pack(sample))
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
        return  # It has an operation that XLA does not know.
    _compare(model, expected, [answer], " under XLA")


def compare_on_sample(
    model: keras.Model,
    signature: ModelSignature,
    call: Callable[[Any], dict[str, Any]],
) -> None:
    """Raises unless `call` returns what `model` does, on a random sample.

    Raises:
        InputError: If it does not.
    """
    sample, expected = call_on_sample(model, signature)
    _compare(model, expected, [call(signature.pack(sample))], "")


def call_on_sample(
    model: keras.Model, signature: ModelSignature
) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Returns random examples, an array an input, and what `model` returns.

    Raises:
        InputError: If it cannot be called on them.
    """
    for length in _LENGTHS:
        sample = [
            _some(shape, dtype, length)
            for shape, dtype in zip(
                signature.shapes, signature.dtypes, strict=True
            )
        ]
        try:
            return sample, signature.call(signature.pack(sample))
        except Exception as error:  # Anything that a layer may raise.
            reason = error
    raise InputError(
        f"The model {model.name!r} cannot be called on any number of examples "
        f"of shape {', '.join(str(shape[1:]) for shape in signature.shapes)}, "
        f"given as one argument: {first_line(reason) or type(reason).__name__}"
    ) from reason


def _some(shape, dtype, length):
    rng = np.random.default_rng(0)
    shape = [3, *(length if size is None else size for size in shape[1:])]
    if dtype == "string":
        return rng.choice(["a", "b"], size=shape)
    if np.issubdtype(np.dtype(_numpy_name(dtype)), np.floating):
        return rng.normal(size=shape).astype(_numpy_name(dtype))
    # Words, classes: 0 and 1 are in any vocabulary.
    return rng.integers(0, 2, size=shape).astype(_numpy_name(dtype))


def _numpy_name(dtype):
    return "float32" if dtype == "bfloat16" else dtype


def _compare(model, expected, parts, where):
    for name, wanted in expected.items():
        dtype = wanted.dtype.name
        wanted = np.asarray(wanted)
        actual = np.concatenate([np.asarray(part[name]) for part in parts])
        if wanted.dtype == object:  # Text.
            wanted, actual = np.zeros(()), np.float64(wanted != actual)
        wanted, actual = wanted.astype("float64"), actual.astype("float64")
        tolerance = _TOLERANCES.get(_least_precise(model, dtype), 1e-5)
        # Relative to the largest, as sums of many terms round alike.
        scale = max(1.0, np.abs(wanted).max(initial=0))
        error = np.abs(actual - wanted).max(initial=0)
        # So written that a NaN where there was none is an error too.
        if not (error <= tolerance * scale or _same_gaps(actual, wanted)):
            raise InputError(
                "The exported model returns different values from "
                f"{model.name!r}{where}, by up to {error:.2g} in `{name}`. Is "
                "the model random at inference, or does it depend on the rest "
                "of the batch?"
            )


def _least_precise(model, dtype):
    computes = {layer.compute_dtype for layer in every_layer(model)}
    half = computes & set(_TOLERANCES)
    return half.pop() if half else dtype


def _same_gaps(actual, wanted):
    return np.allclose(actual, wanted, rtol=1e-4, atol=1e-5, equal_nan=True)
