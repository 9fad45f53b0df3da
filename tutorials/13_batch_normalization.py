# %% [markdown]
# # 13. Batch normalization
#
# Week 3, "Normalizing activations in a network" to "Batch norm at test time".
#
# $$\mu = \frac{1}{m} \sum_i z_i, \qquad
#   \sigma^2 = \frac{1}{m} \sum_i (z_i - \mu)^2$$
#
# $$\tilde z = \gamma \, \frac{z - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta$$
#
# γ and β are learnt; the bias b of the layer before is not needed any more. At
# test time weighted averages of μ and σ² over the mini-batches stand for them.

# %%
import common
import keras
import matplotlib.pyplot as plt
import numpy as np

from tfcourse.data import load, mini_batches, split
from tfcourse.diagnostics import lint
from tfcourse.layers import BatchNormalization, estimate_population_statistics
from tfcourse.optimizers import GradientDescent

data = load("digits")
chosen = split(data)
x_train, y_train = data.x[chosen.train] / 16, data.y[chosen.train]
x_test = data.x[chosen.test] / 16


def network(batch_norm, learning_rate=0.1):
    """Returns a network of three hidden layers of 32 units, compiled."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(3):
        model.add(keras.layers.Dense(32, use_bias=not batch_norm))
        if batch_norm:
            model.add(BatchNormalization())
        model.add(keras.layers.Activation("tanh"))
    model.add(keras.layers.Dense(10, "softmax"))
    optimizer = GradientDescent(learning_rate)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


# %% [markdown]
# ## It makes the search for α easier

# %%
epochs = 3 if common.QUICK else 8
rates = np.array([0.01, 1] if common.QUICK else [1e-3, 0.01, 0.1, 1, 10])
costs = {}
for batch_norm in (False, True):
    model = network(batch_norm)
    start = model.get_weights()
    costs[batch_norm] = []
    for rate in rates:
        model.set_weights(start)
        model.optimizer.learning_rate = rate
        history = model.fit(x_train, y_train, 64, epochs, verbose=0).history
        costs[batch_norm].append(history["loss"][-1])

figure, axes = plt.subplots()
labels = [f"{rate:g}" for rate in rates]
axes.semilogy(labels, costs[False], "--o", label="without batch norm")
axes.semilogy(labels, costs[True], "-s", label="with batch norm")
axes.axhline(np.log(10), color="0.7", linestyle="-", label="guessing")
axes.set(xlabel="Learning rate α", ylabel=f"Cost J after {epochs} epochs")
figure.legend(loc="outside upper center", ncols=3)
common.save(figure, "13_learning_rates")
print("See batch norm learn fast at α = 1, where the plain network does not.")
assert np.all(np.less(costs[True], np.divide(costs[False], 2))[rates == 1])

# %% [markdown]
# ## Batch size and noise
# One example is normalized a little otherwise in each mini-batch. That noise
# regularizes, slightly, and falls as 1/√(batch size).

# %%
model = network(batch_norm=True)
z, batch_norm = np.asarray(model.layers[0](x_train)), BatchNormalization()
rng = np.random.default_rng(0)
batch_sizes, noise = np.array([8, 32, 128, 512]), []
for batch_size in batch_sizes:
    seen = []
    for _ in range(10 if common.QUICK else 200):
        others = rng.choice(z, batch_size - 1)
        seen.append(batch_norm(np.vstack([z[:1], others]), training=True)[0])
    noise.append(np.std(seen, axis=0).mean())

assert noise[0] > 4 * noise[-1]

# %% [markdown]
# ## Covariate shift
# Layer 3 sees its inputs change, for layers 1 and 2 learn too. How far has the
# mean of each unit of layer 2 moved since the first step, in deviations?


# %%
def drift(batch_norm):
    """Returns how far the means of layer 2 have moved before each step."""
    model = network(batch_norm, learning_rate=0.5)
    until_layer_2 = keras.Sequential(model.layers[: 5 if batch_norm else 3])
    means, batches = [], [*mini_batches(x_train, y_train, 64)]
    for batch in batches[:9] if common.QUICK else batches * 4:
        z = np.asarray(until_layer_2(x_train, training=batch_norm))
        means.append(z.mean(axis=0))
        model.train_on_batch(*batch)
    return np.abs(means - means[0]).mean(axis=1) / z.std()


without, with_it = drift(False), drift(True)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
law = noise[1] * np.sqrt(32 / batch_sizes)
left.loglog(batch_sizes, noise, "o-", label="measured")
left.loglog(batch_sizes, law, "--", label="1 / √(batch size)")
left.set(xlabel="Batch size", ylabel="Deviation of one example's $z_{norm}$")
left.set_xticks(batch_sizes, batch_sizes)
left.minorticks_off()
left.set_ylim(0.02, 1)
left.legend()
right.plot(without, "--", label="without batch norm")
right.plot(with_it, "-", label="with batch norm")
right.set(xlabel="Step", ylabel="Shift of the mean of $z^{[2]}$ (deviations)")
right.legend()
common.save(figure, "13_noise_and_shift")
print(f"Moved by {without[-1]:.2f}, with batch norm by {with_it[-1]:.2f}.")
assert with_it[-1] < without[-1] / 3

# %% [markdown]
# ## At test time
# Weighted averages of μ and σ² stand in, or those of the whole training set.

# %%
model.fit(x_train, y_train, 64, 3, verbose=0)
weighted = np.asarray(model.layers[1].moving_mean)
guess = np.argmax(model(x_test), axis=1)
exact = estimate_population_statistics(model, x_train, verbose=0)
mean, variance = exact[model.layers[1]]
off = np.max(np.abs(weighted - mean) / np.sqrt(variance))
same = np.mean(guess == np.argmax(model(x_test), axis=1))
print(f"μ is at most {off:.2f} σ off; {same:.1%} of tests are judged alike.")
assert off < 0.5
assert same > 0.95
# The bias of a layer before batch norm is useless; `lint` finds it.
layers = [keras.layers.Dense(32, name="hidden"), BatchNormalization()]
print(finding := lint(keras.Sequential([keras.Input((64,)), *layers]))[0])
assert finding.rule == "useless bias"

# %% [markdown]
# ## Exercise
# Put batch norm after the activation. What does `lint` say? The cost at α = 1?
