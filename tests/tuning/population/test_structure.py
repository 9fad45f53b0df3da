"""Structure: are only the same graphs put together?"""

import inspect

import keras
import pytest
from keras import layers

from tfcourse import layers as own_layers
from tfcourse import optimizers
from tfcourse.tuning.population import first_difference, structure


def model(layer=None, optimizer=None, loss="mse", metrics=None, shape=(6, 4)):
    hidden = [] if layer is None else [layer]
    model = keras.Sequential([keras.Input(shape), *hidden])
    model.add(layers.Flatten())
    model.add(layers.Dense(2))
    model.compile(optimizer or keras.optimizers.SGD(0.1), loss, metrics)
    return model


# For each class, a value for every constructor argument, other than the
# default, that changes what is computed.
L2 = keras.regularizers.L2(0.1)
NORM = keras.constraints.MaxNorm(1.0)
REGULAR = {
    "kernel_regularizer": L2,
    "bias_regularizer": L2,
    "activity_regularizer": L2,
    "kernel_constraint": NORM,
    "bias_constraint": NORM,
}
CONV = REGULAR | {
    "filters": 3,
    "kernel_size": 3,
    "strides": 2,
    "padding": "same",
    "dilation_rate": 2,
    "groups": 2,
    "activation": "relu",
    "use_bias": False,
}
RECURRENT = {
    "units": 3,
    "activation": "relu",
    "recurrent_activation": "tanh",
    "use_bias": False,
    "kernel_regularizer": L2,
    "recurrent_regularizer": L2,
    "bias_regularizer": L2,
    "activity_regularizer": L2,
    "kernel_constraint": NORM,
    "recurrent_constraint": NORM,
    "bias_constraint": NORM,
    "dropout": 0.1,
    "recurrent_dropout": 0.1,
    "return_sequences": True,
    "go_backwards": True,
}
LAYERS = [
    (
        layers.Dense,
        {"units": 2},
        REGULAR | {"units": 3, "activation": "relu", "use_bias": False},
    ),
    (layers.Conv1D, {"filters": 2, "kernel_size": 2}, CONV),
    (layers.Dropout, {"rate": 0.2}, {"rate": 0.3, "noise_shape": (None, 1, 4)}),
    (
        layers.BatchNormalization,
        {},
        {
            "axis": 1,
            "momentum": 0.5,
            "epsilon": 0.1,
            "center": False,
            "scale": False,
            "beta_regularizer": L2,
            "gamma_regularizer": L2,
            "beta_constraint": NORM,
            "gamma_constraint": NORM,
        },
    ),
    (
        layers.LayerNormalization,
        {},
        {
            "axis": 1,
            "epsilon": 0.1,
            "center": False,
            "scale": False,
            "beta_regularizer": L2,
            "gamma_regularizer": L2,
            "beta_constraint": NORM,
            "gamma_constraint": NORM,
        },
    ),
    (
        layers.GroupNormalization,
        {"groups": 2},
        {"groups": 4, "epsilon": 0.1, "center": False, "scale": False},
    ),
    (layers.LSTM, {"units": 2}, RECURRENT | {"unit_forget_bias": False}),
    (layers.GRU, {"units": 2}, RECURRENT | {"reset_after": False}),
    (layers.Activation, {"activation": "relu"}, {"activation": "tanh"}),
    (layers.LeakyReLU, {}, {"negative_slope": 0.2}),
    (
        layers.ReLU,
        {},
        {"max_value": 1.0, "negative_slope": 0.2, "threshold": 0.5},
    ),
    (layers.GaussianNoise, {"stddev": 0.1}, {"stddev": 0.2}),
    (
        layers.MaxPooling1D,
        {"pool_size": 2},
        {"pool_size": 3, "strides": 1, "padding": "same"},
    ),
    (layers.Rescaling, {"scale": 2.0}, {"scale": 3.0, "offset": 1.0}),
    (layers.Lambda, {"function": lambda x: x}, {"function": lambda x: 2 * x}),
    (own_layers.BatchNormalization, {}, {"epsilon": 0.1}),
]
SHARED = {"trainable": False, "dtype": "mixed_bfloat16"}
CASES = [
    pytest.param(cls, base, name, value, id=f"{cls.__name__}-{name}")
    for cls, base, changes in LAYERS
    for name, value in (changes | SHARED).items()
]


@pytest.mark.parametrize("cls, base, name, value", CASES)
def test_each_setting_of_a_layer_splits(cls, base, name, value):
    changed = base | {name: value}
    a, b = model(cls(**base)), model(cls(**base))
    assert structure(a) == structure(b)
    assert hash(structure(a)) == hash(structure(b))
    try:
        other = model(cls(**changed))
    except ValueError:
        # Two settings that do not go together on this input.
        other = model(cls(**changed), shape=(12, 4))
    assert structure(a) != structure(other)
    assert "model" in first_difference(a, other)


