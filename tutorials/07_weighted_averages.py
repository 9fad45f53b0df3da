# %% [markdown]
# # 7. Exponentially weighted averages
#
# Week 2, "Exponentially weighted averages" to "Bias correction".
#
# The average that momentum, RMSprop and Adam are made of. Of a series θ it
# keeps one number and updates it with each new value:
#
# $$v_t = \beta v_{t-1} + (1 - \beta) \, \theta_t, \qquad v_0 = 0$$
#
# It covers about the last 1/(1 − β) values. The data are synthetic: a year of
# daily temperatures like London's, a season and the weather's noise, begun
# with the lecture's $\theta_1$ = 40 °F and $\theta_2$ = 49 °F.

# %%
import common
import matplotlib.pyplot as plt
import numpy as np

from tfcourse.averages import (
    ExponentiallyWeightedAverage,
    exponentially_weighted_average,
)

rng = np.random.default_rng(0)
day = np.arange(1, 366)
season = 52 - 12 * np.cos(2 * np.pi * (day - 15) / 365)
theta = season + rng.normal(scale=5, size=365)
theta[:2] = 40, 49

# %% [markdown]
# ## One update at a time
#
# This is all that an optimizer does, for each of its parameters. At β = 0.98
# the first two averages are 0.02·40 and 0.0196·40 + 0.02·49: far too cold,
# for v began at 0. Bias correction divides $v_t$ by $1 - \beta^t$,
# the weight that all values have together.

# %%
plain = ExponentiallyWeightedAverage(beta=0.98, bias_correction=False)
corrected = ExponentiallyWeightedAverage(beta=0.98)
print("day  temperature    v_t  v_t / (1 − β^t)     (°F)")
for t, temperature in enumerate(theta[:4], start=1):
    v, v_hat = plain.update(temperature), corrected.update(temperature)
    print(f"{t:3}  {temperature:11.1f}  {v:5.2f}  {v_hat:15.2f}")

# %% [markdown]
# ## What β does
#
# `exponentially_weighted_average` gives the average of a whole series at once.

# %%
averages = {
    beta: exponentially_weighted_average(theta, beta)
    for beta in (0.5, 0.9, 0.98)
}
# The lecture's colours: yellow, red and green.
styles = {
    0.5: {"color": "#e3a02c", "linewidth": 0.9, "linestyle": "-"},
    0.9: {"color": "#c8102e", "linewidth": 2.2, "linestyle": "-"},
    0.98: {"color": "#1b6e3c", "linewidth": 2.2, "linestyle": "--"},
}
figure, axes = plt.subplots()
axes.scatter(day, theta, s=7, color="0.75", label="θ, each day")
for beta, average in averages.items():
    label = f"β = {beta}, about {1 / (1 - beta):.0f} days"
    axes.plot(day, average, **styles[beta], label=label)
axes.set(xlabel="Day of the year", ylabel="Temperature (°F)", xlim=(0, 366))
axes.set_ylim(bottom=20)
axes.legend(loc="lower center", ncols=2)
common.save(figure, "07_beta")

# %%
errors = {
    beta: np.sqrt(np.mean((average - season) ** 2))
    for beta, average in averages.items()
}
for beta, error in errors.items():
    print(f"β = {beta:<4}: {error:.1f} °F from the season it should show")
print(
    "See how 0.5 is noisy, and 0.98 smooth but late: it takes weeks to notice "
    "that it is getting warmer."
)
assert errors[0.9] < errors[0.5]
assert errors[0.9] < errors[0.98]

# %% [markdown]
# ## Bias correction
#
# The lecture's purple curve is what the formula gives at β = 0.98, the green
# one what we meant. Once $\beta^t$ is small, at about day 100, they are the
# same.

# %%
purple = exponentially_weighted_average(theta, 0.98, bias_correction=False)
green = averages[0.98]
first = day <= 150
figure, axes = plt.subplots()
axes.scatter(day[first], theta[first], s=7, color="0.75", label="θ, each day")
for v, label, color, style in [
    (green, "corrected, $v_t / (1 - β^t)$", "#1b6e3c", "--"),
    (purple, "not corrected, $v_t$", "#6f2c91", "-"),
]:
    axes.plot(day[first], v[first], style, color=color, label=label)
axes.legend(loc="lower right")
axes.set(xlabel="Day of the year", ylabel="Temperature (°F)", xlim=(0, 150))
axes.set_ylim(bottom=0)
common.save(figure, "07_bias_correction")

print(
    f"Day 2: {purple[1]:.2f} °F without the correction, {green[1]:.2f} °F with "
    f"it. Day 365: {purple[-1]:.2f} and {green[-1]:.2f} °F."
)
assert np.isclose(purple[1], 0.0196 * 40 + 0.02 * 49)
assert np.isclose(green[1], purple[1] / 0.0396)
assert abs(purple[-1] - green[-1]) < 0.1

# %% [markdown]
# ## Exercise
#
# β = 0.9 forgets a day's weather by a factor of 1/e in ten days:
# $0.9^{10} \approx 0.35$. After how many days does 0.98 forget as much? Plot
# the weights $(1 - \beta) \beta^k$ of the temperature k days ago for both.
