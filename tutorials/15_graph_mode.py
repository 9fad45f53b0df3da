# %% [markdown]
# # 15. TensorFlow as the lecture writes it
#
# Week 3, "TensorFlow".
#
# The lecture ends with a program for TensorFlow 1. It has two halves: the first
# *describes* a computation as a graph, the second *runs* it in a session. Here
# is that program line by line, its graph, Adam in the place of gradient descent
# by changing one name, and the same in Keras, with the same numbers.

# %%
import common
import graph_picture
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf2

from tfcourse import optimizers
from tfcourse.graph_mode import describe_graph, minimize_quadratic

STEPS = 1000

# %% [markdown]
# ## The program
# What the lecture calls `tf` is `tensorflow.compat.v1` now. The cost is
# $J(w) = w^2 - 10 w + 25 = (w - 5)^2$; its coefficients come in by a
# placeholder, as a mini-batch would. Only the cost is written down: the graph
# is what TensorFlow finds the derivative from.

# %%
tf = tf2.compat.v1
coefficients = np.array([[1.0], [-10.0], [25.0]])

with tf.Graph().as_default() as graph:
    w = tf.Variable(0, dtype=tf.float32, name="w", use_resource=True)
    x = tf.placeholder(tf.float32, [3, 1], name="x")
    cost = x[0][0] * w**2 + x[1][0] * w + x[2][0]
    train = tf.train.GradientDescentOptimizer(0.01).minimize(cost)
    init = tf.global_variables_initializer()

    with tf.Session() as session:
        session.run(init)
        print("w at first:       ", session.run(w))
        session.run(train, feed_dict={x: coefficients})
        print("w after one step: ", session.run(w))
        for _ in range(STEPS - 1):
            session.run(train, feed_dict={x: coefficients})
        w_lecture = session.run(w)
        print(f"w after {STEPS} steps:", w_lecture)

# One step goes by 0.01 · 10 = 0.1, a thousand of them to the minimum at 5.
assert abs(w_lecture - 4.99999) < 1e-5

# %% [markdown]
# ## The graph
# What is drawn in the lecture, variables and operations as nodes, is there to
# be looked at. `describe_graph` tells what the cost is computed from; the last
# line counts what `minimize` and the initializer have added.

# %%
print(describe_graph(cost))

# %%
NODES = {
    "w": ("w", (0, 2.6)),
    "x": ("x", (0, 0.4)),
    "pow": ("(·)²", (1, 2.9)),
    "mul": ("×", (2, 2.6)),
    "mul_1": ("×", (2, 1.3)),
    "add": ("+", (3, 1.95)),
    "add_1": ("+", (4, 1.3)),
}

figure, axes = graph_picture.draw(graph, NODES)
axes.text(4.3, 1.3, "cost J(w)", va="center", fontsize=12)
axes.set(xlim=(-0.3, 5), ylim=(0, 3.3))
axes.set_title("J(w) = x[0][0] · w² + x[1][0] · w + x[2][0]")
common.save(figure, "15_graph")

# %% [markdown]
# ## Another optimizer is another name
# In the lecture, one line is exchanged for Adam. `minimize_quadratic` is the
# program above with that line as an argument; with `fast` its loop is a part of
# the graph too.
#
# ## The same in Keras
# There is no session: a function of tensors is compiled when it is first
# called, and a tape writes down what it computes. The numbers must not differ
# by more than float32 rounds.


# %%
def keras_path(optimizer):
    """Returns `w` at first and after each step, shape `(STEPS + 1,)`."""
    w = keras.Variable(0.0)

    @tf2.function
    def step(x):
        with tf2.GradientTape() as tape:
            cost = x[0][0] * w**2 + x[1][0] * w + x[2][0]
        optimizer.apply(tape.gradient(cost, [w.value]), [w])
        return w.value

    optimizer.build([w])
    x = tf2.constant(coefficients, "float32")
    return np.array([0.0, *(step(x) for _ in range(STEPS))])


figure, axes = plt.subplots()
axes.axhline(5, color="0.75", linewidth=1, linestyle="-")
first_steps = {}
print("\nLargest difference of w between graph mode and Keras, in any step:")
for name, optimizer in (
    ("gradient_descent", optimizers.GradientDescent(0.01)),
    ("momentum", optimizers.Momentum(0.01)),
    ("rmsprop", optimizers.RMSprop(0.01)),
    ("adam", optimizers.Adam(0.01)),
):
    in_graph = minimize_quadratic(optimizer=name, fast=True, verbose=False).w
    in_keras = keras_path(optimizer)
    difference = np.abs(in_keras - in_graph).max()
    print(f"  {name:16} {difference:.1e}")
    assert difference < 1e-5, name
    (line,) = axes.plot(in_graph, label=name.replace("_", " "))
    dots = {"marker": "o", "markersize": 4, "linestyle": ""}
    every = (20 * len(axes.lines), 100)
    axes.plot(in_keras, color=line.get_color(), markevery=every, **dots)
    first_steps[name] = in_graph[1]
axes.set(xlabel="step", ylabel="w", xlim=(0, STEPS))
axes.set_title("To the minimum at 5 with α = 0.01: graph (lines), Keras (dots)")
axes.legend(loc="lower right")
common.save(figure, "15_optimizers")
print(
    "\nAn α of 0.01 means another thing to each. The first step of gradient "
    "descent is\nα times the slope, "
    f"{first_steps['gradient_descent']:.2g}; that of Adam is α, whatever the "
    f"slope: {first_steps['adam']:.2g}."
)
assert abs(first_steps["adam"] - 0.01) < 1e-6

# %% [markdown]
# ## Exercise
# Feed `np.array([[1.0], [-20.0], [100.0]])`, which is $(w - 10)^2$, without
# building the graph anew. Where does Adam get in 1000 steps, and with which
# learning rate does it arrive? Then try it at the command line:
# `tfcourse lecture --optimizer adam --learning-rate 0.05 --plot w.png`.
