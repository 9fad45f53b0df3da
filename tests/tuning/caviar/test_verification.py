"""What a program makes of a first batch is held to Keras's own step."""

import functools
import random
import types

import keras
import keras_tuner
import numpy as np
import pytest
from keras import layers

from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.caviar.verification import Verification
from tfcourse.tuning.caviar.verification.keras_step import OwnModel
from tfcourse.tuning.population import CannotVectorize, build_deferred
from tfcourse.tuning.population.built import FirstBatch
from tfcourse.tuning.population.data.batches import Batches

ARGUMENTS = {
    "batch_size": 8,
    "epochs": 1,
    "initial_epoch": 0,
    "verbose": 0,
    "validation_split": 0.0,
    "validation_data": None,
    "validation_batch_size": None,
    "shuffle": True,
    "class_weight": None,
    "sample_weight": None,
    "early_stopping": None,
    "subsets": None,
}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype("float32")
Y = RNG.integers(0, 3, 24)


def dense(
    units=5,
    activation="relu",
    strength=0.01,
    optimizer=keras.optimizers.Adam,
    loss="sparse_categorical_crossentropy",
    metrics=("accuracy",),
    dropout=0.0,
    **settings,
):
    regularizer = keras.regularizers.L2(strength)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(units, activation, kernel_regularizer=regularizer),
            *([layers.Dropout(dropout)] if dropout else []),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile(optimizer(0.1, **settings), loss, metrics=list(metrics))
    return model


def candidate(build, seed=0, **arguments):
    arguments = ARGUMENTS | {"x": X, "y": Y} | arguments
    model = build_deferred(build, seed)
    trial = types.SimpleNamespace(
        trial_id=f"{seed:04d}",
        hyperparameters=keras_tuner.HyperParameters(),
    )
    return Candidate(trial, build, model, arguments, seed=seed)


def first_batch(models, weights=None, held_out=None):
    """Returns what a program would make of a batch that trains these models."""
    sample = Batches((X, Y, weights), 8).sample(8)
    if held_out is not None:
        held_out = Batches(held_out, 8).sample(8)
    nothing = FirstBatch(sample, held_out, {}, None, None)
    steps = [model.step(nothing, k) for k, model in enumerate(models)]
    names = steps[0].logs if steps else {}
    return FirstBatch(
        sample,
        held_out,
        {name: [step.logs[name] for step in steps] for name in names},
        lambda k: steps[k].before,
        lambda k: steps[k].after,
    )


def check(part, there, verification=None, **data):
    """Compares candidates with a program that trains others in their place."""
    verification = verification or Verification(embedded=False)
    compare = verification.prepare(part)
    if compare is not None:
        compare(first_batch(map(OwnModel, there), **data))
    return verification


def refusal(*args, **data):
    with pytest.raises(CannotVectorize) as error:
        check(*args, **data)
    return str(error.value)


def a_little_more(y_true, y_pred):
    return 1.001 * keras.losses.sparse_categorical_crossentropy(y_true, y_pred)


