# %% [markdown]
# # 9. Learning-rate decay
#
# Week 2, "Learning rate decay".
#
# $$\alpha = \frac{\alpha_0}{1 + \text{decay\_rate} \cdot n}$$
#
# $$\alpha = 0.95^n \, \alpha_0, \qquad
#   \alpha = \frac{k}{\sqrt{n}} \, \alpha_0$$
#
# with n the number of the epoch (or, in the last, t of the mini-batch); or a
# staircase, or set by hand. Each comes as a function of the epoch and as a
# schedule for an optimizer.

# %%
import common
import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

from tfcourse import schedules
from tfcourse.data import mini_batches
from tfcourse.optimizers import GradientDescent

# %% [markdown]
# ## Every schedule, drawn
#
# The lecture's table has α₀ = 0.2 and decay_rate = 1. Its epochs begin at 1;
# those of Keras, and so of the schedules, at 0, where α = α₀.

# %%
epochs = np.arange(0, 31)
rates = {
    "$α_0/(1 + n)$": schedules.inverse_time_decay(epochs, 0.2, decay_rate=1),
    "$0.95^n α_0$": schedules.exponential_decay(epochs, 0.2, base=0.95),
    "$α_0/\\sqrt{n}$": schedules.inverse_sqrt_decay(epochs, 0.2, k=1),
    "halved every 8 epochs": schedules.exponential_decay(
        epochs, 0.2, base=0.5, interval=8
    ),
    "by hand": schedules.piecewise_constant_decay(
        epochs, boundaries=[12, 22], values=[0.2, 0.05, 0.01]
    ),
}
figure, axes = plt.subplots()
for label, rate in rates.items():
    axes.plot(epochs, rate, label=label, drawstyle="steps-post")
axes.set(xlabel="Epoch n", ylabel="Learning rate α", xlim=(0, 30))
axes.set(yscale="log", ylim=(0.005, 0.25))
axes.legend(loc="lower left")
common.save(figure, "09_schedules")

lecture = rates["$α_0/(1 + n)$"][1:5]
print(f"Epochs 1 to 4 of the lecture's table: {lecture.round(3)}")
assert np.allclose(lecture, [0.1, 0.067, 0.05, 0.04], atol=5e-4)

# %% [markdown]
# ## What it does near the minimum
#
# Linear regression on two features of the 442 diabetes patients, in
# mini-batches of 16. Each mini-batch has a bowl of its own, whose minimum lies
# beside that of all patients, so that with a constant α the steps never end:
# they wander about the minimum. With decay they wander less and less.

# %%
data = load_diabetes()
columns = [data.feature_names.index(name) for name in ("bmi", "s5")]
x, y = data.data[:, columns], data.target
x, y = x / x.std(axis=0), (y - y.mean()) / y.std()
best = np.linalg.lstsq(x, y, rcond=None)[0]
steps_per_epoch = -(-len(x) // 16)
epochs = 8 if common.QUICK else 40


def descend(learning_rate, seed=0):
    """Returns the weights after each step."""
    w = keras.Variable([-0.2, 0.7], dtype="float64")
    optimizer = GradientDescent(learning_rate)
    path = [np.asarray(w)]
    for epoch in range(epochs):
        for x_t, y_t in mini_batches(x, y, 16, seed=(seed, epoch)):
            dw = x_t.T @ (x_t @ path[-1] - y_t) / len(x_t)
            optimizer.apply([keras.ops.convert_to_tensor(dw)], [w])
            path.append(np.asarray(w))
    return np.stack(path)


first_rate = 0.3
decays = {
    "constant α": first_rate,
    "$α_0/(1 + n)$": schedules.InverseTimeDecay(
        first_rate, decay_rate=1.0, steps_per_epoch=steps_per_epoch
    ),
    "$0.9^n α_0$": schedules.ExponentialDecay(
        first_rate, base=0.9, steps_per_epoch=steps_per_epoch
    ),
    "$α_0/\\sqrt{n}$": schedules.InverseSqrtDecay(
        first_rate, k=1.0, steps_per_epoch=steps_per_epoch
    ),
}
paths = {label: descend(rate) for label, rate in decays.items()}

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
grid = np.linspace(0.1, 0.6, 100), np.linspace(0.1, 0.6, 100)
w = np.stack(np.meshgrid(*grid), axis=-1)
residual = np.sqrt(np.mean(((w - best) @ x.T) ** 2, axis=-1))
left.contour(*grid, residual, 8, colors="0.8", linewidths=0.8)
shown = slice(4 * steps_per_epoch, 8 * steps_per_epoch)
for label, style in [("constant α", "-"), ("$α_0/(1 + n)$", "-")]:
    left.plot(*paths[label][shown].T, style, label=label, linewidth=0.9)
left.plot(*best, "*", color="k", markersize=6)
left.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
left.set(xlim=(0.1, 0.6), ylim=(0.1, 0.6), title="epochs 4 to 7")
left.legend()

distances = {}
for label, path in paths.items():
    distance = np.linalg.norm(path - best, axis=1)[1:]
    by_epoch = distance.reshape(epochs, steps_per_epoch).mean(axis=1)
    distances[label] = by_epoch[-3:].mean()
    right.plot(range(epochs), by_epoch, label=label)
    name = label.replace("$", "").replace("\\sqrt{n}", "√n")
    print(f"{name:12}: {distances[label]:.4f} from the minimum at the end")
right.set(xlabel="Epoch n", ylabel="Distance from the minimum", yscale="log")
right.set_ylim(0.002, 1)
right.legend(loc="upper right", ncols=2)
common.save(figure, "09_near_the_minimum")
print("See the constant α stay as far off as it was after a few epochs.")
assert distances["$α_0/(1 + n)$"] < distances["constant α"] / 3

# %% [markdown]
# ## Exercise
#
# Decay that is too fast stops short. Start far away, at w = (−20, 20), and try
# $0.5^n \alpha_0$ against $\alpha_0 / (1 + n)$: which arrives, and why? (Add up
# the α of all steps.)
