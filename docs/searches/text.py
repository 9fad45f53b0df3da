"""Text: words embedded, averaged or read in order."""

import keras
import numpy as np

from tfcourse import optimizers, tuning

# Synthetic reviews; put your own strings and labels here.
rng = np.random.default_rng(0)
GOOD, BAD = ["fine", "superb", "warm", "clever"], ["dull", "weak", "cold"]
COMMON = ["the", "film", "was", "plot", "and", "actors", "with", "a"]
y = rng.integers(2, size=400)
texts = [
    " ".join(rng.permutation([*rng.choice(COMMON, 8), rng.choice(words)]))
    for words in (GOOD if label else BAD for label in y)
]

words = keras.layers.TextVectorization(200, output_sequence_length=10)
words.adapt(texts)
# Made numbers once, and not anew by each trial.
x = np.asarray(words(np.array(texts)))


def build(hp):
    model = keras.Sequential([keras.Input((10,), dtype="int64")])
    model.add(keras.layers.Embedding(200, 16))
    if hp.Boolean("in_order"):
        model.add(keras.layers.GRU(hp.Int("units", 8, 16, step=8)))
    else:
        model.add(keras.layers.GlobalAveragePooling1D())
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    rate = tuning.log_uniform(hp, "learning_rate", 1e-3, 1e-1)
    model.compile(
        optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"]
    )
    return model


tuner = tuning.Caviar(
    build, "val_accuracy", max_trials=8, directory="searches/text"
)
tuner.search(
    x[:300],
    y[:300],
    validation_data=(x[300:], y[300:]),
    epochs=4,
    batch_size=32,
)
print(tuning.trials_frame(tuner).nlargest(3, "score").T)