DIFFERENT = {
    "the loss": ({"loss": a_little_more}, "`loss`"),
    "a regularizer": ({"strength": 0.0101}, "`loss`"),
    "an activation": ({"activation": "gelu"}, "`loss`"),
    "a metric": (
        {"metrics": [keras.metrics.SparseTopKCategoricalAccuracy(2)]},
        "`accuracy` together than alone: it is not there together",
    ),
    "beta_2": ({"beta_2": 0.99}, "velocity"),
    "beta_1": ({"beta_1": 0.91}, "momentum"),
    "epsilon": ({"epsilon": 1e-3}, "kernel"),
    "clipping": ({"global_clipnorm": 0.1}, "kernel"),
    "decay": ({"weight_decay": 0.01}, "kernel"),
    "the optimizer": ({"optimizer": keras.optimizers.Nadam}, "number of"),
    "a size": ({"units": 6}, "it is of shape (4, 6), not (4, 5)"),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_another_part_is_found_and_named(what):
    settings, name = DIFFERENT[what]
    other = functools.partial(dense, **settings)
    why = refusal([candidate(dense)], [candidate(other)])
    assert why.startswith("one batch gave trial 0000 another `")
    assert name in why


def test_other_initial_weights_are_found():
    other = candidate(lambda: dense(), seed=1)
    assert "`initial " in refusal([candidate(dense)], [other])


def test_other_weights_of_examples_are_found():
    own = candidate(dense, sample_weight=np.linspace(0, 2, 24))
    other = candidate(dense, sample_weight=np.linspace(0, 2.1, 24))
    assert "`loss`" in refusal([own], [other])


def test_other_weights_of_classes_are_found():
    own = candidate(dense, class_weight={0: 1.0, 1: 2.0, 2: 3.0})
    other = candidate(dense, class_weight={0: 1.0, 1: 2.0})
    assert "`loss`" in refusal([own], [other])


def masked(mask_zero):
    model = keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            layers.Embedding(5, 3, mask_zero=mask_zero),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def test_another_mask_is_found():
    words = RNG.integers(0, 3, (24, 4))
    own = candidate(lambda: masked(True), x=words)
    other = candidate(lambda: masked(False), x=words)
    assert "`loss`" in refusal([own], [other])


def test_another_evaluation_is_found_first():
    own = candidate(dense, validation_data=(X, Y))
    other = candidate(dense, validation_data=(X, (Y + 1) % 3))
    why = refusal([own], [other], held_out=(X, Y, None))
    assert "`val_loss`" in why


@pytest.mark.parametrize("optimizer", ["Adam", "SGD", "Lion", "Muon", "Ftrl"])
def test_the_same_is_the_same(optimizer):
    optimizer = getattr(keras.optimizers, optimizer)
    build = functools.partial(dense, optimizer=optimizer)
    part = [candidate(build, seed) for seed in range(3)]
    assert check(part, part).compared == 2


def normalized():
    """A model whose first bias has no gradient but what rounding leaves."""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(5),
            layers.BatchNormalization(),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def changed(first, i, change):
    """Returns a first batch with another variable after it."""
    values = first.after(0)
    values[i] = change(values[i])
    return first


def test_a_step_may_turn_where_the_gradient_is_rounding():
    part = [candidate(normalized)]
    first = first_batch(map(OwnModel, part))
    # The other way, as long as the step that Adam makes of any gradient.
    Verification(False).prepare(part)(changed(first, 1, lambda bias: -bias))
    with pytest.raises(CannotVectorize, match="dense/kernel|dense_.*/kernel"):
        Verification(False).prepare(part)(
            changed(first, 0, lambda kernel: kernel + 1e-4)
        )


def test_masks_of_smaller_networks_are_not_compared():
    part = [candidate(functools.partial(dense, dropout=0.5))]
    first = first_batch(map(OwnModel, part))
    changed(first, 0, np.negative)
    first.logs["loss"] = [0.0]
    embedded = Verification(embedded=True)
    embedded.prepare(part)(first)
    assert embedded.compared == 1
    with pytest.raises(CannotVectorize, match="`loss`"):
        Verification(embedded=False).prepare(part)(first)


def test_later_ones_are_compared_only_if_they_are_of_another_kind():
    adam = [candidate(dense, seed) for seed in range(4)]
    wide = [candidate(functools.partial(dense, units=7))]
    build = functools.partial(dense, optimizer=keras.optimizers.SGD)
    sgd = [candidate(build, seed) for seed in range(4)]
    weighed = [candidate(dense, sample_weight=np.ones(24))]
    verification = check(adam, adam)
    compared = [verification.compared]
    for part in (adam, wide, sgd, weighed, weighed):
        check(part, part, verification)
        compared.append(verification.compared)
    assert compared == [2, 2, 2, 3, 4, 4]


def test_what_differed_is_refused_from_then_on():
    verification = Verification(embedded=False)
    own, wrong = candidate(dense), candidate(lambda: dense(strength=1.0))
    why = refusal([own], [wrong], verification)
    assert refusal([own], [own], verification) == why


def test_what_keras_cannot_compute_alone_is_refused():
    def fails():
        raise ValueError("not\nnow")

    bad = candidate(dense)
    object.__setattr__(bad, "build", fails)
    with pytest.raises(CannotVectorize) as error:
        Verification(False).prepare([bad])
    assert str(error.value) == (
        "a first batch could not be computed alone: ValueError: not"
    )


def test_memory_that_does_not_suffice_is_no_difference():
    def fails():
        raise MemoryError

    bad = candidate(dense)
    object.__setattr__(bad, "build", fails)
    with pytest.raises(MemoryError):
        Verification(False).prepare([bad])


def test_what_is_the_users_stays_as_it_was():
    norm = layers.BatchNormalization()
    norm.build((None, 4))

    def build():
        model = keras.Sequential(
            [keras.Input((4,)), norm, layers.Dense(3, "softmax")]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    before = [keras.ops.convert_to_numpy(v).copy() for v in norm.variables]
    keras.utils.set_random_seed(3)
    drawn = random.random(), np.random.random()
    part = [candidate(build)]
    first = first_batch(map(OwnModel, part))
    keras.utils.set_random_seed(3)
    Verification(False).prepare(part)(first)
    assert drawn == (random.random(), np.random.random())
    for variable, value in zip(norm.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
