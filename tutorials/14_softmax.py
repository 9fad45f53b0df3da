# %% [markdown]
# # 14. Softmax
#
# Week 3, "Softmax regression" and "Training a softmax classifier".
#
# $$\hat y_i = \frac{e^{z_i}}{\sum_j e^{z_j}}, \qquad
#   L = -\sum_i y_i \log \hat y_i$$

# %%
import common
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops
from matplotlib.colors import ListedColormap

from tfcourse.data import load
from tfcourse.diagnostics import check_gradient
from tfcourse.layers import Hardmax
from tfcourse.optimizers import Adam, GradientDescent

# %% [markdown]
# ## Softmax and hardmax
#
# The lecture's z = (5, 2, −1, 3): softmax gives probabilities, hardmax puts
# everything on the largest.

# %%
z = np.array([[5.0, 2.0, -1.0, 3.0]])
soft = np.asarray(ops.softmax(z))[0]
hard = np.asarray(Hardmax()(z))[0]
print(f"t = e^z = {np.exp(z[0]).round(1)}, sum {np.exp(z).sum():.1f}")
print(f"softmax {soft.round(3)}, hardmax {hard}")
assert np.allclose(soft, [0.842, 0.042, 0.002, 0.114], atol=5e-4)

figure, axes = plt.subplots(figsize=(6.4, 3))
place = np.arange(4)
bars = axes.bar(place - 0.2, soft, 0.38, color="#0b3c6f", label="softmax")
axes.bar_label(bars, fmt="%.3f", fontsize=9)
bars = axes.bar(place + 0.2, hard, 0.38, color="#e3a02c", label="hardmax")
axes.bar_label(bars, fmt="%.0f", fontsize=9)
axes.set_xticks(place, [f"$z_{i + 1} = {v:.0f}$" for i, v in enumerate(z[0])])
axes.set(ylabel="Output ŷ", ylim=(0, 1.1))
axes.legend()
common.save(figure, "14_softmax_hardmax")

# %% [markdown]
# ## Three classes, no hidden layer
#
# Petals of three species of iris. Between any two classes the boundary is where
# $z_i = z_j$, a straight line, since each z is linear in x.

# %%
iris = load("iris")
x = iris.x[:, 2:]
keras.utils.set_random_seed(1)
model = keras.Sequential(
    [keras.Input((2,)), keras.layers.Dense(3), keras.layers.Softmax()]
)
model.compile(
    Adam(learning_rate=0.1),
    "sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x, iris.y, 50, 40 if common.QUICK else 200, verbose=0)
accuracy = model.evaluate(x, iris.y, verbose=0)[1]
W, b = map(np.asarray, model.layers[0].weights)

# %%
grid = np.meshgrid(np.linspace(0.7, 7.2, 260), np.linspace(-0.1, 2.7, 180))
points = np.stack(grid, axis=-1).reshape(-1, 2)
y_hat = model.predict(points, batch_size=len(points), verbose=0)
winner = y_hat.argmax(axis=1).reshape(grid[0].shape)

figure, axes = plt.subplots(figsize=(6.4, 4.2))
shades = ListedColormap(["#f3ead7", "#cfe0ea", "#e6cfd6"])
axes.pcolormesh(*grid, winner, cmap=shades, rasterized=True)
markers = [("o", "#b97a10"), ("^", "#0b3c6f"), ("s", "#9b1d3a")]
for species, (marker, color) in enumerate(markers):
    petals, name = x[iris.y == species], iris.labels[species]
    axes.plot(*petals.T, marker, color=color, markersize=4.5, label=name)
line = np.linspace(0.7, 7.2, 300)
for i, j, other in [(0, 1, 2), (1, 2, 0), (0, 2, 1)]:
    w, c = W[:, i] - W[:, j], b[i] - b[j]
    on_the_line = np.column_stack([line, -(w[0] * line + c) / w[1]])
    shares = model.predict(on_the_line, batch_size=300, verbose=0)
    assert np.allclose(shares[:, i], shares[:, j], atol=1e-4)
    # Where the third class is likelier still, the line bounds nothing.
    bounding = on_the_line[shares[:, i] >= shares[:, other]]
    axes.plot(*bounding.T, "k--", linewidth=1)
axes.set(xlabel="Petal length (cm)", ylabel="Petal width (cm)")
axes.set(xlim=(0.7, 7.2), ylim=(-0.1, 2.7))
axes.legend(loc="lower right")
common.save(figure, "14_boundaries")
print(
    f"{accuracy:.0%} of the irises are told apart by straight lines (dashed), "
    "on which two classes are equally likely."
)
assert accuracy > 0.9

# %% [markdown]
# ## dz = ŷ − y
#
# The start of backpropagation, checked against two-sided differences.

# %%
y = np.array([0.0, 1.0, 0.0, 0.0])
check = check_gradient(
    f=lambda z: -np.sum(y * np.log(np.exp(z) / np.exp(z).sum())),
    gradient=soft - y,
    theta=z[0],
)
print(f"dz = ŷ − y is {check.verdict}: ratio {check.ratio:.0e}")
assert check.verdict == "good"

# %% [markdown]
# ## Two classes are logistic regression
#
# $$\hat y_2 = \frac{e^{z_2}}{e^{z_1} + e^{z_2}} = \sigma(z_2 - z_1)$$
#
# Both columns of W move, by opposite amounts, so softmax with α takes the very
# steps of logistic regression with 2α. We train both to tell versicolor from
# virginica.

# %%
two = iris.y > 0
x, y = x[two].astype("float64"), (iris.y[two] == 2).astype("float64")
x = np.column_stack([(x - x.mean(axis=0)) / x.std(axis=0), np.ones(len(x))])


def train(predict, targets, learning_rate, steps=100):
    """Returns the weights after gradient descent with dz = ŷ − y."""
    w = keras.Variable(np.zeros((3, targets.shape[1])), dtype="float64")
    optimizer = GradientDescent(learning_rate)
    for _ in range(steps):
        dz = predict(ops.matmul(x, w)) - targets
        optimizer.apply([ops.matmul(x.T, dz) / len(x)], [w])
    return np.asarray(w)


softmax = train(ops.softmax, np.column_stack([1 - y, y]), learning_rate=0.5)
logistic = train(ops.sigmoid, y[:, None], learning_rate=1.0)
difference = np.abs(softmax[:, 1] - softmax[:, 0] - logistic[:, 0]).max()
print(f"Logistic regression and softmax with C = 2 differ by {difference:.0e}")
assert difference < 1e-6

# %% [markdown]
# ## Exercise
#
# Put a hidden layer of 8 relu units before the softmax and draw the regions
# again. Are the boundaries still lines? Does the accuracy gain by it?
