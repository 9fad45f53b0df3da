"""What a model has that existed before its build, and so is its user's."""

from collections.abc import Iterable
from typing import Any

import keras

from tfcourse.errors import CannotVectorize
from tfcourse.utils.keras_private import (
    Created,
    compile_argument,
    every_layer,
)


class ChangesWhatWasMadeBefore(CannotVectorize):
    """Training would change what existed before a model's build."""


def constants_made_before(model: keras.Model, created: Created) -> list[Any]:
    """Returns the variables of a model that existed before its build.

    Members may share them, as long as training leaves them as they are.

    Args:
        model: A compiled model, built or deferred.
        created: What its build has created.

    Raises:
        ChangesWhatWasMadeBefore: If training would change one of them.
    """
    parts = keras.tree.flatten(
        [
            compile_argument(model, name)
            for name in ("metrics", "weighted_metrics")
        ]
    )
    _check_new("optimizer", [model.optimizer], created)
    _check_new(
        "metric",
        [part for part in parts if isinstance(part, keras.metrics.Metric)],
        created,
    )
    layers = every_layer(model)
    trained = {id(variable) for variable in model.trainable_variables}
    found = {}
    for layer in layers:
        before = [v for v in layer.variables if id(v) not in created.variables]
        if id(layer) not in created.operations and _changes(
            layer, before, trained
        ):
            raise ChangesWhatWasMadeBefore(
                f"its layer {layer.name} was made before its build and is "
                "trained"
            )
        if any(id(variable) in trained for variable in before):
            raise ChangesWhatWasMadeBefore(
                f"a variable of its layer {layer.name} was made before its "
                "build and is trained"
            )
        found |= {id(variable): variable for variable in before}
    return list(found.values())


def _changes(layer: Any, before: list[Any], trained: set[int]) -> bool:
    """Whether a layer from elsewhere has, or may get, what training changes."""
    if not layer.built and type(layer).build is not keras.layers.Layer.build:
        # Its first use will give it variables.
        return True
    return any(
        id(variable) in trained or "seed_generator" in variable.path
        for variable in before
    ) or (
        "BatchNormalization" in type(layer).__name__
        and bool(before)
        and layer.trainable
    )


def _check_new(kind: str, parts: Iterable[Any], created: Created) -> None:
    for part in parts:
        if any(id(v) not in created.variables for v in part.variables):
            raise ChangesWhatWasMadeBefore(
                f"its {kind} {part.name} was made before its build and changes"
            )
