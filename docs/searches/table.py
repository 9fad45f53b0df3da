"""A table: how wide, how deep, how much dropout, which learning rate."""

import keras

from tfcourse import data, layers, optimizers, tuning

cells = data.load("breast_cancer")
parts = data.split(cells)
x, y = cells.x, cells.y
normalize = keras.layers.Normalization()
normalize.adapt(x[parts.train])


def build(hp):
    model = keras.Sequential([keras.Input((30,)), normalize])
    for _ in range(hp.Int("layers", 1, 3)):
        units = tuning.powers_of_two(hp, "units", 16, 64)
        model.add(keras.layers.Dense(units, activation="relu"))
        model.add(layers.InvertedDropout(hp.Float("keep_prob", 0.5, 1.0)))
    model.add(keras.layers.Dense(2, activation="softmax"))
    rate = tuning.log_uniform(hp, "learning_rate", 1e-4, 1e-1)
    model.compile(
        optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


tuner = tuning.CoarseToFineSearch(
    build, "val_loss", max_trials=12, rounds=2, directory="searches/table"
)
tuner.search(
    x[parts.train],
    y[parts.train],
    validation_data=(x[parts.dev], y[parts.dev]),
    epochs=5,
    batch_size=32,
)
print(tuning.trials_frame(tuner).nsmallest(3, "score").T)
model = tuner.get_best_models()[0]
_, accuracy = model.evaluate(x[parts.test], y[parts.test], verbose=0)
print(f"Test accuracy {accuracy:.3f}")
