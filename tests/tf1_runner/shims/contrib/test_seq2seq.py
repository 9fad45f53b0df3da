"""Decoders, attention, tags and old idioms: one process runs them all."""

import itertools
import json
import py_compile
import textwrap

import numpy as np
import pytest

from tfcourse.tf1_runner import run_script
from tfcourse.tf1_runner.source.python_2 import in_python_3

# One process serves all of them.
pytestmark = pytest.mark.xdist_group("sequences")

HELPER = """
def half(x):
    if x < 0:
        print "negative"
    return x / 2

def halve(x):
    x["of"] /= 2
    return x["of"]
"""

SCRIPT = """
import json, sys
import numpy as np
import tensorflow as tf
from helper_of_python_2 import half, halve
from helper_with_bytecode import whole

results = {}
seq2seq, crf, learn = tf.contrib.seq2seq, tf.contrib.crf, tf.contrib.learn
rng = np.random.RandomState(0)


def fresh():
    tf.reset_default_graph()
    tf.set_random_seed(2)


def run(name, **tensors):
    tensors["variables"] = {v.op.name: v for v in tf.trainable_variables()}
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run(tensors)
    listed = lambda value: np.asarray(value).tolist()
    results[name] = tf.nest.map_structure(listed, values)


# A chain of tags; the last two sequences have one tag and none.
x = rng.randn(4, 5, 3).astype("float32")
y, lengths = rng.randint(0, 3, (4, 5)), np.array([5, 3, 1, 0])
A = rng.randn(3, 3).astype("float32")
X = tf.placeholder_with_default(x, [None, None, 3])
likelihood, _ = crf.crf_log_likelihood(X, tf.constant(y), lengths, A)
tags, score = crf.crf_decode(X, tf.constant(A), tf.constant(lengths))
run(
    "tags",
    x=tf.constant(x), y=tf.constant(y), A=tf.constant(A),
    likelihood=likelihood, tags=tags, score=score,
    viterbi=tf.constant(crf.viterbi_decode(x[0], A)[0]),
)

# A decoder that is given its inputs.
inputs = rng.randn(3, 5, 2).astype("float32")
memory = rng.randn(3, 7, 4).astype("float32")
steps, seen = np.array([5, 2, 4]), np.array([7, 3, 5])
fresh()
X = tf.placeholder_with_default(inputs, [None, None, 2])
cell = tf.nn.rnn_cell.BasicRNNCell(4)
helper = seq2seq.TrainingHelper(X, steps)
outputs, state, ends = seq2seq.dynamic_decode(
    seq2seq.BasicDecoder(
        cell, helper, cell.zero_state(3, tf.float32), tf.layers.Dense(6)
    ),
    impute_finished=True,
)
run(
    "training", inputs=tf.constant(inputs), outputs=outputs.rnn_output,
    ids=outputs.sample_id, state=state, ends=ends,
)

# A decoder that reads what it said, and looks at a memory.
for attention, options in [
    (seq2seq.BahdanauAttention, {}),
    (seq2seq.BahdanauAttention, {"normalize": True}),
    (seq2seq.LuongAttention, {"scale": True}),
]:
    fresh()
    cell = seq2seq.AttentionWrapper(
        tf.nn.rnn_cell.BasicRNNCell(4),
        attention(4, tf.constant(memory), seen, **options),
        attention_layer_size=3,
        alignment_history=True,
    )
    embedding = tf.get_variable("embedding", [6, 2])
    outputs, state, ends = seq2seq.dynamic_decode(
        seq2seq.BasicDecoder(
            cell,
            seq2seq.GreedyEmbeddingHelper(embedding, [1, 2, 3], 5),
            cell.zero_state(3, tf.float32).clone(cell_state=tf.ones([3, 4])),
            tf.layers.Dense(6, use_bias=False),
        ),
        maximum_iterations=4,
    )
    run(
        "-".join([attention.__name__, *options]),
        memory=tf.constant(memory), outputs=outputs.rnn_output,
        ids=outputs.sample_id, weights=state.alignment_history.stack(),
    )

# All sequences of three words out of three.
fresh()
wide = lambda scale: tf.random_normal_initializer(0, scale)
cell = tf.nn.rnn_cell.BasicRNNCell(4)
embedding = tf.get_variable("embedding", [3, 2], initializer=wide(1))
start = seq2seq.tile_batch(tf.constant(memory[:2, 0]), 9)
decoder = seq2seq.BeamSearchDecoder(
    cell, embedding, [0, 1], 2, start, 9,
    tf.layers.Dense(3, kernel_initializer=wide(2)), length_penalty_weight=0.5,
)
outputs, _, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=3)
scores = outputs.beam_search_decoder_output.scores
run(
    "beams", memory=tf.constant(memory), ids=outputs.predicted_ids,
    scores=scores[:, -1],
)

# What estimators of that time had beside them.
words = learn.preprocessing.VocabularyProcessor(4, min_frequency=1)
rows = words.fit_transform(["b a TensorFlow", "a b a c d e", "a b"])
fresh()
results["learn"] = {
    "rows": [row.tolist() for row in rows],
    "words": list(words.reverse([[1, 2, 0]])),
    "run_n": [float(v["x"]) for v in learn.run_n({"x": tf.constant(3)}, n=2)],
}
features = rng.randn(100, 3)
regressor = learn.LinearRegressor(
    learn.infer_real_valued_columns_from_input(features),
    optimizer=tf.train.GradientDescentOptimizer(0.1),
)
regressor.fit(features, features @ [1, 2, 3], steps=80, batch_size=100)
results["learn"]["weights"] = regressor.get_variable_value(
    "linear//weight"
).tolist()

# Three layers, each with its own weights.
fresh()
cell = tf.nn.rnn_cell.DropoutWrapper(
    tf.nn.rnn_cell.GRUCell(4), tf.placeholder_with_default(1.0, [])
)
cell = tf.nn.rnn_cell.MultiRNNCell([cell] * 3)
tf.nn.dynamic_rnn(cell, tf.constant(inputs), dtype=tf.float32)
results["stack"] = [
    v.shape.as_list() for v in tf.trainable_variables() if "gates/k" in v.name
]

# Cells whose state is one tensor, and that were told the size of their input.
from tensorflow.models.rnn import rnn_cell

fresh()
class OwnCell(rnn_cell.BasicLSTMCell):
    pass


cells = tf.nn.rnn_cell
stack = rnn_cell.MultiRNNCell([OwnCell(4, 0.0, 3)] * 2)
_, state = stack(tf.ones([3, 4]), stack.zero_state(3, tf.float32))
results["cells"] = [
    state.shape.as_list(),
    isinstance(OwnCell(4), rnn_cell.BasicLSTMCell),
    cells.BasicLSTMCell(4, 0.0, None, False).state_size,
    cells.LSTMCell(4, None, True)._use_peepholes,
    cells.LSTMCell(4, True)._use_peepholes,
    cells.GRUCell(4, input_size=3).state_size,
    cells.GRUCell(4, None, True)._reuse,
    cells.BasicRNNCell(4, 3, tf.nn.relu)._activation is tf.nn.relu,
]

# Attention that moves on, by any of its forms.
fresh()
chances, before = rng.rand(2, 5), rng.dirichlet(np.ones(5), 2)
looks = seq2seq.BahdanauMonotonicAttention(4, tf.constant(memory), seen)
first = looks.initial_alignments(3, tf.float32)
run(
    "monotonic", p=tf.constant(chances), before=tf.constant(before),
    hard=seq2seq.monotonic_attention(chances.round(), before.round(), "hard"),
    looks=looks(tf.ones([3, 4]), first)[0],
    **{
        mode: seq2seq.monotonic_attention(chances, before, mode)
        for mode in ("recursive", "parallel")
    }
)

# Estimators that find out themselves how wide their data are.
line = learn.TensorFlowLinearRegressor(
    steps=80, batch_size=100, optimizer="SGD", verbose=0
)
line.fit(features, features @ [1, 2, 3])
classes = learn.DNNClassifier(hidden_units=[4], n_classes=2)
classes.fit(features, features[:, 0] > 0, steps=1)
results["skflow"] = [
    line.predict(features[:3]).tolist(), classes.predict(features).shape[0],
    (features[:3] @ [1, 2, 3]).tolist(),
]

# Names and arguments that are older than TensorFlow 1.0, or went with contrib.
from sklearn.cross_validation import train_test_split
from tensorflow.contrib import predictor

fresh()
pieces = tf.TensorArray(tf.int32, 2).unpack(tf.constant([[1, 2], [3, 4]]))
sparse = tf.SparseTensor(indices=[[1]], values=[5], shape=[3])
x = tf.placeholder(tf.float32, [None])
y = x * tf.get_variable("two", [], initializer=tf.constant_initializer(2))
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    saved = sys.argv[1] + "-model"
    tf.saved_model.simple_save(session, saved, {"x": x}, {"y": y})
    old = session.run([
        tf.reverse(pieces.pack(), dims=[False, True]),
        tf.sparse_tensor_to_dense(sparse),
    ])
np.savez(sys.argv[1] + ".npz", np.arange(2))
results["old names"] = [value.tolist() for value in [
    *old,
    predictor.from_saved_model(saved)({"x": [3, 4]})["y"],
    np.load(sys.argv[1] + ".npz").items()[0][1],
    train_test_split(np.arange(4), test_size=0.25, random_state=0)[1],
]]

one = np.array([[2.5]])
floats, integers = np.ones(1), np.array([5])
results["idioms"] = [
    half(7), half(7.0), int(one), float(one), "%.2f" % one,
    "%d %s" % (one, one), len(np.zeros(2).tostring()), "%s" % one,
    halve({"of": 7}), whole(one),
    halve({"of": floats}) is floats, halve({"of": integers}).tolist(),
]

with open(sys.argv[1], "w") as file:
    json.dump(results, file)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sequences")
    (folder / "helper_of_python_2.py").write_text(HELPER)
    helper = folder / "helper_with_bytecode.py"
    helper.write_text("def whole(x):\n    return int(x)\n")
    py_compile.compile(helper)  # As Python leaves it, which knows no idioms.
    (folder / "course.py").write_text(textwrap.dedent(SCRIPT))

    assert run_script(folder / "course.py", [folder / "results.json"]) == 0

    return json.loads((folder / "results.json").read_text())


def arrays(values):
    return {
        name: arrays(value) if isinstance(value, dict) else np.array(value)
        for name, value in values.items()
    }


def variable(of, name):
    (value,) = (v for key, v in of["variables"].items() if key.endswith(name))
    return value


def recurrent(of, inputs, state):
    rows = np.concatenate([inputs, state], -1)
    kernel = variable(of, "basic_rnn_cell/kernel")
    return np.tanh(rows @ kernel + variable(of, "basic_rnn_cell/bias"))


def softmax(scores):
    powers = np.exp(scores)
    return powers / powers.sum(-1, keepdims=True)


def test_tags_have_the_probability_of_their_score_among_all(results):
    of = arrays(results["tags"])
    for x, y, likelihood, tags, score, length in zip(
        *(of[n] for n in ["x", "y", "likelihood", "tags", "score"]),
        [5, 3, 1, 0],
        strict=True,
    ):
        scores = {
            way: sum(x[t, tag] for t, tag in enumerate(way))
            + sum(of["A"][pair] for pair in itertools.pairwise(way))
            for way in itertools.product(range(3), repeat=length)
        }
        total = np.log(np.sum(np.exp(list(scores.values()))))
        best = max(scores, key=scores.get)
        np.testing.assert_allclose(
            likelihood, scores[tuple(y[:length])] - total, atol=2e-6
        )
        if length:
            assert tags.tolist() == [*best, *[0] * (5 - length)]
            np.testing.assert_allclose(score, scores[best], rtol=1e-6)
    assert of["viterbi"].tolist() == of["tags"][0].tolist()


def test_a_decoder_follows_its_inputs_until_each_ends(results):
    of, state = arrays(results["training"]), np.zeros((3, 4))
    lengths = np.array([5, 2, 4])
    for time in range(5):
        goes_on = (time < lengths)[:, None]
        next_state = recurrent(of, of["inputs"][:, time], state)
        state = np.where(goes_on, next_state, state)
        logits = next_state @ variable(of, "dense/kernel")
        logits = np.where(goes_on, logits + variable(of, "dense/bias"), 0)
        np.testing.assert_allclose(of["outputs"][:, time], logits, atol=1e-6)
        assert of["ids"][:, time].tolist() == logits.argmax(-1).tolist()
    np.testing.assert_allclose(of["state"], state, atol=1e-6)
    assert of["ends"].tolist() == [5, 2, 4]


def bahdanau(of, query, keys):
    query = query @ variable(of, "query_layer/kernel")
    return np.tanh(keys + query[:, None]) @ variable(of, "attention_v")


def bahdanau_normalized(of, query, keys):
    query = query @ variable(of, "query_layer/kernel")
    v = variable(of, "attention_v")
    v = variable(of, "attention_g") * v / np.sqrt(np.sum(v**2))
    b = variable(of, "attention_b")
    return np.tanh(keys + query[:, None] + b) @ v


def luong(of, query, keys):
    scores = np.einsum("bh,bth->bt", query, keys)
    return variable(of, "attention_g") * scores


@pytest.mark.parametrize(
    "name, score",
    [
        ("BahdanauAttention", bahdanau),
        ("BahdanauAttention-normalize", bahdanau_normalized),
        ("LuongAttention-scale", luong),
    ],
)
def test_a_decoder_looks_at_what_it_scores_highest(results, name, score):
    of = arrays(results[name])
    inside = np.arange(7) < np.array([7, 3, 5])[:, None]
    memory = of["memory"] * inside[..., None]
    keys = memory @ variable(of, "memory_layer/kernel")
    state, attention = np.ones((3, 4)), np.zeros((3, 3))
    words = np.array([1, 2, 3])
    for time in range(of["ids"].shape[1]):
        word = variable(of, "embedding")[words]
        state = recurrent(of, np.concatenate([word, attention], 1), state)
        scores = np.where(inside, score(of, state, keys), -np.inf)
        weights = softmax(scores)
        context = np.einsum("bt,bth->bh", weights, memory)
        both = np.concatenate([state, context], 1)
        attention = both @ variable(of, "attention_layer/kernel")
        logits = attention @ variable(of, "dense/kernel")
        np.testing.assert_allclose(of["weights"][time], weights, atol=1e-5)
        np.testing.assert_allclose(of["outputs"][:, time], logits, atol=1e-5)
        words = logits.argmax(-1)
        assert of["ids"][:, time].tolist() == words.tolist()


def test_a_beam_as_wide_as_all_finds_the_likeliest_sequences(results):
    of = arrays(results["beams"])
    end = 2
    for example, start in enumerate([0, 1]):
        found = {}
        for way in itertools.product(range(3), repeat=3):
            if end in way:  # What ended goes on with the end.
                first = way.index(end)
                if set(way[first:]) != {end}:
                    continue
            state, word, total = of["memory"][example, 0], start, 0.0
            for said in way:
                vector = variable(of, "embedding")[word]
                state = recurrent(of, vector, state)
                logits = state @ variable(of, "dense/kernel")
                logits = logits + variable(of, "dense/bias")
                if word != end:
                    total += np.log(softmax(logits)[said])
                word = said
            # An end counts from the step after its own.
            length = sum(word != end for word in way) + (end in way[:-1])
            found[way] = total / ((5 + length) / 6) ** 0.5
        best = sorted(found, key=found.get, reverse=True)[:9]
        ids = of["ids"][example].T
        assert [tuple(way) for way in ids.tolist()][:5] == best[:5]
        np.testing.assert_allclose(
            of["scores"][example][:5], [found[w] for w in best[:5]], atol=1e-5
        )


def test_documents_become_rows_of_their_frequent_words(results):
    # "a" comes four times and "b" thrice; the others once.
    assert results["learn"]["rows"] == [
        [2, 1, 0, 0],
        [1, 2, 1, 0],
        [1, 2, 0, 0],
    ]
    assert results["learn"]["words"] == ["a b <UNK>"]


def test_the_loss_of_old_estimators_is_a_mean(results):
    # With the sum of a hundred, this rate would diverge.
    np.testing.assert_allclose(
        results["learn"]["weights"], [[1], [2], [3]], atol=1e-3
    )
    assert results["learn"]["run_n"] == [3, 3]


def test_a_cell_that_is_stacked_thrice_is_three_layers(results):
    assert results["stack"] == [[6, 8], [8, 8], [8, 8]]


def test_cells_take_the_size_of_their_input(results):
    assert results["cells"] == [[3, 16], True, 8, True, True, 4, True, True]


def test_monotonic_attention_has_the_weights_of_its_recursion(results):
    found = {k: np.array(v) for k, v in results["monotonic"].items()}
    p, before = found["p"], found["before"]
    expected, q = np.zeros_like(p), np.zeros(2)
    for place in range(5):
        q = q * (1 - p[:, place - 1]) + before[:, place]
        expected[:, place] = p[:, place] * q

    np.testing.assert_allclose(found["recursive"], expected)
    np.testing.assert_allclose(found["parallel"], expected)
    assert set(found["hard"].ravel()) <= {0, 1}
    # The second has three steps.
    assert (found["looks"][1, 3:] == 0).all()
    assert 0 < found["looks"][1, :3].sum() < 1


def test_an_estimator_finds_its_columns(results):
    predicted, count, expected = results["skflow"]
    np.testing.assert_allclose(predicted, expected, atol=1e-3)
    assert count == 100


def test_old_names_and_arguments_do_what_they_did(results):
    assert results["old names"] == [
        [[2, 1], [4, 3]],
        [0, 5, 0],
        [6, 8],
        [0, 1],
        [2],
    ]


def test_arrays_of_one_are_numbers_and_whole_quotients_whole(results):
    assert results["idioms"] == [
        *[3, 3.5, 2, 2.5, "2.50", "2 [[2.5]]", 16, "[[2.5]]", 3, 2, True, [2]]
    ]


def test_python_2_is_told_by_what_only_it_can_read():
    old = ['print "a", 7 / 2', "for k in d.iterkeys(): pass"]
    new = ["print('a', 7 / 2)", "x = 7 / 2"]

    assert in_python_3(old, "a.py") == (
        ['print("a", 7 / 2)', "for k in d.keys(): pass"],
        True,
        True,
    )
    assert in_python_3(["from __future__ import division", *old], "a")[2] is (
        False
    )
    assert in_python_3(new, "a.py") == (new, False, False)


def test_what_neither_python_can_read_tells_nothing():
    unfinished = ["raise ValueError('a')\nx = ", "x = 7 / 2"]

    assert in_python_3(unfinished, "a.py") == (unfinished, False, False)


def test_a_tab_reached_to_the_next_eighth_column():
    (source,), old, _ = in_python_3(["if 1:\n        a = 1\n\tb = 2"], "a.py")

    assert source == "if 1:\n        a = 1\n        b = 2"
    assert old
