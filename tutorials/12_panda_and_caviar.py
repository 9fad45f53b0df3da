# %% [markdown]
# # 12. Pandas and caviar
#
# Week 3, "Hyperparameters tuning in practice: pandas vs. caviar".
#
# There are two ways to look for good hyperparameters. With one model and little
# computing power you babysit it, as a panda does her one cub: watch the cost
# day by day, nudge the learning rate up while it falls, and go back to the day
# before when something breaks. With more you train many models at once, as fish
# lay eggs, and keep the best. Here are both, on handwritten digits.

# %%
import tempfile
import time

import common
import digits
import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm

from tfcourse import optimizers, tuning

DAYS = 21 if common.QUICK else 40  # A day is an epoch.
TRIALS = 16 if common.QUICK else 64
BOLD_DAY = 6

fitting = digits.fit_arguments(DAYS)
folder = tempfile.mkdtemp()

# %% [markdown]
# ## Panda: one model, watched
# `Panda` keeps a journal and checkpoints, and calls a policy at the end of each
# day. This one raises α by half after two good days and halves it after a bad
# one, as the lecture does by hand. On one day it loses patience.


# %%
def babysit(journal):
    if len(journal) == BOLD_DAY:
        return {"learning_rate": 50.0}
    return tuning.daily_nudge(journal, up=1.5, down=0.5, days=2)


def trained(callbacks=None):
    keras.utils.set_random_seed(1)
    model = digits.network(optimizers.GradientDescent(0.01))
    return model.fit(**fitting, callbacks=callbacks).history["val_loss"]


fixed = trained()
began = time.perf_counter()
# With `share` 1 there is a checkpoint each day, however short the days are.
mother = tuning.Panda(
    f"{folder}/cub", policy=babysit, guard=tuning.Guard(steps=5), share=1
)
watched = trained([mother])
panda_seconds = time.perf_counter() - began

journal = tuning.read_journal(f"{folder}/cub")
nudges = [entry for entry in journal if entry.get("event") == "nudge"]
rollbacks = [entry for entry in journal if entry.get("event") == "rollback"]
periods = [entry for entry in journal if entry["kind"] == "period"]
rates = [period["hyperparameters"]["learning_rate"] for period in periods]
for entry in rollbacks:
    print(f"Step {entry['from']}: {entry['why']}.")
    print(f"  Back to the end of day {entry['to']['epoch']}.")
print(f"{len(nudges)} nudges took α from 0.01 to {rates[-1]:.2g}.")
print(f"Dev cost, α fixed at 0.01: {fixed[-1]:.3f}; babysat: {watched[-1]:.3f}")
assert rollbacks, "the guard has not seen the bold day"
assert watched[-1] < 0.6 * fixed[-1]

# %% [markdown]
# ## Caviar: many models at once
# `Caviar` draws the trials at random, on the course's scales, and trains all
# those that differ in values only as one program.


# %%
def build(hp):
    alpha = tuning.log_uniform(hp, "learning_rate", 1e-4, 1.0)
    beta = tuning.one_minus_log_uniform(hp, "beta", 0.9, 0.999)
    return digits.network(optimizers.Momentum(alpha, beta))


began = time.perf_counter()
tuner = tuning.Caviar(build, "val_loss", TRIALS, seed=1, directory=folder)
tuner.search(**fitting)
seconds = time.perf_counter() - began

study = tuning.to_optuna(tuner)
best = study.best_trial
found = best.user_attrs["hyperparameters"]
better = sum(trial.value < watched[-1] for trial in study.trials)
print(
    f"\n{TRIALS} trials in {seconds:.1f} s, where the panda took "
    f"{panda_seconds:.1f} s for one run.\nThe best has α = "
    f"{found['learning_rate']:.2g}, β = {found['beta']:.3g}: dev cost "
    f"{best.value:.3f}. {better} of {TRIALS} are better than the babysat run."
)
assert [group["how"] for group in tuner.groups] == ["vectorised"]
assert best.value < fixed[-1] / 3

# %%
figure, ((left, right), (rate, score)) = plt.subplots(
    2, 2, figsize=(9, 6), height_ratios=(2, 1)
)
days = np.arange(1, DAYS + 1)
left.plot(days, watched, label="babysat")
left.plot(days, fixed, label="α = 0.01")
rate.plot(days, rates, drawstyle="steps-mid")
rate.plot(days, [0.01] * DAYS)
for axes, low in ((left, 0.2), (rate, 0)):
    axes.axvline(BOLD_DAY + 0.5, low, color="0.5", lw=1, linestyle=":")
left.annotate("α = 50, rolled back", (BOLD_DAY + 1, 0.22), color="0.3")
rate.set(xlabel="day (epoch)", ylabel="learning rate α", yscale="log")

colour = ScalarMappable(LogNorm(1e-4, 1), "cividis_r")
for trial in study.trials:
    alpha, curve = trial.params["learning_rate"], trial.intermediate_values
    style = {"color": colour.to_rgba(alpha), "linestyle": "-", "linewidth": 1}
    right.plot(curve.keys(), curve.values(), **style)
    score.plot(alpha, trial.value, "o", color=style["color"], markersize=5)
right.plot(
    days, best.intermediate_values.values(), "--", color="#d1495b", label="best"
)
score.set(xlabel="learning rate α", ylabel="best cost", xscale="log")
score.axhline(watched[-1], linestyle="-", linewidth=1, label="babysat")
figure.colorbar(colour, ax=right, label="learning rate α")
left.set_title("Panda: one model, nudged daily")
right.set_title(f"Caviar: {TRIALS} models")
for axes in (left, right):
    axes.set(xlabel="day (epoch)", ylabel="cost on the dev set")
    axes.legend(loc="lower left")
score.legend(loc="upper right")
for axes in (left, right, score):
    axes.set(yscale="log", ylim=(0.1, 3))
    axes.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    axes.minorticks_off()
common.save(figure, "12_panda_and_caviar")

# %% [markdown]
# ## Exercise
# Take the bold day out of the policy, and raise α by `up=3`. Does the run get
# better than the best of the trials? Then steer a run from another terminal:
# give `Panda` a folder that you know and, while it trains, call
# `tfcourse panda status FOLDER` and
# `tfcourse panda set FOLDER learning_rate=0.1`.
