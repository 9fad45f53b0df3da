"""A time series: the next value from the last 24."""

import keras
import numpy as np

from tfcourse import optimizers, tuning

# Synthetic: two waves and noise. Put your own series here.
rng = np.random.default_rng(0)
t = np.arange(600)
series = np.sin(t / 4) + 0.5 * np.sin(t / 11) + rng.normal(0, 0.1, len(t))
windows = np.lib.stride_tricks.sliding_window_view(series, 25)
x, y = windows[:, :24, None].astype("float32"), windows[:, 24:]
# In order of time: what comes later is not known when training.
train, dev = slice(0, 450), slice(475, None)


def build(hp):
    model = keras.Sequential([keras.Input((24, 1))])
    model.add(keras.layers.Conv1D(hp.Int("filters", 4, 16, step=4), 3))
    model.add(keras.layers.LSTM(tuning.powers_of_two(hp, "units", 8, 16)))
    model.add(keras.layers.Dense(1))
    rate = tuning.log_uniform(hp, "learning_rate", 1e-4, 1e-1)
    beta = tuning.one_minus_log_uniform(hp, "beta_1", 0.5, 0.99)
    model.compile(optimizers.Adam(rate, beta_1=beta), "mse")
    return model


tuner = tuning.Caviar(
    build, "val_loss", max_trials=8, directory="searches/series"
)
tuner.search(
    x[train],
    y[train],
    validation_data=(x[dev], y[dev]),
    epochs=3,
    batch_size=32,
)
best = tuning.trials_frame(tuner).score.min()
naive = np.mean((x[dev][:, -1] - y[dev]) ** 2)
print(f"Mean squared error {best:.3f}; of the last value, {naive:.3f}")
