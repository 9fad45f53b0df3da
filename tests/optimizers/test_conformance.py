"""Does every optimizer do what a Keras optimizer does?"""

import pickle

import keras
import numpy as np
import pytest

import tfcourse.optimizers
import tfcourse.schedules
from tfcourse import optimizers, schedules

# Class, and settings other than the defaults.
CASES = {
    "GradientDescent": (
        optimizers.GradientDescent,
        {"learning_rate": 0.05, "l2": 0.02},
    ),
    "Momentum": (
        optimizers.Momentum,
        {"learning_rate": 0.05, "beta": 0.8, "l2": 0.02},
    ),
    "RMSprop": (
        optimizers.RMSprop,
        {"learning_rate": 0.05, "beta": 0.9, "epsilon": 1e-6, "l2": 0.02},
    ),
    "RMSprop, inside": (
        optimizers.RMSprop,
        {"learning_rate": 0.05, "beta": 0.9, "epsilon_inside_sqrt": True},
    ),
    "Adam": (
        optimizers.Adam,
        {
            "learning_rate": 0.05,
            "beta_1": 0.8,
            "beta_2": 0.98,
            "epsilon": 1e-6,
            "l2": 0.02,
        },
    ),
    "Adam, inside": (
        optimizers.Adam,
        {"learning_rate": 0.05, "epsilon_inside_sqrt": True},
    ),
}
SCHEDULES = {
    "InverseTimeDecay": schedules.InverseTimeDecay(
        0.2, decay_rate=0.5, interval=2, steps_per_epoch=3
    ),
    "ExponentialDecay": schedules.ExponentialDecay(
        0.2, base=0.9, interval=2, steps_per_epoch=3
    ),
    "InverseSqrtDecay": schedules.InverseSqrtDecay(0.2, k=0.5),
    "PiecewiseConstantDecay": schedules.PiecewiseConstantDecay(
        [2, 4], [0.2, 0.1, 0.05], steps_per_epoch=3
    ),
}
every_optimizer = pytest.mark.parametrize(
    "make, settings", CASES.values(), ids=CASES
)
with_and_without_xla = pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)]
)
every_schedule = pytest.mark.parametrize(
    "schedule", SCHEDULES.values(), ids=SCHEDULES
)


def test_every_public_class_has_a_case():
    public = {getattr(optimizers, name) for name in tfcourse.optimizers.__all__}
    assert public == {make for make, _ in CASES.values()}
    schedules = tfcourse.schedules
    public = {getattr(schedules, name) for name in schedules.__all__}
    decays = {item for item in public if isinstance(item, type)}
    assert decays == {type(schedule) for schedule in SCHEDULES.values()}


@pytest.fixture
def mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


def data(rng):
    x = rng.normal(size=(12, 4)).astype("float32")
    return x, x @ rng.normal(size=(4, 2)).astype("float32")


def model_with(optimizer, jit_compile=False, seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, activation="tanh"),
            keras.layers.Dense(2),
        ]
    )
    model.compile(optimizer, "mse", jit_compile=jit_compile)
    return model


def fit(model, x, y, epochs=1, callbacks=()):
    # Unshuffled, so that two halves of a training equal the whole.
    model.fit(
        x,
        y,
        batch_size=4,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    )


def assert_same_weights(a, b, **tolerance):
    pairs = zip(a.get_weights(), b.get_weights(), strict=True)
    for one, other in pairs:
        if tolerance:
            np.testing.assert_allclose(one, other, **tolerance)
        else:
            np.testing.assert_array_equal(one, other)


def apply_all(optimizer, w, gradients):
    variable = keras.Variable(w, name="kernel")
    for g in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g)], [variable])
    return keras.ops.convert_to_numpy(variable)


@every_optimizer
def test_config_gives_the_settings_back(make, settings):
    optimizer = make(**settings, clipnorm=1.0, weight_decay=0.01, name="mine")
    config = optimizer.get_config()

    assert {name: config[name] for name in settings} == settings
    assert make.from_config(config).get_config() == config
    saved = keras.optimizers.serialize(optimizer)
    assert saved["registered_name"] == f"tfcourse>{make.__name__}"
    again = keras.optimizers.deserialize(saved)
    assert type(again) is make
    assert again.get_config() == config
    assert pickle.loads(pickle.dumps(optimizer)).get_config() == config


