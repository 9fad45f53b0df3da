# %% [markdown]
# # 2. Regularization
#
# Week 1, "Regularization" to "Other regularization methods".
# A network that is far too large for its data learns them by heart. Here are
# the course's remedies on one such problem: 150 points of the two moons,
# synthetic, with so much noise that no boundary can part them all.

# %%
import common
import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from tfcourse.layers import InvertedDropout
from tfcourse.optimizers import Adam, GradientDescent
from tfcourse.regularizers import L1, L2, frobenius_norm

m = 150
x, y = make_moons(m, noise=0.3, random_state=1)
x_dev, y_dev = make_moons(2000, noise=0.3, random_state=2)
epochs = 8 if common.QUICK else 16
# An epoch here is 25 passes through all points, a step each.
x_25, y_25 = np.tile(x, (25, 1)), np.tile(y, 25)

# %% [markdown]
# ## Six networks
#
# | network | cost, or what else |
# | --- | --- |
# | none | $J = \frac{1}{m} \sum_i L(\hat y_i, y_i)$ |
# | L2 | $J + \frac{\lambda}{2m} \sum_l \lVert W_l \rVert_F^2$ |
# | L1 | $J + \frac{\lambda}{m} \sum_l \lvert W_l \rvert$ |
# | dropout | each unit is kept with probability keep_prob |
# | early stopping | the weights of the epoch with the least dev cost |
# | augmentation | every step sees the points shaken anew |


# %%
def train(regularizer=None, keep_prob=1.0, shake=0.0, stop_early=False):
    """Returns a trained network of 2 × 100 units."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,))])
    if shake:
        model.add(keras.layers.GaussianNoise(shake))
    for _ in range(2):
        layer = keras.layers.Dense(100, "relu", kernel_regularizer=regularizer)
        model.add(layer)
        model.add(InvertedDropout(keep_prob))
    model.add(keras.layers.Dense(1, "sigmoid"))
    model.compile(Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(restore_best_weights=True, patience=3)
    model.fit(
        x_25,
        y_25,
        batch_size=m,
        epochs=epochs,
        shuffle=False,
        validation_data=(x_dev, y_dev) if stop_early else None,
        validation_batch_size=len(x_dev),
        callbacks=[stop] if stop_early else None,
        verbose=0,
    )
    return model


settings = {
    "none": {},
    "L2": {"regularizer": L2(lambda_=1.0, m=m)},
    "dropout": {"keep_prob": 0.5},
    "L1": {"regularizer": L1(lambda_=0.15, m=m)},
    "early stopping": {"stop_early": True},
    "augmentation": {"shake": 0.3},
}
names = list(settings)[: 2 if common.QUICK else 6]
models = {name: train(**settings[name]) for name in names}


# %%
def predict(model, x):
    """Returns the chance that each point belongs to the second moon."""
    return np.asarray(model(x))[:, 0]


errors = {}
print("                training       dev error")
for name, model in models.items():
    train_error = np.mean((predict(model, x) > 0.5) != y)
    dev_error = np.mean((predict(model, x_dev) > 0.5) != y_dev)
    errors[name] = train_error, dev_error
    print(f"{name:15} {train_error:8.1%}  {dev_error:13.1%}")
for name in list(models)[1:]:
    assert errors[name][1] < errors["none"][1] - 0.005
gaps = {name: dev - train for name, (train, dev) in errors.items()}
assert max(gaps, key=gaps.get) == "none"

# %%
grid = np.meshgrid(np.linspace(-1.8, 2.8, 150), np.linspace(-1.4, 1.8, 110))
points = np.stack(grid, axis=-1).reshape(-1, 2)
rows, columns = max(1, len(models) // 3), min(3, len(models))
figure, panels = plt.subplots(
    rows, columns, sharex=True, sharey=True, squeeze=False
)
figure.set_size_inches(3 * columns, 2.5 * rows)
for axes, (name, model) in zip(panels.flat, models.items(), strict=True):
    y_hat = predict(model, points).reshape(grid[0].shape)
    axes.contourf(*grid, y_hat > 0.5, 1, colors=["#f6e3c0", "#c3d5e6"])
    axes.contour(*grid, y_hat, [0.5], colors="k", linewidths=1)
    axes.plot(*x[y == 0].T, "o", color="#b3720c", markersize=3.5, mew=0)
    axes.plot(*x[y == 1].T, "^", color="#0b3c6f", markersize=3.5, mew=0)
    axes.set_title(name)
    axes.set_title(f"dev error {errors[name][1]:.1%}", loc="right", fontsize=9)
figure.supxlabel("$x_1$")
figure.supylabel("$x_2$")
common.save(figure, "02_boundaries")
print("See the first network draw a border around single points.")

# %% [markdown]
# ## Weight decay
#
# In each step L2 first shrinks the weights, whatever the data say:
#
# $$W := W - \alpha \Big( dW + \frac{\lambda}{m} W \Big)
#   = \Big( 1 - \frac{\alpha \lambda}{m} \Big) W - \alpha \, dW$$
#
# To see nothing but this, we let dW be 0 for sixty steps.

# %%
alpha, steps = 0.1, 60
figure, axes = plt.subplots()
start = np.random.default_rng(0).normal(size=(100, 100)) / 10
for lambda_ in (0, 5, 20, 100):
    W = keras.Variable(start, dtype="float64", name="kernel")
    optimizer = GradientDescent(alpha, l2=lambda_ / m)
    norms = [float(frobenius_norm(W))]
    for _ in range(steps):
        optimizer.apply([keras.ops.zeros_like(W)], [W])
        norms.append(float(frobenius_norm(W)))
    axes.plot(norms)
    axes.text(steps + 1, norms[-1], f"λ = {lambda_}", va="center")
    formula = norms[0] * (1 - alpha * lambda_ / m) ** np.arange(steps + 1)
    assert np.allclose(norms, formula, rtol=1e-5)
    print(f"λ = {lambda_:3}: ‖W‖ = {norms[-1]:.4f}, formula {formula[-1]:.4f}")
axes.set(xlabel="Step", ylabel="$‖W‖_F$", xlim=(0, steps), ylim=(-0.2, 10.5))
common.save(figure, "02_weight_decay")

# %% [markdown]
# ## Exercise
#
# Try λ = 0.01, 0.1, 1, 10 and 100 for L2. Plot training and dev error against
# λ: at which end is the bias high, and at which the variance?
