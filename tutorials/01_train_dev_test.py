# %% [markdown]
# # 1. Train, dev, test
#
# Week 1, "Train / Dev / Test sets", "Bias / Variance" and "Basic recipe for
# machine learning".
#
# $$\text{avoidable bias} = \text{training error} - \text{Bayes error}$$
#
# $$\text{variance} = \text{dev error} - \text{training error}$$
#
# High bias calls for a bigger network or longer training, high variance for
# more data or regularization.

# %%
import common
import keras
import matplotlib.pyplot as plt
import numpy as np

from tfcourse.data import load, split, split_sizes
from tfcourse.diagnostics import bias_variance
from tfcourse.optimizers import Adam

# %% [markdown]
# ## How large each set
#
# Dev and test set have to tell classifiers apart, which ten thousand examples
# do. So of a million they need only one percent each.

# %%
counts = (1_000, 10_000, 100_000, 1_000_000, 4_000_000)
figure, axes = plt.subplots(figsize=(6.4, 2.8))
for place, m in enumerate(counts):
    left = 0
    names = ("training", "dev", "test")
    colors = ("#0b3c6f", "#e3a02c", "#b9b9b9")
    sizes = split_sizes(m)
    for size, name, color in zip(sizes, names, colors, strict=True):
        label = name if place == 0 else None
        axes.barh(place, size / m, left=left, color=color, label=label)
        left += size / m
    shares = " / ".join(f"{100 * size / m:g}" for size in sizes)
    axes.text(1.02, place, shares, va="center")
    print(f"m = {m:>9,}: {sizes}")
axes.set_yticks(range(len(counts)), [f"m = {m:,}" for m in counts])
axes.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
axes.set(xlim=(0, 1), xlabel="Share of the examples")
axes.invert_yaxis()
axes.spines[["left", "bottom"]].set_visible(False)
axes.tick_params(length=0)
figure.legend(loc="outside upper center", ncols=3)
common.save(figure, "01_split_sizes")
assert split_sizes(1_000) == (600, 200, 200)
assert split_sizes(1_000_000) == (980_000, 10_000, 10_000)

# %% [markdown]
# ## The lecture's table
#
# Cats or not: people err hardly at all, so the Bayes error is 0.

# %%
table = {
    (0.01, 0.11): (),
    (0.15, 0.16): (),
    (0.15, 0.30): (),
    (0.005, 0.01): (),
}
for train_error, dev_error in table:
    result = bias_variance(train_error, dev_error)
    table[train_error, dev_error] = result.high
    high = " and ".join(result.high) or "no gap"
    print(f"train {train_error:5.1%}, dev {dev_error:5.1%}, high: {high}")
assert list(table.values()) == [
    ("variance",),
    ("avoidable bias",),
    ("avoidable bias", "variance"),
    (),
]

# %% [markdown]
# ## Learning curves
#
# Two networks for scanned digits: one with 2 hidden units, too small, and one
# with 256. Each learns from more and more of the training set; the dev set
# stays the same.

# %%
data = load("digits")
chosen = split(data)
x, y = data.x / 16, data.y
x_dev, y_dev = x[chosen.dev], y[chosen.dev]
sizes = (60, 1000) if common.QUICK else (30, 60, 125, 250, 500, 1000)


def errors(units, m):
    """Returns training and dev error after 300 steps on m examples."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(units, "tanh"),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    model.compile(Adam(0.01), "sparse_categorical_crossentropy")
    some = chosen.train[:m]
    steps = np.random.default_rng(0).choice(some, size=64 * 300)
    model.fit(x[steps], y[steps], 64, shuffle=False, verbose=0)
    return tuple(
        float(np.mean(np.argmax(model(x[part]), axis=1) != y[part]))
        for part in (some, chosen.dev)
    )


curves = {
    units: np.array([errors(units, m) for m in sizes]) for units in (2, 256)
}

# %%
figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
results = {}
for axes, (units, curve) in zip(panels, curves.items(), strict=True):
    axes.plot(sizes, 100 * curve[:, 1], "-o", label="dev error")
    axes.plot(sizes, 100 * curve[:, 0], "--s", label="training error")
    axes.fill_between(sizes, *100 * curve.T, color="0.93")
    axes.set(title=f"{units} hidden units", xscale="log", ylim=(-2, None))
    axes.set_xticks(sizes, [str(m) for m in sizes])
    axes.minorticks_off()
    axes.set_xlabel("Training examples m")
    results[units] = bias_variance(*curve[-1])
    print(f"\n{units} hidden units, {sizes[-1]} examples:\n{results[units]}")
panels[0].set_ylabel("Error (%)")
panels[1].legend()
common.save(figure, "01_learning_curves")
print(
    "\nSee more data close the gap of the large network, and do nothing for "
    "the small one: its two curves meet high up."
)
small, large = results[2], results[256]
assert small.dominant == "avoidable bias"
assert large.avoidable_bias < 0.02
# Its variance, from the fewest examples to the most.
gaps = curves[256][:, 1] - curves[256][:, 0]
assert gaps[-1] < gaps[0] / 2

# %% [markdown]
# ## Exercise
#
# Follow the advice for the small network: give it 4, 8, 16 units. From how many
# on is its bias gone, and what has become of its variance?