@every_optimizer
def test_config_gives_what_was_set_since(make, settings):
    optimizer = make(**settings)
    for name in optimizer.hyperparameters:
        setattr(optimizer, name, 0.125)

    config = optimizer.get_config()

    for name in optimizer.hyperparameters:
        assert config[name] == 0.125
    assert {*settings} - {"epsilon_inside_sqrt"} <= {*optimizer.hyperparameters}


@every_optimizer
def test_hyperparameters_are_scalar_variables_of_the_optimizer(make, settings):
    optimizer = make(**settings)
    variables = {id(v) for v in optimizer.variables}

    assert "learning_rate" in optimizer.hyperparameters
    assert "l2" in optimizer.hyperparameters
    for name, variable in optimizer.hyperparameters.items():
        assert isinstance(variable, keras.Variable)
        assert variable.shape == ()
        assert not variable.trainable
        assert variable is getattr(optimizer, name)
        assert id(variable) in variables
        assert variable.path == f"{optimizer.name}/{name}"


@every_schedule
def test_constants_of_a_schedule_become_hyperparameters(schedule):
    optimizer = optimizers.Momentum(schedule)
    variables = {id(v) for v in optimizer.variables}

    found = optimizer.hyperparameters
    assert {*found} == {*schedule.hyperparameters, "beta", "l2"}
    assert all(id(variable) in variables for variable in found.values())
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()


class Traces:
    """Counts the tracings of the steps of a kind of optimizer."""

    def __init__(self, make):
        self.count = 0

        class Counting(make):
            # Runs in Python only while a step is being traced.
            def apply(_, *args, **kwargs):  # noqa: N805
                self.count += 1
                return super().apply(*args, **kwargs)

        self.make = Counting


def assert_no_new_trace(traces, once, jit_compile):
    assert once > 0
    if jit_compile or keras.config.backend() == "tensorflow":
        assert traces.count == once
    else:
        # Without compilation JAX runs every step in Python.
        assert traces.count > once


def weights_after(model, state, settings, x, y, epochs=1):
    """Returns the weights that training from `state` leads to."""
    weights, variables = state
    model.set_weights(weights)
    model.optimizer.set_weights(variables)
    for name, value in settings.items():
        model.optimizer.hyperparameters[name].assign(value)
    fit(model, x, y, epochs=epochs)
    return np.concatenate([w.ravel() for w in model.get_weights()])


def state_of(model):
    return model.get_weights(), [v.numpy() for v in model.optimizer.variables]


OTHER = {
    "learning_rate": 0.01,
    "l2": 0.5,
    "beta": 0.5,
    "beta_1": 0.4,
    "beta_2": 0.5,
    "epsilon": 0.1,
}


@with_and_without_xla
@every_optimizer
def test_a_hyperparameter_can_change_in_a_compiled_fit(
    rng, make, settings, jit_compile
):
    x, y = data(rng)
    traces = Traces(make)
    model = model_with(traces.make(**{**settings, "l2": 0.0}), jit_compile)
    fit(model, x, y)
    state, once = state_of(model), traces.count
    other = {name: OTHER[name] for name in model.optimizer.hyperparameters}

    unchanged = weights_after(model, state, {}, x, y)
    for name, value in other.items():
        changed = weights_after(model, state, {name: value}, x, y)
        assert np.abs(changed - unchanged).max() > 1e-6, name

    changed = weights_after(model, state, other, x, y)
    assert_no_new_trace(traces, once, jit_compile)
    # As a step that is compiled with these settings from the start.
    anew = model_with(make(**{**settings, **other}), jit_compile)
    anew.optimizer.build(anew.trainable_variables)
    expected = weights_after(anew, state, other, x, y)
    np.testing.assert_allclose(changed, expected, rtol=1e-5, atol=1e-6)


@with_and_without_xla
@every_schedule
def test_a_constant_can_change_in_a_compiled_fit(rng, schedule, jit_compile):
    x, y = data(rng)
    schedule = type(schedule).from_config(schedule.get_config())
    traces = Traces(optimizers.GradientDescent)
    model = model_with(traces.make(schedule), jit_compile)
    fit(model, x, y)
    state, once = state_of(model), traces.count

    unchanged = weights_after(model, state, {}, x, y, epochs=6)
    for name, value in schedule.hyperparameters.items():
        half = {name: 0.5 * value.numpy()}
        changed = weights_after(model, state, half, x, y, epochs=6)
        assert np.abs(changed - unchanged).max() > 1e-6, name
    assert_no_new_trace(traces, once, jit_compile)


