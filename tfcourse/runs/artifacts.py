"""What a finished run leaves: the model in two formats, and examples."""

import keras
import numpy as np

from tfcourse.export import class_probabilities, export_saved_model
from tfcourse.runs.prepared_data import in_parts
from tfcourse.utils.atomic_files import replacing, write_text


def with_normalization(network, examples):
    """Returns a model of raw features: a network, normalization before it.

    Args:
        network: The compiled model that was trained.
        examples: The `Examples` that it was trained on.
    """
    features = keras.Input(examples.dataset.x.shape[1:], name="features")
    outputs = network(examples.normalization(features))
    model = keras.Model(features, outputs)
    # Not by the network's config, which knows no class of the user's.
    optimizer = type(network.optimizer).from_config(
        network.optimizer.get_config()
    )
    model.compile(optimizer, network.loss, metrics=["accuracy"])
    optimizer.build(model.trainable_variables)
    return model


def accuracy(model, examples, part):
    """Returns the share of a set that a model gets right.

    Args:
        model: What `with_normalization` returns.
        examples: The `Examples`.
        part: `"train"`, `"dev"` or `"test"`.
    """
    positions = getattr(examples.split, part)
    dataset = examples.dataset
    probabilities = in_parts(
        lambda x: class_probabilities(model, x), dataset.x[positions]
    )
    return float((probabilities.argmax(-1) == dataset.y[positions]).mean())


def write_model(model, examples, folder, target=None, **metadata):
    """Writes `model.keras`, `model/` and some examples of the test set.

    Args:
        model: What `with_normalization` returns.
        examples: The `Examples`.
        folder: Where to write.
        target: What to call the column of the classes.
        **metadata: What the SavedModel is to say of itself.
    """
    dataset = examples.dataset
    with replacing(folder / "model.keras") as beside:
        model.save(beside)
    export_saved_model(
        model,
        folder / "model",
        labels=list(dataset.labels),
        overwrite=True,
        metadata={
            "data": examples.describe(),
            "feature_names": dataset.feature_names,
            **metadata,
        },
    )
    if dataset.feature_names:
        write_text(folder / "examples.csv", examples.table(target or "class"))
    else:
        with replacing(folder / "examples.npz") as beside:
            np.savez(beside, **examples.arrays())
