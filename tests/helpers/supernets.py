"""Members of a supernet, beside the same models each trained alone."""

import keras
import numpy as np
import populations

from tfcourse.tuning import supernet
from tfcourse.tuning.population import build_deferred
from tfcourse.tuning.population.state import assign


def assert_trained_as_alone(builds, x, y, **settings):
    """Trains in one supernet, and compares curves, weights and predictions.

    Args:
        builds: Functions that make compiled models of one family.
        x: The inputs.
        y: The targets.
        **settings: Passed to `fit`.
    """
    settings = {
        "epochs": 2,
        "batch_size": 16,
        "shuffle": False,
        "validation_data": (x, y),
    } | settings
    models = [build_deferred(build, seed=k) for k, build in enumerate(builds)]
    families = {supernet.family(model)[0] for model in models}
    assert len(families) == 1, "they are of several families"
    net = supernet.Supernet(builds, models)
    columns, slices = net.initial_values(models)
    population = populations.of_values(
        net.model, columns, slices, jit_compile=False
    )
    histories = population.fit(x, y, **settings)
    for k, build in enumerate(builds):
        keras.utils.set_random_seed(k)
        alone = build()
        expected = alone.fit(x, y, verbose=0, **settings).history
        for metric, values in expected.items():
            np.testing.assert_allclose(
                histories[k].history[metric], values, rtol=1e-4, atol=1e-5
            )
        _assert_equal(population.values(k), build, alone)
        for a, b in zip(
            keras.tree.flatten(population.predict(x)),
            keras.tree.flatten(alone.predict(x, verbose=0)),
            strict=True,
        ):
            np.testing.assert_allclose(a[k], b, atol=1e-5)
    return net


def _assert_equal(values, build, alone):
    small = build()
    if not small.built:
        small.build(alone.input_shape)
    assign(values, small)
    for a, b in zip(
        [*small.variables, *small.optimizer.variables],
        [*alone.variables, *alone.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5, err_msg=b.path)