def test_a_callback_can_change_a_hyperparameter(rng):
    x, y = data(rng)

    class Change(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 2:
                self.model.optimizer.learning_rate = 0.0

    model = model_with(optimizers.Adam(0.1))
    model.fit(
        x, y, batch_size=4, verbose=0, shuffle=False, callbacks=[Change()]
    )
    expected = model_with(optimizers.Adam(0.1))
    fit(expected, x[:8], y[:8])

    assert_same_weights(model, expected)


def assert_resumes(rng, tmp_path, optimizer, other=None):
    """Trains, saves, trains on; and trains on again from what was saved.

    `other` is to take all from a file of weights alone.
    """
    x, y = data(rng)
    straight = model_with(optimizer)
    # 3 batches: an accumulation over 2 is half full when it is saved.
    fit(straight, x, y)
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner.l2 = 0.25
    inner.learning_rate = 0.03
    straight.save(tmp_path / "model.keras")
    straight.save_weights(tmp_path / "model.weights.h5")
    fit(straight, x, y, epochs=2)

    resumed = [keras.models.load_model(tmp_path / "model.keras")]
    if other is not None:
        fresh = model_with(other, seed=1)
        fresh.optimizer.build(fresh.trainable_variables)
        fresh.load_weights(tmp_path / "model.weights.h5")
        resumed.append(fresh)
    for model in resumed:
        assert type(model.optimizer) is type(optimizer)
        fit(model, x, y, epochs=2)
        assert_same_weights(model, straight)
        for one, two in zip(
            model.optimizer.variables, optimizer.variables, strict=True
        ):
            np.testing.assert_array_equal(one.numpy(), two.numpy())


@every_optimizer
def test_training_resumes_bit_for_bit(rng, tmp_path, make, settings):
    # Not a variable: a file of weights alone does not tell it.
    inside = settings.get("epsilon_inside_sqrt", False)

    assert_resumes(rng, tmp_path, make(**settings), None if inside else make())


@pytest.mark.parametrize(
    "options",
    [
        {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
        {"use_ema": True, "ema_momentum": 0.5},
        {"gradient_accumulation_steps": 2},
    ],
    ids=["EMA, overwriting", "EMA", "accumulation"],
)
@pytest.mark.parametrize("make", [optimizers.Momentum, optimizers.Adam])
def test_options_resume_bit_for_bit(rng, tmp_path, make, options):
    assert_resumes(rng, tmp_path, make(0.05, **options), make(**options))


@pytest.mark.parametrize("make", [optimizers.Momentum, optimizers.Adam])
def test_mixed_precision_resumes_bit_for_bit(
    rng, tmp_path, mixed_precision, make
):
    # After 3 steps the scale was doubled once, and is half the way to the next.
    def scaled(*args):
        return keras.optimizers.LossScaleOptimizer(
            make(*args), initial_scale=16.0, dynamic_growth_steps=2
        )

    assert_resumes(rng, tmp_path, scaled(0.05), scaled())


@every_schedule
def test_training_by_a_schedule_resumes_bit_for_bit(rng, tmp_path, schedule):
    x, y = data(rng)
    schedule = type(schedule).from_config(schedule.get_config())
    straight = model_with(optimizers.Adam(schedule))
    fit(straight, x, y, epochs=3)
    for variable in schedule.hyperparameters.values():
        variable.assign(0.75 * variable.value)
    straight.save(tmp_path / "model.keras")
    fit(straight, x, y, epochs=3)

    loaded = keras.models.load_model(tmp_path / "model.keras")
    fit(loaded, x, y, epochs=3)

    assert_same_weights(loaded, straight)


def test_set_weights_sets_the_constants_of_a_schedule():
    w = keras.Variable(np.ones((2, 2), "float32"))
    source = optimizers.Adam(schedules.InverseTimeDecay(0.3, decay_rate=0.7))
    target = optimizers.Adam(schedules.InverseTimeDecay(0.1))
    for optimizer in (source, target):
        optimizer.build([w])

    target.set_weights([v.numpy() for v in source.variables])

    for name, variable in source.hyperparameters.items():
        assert target.hyperparameters[name].numpy() == variable.numpy()


def test_a_schedule_can_replace_a_learning_rate(rng):
    optimizer = optimizers.GradientDescent(0.5)
    optimizer.learning_rate = schedules.ExponentialDecay(0.25, base=0.5)

    assert "learning_rate" not in optimizer.hyperparameters
    assert not any(v.name == "learning_rate" for v in optimizer.variables)
    w = apply_all(optimizer, np.zeros((1, 1), "f"), np.ones((2, 1, 1), "f"))
    np.testing.assert_allclose(w, -0.25 - 0.125)
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        optimizer.learning_rate = 0.1


@pytest.mark.parametrize(
    "options",
    [
        {"clipnorm": 0.5},
        {"clipvalue": 0.1},
        {"global_clipnorm": 0.5},
        {"weight_decay": 0.1},
        {"loss_scale_factor": 64.0},
        {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3},
        {"gradient_accumulation_steps": 3},
    ],
    ids=lambda options: next(iter(options)),
)
@every_optimizer
def test_has_the_options_of_every_keras_optimizer(rng, make, settings, options):
    # What each option does to the gradients or the weights, done by hand
    # around an optimizer without it.
    settings = {**settings, "l2": 0.3}
    w = rng.normal(size=(3, 2)).astype("float32")
    gradients = rng.normal(size=(6, 3, 2)).astype("float32")
    plain = make(**settings)
    variable = keras.Variable(w, name="kernel")
    average = None
    rate = settings["learning_rate"]
    kept = []
    for t, g in enumerate(gradients, 1):
        norm = np.sqrt((g**2).sum())
        if "clipnorm" in options or "global_clipnorm" in options:
            g = g * min(1, 0.5 / norm)
        if "clipvalue" in options:
            g = np.clip(g, -0.1, 0.1)
        if "weight_decay" in options:
            variable.assign(variable.numpy() * (1 - rate * 0.1))
        if "loss_scale_factor" in options:
            g = g / 64
        if "gradient_accumulation_steps" in options:
            kept.append(g)
            if t % 3:
                continue
            g = np.mean(kept, axis=0)
            kept.clear()
        plain.apply([keras.ops.convert_to_tensor(g)], [variable])
        if "use_ema" in options:
            now = variable.numpy()
            average = now if t == 1 else (average + now) / 2
            if t % 3 == 0:
                variable.assign(average)

    actual = apply_all(make(**settings, **options), w, gradients)

    np.testing.assert_allclose(actual, variable.numpy(), rtol=1e-5, atol=1e-6)


@every_optimizer
def test_weights_can_be_excluded_from_weight_decay(make, settings):
    optimizer = make(**settings, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    kernel = keras.Variable(np.ones((2, 2), "float32"), name="kernel")
    bias = keras.Variable(np.ones(2, "float32"), name="bias")
    zeros = keras.ops.zeros
    optimizer.l2 = 0.0
    optimizer.apply([zeros((2, 2)), zeros(2)], [kernel, bias])

    np.testing.assert_allclose(kernel.numpy(), 1 - 0.05 * 0.1, rtol=1e-6)
    np.testing.assert_array_equal(bias.numpy(), 1)


@every_optimizer
def test_xla_computes_the_same(rng, make, settings):
    x, y = data(rng)
    models = [
        model_with(make(**settings), jit_compile)
        for jit_compile in (True, False)
    ]
    for model in models:
        fit(model, x, y, epochs=3)

    assert_same_weights(*models, rtol=1e-4, atol=1e-5)


@every_optimizer
@pytest.mark.slow
def test_trains_in_mixed_precision(rng, mixed_precision, make, settings):
    x, y = data(rng)
    model = model_with(make(**settings))
    first = model.evaluate(x, y, verbose=0)
    fit(model, x, y, epochs=10)

    assert type(model.optimizer.inner_optimizer) is make
    assert model.trainable_variables[0].dtype == "float32"
    assert model.evaluate(x, y, verbose=0) < 0.8 * first


@pytest.mark.skipif(
    keras.config.backend() == "jax",
    reason="Keras's wrapper has no stateful step on JAX",
)
@every_optimizer
def test_loss_scaling_changes_nothing(rng, make, settings):
    w = rng.normal(size=(3, 2)).astype("float32")
    gradients = rng.normal(size=(4, 3, 2)).astype("float32")
    scaled = keras.optimizers.LossScaleOptimizer(
        make(**settings), initial_scale=1024.0
    )

    expected = apply_all(make(**settings), w, gradients)
    actual = apply_all(scaled, w, 1024 * gradients)

    np.testing.assert_allclose(actual, expected, rtol=1e-6)
    # A step with an infinite gradient is left out.
    infinite = np.full((1, 3, 2), np.inf, "float32")
    actual = apply_all(
        keras.optimizers.LossScaleOptimizer(make(**settings), 1024.0),
        w,
        infinite,
    )
    np.testing.assert_array_equal(actual, w)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@every_optimizer
def test_small_numbers_survive_in_half_precision(make, settings, dtype):
    settings = {**settings, "l2": 0.0}
    w = keras.Variable([1.0, 1.0], dtype=dtype)
    optimizer = make(**settings)
    g = keras.ops.convert_to_tensor([1.0, 0.0], dtype=dtype)

    optimizer.apply([g], [w])

    # An epsilon of 0 would make 0 / 0 of the second.
    first, second = keras.ops.convert_to_numpy(keras.ops.cast(w, "float32"))
    assert second == 1
    assert 0.8 <= first < 1


@every_optimizer
def test_build_twice_is_building_once(make, settings):
    w = keras.Variable(np.ones((2, 2), "float32"))
    optimizer = make(**settings)
    optimizer.build([w])
    before = [v.path for v in optimizer.variables]
    optimizer.build([w])

    assert [v.path for v in optimizer.variables] == before
    assert len(set(before)) == len(before)


@pytest.mark.parametrize(
    "make, name, value",
    [
        (make, name, value)
        for make, names in {
            optimizers.GradientDescent: (),
            optimizers.Momentum: ("beta",),
            optimizers.RMSprop: ("beta", "epsilon"),
            optimizers.Adam: ("beta_1", "beta_2", "epsilon"),
        }.items()
        for name in ("learning_rate", "l2", *names)
        for value in {
            "learning_rate": (-0.1, float("nan"), float("inf")),
            "l2": (-1e-9, float("inf")),
            "epsilon": (0.0, -1.0),
        }.get(name, (1.0, -0.1, 1.5))
    ],
)
def test_refuses_a_value_outside_its_interval(make, name, value):
    message = rf"`{name}` of {make.__name__} must lie in .*\. Received: {name}="
    with pytest.raises(ValueError, match=message):
        make(**{name: value})
    optimizer = make()
    before = optimizer.get_config()
    with pytest.raises(ValueError, match=message):
        setattr(optimizer, name, value)
    assert optimizer.get_config() == before


@pytest.mark.parametrize("value", ["0.1", None, [0.1], True])
@every_optimizer
def test_refuses_what_is_not_a_number(make, settings, value):
    for name in make().hyperparameters:
        with pytest.raises(TypeError, match=f"`{name}` of {make.__name__}"):
            make(**{name: value})


@pytest.mark.parametrize("value", ["no", 0, None])
@pytest.mark.parametrize("make", [optimizers.RMSprop, optimizers.Adam])
def test_refuses_what_is_not_a_bool(make, value):
    message = f"`epsilon_inside_sqrt` of {make.__name__} must be True or False"
    with pytest.raises(TypeError, match=message):
        make(epsilon_inside_sqrt=value)


@every_optimizer
def test_refuses_an_unknown_argument(make, settings):
    with pytest.raises((TypeError, ValueError), match="betta"):
        make(betta=0.9)


def test_takes_whole_numbers_and_zero():
    assert optimizers.GradientDescent(1).get_config()["learning_rate"] == 1.0
    w = apply_all(
        optimizers.Adam(0), np.ones((2, 2), "f"), np.ones((2, 2, 2), "f")
    )
    np.testing.assert_array_equal(w, 1)


def test_takes_a_callable_rate():
    w = apply_all(
        optimizers.GradientDescent(lambda: 0.5),
        np.zeros((1, 1), "f"),
        np.ones((1, 1, 1), "f"),
    )
    np.testing.assert_array_equal(w, -0.5)


def test_keras_callbacks_can_set_the_learning_rate(rng):
    x, y = data(rng)
    rates = []
    model = model_with(optimizers.Adam(0.1))
    fit(
        model,
        x,
        y,
        epochs=3,
        callbacks=[
            keras.callbacks.LearningRateScheduler(
                lambda epoch: schedules.inverse_time_decay(epoch, 0.2, 1.0)
            ),
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: rates.append(
                    float(model.optimizer.learning_rate.numpy())
                )
            ),
        ],
    )

    np.testing.assert_allclose(rates, [0.2, 0.1, 0.2 / 3], rtol=1e-6)
