# %% [markdown]
# # 3. Normalizing inputs
#
# Week 1, "Normalizing inputs".
#
# With μ and σ² the mean and the variance of each feature of the training set,
#
# $$x := \frac{x - \mu}{\sigma}$$
#
# and the same μ and σ for the test set. We predict how far a diabetes patient
# gets worse within a year (442 patients, bundled with scikit-learn) from the
# body mass index x₁ and the log of triglycerides in the blood x₂, by linear
# regression, ŷ = w₁x₁ + w₂x₂ + b.

# %%
import common
import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

from tfcourse.optimizers import GradientDescent

data = load_diabetes(scaled=False)
columns = [data.feature_names.index(name) for name in ("bmi", "s5")]
x, y = data.data[:, columns], data.target - data.target.mean()

# %% [markdown]
# ## The two steps
#
# Keras has them as a layer, which goes into the model and so treats every
# later patient alike.

# %%
normalize = keras.layers.Normalization()
normalize.adapt(x)
centered = x - x.mean(axis=0)
normalized = np.asarray(normalize(x))

figure, panels = plt.subplots(1, 3, figsize=(9, 3.2))
for axes, points, title in zip(
    panels,
    (x, centered, normalized),
    ("as measured", "x − μ", "(x − μ) / σ"),
    strict=True,
):
    axes.axhline(0, color="0.7", linewidth=0.8, linestyle="-")
    axes.axvline(0, color="0.7", linewidth=0.8, linestyle="-")
    axes.scatter(*points.T, s=6, color="#0b3c6f", alpha=0.5, linewidths=0)
    low, high = min(points.min(), 0), points.max()
    margin = 0.08 * (high - low)
    span = low - margin, high + margin
    axes.set(title=title, xlim=span, ylim=span, aspect="equal")
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
for axes in panels[:2]:
    axes.set(xlabel="$x_1$ (kg/m²)", ylabel="$x_2$ (log of mg/dl)")
common.save(figure, "03_steps")
print(f"σ before: {x.std(axis=0).round(2)}, after: {normalized.std(axis=0)}")


# %% [markdown]
# ## The cost as a bowl
#
# Means are subtracted in both of the following, so that the best b is 0 and the
# cost $J(w_1, w_2) = \frac{1}{2m} \sum (\hat y - y)^2$ can be drawn. In each
# bowl gradient descent gets the α that is best there, 2 / (λ₁ + λ₂), with λ₁
# and λ₂ the least and the greatest curvature, the eigenvalues of XᵀX/m.


# %%
def cost(w, x):
    """Returns J for each of the weights `w`, shape (..., 2)."""
    return np.mean((w @ x.T - y) ** 2, axis=-1) / 2


def descend(x, tolerance=0.01, most=2000):
    """Returns the path of gradient descent until J is nearly at its least.

    That is where at most `tolerance` of what could be gained is left.
    """
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    curvature = np.linalg.eigvalsh(x.T @ x / len(x))
    w = keras.Variable(np.zeros(2), dtype="float64")
    optimizer = GradientDescent(learning_rate=2 / curvature.sum())
    path = [np.zeros(2)]
    goal = cost(best, x) + tolerance * (cost(path[0], x) - cost(best, x))
    while cost(path[-1], x) > goal and len(path) <= most:
        dw = x.T @ (x @ path[-1] - y) / len(x)
        optimizer.apply([keras.ops.convert_to_tensor(dw)], [w])
        path.append(np.asarray(w))
    return np.stack(path), best, curvature


figure, panels = plt.subplots(1, 2, figsize=(7.6, 4), width_ratios=(65, 95))
steps = []
for axes, points, title, width in [
    (panels[0], centered, "not normalized", (-25, 40)),
    (panels[1], normalized, "normalized", (-15, 80)),
]:
    path, best, curvature = descend(points)
    steps.append(len(path) - 1)
    print(
        f"{title}: {steps[-1]} steps to 99 % of the gain; the bowl curves "
        f"{curvature[-1] / curvature[0]:.1f} times as much across as along."
    )
    grid = np.linspace(*width, 200), np.linspace(-15, 80, 200)
    w = np.stack(np.meshgrid(*grid), axis=-1)
    heights = np.sqrt(cost(w, points) - cost(best, points))
    levels = np.linspace(0, heights[40, 40], 9)[1:]
    axes.contour(*grid, heights, levels, colors="0.75", linewidths=0.8)
    axes.plot(*path.T, "o-", markersize=3, linewidth=1)
    axes.plot(*best, "*", color="#d1495b", markersize=12, linestyle="none")
    axes.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
    axes.set_title(f"{title}: {steps[-1]} steps")
common.save(figure, "03_bowls")
print("See how the long bowl sends the steps to and fro across it.")
assert steps[0] > 10 * steps[1]

# %% [markdown]
# ## All ten features
#
# With all ten, blood pressure beside cholesterol beside sex, it is far worse.

# %%
conditions = []
for points in (
    data.data - data.data.mean(axis=0),
    (data.data - data.data.mean(axis=0)) / data.data.std(axis=0),
):
    conditions.append(np.linalg.cond(points.T @ points))
print(
    f"Ratio of the curvatures: {conditions[0]:,.0f} as measured, "
    f"{conditions[1]:,.0f} normalized."
)
assert conditions[0] > 20 * conditions[1]

# %% [markdown]
# ## Exercise
#
# Why did normalizing not make the ten-dimensional bowl round? Find the pair of
# features with the strongest correlation (`np.corrcoef`), leave one of them
# out, and compute the ratio again.
