"""Which engine computes."""

import keras

from tfcourse.tuning.population.engines.base import Engine, is_out_of_memory
from tfcourse.tuning.population.functional.member import Member

__all__ = ["Engine", "engine_of", "is_out_of_memory"]


def engine_of(member: Member) -> Engine:
    """Returns the engine for Keras's backend.

    Raises:
        ValueError: If there is none.
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        from tfcourse.tuning.population.engines.tensorflow import (
            TensorFlowEngine,
        )

        return TensorFlowEngine(member)
    if backend == "jax":
        from tfcourse.tuning.population.engines.jax import JaxEngine

        return JaxEngine(member)
    raise ValueError(
        "A population needs Keras's TensorFlow or JAX backend. Received: "
        f"KERAS_BACKEND={backend}"
    )
