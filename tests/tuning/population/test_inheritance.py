"""Members that go on as others: to the last bit, slots and seeds included?"""

import keras
import numpy as np

from tests.helpers.populations import of_values
from tfcourse.tuning.population.state import columns_of

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X[:, :1] - 2 * X[:, 1:2]


def model(rate, seed):
    keras.utils.set_random_seed(seed)
    net = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, "tanh"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )
    net.compile(keras.optimizers.Adam(rate), "mse")
    net.optimizer.build(net.trainable_variables)
    return net


def population(*rates):
    models = [model(rate, seed) for seed, rate in enumerate(rates)]
    return models[0], of_values(models[0], columns_of(models))


def fit(trainer, **settings):
    return trainer.fit(X, Y, batch_size=4, shuffle=False, **settings)


def number_of_rate(net):
    every = [
        *net.trainable_variables,
        *net.non_trainable_variables,
        *net.optimizer.variables,
    ]
    return [v is net.optimizer.learning_rate for v in every].index(True)


def test_a_copy_has_all_values_of_the_other_and_goes_on_as_it():
    _, trainer = population(0.1, 0.01, 0.003)
    fit(trainer)
    before = [trainer.values(k) for k in range(3)]
    trainer.inherit(np.array([2, 1, 2]), {})
    for k, source in enumerate([2, 1, 2]):
        for now, value in zip(trainer.values(k), before[source], strict=True):
            np.testing.assert_array_equal(now, value)

    fit(trainer, epochs=2, initial_epoch=1)
    for one, other in zip(trainer.values(0), trainer.values(2), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_copy_has_its_own_rate_and_the_rest_of_the_other():
    net, trainer = population(0.1, 0.01, 0.003)
    fit(trainer)
    before, rate = trainer.values(1), number_of_rate(net)
    trainer.inherit(np.array([1, 1, 2]), {0: {rate: np.float32(0.5)}})
    now = trainer.values(0)
    assert now[rate] == np.float32(0.5)
    assert trainer.values(1)[rate] == np.float32(0.01)
    for i, (value, other) in enumerate(zip(now, before, strict=True)):
        if i != rate:
            np.testing.assert_array_equal(value, other)


def test_one_that_has_diverged_goes_on():
    net, trainer = population(0.01, 0.01)
    rate = number_of_rate(net)
    fit(trainer)
    trainer.inherit(np.arange(2), {0: {rate: np.float32(np.nan)}})
    seen = []

    def after(trainer, epoch, logs):
        seen.append((trainer.diverged.tolist(), trainer.training.tolist()))
        if epoch == 2:
            trainer.inherit(np.array([1, 1]), {0: {rate: np.float32(0.02)}})

    histories = fit(
        trainer,
        initial_epoch=1,
        epochs=5,
        on_epoch_end=after,
        keep_best=("loss", "min"),
    )
    assert seen[1:] == [([True, False], [1])] + [([False, False], [0, 1])] * 2
    first, second = histories
    assert first.diverged_epoch is None
    assert first.epoch == second.epoch == [1, 2, 3, 4]
    known = np.isfinite(first.history["loss"])
    assert known.tolist() == [False, False, True, True]
    assert first.best_epoch in (3, 4)
