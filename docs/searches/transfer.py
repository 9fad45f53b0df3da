"""Transfer: a frozen base, and a head that is tuned.

The base is computed once for all trials, not once a trial and epoch.
"""

import keras

from tfcourse import data, layers, optimizers, tuning

digits = data.load("digits")
x, y = digits.x.reshape(-1, 8, 8, 1) / 16, digits.y
first, second = y < 5, y >= 5

# Stands in for a pretrained one: `keras.applications.EfficientNetV2B0(...)`.
base = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.Flatten(),
    ]
)
whole = keras.Sequential([base, keras.layers.Dense(5, activation="softmax")])
whole.compile("adam", "sparse_categorical_crossentropy")
whole.fit(x[first], y[first], epochs=5, verbose=0)
base.trainable = False

x, y = x[second], y[second] - 5
parts = data.split(y)


def build(hp):
    model = keras.Sequential([keras.Input((8, 8, 1)), base])
    model.add(layers.InvertedDropout(hp.Float("keep_prob", 0.5, 1.0)))
    units = tuning.powers_of_two(hp, "units", 16, 64)
    model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dense(5, activation="softmax"))
    rate = tuning.log_uniform(hp, "learning_rate", 1e-4, 1e-1)
    model.compile(
        optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


tuner = tuning.Caviar(
    build, "val_accuracy", max_trials=12, directory="searches/transfer"
)
tuner.search(
    x[parts.train],
    y[parts.train],
    validation_data=(x[parts.dev], y[parts.dev]),
    epochs=5,
    batch_size=64,
)
print(tuning.trials_frame(tuner).nlargest(3, "score").T)
