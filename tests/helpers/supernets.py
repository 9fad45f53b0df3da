"""Members of a supernet, beside the same models each trained alone."""

import keras
import numpy as np
import populations
from gradients import gradients_of

from tfcourse.tuning import supernet
from tfcourse.tuning.population import build_deferred
from tfcourse.tuning.population.deferred import all_variables
from tfcourse.tuning.population.state import assign


def assert_computes_as_alone(builds, x):
    """Compares the outputs of models and their gradients, once embedded.

    Where a network has nothing, the gradient must be zero.
    """
    net, models = embedded(builds)
    columns, slices = net.initial_values(models)
    for k, build in enumerate(builds):
        keras.utils.set_random_seed(k)
        alone = build()
        outputs, losses, gradients = computed(alone, x)
        for variable, column in zip(net.variables, columns, strict=True):
            variable.assign(column[k])
        others, loss, large = computed(net.model, x)
        for a, b in zip(outputs, others, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(loss, losses, rtol=1e-5, atol=1e-5)
        for variable, gradient, (number, masks) in zip(
            alone.trainable_variables, gradients, slices[k], strict=False
        ):
            place = numbers_of_parameters(net.model)[number]
            part = np.ix_(*masks) if masks else ...
            np.testing.assert_allclose(
                large[place][part],
                gradient,
                rtol=1e-4,
                atol=1e-5,
                err_msg=variable.path,
            )
            large[place] = large[place].copy()
            large[place][part] = 0
        for variable, rest in zip(
            net.model.trainable_variables, large, strict=True
        ):
            np.testing.assert_array_equal(rest, 0, variable.path)


def computed(model, x):
    """Returns a model's outputs at inference; its loss in training, which is
    the sum of squares; and the gradients.
    """
    others = [v.value for v in model.non_trainable_variables]

    def loss(values):
        outputs, _ = model.stateless_call(values, others, x, training=True)
        return sum(
            keras.ops.mean(keras.ops.square(y - 1))
            for y in keras.tree.flatten(outputs)
        )

    values = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
    outputs = keras.tree.flatten(model(x, training=False))
    return (
        [keras.ops.convert_to_numpy(y) for y in outputs],
        float(loss(values)),
        gradients_of(loss, values),
    )


def numbers_of_parameters(model):
    """Returns which of the parameters each variable is, by its number."""
    places = {id(v): i for i, v in enumerate(model.trainable_variables)}
    return {
        number: places[id(variable)]
        for number, variable in enumerate(all_variables(model))
        if id(variable) in places
    }


def embedded(builds):
    """Returns the supernet of models, and these, deferred."""
    models = [build_deferred(build, seed=k) for k, build in enumerate(builds)]
    families = {supernet.family(model)[0] for model in models}
    assert len(families) == 1, "they are of several families"
    return supernet.Supernet(builds, models), models


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
    net, models = embedded(builds)
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
