"""Do the schedules follow the course's rules, at every epoch and step?"""

import keras
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from tfcourse import schedules

EPOCHS = np.arange(12)
# Schedule, the plain function with its arguments, and the reference by epoch.
RULES = {
    "inverse time": (
        schedules.InverseTimeDecay,
        schedules.inverse_time_decay,
        {"initial_learning_rate": 0.2, "decay_rate": 1.5},
        reference.inverse_time_decay,
    ),
    "inverse time, staircase": (
        schedules.InverseTimeDecay,
        schedules.inverse_time_decay,
        {"initial_learning_rate": 0.2, "decay_rate": 0.3, "interval": 4},
        reference.inverse_time_decay,
    ),
    "exponential": (
        schedules.ExponentialDecay,
        schedules.exponential_decay,
        {"initial_learning_rate": 0.2},
        reference.exponential_decay,
    ),
    "exponential, staircase": (
        schedules.ExponentialDecay,
        schedules.exponential_decay,
        {"initial_learning_rate": 0.2, "base": 0.5, "interval": 3},
        reference.exponential_decay,
    ),
    "inverse root": (
        schedules.InverseSqrtDecay,
        schedules.inverse_sqrt_decay,
        {"initial_learning_rate": 0.2, "k": 0.7},
        reference.inverse_sqrt_decay,
    ),
    "piecewise": (
        schedules.PiecewiseConstantDecay,
        schedules.piecewise_constant_decay,
        {"boundaries": [2, 5], "values": [0.3, 0.2, 0.1]},
        reference.piecewise_constant_decay,
    ),
}
every_rule = pytest.mark.parametrize(
    "make, function, constants, rule", RULES.values(), ids=RULES
)


