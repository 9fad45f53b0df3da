# %% [markdown]
# # 5. Gradient checking
#
# Week 1, "Numerical approximation of gradients" and "Gradient checking". A
# wrong backward pass still trains, only badly. So compare each $d\theta_i$ with
#
# $$d\theta_{\text{approx}, i}
#   = \frac{J(\theta + \varepsilon e_i) - J(\theta - \varepsilon e_i)}
#          {2 \varepsilon}$$
#
# $$\text{ratio} = \frac{\lVert d\theta_{\text{approx}} - d\theta \rVert}
#          {\lVert d\theta_{\text{approx}} \rVert + \lVert d\theta \rVert}$$
#
# With ε = 1e-7 a ratio near 1e-7 is good, 1e-5 wants a look, 1e-3 is wrong.

# %%
import common
import keras
import matplotlib.pyplot as plt
import numpy as np

from tfcourse.data import load
from tfcourse.diagnostics import check_gradient, gradient_check

# %% [markdown]
# ## Why two sides
#
# The lecture's example, θ³ at θ = 1, whose slope is 3. With ε = 0.01 the
# two-sided difference gives 3.0001, the one-sided 3.0301. Its error falls as
# ε, the other's as ε², until rounding takes over at the left of the plot.

# %%
epsilon = np.logspace(-1, -12, 45)
two_sided = ((1 + epsilon) ** 3 - (1 - epsilon) ** 3) / (2 * epsilon)
one_sided = ((1 + epsilon) ** 3 - 1) / epsilon
figure, axes = plt.subplots()
axes.plot(epsilon, np.abs(one_sided - 3), "--", label="one-sided")
axes.plot(epsilon, np.abs(two_sided - 3), "-", label="two-sided")
axes.axvline(1e-7, color="0.5", linestyle="-", linewidth=0.8)
axes.text(1.4e-7, 0.05, "the course's ε", color="0.35")
axes.set(xlabel="ε", ylabel="Error of the slope of θ³ at 1")
axes.set(xscale="log", yscale="log")
axes.legend(loc="upper left")
common.save(figure, "05_two_sides")
assert np.isclose((1.01**3 - 0.99**3) / 0.02, 3.0001)
assert np.isclose((1.01**3 - 1) / 0.01, 3.0301)

# %% [markdown]
# ## A network of our own
#
# Cell nuclei of breast tumours, 30 features; 5 tanh units and a sigmoid, with
# L2 regularization, and the backward pass as in week 1. Data are (m, n).

# %%
data = load("breast_cancer")
x = ((data.x - data.x.mean(axis=0)) / data.x.std(axis=0))[:100]
y = data.y[:100, None].astype("float64")
m, lambda_ = len(x), 0.7

rng = np.random.default_rng(0)
theta = {"W1": rng.normal(size=(30, 5)) / np.sqrt(30), "b1": np.zeros(5)}
theta |= {"W2": rng.normal(size=(5, 1)) / np.sqrt(5), "b2": np.zeros(1)}


def forward(theta):
    a1 = np.tanh(x @ theta["W1"] + theta["b1"])
    return a1, 1 / (1 + np.exp(-(a1 @ theta["W2"] + theta["b2"])))


def cost(theta):
    _, a2 = forward(theta)
    cross_entropy = -np.mean(y * np.log(a2) + (1 - y) * np.log(1 - a2))
    squares = sum(np.sum(theta[name] ** 2) for name in ("W1", "W2"))
    return cross_entropy + lambda_ / (2 * m) * squares


def backward(theta):
    a1, a2 = forward(theta)
    dz2 = (a2 - y) / m
    dz1 = dz2 @ theta["W2"].T * (1 - a1**2)
    return {
        "W1": x.T @ dz1 + lambda_ / m * theta["W1"],
        "b1": dz1.sum(axis=0),
        "W2": a1.T @ dz2 + lambda_ / m * theta["W2"],
        "b2": dz2.sum(axis=0),
    }


# %% [markdown]
# ## Three planted faults
#
# Two are those of the course's assignment; the third, forgetting λ/m·W, is the
# commonest. The check says where to look: the variable that is farthest off.

# %%
right = backward(theta)
forgotten = {W: right[W] - lambda_ / m * theta[W] for W in ("W1", "W2")}
planted = {
    "right": {},
    "dW2 doubled": {"W2": 2 * right["W2"]},
    "db1 with 4/m": {"b1": 4 * right["b1"]},
    "λ/m·W forgotten": forgotten,
}
checks = {
    name: check_gradient(cost, right | fault, theta)
    for name, fault in planted.items()
}
culprits = {name: next(iter(check.ratios)) for name, check in checks.items()}
for name, check in checks.items():
    print(f"{name:16} {check.verdict} {check.ratio:.0e}: see {culprits[name]}")
verdicts = [check.verdict for check in checks.values()]
assert verdicts == ["good", "wrong", "wrong", "wrong"]
assert list(culprits.values())[1:3] == ["W2", "b1"]

# %%
figure, axes = plt.subplots(figsize=(6.4, 2.6))
zones = [(1e-10, 1e-6, "good"), (1e-6, 1e-4, "look"), (1e-4, 1, "wrong")]
for shade, (low, high, word) in zip((0.97, 0.91, 0.84), zones, strict=True):
    axes.axvspan(low, high, color=str(shade), linewidth=0)
    axes.text(np.sqrt(low * high), -0.75, word, ha="center", color="0.35")
ratios = [check.ratio for check in checks.values()]
axes.plot(ratios, list(checks), "o", markersize=8)
axes.set(xscale="log", xlim=(1e-10, 1), ylim=(3.5, -1.2))
axes.set_xlabel("ratio ‖dθ_approx − dθ‖ / (‖dθ_approx‖ + ‖dθ‖)")
axes.tick_params(axis="y", length=0)
common.save(figure, "05_faults")
print("See the right gradient four decades and more below any fault.")

# %% [markdown]
# ## A Keras model
#
# `gradient_check` does the same to a compiled model, regularizers included.
# Dropout has to be off, as the lecture says, or the cost differs each time;
# the check refuses such a model unless you hold its masks.

# %%
keras.utils.set_random_seed(0)
layers = [keras.layers.Dense(5, "tanh"), keras.layers.Dropout(0.5)]
model = keras.Sequential([keras.Input((30,)), *layers])
model.add(keras.layers.Dense(1, "sigmoid"))
model.compile(loss="binary_crossentropy")
try:
    gradient_check(model, x, y)
except ValueError as error:
    print(f"Refused: {error}")
check = gradient_check(model, x, y, hold_dropout=True)
print(check)
assert check.verdict == "good"

# %% [markdown]
# ## Exercise
#
# Plant a fault that hides while W is near 0: dz1 without (1 − a1²). Divide W1
# by a million and check. (The lecture: check again after some training.)
