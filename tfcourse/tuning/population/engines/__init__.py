"""Which engine computes."""

import keras


def engine_of(member):
    """Returns the engine for Keras's backend."""
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
        "A population needs the TensorFlow or the JAX backend of Keras. "
        f"Received: KERAS_BACKEND={backend}"
    )
