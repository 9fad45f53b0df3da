# %% [markdown]
# # 8. Optimizers
#
# Week 2, "Gradient descent with momentum", "RMSprop", "Adam".
#
# - gradient descent: $W := W - \alpha \, dW$
# - momentum: $v := \beta v + (1 - \beta) \, dW$ and $W := W - \alpha v$
# - RMSprop: $s := \beta s + (1 - \beta) \, dW^2$ and
#   $W := W - \alpha \, dW / (\sqrt{s} + \varepsilon)$
# - Adam: both averages, with $\beta_1$ and $\beta_2$, and
#   $W := W - \alpha \, \hat v / (\sqrt{\hat s} + \varepsilon)$
#
# with $\hat v = v / (1 - \beta_1^t)$ and $\hat s = s / (1 - \beta_2^t)$.
#
# First on the elongated bowl $J(w_1, w_2) = \frac{1}{2} (w_1^2 + 100 w_2^2)$ of
# the lecture, then on a network for the two moons, synthetic points of
# scikit-learn.

# %%
import common
import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from tfcourse.optimizers import Adam, GradientDescent, Momentum, RMSprop

CURVATURE = np.array([1.0, 100.0])
START = np.array([-10.0, 1.0])


def cost(w):
    """Returns J of the weights `w`, shape (..., 2)."""
    return np.sum(CURVATURE * w**2, axis=-1) / 2


# %% [markdown]
# ## On the bowl
#
# Along w₁ the bowl is flat and the way is long; across it is steep, so that
# plain gradient descent jumps from side to side. A larger α would throw it out
# (from 2/100 = 0.02 on), this one is too small for the way along. Momentum
# averages the jumps away and may take a larger α; RMSprop and Adam divide each
# direction by the size of its own gradients.

# %%
on_the_bowl = {
    "gradient descent": GradientDescent(learning_rate=0.019),
    "momentum": Momentum(learning_rate=0.1, beta=0.9),
    "RMSprop": RMSprop(learning_rate=0.1, beta=0.99),
    "Adam": Adam(learning_rate=0.5, beta_1=0.9, beta_2=0.999),
}


def descend(optimizer, steps=120):
    """Returns the weights before each step and after the last."""
    w = keras.Variable(START, dtype="float64")
    path = [START]
    for _ in range(steps):
        dw = keras.ops.convert_to_tensor(CURVATURE * path[-1])
        optimizer.apply([dw], [w])
        path.append(np.asarray(w))
    return np.stack(path)


grid = np.linspace(-11, 4, 200), np.linspace(-1.6, 1.6, 200)
heights = np.sqrt(cost(np.stack(np.meshgrid(*grid), axis=-1)))
figure, panels = plt.subplots(2, 2, figsize=(8, 4.6), sharex=True, sharey=True)
arrived = {}
panel = iter(panels.flat)
for name, optimizer in on_the_bowl.items():
    axes = next(panel)
    path = descend(optimizer)
    above = np.flatnonzero(cost(path) > 0.01 * cost(START))
    arrived[name] = above[-1] + 1
    print(f"{name:16}: below 1 % of the first cost from step {arrived[name]}")
    shown = path[: arrived[name] + 1]
    axes.contour(*grid, heights, 9, colors="0.78", linewidths=0.8)
    axes.plot(*shown.T, "o-", markersize=2.5, linewidth=1)
    axes.plot(0, 0, "*", color="#d1495b", markersize=11)
    axes.set_title(f"{name}, α = {float(optimizer.learning_rate):.3g}")
    axes.set_title(f"{arrived[name]} steps", loc="right")
for axes in panels[1]:
    axes.set_xlabel("$w_1$")
for axes in panels[:, 0]:
    axes.set_ylabel("$w_2$")
common.save(figure, "08_paths")
print("See gradient descent go to and fro, and the others go along.")
slowest = arrived.pop("gradient descent")
assert all(2 * steps < slowest for steps in arrived.values())

# %% [markdown]
# ## On the two moons
#
# A network with two hidden layers of 16 units, mini-batches of 64 of the 300
# points, and the same α = 0.01 and the same first weights for all.

# %%
x, y = make_moons(300, noise=0.2, random_state=3)
epochs = 12 if common.QUICK else 100
optimizers = [GradientDescent, Momentum, RMSprop, Adam]
if common.QUICK:
    optimizers = [GradientDescent, Adam]


def train(optimizer):
    """Returns the cost of each epoch, and the accuracy after the last."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, 64, epochs, verbose=0).history
    return history["loss"], history["accuracy"][-1]


figure, axes = plt.subplots()
costs, accuracies = {}, {}
for optimizer in optimizers:
    name = optimizer.__name__
    costs[name], accuracies[name] = train(optimizer(learning_rate=0.01))
    print(
        f"{name:16}: cost {costs[name][-1]:.3f}, "
        f"accuracy {accuracies[name]:.0%} after {epochs} epochs"
    )
    axes.plot(range(1, epochs + 1), costs[name], label=name)
axes.set(xlabel="Epoch", ylabel="Cost J", xlim=(1, epochs), ylim=(0, None))
axes.legend()
common.save(figure, "08_costs")
print(
    "See how far Adam is ahead of gradient descent; momentum with the same α "
    "does no better, for its steps are averages of the same gradients."
)
assert costs["Adam"][-1] < 0.8 * costs["GradientDescent"][-1]
assert accuracies["Adam"] > accuracies["GradientDescent"]

# %% [markdown]
# ## Exercise
#
# On the bowl, find the largest α that momentum with β = 0.9 bears before the
# steps grow without end. Compare it with 2(1 + β) / ((1 − β)·100), and with
# what gradient descent bears.
