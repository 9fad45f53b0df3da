"""The rules for known shapes: what each member would have computed."""

import keras
import numpy as np
import pytest

if keras.config.backend() != "tensorflow":
    pytest.skip(
        "The rules are those of the TensorFlow engine.", allow_module_level=True
    )

import tensorflow as tf

from tfcourse.tuning.population.vectorization import converters as module
from tfcourse.tuning.population.vectorization.converters import converters
from tfcourse.tuning.population.vectorization.static_shapes import static_rules
from tfcourse.utils.tensorflow_private import vectorization_rules

K = 3
SHARED = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
OPERATIONS = {
    "All": lambda a: tf.reduce_all(a > -2, 0),
    "Any": lambda a: tf.reduce_any(a > 1, -1),
    "ArgMax": lambda a: tf.argmax(a, -1),
    "ArgMin": lambda a: tf.argmin(a, 0),
    "BiasAddGrad": lambda a: tf.raw_ops.BiasAddGrad(out_backprop=a),
    "BroadcastTo": lambda a: tf.broadcast_to(a[:, :1], [4, 7]),
    "BroadcastTo from fewer axes": lambda a: tf.broadcast_to(a[0], [2, 6]),
    "ConcatV2": lambda a: tf.concat([a, SHARED[:4, :2]], -1),
    "Max": lambda a: tf.reduce_max(a, 1, keepdims=True),
    "Mean": lambda a: tf.reduce_mean(a, [0, -1]),
    "MatMul": lambda a: tf.matmul(SHARED, a),
    "MatMul transposed": lambda a: (
        tf.matmul(SHARED, a, transpose_b=True)
        if a.shape[1] == 4
        else tf.matmul(SHARED[:4], a, transpose_a=True)
    ),
    "MatMul with itself": lambda a: tf.matmul(a, a, transpose_a=True),
    "Min": lambda a: tf.reduce_min(a, -2),
    "Prod": lambda a: tf.reduce_prod(a),
    "Reshape": lambda a: tf.reshape(a, [2, 12]),
    "Reshape with an open axis": lambda a: tf.reshape(a, [-1, 3]),
    "Shape": lambda a: a * tf.cast(tf.shape(a)[1], a.dtype),
    "Split": lambda a: tf.split(a, 3, 1)[1],
    "SplitV": lambda a: tf.split(a, [1, 5], -1)[1],
    "StridedSlice": lambda a: a[1],
    "StridedSlice with all masks": lambda a: a[..., tf.newaxis, 1:-1:2],
    "StridedSlice backwards": lambda a: a[::-1, -2],
    "StridedSliceGrad": lambda a: _gradient(a, lambda b: b[1:3, 2]),
    "StridedSliceGrad with all masks": lambda a: _gradient(
        a, lambda b: b[..., tf.newaxis, :-1:2]
    ),
    "Sum": lambda a: tf.reduce_sum(a, -1),
}


def _gradient(a, function):
    with tf.GradientTape() as tape:
        tape.watch(a)
        out = tf.reduce_sum(tf.square(function(a)))
    return tape.gradient(out, a)


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("members", [K, None])
@pytest.mark.parametrize("name", OPERATIONS)
def test_of_all_members_is_what_each_gives(
    rng, monkeypatch, name, members, xla
):
    operation = OPERATIONS[name]
    monkeypatch.setattr(module, "_SMALLEST_PRODUCT", 1)
    x = rng.normal(size=(K, 4, 6)).astype("float32")

    def of_all(x):
        with converters(xla) as one_by_one:
            out = tf.vectorized_map(operation, x)
        assert not one_by_one
        return out

    program = tf.function(of_all, autograph=False).get_concrete_function(
        tf.TensorSpec([members, 4, 6])
    )
    expected = [operation(tf.constant(row)) for row in x]
    np.testing.assert_allclose(program(x), expected, rtol=2e-6, atol=1e-6)


def test_every_rule_is_tried_here():
    rules = static_rules(vectorization_rules())
    assert {name.split()[0] for name in OPERATIONS} == set(rules)


def test_axes_that_are_not_known_go_by_tensorflows_rule(rng):
    x = rng.normal(size=(K, 4, 6)).astype("float32")

    @tf.function
    def program(x, axis):
        with converters(xla=False):
            return tf.vectorized_map(lambda a: tf.reduce_sum(a, axis), x)

    np.testing.assert_allclose(
        program(x, tf.constant([-1])), x.sum(-1), rtol=1e-5, atol=1e-6
    )


def test_few_large_products_are_written_out(rng):
    x = rng.normal(size=(K, 64, 64)).astype("float32")

    def kinds(xla, members=K):
        def of_all(x):
            with converters(xla) as one_by_one:
                out = tf.vectorized_map(lambda a: tf.matmul(a, a), x)
            assert not one_by_one
            return out

        program = tf.function(of_all, autograph=False).get_concrete_function(
            tf.TensorSpec([members, 64, 64])
        )
        np.testing.assert_allclose(program(x), x @ x, rtol=1e-4, atol=1e-4)
        types = [o.type for o in program.graph.get_operations()]
        # One more is that of the member which was traced.
        return types.count("MatMul") - 1, types.count("BatchMatMulV2")

    assert kinds(xla=False) == (K, 0)
    assert kinds(xla=True) == (0, 1)
    assert kinds(xla=False, members=None) == (0, 1)
