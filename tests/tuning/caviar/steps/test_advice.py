"""What one could change so that trials were trained together."""

import types

import keras
from keras import layers

from tfcourse.tuning.caviar.steps.advice import advice


def trials(*hidden, **values):
    """Returns candidates with those layers, one for each value."""
    (count,) = {len(some) for some in values.values()} or {1}
    model = keras.Sequential([keras.Input((4,)), *hidden])
    return [
        types.SimpleNamespace(
            model=model,
            trial=types.SimpleNamespace(
                hyperparameters=types.SimpleNamespace(
                    values={name: some[i] for name, some in values.items()}
                )
            ),
        )
        for i in range(count)
    ]


def test_a_layer_that_may_be_absent_should_be_idle():
    many = trials(layers.Dense(2), layers.Dropout(0.2), rate=[0.1, 0.2, 0.3])
    few = trials(layers.Dense(2), rate=[0.1, 0.2])
    groups = [many, few]
    text = "Dropout is absent in 2 trials: use rate 0"
    assert advice(few, many, groups) == text
    assert advice(many, few, groups) == text
    noisy = trials(layers.Dense(2), layers.GaussianNoise(0.1))
    assert advice(noisy, trials(layers.Dense(2)), []) == (
        "GaussianNoise is absent in one trial: use stddev 0"
    )


def test_a_layer_that_does_something_cannot_be_idle():
    one = trials(layers.Dense(2), layers.Dropout(0.2))
    other = trials(layers.Dense(2), layers.BatchNormalization())
    assert advice(other, one, [one, other]) == ""


def test_names_the_hyperparameter_that_keeps_groups_apart():
    one = trials(kernel=[3, 3], lr=[0.1, 0.2])
    other = trials(kernel=[5], lr=[0.3])
    assert advice(other, one, [one, other]) == (
        "`kernel` is 5 here and 3 there: give it one value, or search each by "
        "itself"
    )


def test_names_none_where_any_may_be_meant():
    one = trials(a=[1], b=[1], c=[1])
    other = trials(a=[2], b=[2], c=[2])
    assert advice(other, one, [one, other]) == ""
