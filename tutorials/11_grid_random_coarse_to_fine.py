# %% [markdown]
# # 11. Grid, random, coarse to fine
#
# Week 3, "Tuning process".
#
# Which hyperparameters matter is not known before. A grid of 25 points tries
# five values of each; 25 points at random try 25. If one hyperparameter hardly
# matters, as the ε of Adam, the grid has tried five models 5 times over. Then,
# rather than to go on at random everywhere, look again where the best ones lay.
# Each point is a network that was trained on handwritten digits.

# %%
import tempfile

import common
import digits
import keras_tuner
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle

from tfcourse import optimizers, tuning

EPOCHS, TRIALS = (4, 30) if common.QUICK else (10, 60)

fitting = digits.fit_arguments(EPOCHS)


def searched(tuner):
    """Returns the tuner's trials, one a row, after the search."""
    tuner.search(**fitting)
    frame = tuning.trials_frame(tuner)
    return frame[frame.status == "completed"]


# %% [markdown]
# ## Grid against random
# Both have 25 trials for α and ε of Adam, each on its log scale.


# %%
def adam(hp, step=None):
    alpha = tuning.log_uniform(hp, "learning_rate", 1e-4, 1.0, step=step)
    epsilon = tuning.log_uniform(hp, "epsilon", 1e-9, 1e-5, step=step)
    return digits.network(optimizers.Adam(alpha, epsilon=epsilon))


grid = searched(
    tuning.Caviar(
        lambda hp: adam(hp, step=10),
        oracle=keras_tuner.oracles.GridSearchOracle("val_loss", 25, seed=2),
        directory=tempfile.mkdtemp(),
    )
)
random = searched(
    tuning.Caviar(adam, "val_loss", 25, seed=2, directory=tempfile.mkdtemp())
)
for name, frame in (("Grid", grid), ("Random", random)):
    print(
        f"{name}: {frame.learning_rate.nunique()} values of α in {len(frame)} "
        f"trials; best dev cost {frame.score.min():.3f} at α = "
        f"{frame.learning_rate[frame.score.idxmin()]:.2g}"
    )
assert grid.learning_rate.nunique() == 5
assert random.learning_rate.nunique() == 25

# Rows are values of ε, columns of α: the cost differs along a row only.
table = np.log(grid.pivot_table("score", "epsilon", "learning_rate"))
by_alpha, by_epsilon = table.mean(axis=0).std(), table.mean(axis=1).std()
print(f"α matters {by_alpha / by_epsilon:.0f} times as much as ε does.")
assert by_alpha > 5 * by_epsilon

# %%
COST = {"cmap": "cividis", "norm": LogNorm(0.1, 3), "edgecolor": "0.2"}

figure, panels = plt.subplots(1, 2, sharex=True, sharey=True, figsize=(8, 3.8))
for axes, frame, title in (
    (panels[0], grid, "Grid: 5 values of α"),
    (panels[1], random, "Random: 25 values of α"),
):
    points = axes.scatter(
        frame.learning_rate, frame.epsilon, c=frame.score, s=60, **COST
    )
    # What is left of the points when ε does not matter.
    low = np.full(len(frame), 3e-10)
    axes.scatter(frame.learning_rate, low, 120, "#d1495b", marker="|")
    axes.set(xlabel="learning rate α", xscale="log", yscale="log", title=title)
panels[0].set(ylabel="ε of Adam", ylim=(2e-10, 2e-5))
figure.colorbar(points, ax=panels, label="cost on the dev set")
common.save(figure, "11_grid_and_random")

# %% [markdown]
# ## Coarse to fine
# Now α and β of momentum, which both matter; β is drawn on the scale of 1 − β.
# The first of three rounds is at random everywhere; each further one looks in a
# smaller region, around the best trials so far. Some trials, here and there,
# are drawn outside it on purpose.


# %%
def momentum(hp):
    alpha = tuning.log_uniform(hp, "learning_rate", 1e-3, 10.0)
    beta = tuning.one_minus_log_uniform(hp, "beta", 0.5, 0.999)
    return digits.network(optimizers.Momentum(alpha, beta))


tuner = tuning.CoarseToFineSearch(
    momentum, "val_loss", TRIALS, seed=1, rounds=3, directory=tempfile.mkdtemp()
)
trials = searched(tuner)
rounds = tuning.read_rounds(tuner.project_dir)

# %%
figure, axes = plt.subplots(figsize=(6.8, 4.6))
medians = []
for number, (this, marker) in enumerate(zip(rounds, "os^", strict=True), 1):
    frame = trials[trials.trial.isin(this["trials"])]
    medians.append(frame.score.median())
    alpha, beta = this["regions"]
    print(
        f"Round {number}: {len(frame)} trials with α in {alpha['low']:.2g} to "
        f"{alpha['high']:.2g} and β in {beta['low']:.2g} to "
        f"{beta['high']:.3g}; median dev cost {medians[-1]:.3f}, best "
        f"{frame.score.min():.3f}"
    )
    axes.scatter([], [], color="0.6", marker=marker, label=f"round {number}")
    style = {"c": frame.score, "marker": marker, "s": 40, "zorder": 2}
    points = axes.scatter(frame.learning_rate, 1 - frame.beta, **style, **COST)
    corner = alpha["low"], 1 - beta["high"]
    size = alpha["high"] - alpha["low"], beta["high"] - beta["low"]
    axes.add_patch(
        Rectangle(corner, *size, fill=False, ec="#d1495b", lw=number, zorder=1)
    )
assert medians[2] < medians[0] / 2

axes.set(xlabel="learning rate α", ylabel="1 − β", xscale="log", yscale="log")
axes.set_title("Coarse to fine: three rounds and their regions")
figure.legend(loc="outside lower center", ncols=3)
figure.colorbar(points, label="cost on the dev set")
common.save(figure, "11_coarse_to_fine")

# %% [markdown]
# ## Exercise
# Give 60 trials to random search, `Caviar(momentum, "val_loss", 60)`, and
# compare the ten best of both; how many seeds does it take to be sure which is
# better? Then look at all trials in the browser:
# `tfcourse.tuning.write_report(tuner, "report.html")`.
