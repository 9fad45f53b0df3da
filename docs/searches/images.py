"""Images: blocks of convolutions, augmented, with batch norm."""

import keras

from tfcourse import data, layers, optimizers, tuning

digits = data.load("digits")
parts = data.split(digits)
x, y = digits.x.reshape(-1, 8, 8, 1) / 16, digits.y


def build(hp):
    model = keras.Sequential([keras.Input((8, 8, 1))])
    model.add(keras.layers.RandomTranslation(0.1, 0.1))
    filters = tuning.powers_of_two(hp, "filters", 8, 16)
    for _ in range(hp.Int("blocks", 1, 2)):
        conv = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)
        model.add(conv)
        model.add(layers.BatchNormalization())
        model.add(keras.layers.ReLU())
        model.add(keras.layers.MaxPooling2D())
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(10, activation="softmax"))
    rate = tuning.log_uniform(hp, "learning_rate", 1e-4, 1e-1)
    model.compile(
        optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


tuner = tuning.Caviar(
    build, "val_accuracy", max_trials=8, directory="searches/images"
)
tuner.search(
    x[parts.train],
    y[parts.train],
    validation_data=(x[parts.dev], y[parts.dev]),
    epochs=3,
    batch_size=64,
)
print(tuning.trials_frame(tuner).nlargest(3, "score").T)
