# %% [markdown]
# # 10. The scale of a hyperparameter
#
# Week 3, "Using an appropriate scale to pick hyperparameters".
#
# To draw a learning rate α between 0.0001 and 1, draw its exponent:
#
# $$r \sim U[-4, 0], \qquad \alpha = 10^r$$
#
# and to draw a β between 0.9 and 0.999, the exponent of 1 − β:
#
# $$r \sim U[-3, -1], \qquad \beta = 1 - 10^r$$

# %%
import common
import keras_tuner
import matplotlib.pyplot as plt
import numpy as np

from tfcourse.averages import exponentially_weighted_average
from tfcourse.tuning import log_uniform, one_minus_log_uniform

DRAWS = 10_000

# %% [markdown]
# ## Ten thousand draws
#
# In a search you write `log_uniform(hp, "learning_rate", 1e-4, 1)` in the
# function that builds your model. Here we register the same hyperparameters
# and draw from them ourselves.

# %%
hp = keras_tuner.HyperParameters()
hp.Float("uniform learning_rate", 1e-4, 1)
log_uniform(hp, "learning_rate", 1e-4, 1)
hp.Float("uniform beta", 0.9, 0.999)
one_minus_log_uniform(hp, "beta", 0.9, 0.999)

linear_alpha, log_alpha, linear_beta, one_minus_beta = (
    np.array([each.random_sample(seed) for seed in range(DRAWS)])
    for each in hp.space
)
log_beta = 1 - one_minus_beta

# %%
decades = 10.0 ** np.arange(-4, 1)
print("Share of the draws in each decade of α:")
for name, draws in [("uniform", linear_alpha), ("log", log_alpha)]:
    shares = np.histogram(draws, decades)[0] / DRAWS
    text = "  ".join(f"{share:7.2%}" for share in shares)
    print(f"  {name:8} 0.0001 {text} 1")
above_a_tenth = np.mean(linear_alpha > 0.1)
print(
    f"On the linear scale {above_a_tenth:.0%} of the trials go to α from 0.1 "
    "to 1; on the log scale each decade gets its quarter."
)
log_shares = np.histogram(log_alpha, decades)[0] / DRAWS
# A share of 0.25 of 10,000 draws varies by 0.0043; this is six times that.
assert np.abs(log_shares - 0.25).max() < 0.026
assert abs(above_a_tenth - 0.9) < 0.02
below = np.mean(log_beta < 0.99)
print(f"β below 0.99: {below:.0%} with 1 − 10^r, {0.09 / 0.099:.0%} uniform.")
assert abs(below - 0.5) < 0.03


# %%
def draw_strip(axes, draws, place, label):
    """Draws 300 of the draws as ticks at a height of the plot."""
    heights = place + 0.3 * np.array([[-1], [1]])
    axes.vlines(draws[:300], *heights, color="#0b3c6f", linewidth=0.4)
    axes.text(0, place + 0.36, label, transform=axes.get_yaxis_transform())


figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
for axes, linear, log, rule in [
    (left, linear_alpha, log_alpha, "$α = 10^r$"),
    (right, 1 - linear_beta, 1 - log_beta, "$β = 1 - 10^r$"),
]:
    draw_strip(axes, linear, 1, "uniform")
    draw_strip(axes, log, 0, rule)
    axes.set(xscale="log", ylim=(-0.4, 1.6), yticks=[])
    axes.spines["left"].set_visible(False)
left.set(xlabel="Learning rate α", xlim=(1e-4, 1))
right.set(xlabel="β", xlim=(0.1, 0.001))
figure.get_layout_engine().set(wspace=0.1)
right.set_xticks([0.1, 0.01, 0.001], ["0.9", "0.99", "0.999"])
common.save(figure, "10_draws")

# %% [markdown]
# ## Why 0.9995 is far from 0.999
#
# An average with β covers about 1/(1 − β) steps. From 0.9 to 0.9005 that is
# from 10 to 10.05, which nobody notices. From 0.999 to 0.9995, as small a
# step, it is from 1000 to 2000. So β must be tried more densely near 1, which
# is what the log scale of 1 − β does. Watch the averages follow a jump from 0
# to 1:

# %%
steps = 6000
figure, panels = plt.subplots(1, 2, figsize=(8, 3), sharey=True)
apart = []
for axes, pair, shown in [
    (panels[0], (0.9, 0.9005), 60),
    (panels[1], (0.999, 0.9995), steps),
]:
    curves = [
        exponentially_weighted_average(np.ones(steps), beta, False)
        for beta in pair
    ]
    for beta, curve in zip(pair, curves, strict=True):
        window = f"{1 / (1 - beta):.4g}"
        axes.plot(curve[:shown], label=f"β = {beta}, {window} steps")
    axes.set(xlabel="Steps since the jump", xlim=(0, shown), ylim=(0, 1.02))
    axes.legend(loc="lower right")
    apart.append(np.abs(curves[0] - curves[1]).max())
# Without a last one, which would touch the first of the other panel.
panels[0].set(ylabel="Average of the values", xticks=[0, 20, 40])
common.save(figure, "10_windows")

print(
    f"The same 0.0005 moves the average by at most {apart[0]:.4f} at β = 0.9, "
    f"but by {apart[1]:.2f} at β = 0.999."
)
assert apart[1] > 100 * apart[0]

# %% [markdown]
# ## Exercise
#
# How would you draw the number of hidden units from 50 to 100, the number of
# layers from 2 to 4, and keep_prob from 0.5 to 1? See `uniform_integers` in
# `tfcourse.tuning`, and say why no log scale is needed.
