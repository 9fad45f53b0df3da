# %% [markdown]
# # 6. Mini-batches
#
# Week 2, "Mini-batch gradient descent" and "Understanding mini-batch gradient
# descent".
#
# For $t = 1, \dots, \lceil m / \text{batch\_size} \rceil$:
#
# 1. forward propagation on the mini-batch $X^{\{t\}}$, which gives the cost
#    $J^{\{t\}}$;
# 2. backward propagation on $J^{\{t\}}$, and an update of W and b.
#
# All of it once is an epoch. With batch_size = m it is batch gradient descent,
# with batch_size = 1 stochastic gradient descent.

# %%
import time

import common
import keras
import matplotlib.pyplot as plt
import numpy as np

from tfcourse.data import load, mini_batches, recommended_batch_size, split
from tfcourse.optimizers import GradientDescent

data = load("digits")
train = split(data).train[: 256 if common.QUICK else None]
x, y = data.x[train] / 16, data.y[train]
m = len(x)
print(f"{m} digits of 8 × 8 pixels to learn from")

# %% [markdown]
# ## Three sizes
#
# The same network, first weights and α each time. Only the updates are timed.


# %%
def network():
    """Returns the same network, with the same weights, at every call."""
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(32, "relu")
    output = keras.layers.Dense(10, "softmax")
    model = keras.Sequential([keras.Input((64,)), hidden, output])
    model.compile(GradientDescent(0.1), "sparse_categorical_crossentropy")
    return model


def descend(batch_size, epochs):
    """Returns J^{t} of each step, and J and seconds after each epoch."""
    model = network()
    first = float(model.test_on_batch(x, y))
    # The first step of each shape compiles the program; it is undone.
    weights = model.get_weights()
    for size in {min(batch_size, m), m % batch_size or batch_size}:
        model.train_on_batch(x[:size], y[:size])
    model.set_weights(weights)
    batch_costs, costs, seconds = [], [first], [0.0]
    for epoch in range(epochs):
        start = time.perf_counter()
        for x_t, y_t in mini_batches(x, y, batch_size, seed=(0, epoch)):
            model.reset_metrics()
            batch_costs.append(float(model.train_on_batch(x_t, y_t)))
        seconds.append(seconds[-1] + time.perf_counter() - start)
        model.reset_metrics()
        costs.append(float(model.test_on_batch(x, y)))
    return batch_costs, costs, seconds


runs = {
    f"batch, {m}": descend(m, 25 if common.QUICK else 400),
    "mini-batch, 64": descend(64, 40),
    "stochastic, 1": descend(1, 1 if common.QUICK else 4),
}
for name, (batch_costs, costs, seconds) in runs.items():
    print(
        f"{name:15}: steps an epoch {len(batch_costs) // (len(costs) - 1):4}, "
        f"seconds {seconds[1]:.2f}, J after the first epoch {costs[1]:.2f}"
    )

# %% [markdown]
# ## Cost curves
#
# The cost of the whole batch falls at every step. That of a mini-batch is
# noisy, for some are harder than others, but it goes downwards. At the right
# is the cost of all examples against the time that was spent.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
styles = zip(runs.items(), ("-", "--", ":"), (2.2, 1.2, 2.2), strict=True)
for (name, (batch_costs, costs, seconds)), style, width in styles:
    marker = "o" if name.startswith("stochastic") else None
    right.plot(
        seconds[1:],
        costs[1:],
        style,
        linewidth=width,
        marker=marker,
        label=name,
    )
    if not name.startswith("stochastic"):
        step = np.arange(1, len(batch_costs) + 1)
        left.plot(step, batch_costs, style, linewidth=width, label=name)
left.set(xlabel="Step t", ylabel="Cost of the batch, $J^{\\{t\\}}$")
left.set(xlim=(1, 150), ylim=(0, 2.6))
right.set(xlabel="Time (s)", ylabel="Cost of all examples, J", xscale="log")
right.xaxis.set_minor_formatter("")
right.legend(loc="lower left")
common.save(figure, "06_costs")

batch, mini, stochastic = runs.values()
assert np.all(np.diff(batch[0]) < 0)
assert np.any(np.diff(mini[0]) > 0)
assert mini[1][-1] < mini[1][0] / 2
# After one epoch of each: m steps do more than m / 64, and these more than 1.
assert stochastic[1][1] < mini[1][1] < batch[1][1]
print("See J fall at every step of the batch, and on and off otherwise.")

# %% [markdown]
# ## Which size
#
# A step of 64 examples costs hardly more than a step of one: that is what
# vectorization gives, and why an epoch of single examples takes so long. Up to
# 2,000 examples the course takes all of them, above a power of two from 64 to
# 512 that fits into memory.

# %%
sizes = (16, 64) if common.QUICK else (4, 16, 64, 256, 1024)
times = {1: stochastic[2][1], **{b: descend(b, 1)[2][1] for b in sizes}}
figure, axes = plt.subplots()
axes.plot(list(times), [1000 * t / m for t in times.values()], "o-")
axes.set_xscale("log", base=2)
axes.set_xticks(list(times), [str(size) for size in times])
axes.set(xlabel="Batch size", yscale="log", ylabel="Time an example (ms)")
axes.yaxis.set_major_formatter("{x:g}")
axes.yaxis.set_minor_formatter("")
common.save(figure, "06_time")
for m_ in (1_500, 2_000, 60_000, 1_000_000):
    print(f"m = {m_:>9,}: batch size {recommended_batch_size(m_)}")
small = recommended_batch_size(60_000, bytes_per_example=10**6, memory=10**8)
print(f"with 1 MB an example and 100 MB for a batch: {small}")
assert recommended_batch_size(2_000) == 2_000
assert small == 64

# %% [markdown]
# ## Exercise
#
# Noise can be averaged away with a smaller α. Run batch size 1 for four epochs
# with α = 0.1 and with α = 0.01: where does each end, and how far does
# $J^{\{t\}}$ still jump?
