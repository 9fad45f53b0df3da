# %% [markdown]
# # 4. Vanishing and exploding gradients
#
# Week 1, "Vanishing / exploding gradients" and "Weight initialization".
#
# In a network of L linear layers with W = c·I the last activation is $c^L x$.
# At c = 1.5 it explodes with the depth, at c = 0.5 it vanishes, and so do the
# gradients on their way back. The remedy is a variance of W that fits the
# number n of inputs of a unit: 2/n for relu (He), 1/n for tanh (Xavier).

# %%
import common
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras.initializers import Identity, RandomNormal, Zeros

from tfcourse.data import load
from tfcourse.diagnostics import signal_propagation
from tfcourse.initializers import He, Xavier

DEPTH = 50
data = load("digits")
x = ((data.x - data.x.mean()) / data.x.std())[:128]


def network(initializer, activation="relu"):
    """Returns `DEPTH` hidden layers of 64 units, and a softmax.

    `initializer` is a function that gives each layer an initializer of its
    own: of one and the same, all layers would get the same weights.
    """
    keras.utils.set_random_seed(0)
    hidden = [
        keras.layers.Dense(64, activation, kernel_initializer=initializer())
        for _ in range(DEPTH)
    ]
    return keras.Sequential(
        [keras.Input((64,)), *hidden, keras.layers.Dense(10, "softmax")]
    )


# %% [markdown]
# ## The lecture's numbers

# %%
for c in (1.5, 0.5):
    model = network(lambda c=c: Identity(gain=c), activation="linear")
    signal = signal_propagation(model, x)
    growth = signal.activation_growth * c  # From x on, not from layer 1.
    print(f"W = {c}·I: a^[{DEPTH}] = {growth:.2g}·x; {signal.verdict}")
    assert np.isclose(growth, c**DEPTH, rtol=1e-3)

# %% [markdown]
# ## Four ways to begin
#
# Fifty relu layers on real digits. `signal_propagation` runs one batch forwards
# and backwards and measures the spread of what passes each layer.

# %%
initializers = {
    "zeros": Zeros,
    "large, N(0, 1/4)": lambda: RandomNormal(stddev=0.5),
    "Xavier, N(0, 1/n)": Xavier,
    "He, N(0, 2/n)": He,
}
signals = {
    name: signal_propagation(network(initializer), x)
    for name, initializer in initializers.items()
}
for name, signal in signals.items():
    print(
        f"{name:18} {signal.verdict:9} activations × "
        f"{signal.activation_growth:.1e}, gradients × "
        f"{signal.gradient_growth:.1e}"
    )

# %%
figure, panels = plt.subplots(1, 2, figsize=(9, 3.8), sharex=True)
depth = np.arange(1, DEPTH + 1)
for name, signal in list(signals.items())[1:]:
    for axes, deviations in zip(
        panels,
        (
            [layer.activation_std for layer in signal.hidden],
            [layer.gradient_std for layer in signal.hidden],
        ),
        strict=True,
    ):
        axes.plot(depth, deviations, label=name)
for axes, title in zip(panels, ("Activations", "Gradients"), strict=True):
    axes.set(title=title, yscale="log", xlabel="Layer l", xlim=(1, DEPTH))
panels[0].set_ylabel("Standard deviation of $a^{[l]}$")
panels[1].set_ylabel("Standard deviation of $da^{[l]}$")
# They have no place on a logarithmic axis.
panels[0].text(2, 1e-8, "zeros: 0 in every layer", color="0.35")
panels[0].legend(loc="upper left")
common.save(figure, "04_signals")
print(
    "See the gradients of the large weights grow by a factor of "
    f"{signals['large, N(0, 1/4)'].gradient_growth ** (1 / (DEPTH - 1)):.1f} a "
    "layer, √(64/2 · 1/4) ≈ 2.8, and only He's stay where they are."
)
xavier = signals["Xavier, N(0, 1/n)"]
verdicts = [signal.verdict for signal in signals.values()]
assert verdicts == ["vanishing", "exploding", "vanishing", "healthy"]
print(f"Its advice for Xavier's begins: {xavier.advice[0][:33]}...")

# %% [markdown]
# ## Exercise
#
# Give `network` tanh for an activation. Which of Xavier and He keeps the signal
# now? Look at the printed table, `print(signal)`: with He's the activations of
# tanh are near ±1, where its slope is small.
