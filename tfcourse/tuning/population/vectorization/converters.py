"""How operations that `tf.vectorized_map` does one by one are done at once.

`tf.vectorized_map` has a rule for most operations, which turns the computation
of one member into that of all; what has no rule is run in a loop over the
members. Here are rules for what matters to small networks: convolutions with
filters of each member's own, random numbers from each member's own seed, and
what Keras's accuracies use. Anything else is written out member by member, and
named in the report.

The table of rules is TensorFlow's private one. It is changed only while a
program is traced, and then put back.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from tfcourse.tuning.population.vectorization import (
    Shape,
    Tensor,
    convolution,
    philox,
    pooling,
    sparse_quotients,
)
from tfcourse.tuning.population.vectorization.static_shapes import static_rules
from tfcourse.utils.tensorflow_private import (
    Operation,
    Rule,
    Rules,
    converted,
    fallback_rule,
    number_of_examples,
    outputs_of_same,
    vectorization_rules,
    vectorization_rules_replaced,
)

_lock = threading.RLock()
_LONGEST_WRITTEN_OUT = 128
# Eigen multiplies batches of matrices at some half the speed of one by one.
_MOST_PRODUCTS = 16
_SMALLEST_PRODUCT = 64 * 64


@contextlib.contextmanager
def converters(xla: bool) -> Iterator[set[str]]:
    """Puts the rules in place.

    Args:
        xla: Whether XLA will compile what is traced in this context.

    Yields:
        The set of the names of the operations that went one by one; it fills
        while the context lasts.
    """
    one_by_one: set[str] = set()

    def fallback(original: Rule) -> Rule:
        def rule(op: Operation, *args: Any, **kwargs: Any) -> Any:
            one_by_one.add(op.op_type)
            return _written_out(op) or original(op, *args, **kwargs)

        return rule

    with (
        _lock,
        contextlib.nullcontext()
        if xla
        else sparse_quotients.without_branches(),
        vectorization_rules_replaced(
            _rules(vectorization_rules(), xla), fallback
        ),
    ):
        yield one_by_one


def _rules(tensorflow_rules: Rules, xla: bool) -> Rules:
    rules = static_rules(tensorflow_rules) | {
        "Bitcast": _bitcast,
        "InTopKV2": _in_top_k,
        "Snapshot": functools.partial(_any_member, xla),
        "StatelessRandomGetKeyCounter": _key_and_counter,
    }
    for name, convert in [
        ("Conv2D", _conv2d),
        ("Conv2DBackpropInput", _conv2d_backprop_input),
        ("Conv2DBackpropFilter", _conv2d_backprop_filter),
    ]:
        rules[name] = functools.partial(convert, tensorflow_rules[name], xla)
    if xla:
        for name, numbers in [
            ("StatelessRandomUniformV2", philox.uniform),
            ("StatelessRandomNormalV2", philox.normal),
        ]:
            rules[name] = functools.partial(_random, numbers)
        for name, convert in [
            ("MaxPool", _max_pool),
            ("AvgPool", _average_pool),
            ("MaxPoolGrad", _max_pool_gradient),
            ("AvgPoolGrad", _average_pool_gradient),
        ]:
            rules[name] = functools.partial(convert, tensorflow_rules[name])
    else:
        rules["MatMul"] = functools.partial(_products, rules["MatMul"])
    return rules


def _written_out(op: Operation) -> list[Any] | None:
    """Returns the outputs, computed one member after another.

    None if that cannot be written out, or would be too long.
    """
    members = number_of_examples(op)
    odd = {tf.variant, tf.resource} & {x.dtype for x, _, _ in op.inputs}
    if members is None or members > _LONGEST_WRITTEN_OUT or odd:
        return None
    columns = [
        tf.unstack(x, num=members) if stacked else [x] * members
        for x, stacked, _ in op.inputs
    ]
    rows = [
        outputs_of_same(op, list(row)) for row in zip(*columns, strict=True)
    ]
    return [converted(tf.stack(out)) for out in zip(*rows, strict=True)]


def _products(rule: Rule, op: Operation) -> Any:
    """Few, but large ones are faster one by one, outside XLA.

    They are not counted as what is not vectorised: each fills a core.
    """
    (a, a_differs, _), (b, b_differs, _) = op.inputs
    members = number_of_examples(op)
    if (
        not (a_differs and b_differs)
        or members is None
        or members > _MOST_PRODUCTS
        or _size_of_weights(op, a, b) < _SMALLEST_PRODUCT
    ):
        return rule(op)
    return _written_out(op)


def _size_of_weights(op: Operation, a: Tensor, b: Tensor) -> int:
    """Returns how many numbers the matrix has that is no batch's."""
    out = op.outputs[0].shape
    return max(
        shape.num_elements() or 0 for shape in (a.shape[1:], b.shape[1:], out)
    )


def _bitcast(op: Operation) -> Any:
    return [
        converted(out) for out in outputs_of_same(op, [op.stacked_input(0)])
    ]


def _any_member(xla: bool, op: Operation) -> Any:
    """The rule for `cross_member.any_member`."""
    members = tf.constant([True]) if xla else op.stacked_input(0)
    return converted(tf.reduce_any(members), False)


def _in_top_k(op: Operation) -> Any:
    op.stack_inputs([0, 1])
    predictions, targets = op.stacked_input(0), op.stacked_input(1)
    rows = tf.reshape(predictions, [-1, tf.shape(predictions)[-1]])
    (out,) = outputs_of_same(
        op, [rows, tf.reshape(targets, [-1]), op.unstacked_input(2)]
    )
    return converted(tf.reshape(out, tf.shape(targets)))


