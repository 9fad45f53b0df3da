"""The private names of TensorFlow: do they do what they are used for?"""

import numpy as np
import pytest
import tensorflow as tf

from tfcourse.utils.tensorflow_private import (
    called_graphs,
    converted,
    fallback_rule,
    in_xla_context,
    meta_graphs,
    number_of_examples,
    outputs_of_same,
    parts_of_dataset,
    vectorization_rules,
    vectorization_rules_replaced,
)


def test_reads_a_saved_model_without_running_it(tmp_path):
    model = tf.Module()
    spec = tf.TensorSpec([None, 2], name="x")
    double = tf.function(lambda x: {"y": 2 * x}, input_signature=[spec])
    model.double = double
    tf.saved_model.save(model, str(tmp_path), signatures={"double": double})

    (graph,) = meta_graphs((tmp_path / "saved_model.pb").read_bytes())

    assert "double" in graph.signature_def
    assert list(graph.signature_def["double"].inputs) == ["x"]


def test_no_saved_model_is_a_value_error():
    with pytest.raises(ValueError, match="."):
        meta_graphs(b"no such format")


def test_tells_what_xla_will_compile():
    seen = {}

    def step(name, x):
        seen[name] = in_xla_context()
        return x + 1

    for name, jit_compile in [("plain", None), ("compiled", True)]:
        tf.function(step, jit_compile=jit_compile)(name, tf.constant(1.0))
    assert seen == {"plain": False, "compiled": True}
    assert not in_xla_context()


def test_rules_are_replaced_for_a_while():
    before, seen = vectorization_rules(), []

    def doubled(op):
        seen.append(number_of_examples(op))
        (out,) = outputs_of_same(op, [2 * op.stacked_input(0)])
        return [converted(out)]

    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with vectorization_rules_replaced(
        {"Exp": doubled}, lambda original: original
    ):
        out = tf.vectorized_map(tf.exp, x)
    np.testing.assert_allclose(out, np.exp(2 * x.numpy()), rtol=1e-6)
    assert seen == [3]
    assert vectorization_rules() == before
    np.testing.assert_allclose(tf.vectorized_map(tf.exp, x), tf.exp(x))


def test_the_fallback_is_replaced_for_a_while():
    names = []

    def noting(original):
        def rule(op, *args, **kwargs):
            names.append(op.op_type)
            return original(op, *args, **kwargs)

        return rule

    def counts(x):
        # There is no rule for it.
        return tf.raw_ops.Bincount(
            arr=tf.cast(x, tf.int32),
            size=3,
            weights=tf.constant([], tf.float32),
        )

    x = tf.constant([[0, 1], [2, 2]])
    with vectorization_rules_replaced({}, noting):
        out = tf.vectorized_map(counts, x)
    assert names == ["Bincount"]
    np.testing.assert_array_equal(out, [[1, 1, 0], [0, 0, 2]])
    tf.vectorized_map(counts, x)
    assert names == ["Bincount"]


def test_applies_the_fallback():
    def one_by_one(op):
        return fallback_rule(op)

    x = tf.constant([1.0, 2.0])
    with vectorization_rules_replaced({"Exp": one_by_one}, lambda rule: rule):
        out = tf.vectorized_map(tf.exp, x)
    np.testing.assert_allclose(out, np.exp([1.0, 2.0]), rtol=1e-6)


def test_finds_the_graphs_that_an_operation_calls():
    def branches(x):
        return tf.cond(x > 0, lambda: tf.exp(x), lambda: tf.cos(x))

    graph = tf.function(branches).get_concrete_function(tf.constant(1.0)).graph
    found = {
        operation.type
        for outer in graph.get_operations()
        for inner in called_graphs(outer)
        for operation in inner.get_operations()
    }
    assert {"Exp", "Cos"} <= found


def test_a_dataset_is_told_by_its_parts():
    data = tf.data.Dataset.range(6).shuffle(3, seed=1).batch(2)
    data = data.map(lambda x: tf.cast(x, "float32") + tf.random.uniform([]))
    drawn, batch, shuffle, source = parts_of_dataset(data)
    assert [op.type for op in drawn.operations] == ["RandomUniform"]
    assert [part.kind for part in (drawn, batch, source)] == [
        "_MapDataset",
        "_BatchDataset",
        "_RangeDataset",
    ]
    assert batch.shuffle is source.shuffle is None
    assert shuffle.shuffle[2]
    assert any(shuffle.shuffle[:2])
    (fixed, _) = parts_of_dataset(
        tf.data.Dataset.range(6).shuffle(3, reshuffle_each_iteration=False)
    )
    assert fixed.shuffle[2] is False