COMMON = {
    "weight_decay": 0.1,
    "clipnorm": 1.0,
    "clipvalue": 1.0,
    "global_clipnorm": 1.0,
    "use_ema": True,
    "loss_scale_factor": 2.0,
    "gradient_accumulation_steps": 2,
}
STOCK = [
    "SGD",
    "RMSprop",
    "Adam",
    "AdamW",
    "Nadam",
    "Adagrad",
    "Adadelta",
    "Adamax",
    "Ftrl",
    "Lion",
    "Lamb",
    "Adafactor",
]


def settings_of(cls):
    """Yields the numeric and boolean settings of an optimizer, changed."""
    for name, parameter in inspect.signature(cls).parameters.items():
        default = parameter.default
        if name in (*COMMON, "learning_rate", "ema_momentum", "kwargs", "name"):
            continue
        if isinstance(default, bool):
            yield name, not default
        elif isinstance(default, float):
            yield name, 0.5 * default + 0.1


@pytest.mark.parametrize("name", STOCK)
def test_each_setting_of_a_stock_optimizer_splits(name):
    cls = getattr(keras.optimizers, name)
    base = structure(model(optimizer=cls(0.1)))
    assert base == structure(model(optimizer=cls(0.2)))
    for setting, value in [*settings_of(cls), *COMMON.items()]:
        if value != inspect.signature(cls).parameters[setting].default:
            changed = cls(0.1, **{setting: value})
            assert base != structure(model(optimizer=changed)), setting
    schedule = keras.optimizers.schedules.ExponentialDecay
    one = structure(model(optimizer=cls(schedule(0.1, 10, 0.5))))
    assert base != one
    assert one != structure(model(optimizer=cls(schedule(0.1, 10, 0.6))))


@pytest.mark.parametrize(
    "make",
    [
        lambda v: model(optimizer=optimizers.Momentum(v, beta=v, l2=v)),
        lambda v: model(optimizer=optimizers.RMSprop(v, beta=v, epsilon=v)),
        lambda v: model(optimizer=optimizers.Adam(v, beta_1=v, beta_2=v)),
        lambda v: model(own_layers.InvertedDropout(v)),
        lambda v: model(own_layers.BatchNormalization(momentum=v)),
    ],
)
def test_hyperparameters_do_not_split(make):
    assert first_difference(make(0.25), make(0.5)) is None


def test_loss_and_metrics_split():
    base = model()
    assert "loss: mse and mae" in first_difference(base, model(loss="mae"))
    for one, other in [
        (keras.losses.Huber(1.0), keras.losses.Huber(2.0)),
        (lambda y, p: y - p, lambda y, p: p - y),
    ]:
        assert first_difference(model(loss=one), model(loss=other))
    assert first_difference(base, model(metrics=["mae"]))
    one, other = (keras.metrics.AUC(num_thresholds=n) for n in (10, 20))
    assert first_difference(model(metrics=[one]), model(metrics=[other]))


def test_what_a_loss_closes_over_splits():
    def weighted(w):
        return lambda y, p: w * keras.ops.square(y - p)

    assert not first_difference(
        model(loss=weighted(1)), model(loss=weighted(1))
    )
    assert first_difference(model(loss=weighted(1)), model(loss=weighted(2)))


def test_wiring_and_constants_split():
    def branched(wire):
        x = keras.Input((3,))
        a, b = layers.Dense(3)(x), layers.Dense(3, "relu")(x)
        model = keras.Model(x, wire(a, b))
        model.compile("sgd", "mse")
        return model

    wires = [
        lambda a, b: a + b,
        lambda a, b: a + a,
        lambda a, b: a - b,
        lambda a, b: b - a,
        lambda a, b: a * 2.0,
        lambda a, b: a * 3.0,
        lambda a, b: [a, b],
    ]
    assert len({structure(branched(wire)) for wire in wires}) == len(wires)
    assert structure(branched(wires[2])) == structure(branched(wires[2]))


def test_attributes_of_a_subclass_split():
    class Scaled(keras.layers.Layer):
        def __init__(self, scale):
            super().__init__()
            self.scale = scale

        def call(self, x):
            return self.scale * x

    assert not first_difference(model(Scaled(1.0)), model(Scaled(1.0)))
    assert first_difference(model(Scaled(1.0)), model(Scaled(2.0)))


def test_names_and_initializers_do_not_split():
    base = model(layers.Dense(2))
    assert structure(base) == structure(
        model(layers.Dense(2, kernel_initializer="he_normal"))
    )


def test_reads_how_a_model_is_connected_once(monkeypatch):
    """What is frozen, and large, is read anew for each trial."""
    inputs = keras.Input((2,))
    base = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    model = keras.Sequential([inputs, base])
    model.compile("sgd", "mse")
    before = structure(model)
    monkeypatch.setattr(type(base), "get_config", None)
    assert structure(model) == before