@every_rule
def test_functions_follow_the_rules(make, function, constants, rule):
    expected = [rule(int(epoch), **constants) for epoch in EPOCHS]

    np.testing.assert_allclose(
        function(EPOCHS, **constants), expected, rtol=1e-14
    )
    for epoch, rate in zip(EPOCHS, expected, strict=True):
        one = function(int(epoch), **constants)
        assert isinstance(one, float)
        assert one == pytest.approx(rate, rel=1e-14)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    rule=st.sampled_from([name for name in RULES if name != "piecewise"]),
    shape=array_shapes(min_dims=0, max_dims=3, max_side=4),
    scale=st.floats(1e-6, 1e3),
    latest=st.integers(1, 500),
    seed=st.integers(0, 99),
)
def test_functions_take_any_shape_and_scale(rule, shape, scale, latest, seed):
    _, function, constants, expected = RULES[rule]
    constants = {**constants, "initial_learning_rate": scale}
    epochs = np.random.default_rng(seed).integers(latest, size=shape)

    rates = np.asarray(function(epochs, **constants))

    assert rates.shape == shape
    np.testing.assert_allclose(
        rates.ravel(),
        [expected(int(epoch), **constants) for epoch in epochs.ravel()],
        rtol=1e-12,
    )
    # None ever rises, and all are proportional to the first.
    assert (np.diff(rates.ravel()[np.argsort(epochs.ravel())]) <= 0).all()
    constants["initial_learning_rate"] = 2 * scale
    np.testing.assert_allclose(function(epochs, **constants), 2 * rates)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    rule=st.sampled_from(sorted(RULES)),
    steps_per_epoch=st.integers(1, 1000),
    step=st.integers(0, 50_000),
)
def test_schedules_count_whole_epochs(rule, steps_per_epoch, step):
    make, _, constants, expected = RULES[rule]
    schedule = make(**constants, steps_per_epoch=steps_per_epoch)
    np.testing.assert_allclose(
        float(schedule(step)),
        expected(step // steps_per_epoch, **constants),
        rtol=1e-5,
        atol=1e-37,
    )


@pytest.mark.parametrize("kind", [int, np.int64, "tensor", "variable"])
@every_rule
def test_schedules_follow_the_rules_per_epoch(
    make, function, constants, rule, kind
):
    schedule = make(**constants, steps_per_epoch=7)
    for step in (0, 1, 6, 7, 13, 14, 34, 35, 36, 700, 70_000):
        given = {
            "tensor": lambda step: keras.ops.convert_to_tensor(step),
            "variable": lambda step: keras.Variable(step, dtype="int32"),
        }.get(kind, kind)(step)

        np.testing.assert_allclose(
            float(schedule(given)),
            rule(step // 7, **constants),
            rtol=1e-5,
            # The smallest float32 but a few.
            atol=1e-37,
        )


@every_rule
def test_schedules_follow_the_rules_per_step(make, function, constants, rule):
    schedule = make(**constants)
    # The root's t counts mini-batches from 1.
    first = 1 if make is schedules.InverseSqrtDecay else 0
    for step in range(12):
        np.testing.assert_allclose(
            float(schedule(step)), rule(step + first, **constants), rtol=1e-5
        )


@every_rule
def test_epoch_zero_has_the_rate_that_is_documented(
    make, function, constants, rule
):
    if "values" in constants:
        expected = constants["values"][0]
    else:
        expected = constants["initial_learning_rate"] * constants.get("k", 1)

    assert function(0, **constants) == pytest.approx(expected)
    assert float(make(**constants)(0)) == pytest.approx(expected)
    assert float(make(**constants, steps_per_epoch=5)(4)) == pytest.approx(
        expected
    )


@every_rule
def test_functions_refuse_what_is_no_epoch(make, function, constants, rule):
    message = f"`epoch_num` of {function.__name__} must be 0 or more"
    for value in (-1, np.array([3, -1]), float("nan")):
        with pytest.raises(ValueError, match=message):
            function(value, **constants)
    for value in ("3", None, True):
        with pytest.raises(TypeError, match=message):
            function(value, **constants)


def test_keras_calls_them_each_epoch():
    for _, function, constants, _ in RULES.values():
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(1.0), "mse")
        callback = keras.callbacks.LearningRateScheduler(
            lambda epoch: function(epoch, **constants)  # noqa: B023
        )
        callback.set_model(model)
        callback.on_epoch_begin(3)
        rate = float(model.optimizer.learning_rate)
        assert rate == pytest.approx(function(3, **constants), rel=1e-6)


def test_values_of_the_lecture():
    rates = schedules.inverse_time_decay(np.arange(1, 5), 0.2, 1)
    np.testing.assert_allclose(rates.round(3), [0.1, 0.067, 0.05, 0.04])


def test_values_of_the_assignment():
    assert schedules.inverse_time_decay(2, 0.5, 1) == pytest.approx(1 / 6)
    rates = [
        schedules.inverse_time_decay(epoch, 0.5, 0.3, interval=100)
        for epoch in (10, 100)
    ]
    np.testing.assert_allclose(rates, [0.5, 0.3846153846153846])


def test_counts_many_steps_exactly():
    # A float32 does not tell 2**24 from 2**24 + 1.
    schedule = schedules.PiecewiseConstantDecay(
        [3], [1.0, 0.5], steps_per_epoch=2**24 // 2 + 1
    )
    last = 3 * (2**24 // 2 + 1) - 1

    assert float(schedule(last)) == 1.0
    assert float(schedule(last + 1)) == 0.5


KERAS = keras.optimizers.schedules


@pytest.mark.parametrize(
    "ours, theirs, offset",
    [
        (
            schedules.InverseTimeDecay(0.2, 0.5, steps_per_epoch=5),
            KERAS.InverseTimeDecay(0.2, 5, 0.5, staircase=True),
            0,
        ),
        (
            schedules.ExponentialDecay(0.2, 0.9, interval=2, steps_per_epoch=5),
            KERAS.ExponentialDecay(0.2, 10, 0.9, staircase=True),
            0,
        ),
        (
            schedules.PiecewiseConstantDecay([4, 9], [0.3, 0.2, 0.1]),
            KERAS.PiecewiseConstantDecay([4, 9], [0.3, 0.2, 0.1]),
            1,
        ),
    ],
)
def test_agrees_with_keras_where_it_rounds_to_epochs(ours, theirs, offset):
    for step in range(30):
        np.testing.assert_allclose(
            float(ours(step)), float(theirs(step + offset)), rtol=1e-6
        )


@every_rule
def test_config_gives_the_constants_back(make, function, constants, rule):
    schedule = make(**constants, steps_per_epoch=3, name="mine")
    config = schedule.get_config()

    assert {name: config[name] for name in constants} == constants
    assert config["steps_per_epoch"] == 3
    assert config["name"] == "mine"
    saved = keras.optimizers.schedules.serialize(schedule)
    assert saved["registered_name"] == f"tfcourse>{make.__name__}"
    again = keras.optimizers.schedules.deserialize(saved)
    assert type(again) is make
    assert again.get_config() == config


def test_constants_can_be_set():
    schedule = schedules.ExponentialDecay(0.2, base=0.5)
    schedule.base = 0.25
    assert float(schedule(1)) == pytest.approx(0.05)
    assert schedule.get_config()["base"] == 0.25

    schedule = schedules.PiecewiseConstantDecay([2, 4], [0.3, 0.2, 0.1])
    schedule.boundaries = [1, 4]
    schedule.values = [0.6, 0.5, 0.4]
    assert float(schedule(1)) == pytest.approx(0.5)
    assert schedule.get_config()["values"] == [0.6, 0.5, 0.4]


def test_keras_optimizers_take_the_schedules():
    optimizer = keras.optimizers.SGD(
        schedules.InverseTimeDecay(0.5, decay_rate=1.0)
    )
    w = keras.Variable([0.0])
    for _ in range(2):
        optimizer.apply([keras.ops.ones(1)], [w])

    np.testing.assert_allclose(w.numpy(), -0.5 - 0.25)


def test_one_piece_needs_no_boundary():
    schedule = schedules.PiecewiseConstantDecay([], [0.3])
    assert float(schedule(100)) == pytest.approx(0.3)


def refusal(name, value, owner):
    return rf"`{name}` of {owner.__name__} must .*Received: {name}={value}"


@pytest.mark.parametrize(
    "function, constants",
    [
        (schedules.inverse_time_decay, {"initial_learning_rate": -0.1}),
        (schedules.inverse_time_decay, {"decay_rate": -0.1}),
        (schedules.inverse_time_decay, {"interval": 0}),
        (schedules.inverse_time_decay, {"interval": -2}),
        (schedules.exponential_decay, {"initial_learning_rate": -0.1}),
        (schedules.exponential_decay, {"base": 0.0}),
        (schedules.exponential_decay, {"base": 1.5}),
        (schedules.exponential_decay, {"interval": 0}),
        (schedules.inverse_sqrt_decay, {"initial_learning_rate": -0.1}),
        (schedules.inverse_sqrt_decay, {"k": 0.0}),
    ],
)
def test_functions_refuse_what_the_schedules_refuse(function, constants):
    (name, value), *_ = constants.items()
    if function is schedules.inverse_time_decay:
        constants = {"decay_rate": 1.0, **constants}
    constants = {"initial_learning_rate": 0.1, **constants}

    with pytest.raises(ValueError, match=refusal(name, value, function)):
        function(3, **constants)
    with pytest.raises(TypeError, match=f"`{name}` of {function.__name__}"):
        function(3, **{**constants, name: "0.1"})


@pytest.mark.parametrize(
    "make, constants",
    [
        (schedules.InverseTimeDecay, {"initial_learning_rate": -0.1}),
        (schedules.InverseTimeDecay, {"decay_rate": -0.1}),
        (schedules.InverseTimeDecay, {"interval": 0}),
        (schedules.ExponentialDecay, {"initial_learning_rate": -0.1}),
        (schedules.ExponentialDecay, {"base": 0}),
        (schedules.ExponentialDecay, {"base": 1.5}),
        (schedules.ExponentialDecay, {"interval": -1}),
        (schedules.InverseSqrtDecay, {"initial_learning_rate": -0.1}),
        (schedules.InverseSqrtDecay, {"k": 0.0}),
        (schedules.InverseSqrtDecay, {"steps_per_epoch": 0}),
    ],
)
def test_refuses_a_constant_outside_its_interval(make, constants):
    (name, value), *_ = constants.items()
    message = refusal(name, value, make)
    with pytest.raises(ValueError, match=message):
        make(**{"initial_learning_rate": 0.1, **constants})
    if name != "steps_per_epoch":
        schedule = make(0.1)
        with pytest.raises(ValueError, match=message):
            setattr(schedule, name, value)


@pytest.mark.parametrize(
    "boundaries, values, message",
    [
        ([1, 2], [0.1, 0.2], "one more element than"),
        ([2, 2], [0.3, 0.2, 0.1], "must increase"),
        ([0], [0.2, 0.1], "`boundary_0`"),
        ([1], [0.2, -0.1], "`value_1`"),
    ],
)
def test_refuses_pieces_that_do_not_fit(boundaries, values, message):
    with pytest.raises(ValueError, match=message):
        schedules.PiecewiseConstantDecay(boundaries, values)
    with pytest.raises(ValueError, match=message) as caught:
        schedules.piecewise_constant_decay(1, boundaries, values)
    assert "of piecewise_constant_decay" in str(caught.value)


def test_refuses_to_be_set_to_pieces_that_do_not_fit():
    schedule = schedules.PiecewiseConstantDecay([1], [0.2, 0.1])
    before = schedule.get_config()
    for name, value in (
        ("values", [0.5]),
        ("values", [0.5, -1.0]),
        ("boundaries", [1, 2]),
        ("boundaries", [-1]),
    ):
        with pytest.raises(ValueError, match=r"Received"):
            setattr(schedule, name, value)
        assert schedule.get_config() == before


@pytest.mark.parametrize(
    "settings",
    [
        {"initial_learning_rate": "0.1"},
        {"initial_learning_rate": 0.1, "steps_per_epoch": 2.5},
        {"initial_learning_rate": 0.1, "steps_per_epoch": True},
        {"initial_learning_rate": 0.1, "decay_rat": 1.0},
    ],
)
def test_refuses_what_is_not_a_number_or_not_known(settings):
    (name, _), *_ = list(settings.items())[-1:]
    with pytest.raises(TypeError, match=name):
        schedules.InverseTimeDecay(**settings)
