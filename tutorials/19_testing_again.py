# %% [markdown]
# # 19. Testing again after a shift
#
# Week 3, "Hyperparameters tuning in practice: pandas vs. caviar": intuitions
# get stale, so test the hyperparameters again at least once every several
# months.
#
# Here is a search on the synthetic data of one season. Then two more seasons
# come in: one of the same kind, and one in which a sensor reports in another
# unit. `retest` says for each whether the old choice still holds.

# %%
import tempfile

import common
import keras
import matplotlib.pyplot as plt
import numpy as np

from tfcourse import tuning

TRIALS, SEEDS, DRAWS = (6, 5, 1) if common.QUICK else (24, 10, 4)
folder = tempfile.mkdtemp()
FIT = {"epochs": 3, "batch_size": 16, "verbose": 0}


def season(seed, unit=1.0):
    """Returns examples of three sensors, whose unit may be another."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(160, 3)).astype("float32")
    noise = rng.normal(size=160).astype("float32")
    return x * unit, x @ np.float32([1, -1, 0.5]) + noise


def build(hp):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    alpha = tuning.log_uniform(hp, "learning_rate", 1e-5, 1.0)
    model.compile(keras.optimizers.SGD(alpha), "mse")
    return model


x_old, y_old = season(0)
search = tuning.Caviar(build, "val_loss", TRIALS, directory=folder)
search.search(
    x_old[:120], y_old[:120], validation_data=(x_old[120:], y_old[120:]), **FIT
)
alpha = tuning.best_points(search)[0]["learning_rate"]
print(f"The old choice: α = {alpha:.3g}")

# %% [markdown]
# ## Two new seasons
# The old choice, its neighbours on the scale of α, a few draws and the default
# are trained on the new data, each with the same seeds, and each time with
# another part held out. The features are compared with those of the old
# season.

# %%
before = {f"sensor {n}": x_old[:, n] for n in range(3)}
found = {}
for name, unit in [("same units", 1.0), ("other units", 0.1)]:
    x, y = season(1, unit)
    after = {f"sensor {n}": x[:, n] for n in range(3)}
    found[name] = tuning.retest(
        search,
        build,
        x,
        y,
        seeds=SEEDS,
        draws=DRAWS,
        before=before,
        after=after,
        **FIT,
    )
    holds = "holds" if found[name].holds else "does not hold"
    drifted = [one.feature for one in found[name].drifted]
    print(f"{name}: the old choice {holds}; drifted: {drifted or 'nothing'}")

assert found["same units"].holds
assert not found["same units"].drifted
assert len(found["other units"].drifted) == 3

# %% [markdown]
# ## How much would be gained
# An interval that lies right of 0 is more than luck: all of them hold at once,
# and know that the parts overlap.

# %%
figure, both = plt.subplots(1, 2, sharey=True, figsize=(8, 4))
for axes, (name, one) in zip(both, found.items(), strict=True):
    points = [tried for tried in one.tried if tried.comparison]
    rates = [tried.point.values["learning_rate"] for tried in points]
    gains = np.array([tried.comparison.gain for tried in points])
    ends = np.array([tried.comparison.interval for tried in points])
    widths = [gains - ends[:, 0], ends[:, 1] - gains]
    axes.errorbar(gains, rates, xerr=widths, fmt="o", capsize=3)
    axes.axvline(0, color="0.5", linewidth=1, linestyle=":")
    axes.axhline(alpha, color="0.5", linewidth=1, linestyle=":")
    axes.set(xlabel="gain: lower loss", yscale="log", title=name)
both[0].set_ylabel("learning rate α")
common.save(figure, "19_testing_again")
print("Right of the line: better than the old choice.")

# %% [markdown]
# ## Exercise
# `tuning.drift` found all three sensors. Shift one of them by 0.3 instead of
# changing its unit: is the drift found, and does the old choice hold?