def _key_and_counter(op: Operation) -> Any:
    keys, counters = philox.key_and_counter(op.stacked_input(0))
    return [converted(keys), converted(counters)]


def _random(numbers: Callable[..., Tensor], op: Operation) -> Any:
    if op.get_attr("dtype") != tf.float32 or op.inputs[0].is_stacked:
        return fallback_rule(op)
    op.stack_inputs([1, 2])
    shape = op.unstacked_input(0)
    return converted(numbers(shape, op.stacked_input(1), op.stacked_input(2)))


def _conv2d(tensorflow_rule: Rule, xla: bool, op: Operation) -> Any:
    (image, image_differs, _), (filters, filters_differ, _) = op.inputs
    if not filters_differ:
        return tensorflow_rule(op)
    if xla and _is_product(op, _of_one(op, 0), _of_one(op, 1)):
        out = convolution.convolve(image, filters, **_settings(op))
        return converted(out)
    if not image_differs and op.get_attr("data_format") == b"NHWC":
        return converted(_merged(op, image, filters))
    return fallback_rule(op)


def _conv2d_backprop_input(
    tensorflow_rule: Rule, xla: bool, op: Operation
) -> Any:
    if not op.inputs[1].is_stacked:
        return tensorflow_rule(op)
    shape = op.outputs[0].shape
    if not (xla and _is_product(op, shape, _of_one(op, 1))):
        return fallback_rule(op)
    op.stack_inputs([2])
    return converted(
        convolution.image_gradient(
            op.stacked_input(1),
            op.stacked_input(2),
            shape[1:],
            **_settings(op),
        )
    )


def _conv2d_backprop_filter(
    tensorflow_rule: Rule, xla: bool, op: Operation
) -> Any:
    shape = op.outputs[0].shape
    if xla and _is_product(op, _of_one(op, 0), shape):
        op.stack_inputs([2])
        out = convolution.filters_gradient(
            op.inputs[0].t, op.stacked_input(2), shape, **_settings(op)
        )
        return converted(out)
    return fallback_rule(op) if op.inputs[0].is_stacked else tensorflow_rule(op)


def _of_one(op: Operation, place: int) -> Shape:
    """Returns the shape of an input for one member."""
    shape = op.inputs[place].t.shape
    return shape[1:] if op.inputs[place].is_stacked else shape


def _is_product(op: Operation, image: Shape, filters: Shape) -> bool:
    """Whether `convolution` handles these shapes: not, e.g., with groups."""
    return (
        op.get_attr("data_format") == b"NHWC"
        and image[1:].is_fully_defined()
        and filters.is_fully_defined()
        and image[-1] == filters[-2]
    )


def _settings(op: Operation) -> dict[str, Any]:
    explicit = list(op.get_attr("explicit_paddings"))
    return {
        "strides": list(op.get_attr("strides"))[1:3],
        "dilations": list(op.get_attr("dilations"))[1:3],
        "padding": explicit[2:6] or op.get_attr("padding").decode(),
    }


def _merged(op: Operation, image: Tensor, filters: Tensor) -> Tensor:
    """One convolution to the channels of all: they see the same image."""
    members, n = filters.shape[0], filters.shape[-1]
    filters = tf.transpose(filters, [1, 2, 3, 0, 4])
    filters = tf.reshape(filters, [*filters.shape[:3], members * n])
    (out,) = outputs_of_same(op, [image, filters])
    examples, height, width, _ = tf.unstack(tf.shape(out))
    out = tf.reshape(out, [examples, height, width, members, n])
    return tf.transpose(out, [3, 0, 1, 2, 4])


def _max_pool(tensorflow_rule: Rule, op: Operation) -> Any:
    size = _window(op, _of_one(op, 0))
    if size is None:
        return tensorflow_rule(op)
    return converted(pooling.max_pool(op.stacked_input(0), size))


def _average_pool(tensorflow_rule: Rule, op: Operation) -> Any:
    size = _window(op, _of_one(op, 0))
    if size is None:
        return tensorflow_rule(op)
    return converted(pooling.average_pool(op.stacked_input(0), size))


def _max_pool_gradient(tensorflow_rule: Rule, op: Operation) -> Any:
    size = _window(op, _of_one(op, 0))
    if size is None:
        return tensorflow_rule(op)
    op.stack_inputs([0, 2])
    image, gradient = op.stacked_input(0), op.stacked_input(2)
    return converted(pooling.max_pool_gradient(image, gradient, size))


def _average_pool_gradient(tensorflow_rule: Rule, op: Operation) -> Any:
    shape = op.outputs[0].shape
    size = _window(op, shape)
    if size is None:
        return tensorflow_rule(op)
    return converted(
        pooling.average_pool_gradient(op.stacked_input(1), shape, size)
    )


def _window(op: Operation, image: Shape) -> list[int] | None:
    """Returns the size of the windows, or None where `pooling` has no form."""
    _, *size, channels = op.get_attr("ksize")
    plain = (
        op.get_attr("data_format") == b"NHWC"
        and op.get_attr("padding") == b"VALID"
        and list(op.get_attr("strides")) == [1, *size, channels]
        and channels == 1
        and image[1:].is_fully_defined()
    )
    return size if plain else None
