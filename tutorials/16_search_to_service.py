# %% [markdown]
# # 16. From search to service
#
# After week 3: what the course leaves to the reader.
#
# A search ends with settings, not with something that others can use. The steps
# between: tune; train once more with the best settings on all examples that are
# not for the test; export with the names of the classes; and load where neither
# tfcourse nor your code is installed. The data are measurements of tumours, the
# question whether they are malignant.

# %%
import subprocess
import sys
import tempfile
from pathlib import Path

import common
import keras
import matplotlib.pyplot as plt
import numpy as np

import tfcourse
from tfcourse import data, layers, optimizers, tuning

TRIALS = 12 if common.QUICK else 40
EPOCHS = 8 if common.QUICK else 15
folder = Path(tempfile.mkdtemp())

tumours = data.load("breast_cancer")
parts = data.split(tumours)
train, dev, test = (
    (tumours.x[part], tumours.y[part])
    for part in (parts.train, parts.dev, parts.test)
)

# %% [markdown]
# ## Tune
# The normalization is a part of the model, so that whoever uses it gives the
# measurements as they are.

# %%
mean, variance = train[0].mean(axis=0), train[0].var(axis=0)


def build(hp):
    alpha = tuning.log_uniform(hp, "learning_rate", 1e-4, 1.0)
    lambda_ = tuning.log_uniform(hp, "lambda", 0.01, 100.0)
    model = keras.Sequential([keras.Input((30,))])
    model.add(keras.layers.Normalization(mean=mean, variance=variance))
    model.add(keras.layers.Dense(16, use_bias=False))
    model.add(layers.BatchNormalization())
    model.add(keras.layers.ReLU())
    model.add(keras.layers.Dense(2, activation="softmax"))
    optimizer = optimizers.Adam(alpha, l2=lambda_ / len(train[0]))
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


tuner = tuning.CoarseToFineSearch(
    build, "val_loss", TRIALS, seed=1, rounds=2, directory=folder / "search"
)
tuner.search(
    *train, validation_data=dev, epochs=EPOCHS, batch_size=32, verbose=0
)
best = tuning.trials_frame(tuner).sort_values("score").iloc[0]
print(
    f"The best of {TRIALS} trials: α = {best.learning_rate:.2g}, λ = "
    f"{best['lambda']:.2g}, dev cost {best.score:.3f} after epoch "
    f"{best.best_epoch}."
)

# %% [markdown]
# ## Train once more
# For as many epochs as were best, on the training and the dev set: the dev set
# has done its work. The test set is looked at once, now.

# %%
keras.utils.set_random_seed(1)
model = build(tuner.get_best_hyperparameters()[0])
model.fit(
    *(np.concatenate(both) for both in zip(train, dev, strict=True)),
    epochs=int(best.best_epoch),
    batch_size=32,
    verbose=0,
)
probabilities = model.predict(test[0], verbose=0)
accuracy = np.mean(probabilities.argmax(axis=1) == test[1])
print(f"Test accuracy {accuracy:.1%} on {len(test[1])} tumours.")
assert accuracy > 0.9

# %% [markdown]
# ## Export
# `export_saved_model` writes the model, proves that what it wrote answers as
# the model does, and adds an endpoint `classify` that answers with names.

# %%
tfcourse.export_saved_model(model, folder / "model", labels=tumours.labels)
np.save(folder / "test.npy", test[0])

# %% [markdown]
# ## Serve
# Another process, where importing tfcourse or Keras fails: plain TensorFlow is
# all it takes.

# %%
SERVICE = """
import sys
sys.modules["tfcourse"] = sys.modules["keras"] = None  # Cannot be imported.
import numpy as np
import tensorflow as tf

model = tf.saved_model.load("model")
answer = model.classify(tf.constant(np.load("test.npy")))
np.savez("answers.npz", **answer)
print(answer["label"][0].numpy().decode(), answer["probability"][0].numpy())
"""
served = subprocess.check_output(
    [sys.executable, "-c", SERVICE], cwd=folder, text=True
)
print(served)
answers = np.load(folder / "answers.npz")
difference = np.abs(answers["probabilities"] - probabilities).max()
print(f"Served and Keras's own probabilities differ by {difference:.0e}.")
assert difference < 1e-5

# %% [markdown]
# ## What a user sees
# Each test tumour by the probability that it is malignant. Where to draw the
# line is not for the network to say: to miss a malignant one costs more.

# %%
malignant = tumours.labels.index("malignant")
p = answers["probabilities"][:, malignant]
figure, axes = plt.subplots(figsize=(7, 3))
for row in range(2):
    of_class = np.sort(p[test[1] == row])
    height = row + np.linspace(-0.3, 0.3, len(of_class))
    axes.plot(of_class, height, "o", markersize=4)
    missed = np.sum((of_class < 0.5) == (row == malignant))
    axes.text(1.04, row, f"{missed} of {len(of_class)} wrong", va="center")
axes.axvline(0.5, color="0.5", linewidth=1, linestyle=":")
axes.set_yticks(range(2), tumours.labels)
axes.set(xlabel="probability of malignant, as served", xlim=(-0.02, 1.02))
axes.set_title(f"{len(p)} test tumours, accuracy {accuracy:.1%}")
common.save(figure, "16_served")

# %% [markdown]
# ## Exercise
# `tfcourse tune --data breast_cancer` does all this in one command. Compare its
# report with the best trial above. Then serve its `model` folder by TensorFlow
# Serving or BentoML; the guide on export says how.
