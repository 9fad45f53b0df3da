"""Does each trial see its own value, wherever code keeps it?

One weight, one batch: the score says which value was read. What the program
cannot know goes to `model.fit`.
"""

import collections
import contextvars
import dataclasses
import enum
import functools
import importlib
import itertools
import operator
import os
import pathlib
import sys
import tempfile
import types
import weakref

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from side_by_side import (
    curves,
    model_of_one_weight,
    search_by_one_weight,
    squares,
)

from tfcourse.tuning import Caviar, SerialTuner

W = [1.0, 3.0]
GLOBAL = 0.0
BOX = types.SimpleNamespace(w=0.0, inner=types.SimpleNamespace(w=0.0))
VARIABLE = contextvars.ContextVar("w", default=0.0)
SETTINGS = types.ModuleType("settings_of_hidden_state")
SETTINGS.inner = types.ModuleType("settings_of_hidden_state.inner")
sys.modules["settings_of_hidden_state"] = SETTINGS
sys.modules["settings_of_hidden_state.inner"] = SETTINGS.inner
GENERATOR = np.random.default_rng(0)


def times(read):
    return model_of_one_weight(lambda y, p: read() * squares(y, p))


def value_of(hp):
    return hp.Choice("w", W)


# What the digest reads


@dataclasses.dataclass
class Data:
    w: float
    name: str = "data"

    def scale(self):
        return self.w


def a_dataclass(hp):
    data = Data(value_of(hp))
    return times(lambda: data.w)


def a_bound_method(hp):
    return times(Data(value_of(hp)).scale)


def a_partial_of_a_method(hp):
    return times(functools.partial(Data.scale, Data(value_of(hp))))


class Point(collections.namedtuple("Point", "w")):
    @property
    def scale(self):
        return self.w


def a_namedtuple(hp):
    point = Point(value_of(hp))
    return times(lambda: point.scale)


class Number(float):
    """Has more than it says."""


def an_attribute_of_a_number(hp):
    number = Number(0.5)
    number.w = value_of(hp)
    return times(lambda: number.w)


class Options(dict):
    pass


def an_attribute_of_a_dict(hp):
    options = Options(a=1)
    options.w = value_of(hp)
    return times(lambda: options.w)


class Slots:
    __slots__ = ("__dict__", "_w")


def a_slot_beside_a_dict():
    box = Slots()

    def build(hp):
        box.other, box._w = 1, value_of(hp)
        return times(lambda: box._w)

    return build


class CallableSlots:
    __slots__ = ("w",)

    def __call__(self):
        return self.w


def a_callable_of_slots():
    box = CallableSlots()

    def build(hp):
        box.w = value_of(hp)
        return times(box)

    return build


def read_an_attribute():
    return read_an_attribute.w


def an_attribute_of_a_function(hp):
    read_an_attribute.w = value_of(hp)
    return times(read_an_attribute)


def a_nonlocal():
    w = 0.0

    def build(hp):
        nonlocal w
        w = value_of(hp)
        return times(lambda: w)

    return build


def an_array_in_a_closure():
    array = np.zeros(3)

    def build(hp):
        array[1] = value_of(hp)
        return times(lambda: float(array[1]))

    return build


def a_view_of_an_array():
    array = np.zeros(3)
    view = array[1:]

    def build(hp):
        array[1] = value_of(hp)
        return times(lambda: float(view[0]))

    return build


def lambdas_of_a_loop():
    box = {}

    def build(hp):
        value = value_of(hp)
        for factor in (1.0, 2.0, 1.0):
            box["read"] = lambda factor=factor: factor * value
        return times(lambda: box["read"]())

    return build


class Kind(enum.Enum):
    ONE = 1.0
    THREE = 3.0


def an_enumeration(hp):
    kind = Kind(value_of(hp))
    return times(lambda: kind.value)


def a_weak_reference():
    data = Data(0.0)
    reference = weakref.ref(data)

    def build(hp):
        data.w = value_of(hp)
        return times(lambda: reference().w)

    return build


class Meta(type):
    w = 0.0

    @property
    def scale(cls):
        return cls.w


class OfMeta(metaclass=Meta):
    pass


def an_attribute_of_a_metaclass(hp):
    Meta.w = value_of(hp)
    return times(lambda: OfMeta.scale)


class Dynamic:
    store = {}  # noqa: RUF012

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self.store[name]


def a_dynamic_attribute(hp):
    Dynamic.store["w"] = value_of(hp)
    dynamic = Dynamic()
    return times(lambda: dynamic.w)


def a_module_imported_by_the_loss(hp):
    SETTINGS.w = value_of(hp)

    def read():
        import settings_of_hidden_state

        return settings_of_hidden_state.w

    return times(read)


def a_name_imported_by_the_loss(hp):
    SETTINGS.w = value_of(hp)

    def read():
        from settings_of_hidden_state import w

        return w

    return times(read)


def a_submodule(hp):
    SETTINGS.inner.w = value_of(hp)
    return times(lambda: SETTINGS.inner.w)


def a_module_by_any_name(hp):
    SETTINGS.w = value_of(hp)
    name = "w"
    return times(lambda: getattr(SETTINGS, name))


def an_attribute_getter(hp):
    BOX.inner.w = value_of(hp)
    return times(lambda: operator.attrgetter("inner.w")(BOX))


def a_closure_not_filled_yet(hp):
    def read():
        return later()

    model = times(read)
    value = value_of(hp)

    def later():
        return value

    return model


def a_captured_hypermodel():
    class Space(keras_tuner.HyperModel):
        def build(self, hp):
            self.hp = hp
            self.value = value_of(hp)
            return times(lambda: self.hp.get("w"))

    return Space()


class ReadsHp(keras.layers.Layer):
    def __init__(self, hp):
        super().__init__()
        self.hp = hp

    def call(self, x):
        return x + 1 - self.hp.get("w") ** 0.5


def a_layer_that_reads_hp(hp):
    value_of(hp)
    return model_of_one_weight(layers=[ReadsHp(hp)])


class ReadsItsName(keras.layers.Layer):
    def call(self, x):
        return x + 1 - float(self.name.split("_")[-1]) ** 0.5


def a_layer_that_reads_its_name(hp):
    name = f"w_{int(value_of(hp))}"
    return model_of_one_weight(layers=[ReadsItsName(name=name)])


def the_setting_epsilon(hp):
    keras.config.set_epsilon(value_of(hp))
    return times(lambda: keras.config.epsilon())


def a_sparse_tensor(hp):
    sparse = tf.sparse.from_dense([0.0, value_of(hp)])
    return times(lambda: tf.reduce_sum(tf.sparse.to_dense(sparse)))


def a_ragged_tensor(hp):
    ragged = tf.ragged.constant([[value_of(hp)], []])
    return times(lambda: tf.reduce_sum(ragged))


def a_constant_of_an_operation(hp):
    x = keras.Input((1,))
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    out = ops.add(dense(x), tf.constant(1 - value_of(hp) ** 0.5))
    model = keras.Model(x, out)
    model.compile("sgd", "mse")
    return model


def a_loss_network(hp):
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.set_weights([np.ones((1, 1)), np.zeros(1)])
    network.layers[0].kernel.assign([[value_of(hp) ** 0.5]])
    return model_of_one_weight(lambda y, p: squares(network(y), network(p)))


def a_variable_assigned_by_each_build():
    scale = keras.Variable(0.0, trainable=False)

    def build(hp):
        scale.assign(value_of(hp))
        return times(lambda: scale)

    return build


class Held(keras.layers.Layer):
    def __init__(self, shift):
        super().__init__()
        self.shift = shift

    def call(self, x):
        return x + self.shift


def a_layers_variable_assigned_by_each_build():
    shift = keras.Variable(0.0, trainable=False)

    def build(hp):
        shift.assign(1 - value_of(hp) ** 0.5)
        return model_of_one_weight(layers=[Held(shift)])

    return build


class Scaled(keras.optimizers.SGD):
    """Its config does not say all: the next loss is w."""

    def __init__(self, w=0.0, **settings):
        super().__init__(**settings)
        self.w = w

    def update_step(self, gradient, variable, learning_rate):
        step = (1 - self.w**0.5) / 2 * gradient
        self.assign_sub(variable, step)


def a_setting_of_an_optimizer(hp):
    model = model_of_one_weight()
    model.compile(Scaled(value_of(hp)), "mse")
    return model


@keras.saving.register_keras_serializable("tests_hidden")
class Start(keras.initializers.Initializer):
    def __init__(self, w=0.0):
        self.w = w

    def __call__(self, shape, dtype=None, **kwargs):
        return ops.ones(shape, dtype) * (1 - self.w**0.5)


def a_users_initializer(hp):
    return model_of_one_weight(kernel_initializer=Start(value_of(hp)))


def an_initializer_changed_by_each_build():
    start = Start()

    def build(hp):
        start.w = value_of(hp)
        return model_of_one_weight(kernel_initializer=start)

    return build


def kerass_initializer_changed_by_each_build():
    start = keras.initializers.Constant(0.0)

    def build(hp):
        start.value = 1 - value_of(hp) ** 0.5
        return model_of_one_weight(kernel_initializer=start)

    return build


# What nobody can read beforehand


def a_context_variable(hp):
    VARIABLE.set(value_of(hp))
    return times(lambda: VARIABLE.get())


def a_file():
    path = pathlib.Path(tempfile.mkdtemp()) / "w.txt"

    def build(hp):
        path.write_text(str(value_of(hp)))
        return times(lambda: float(path.read_text()))

    return build


def a_file_by_a_path_in_a_dict():
    path = pathlib.Path(tempfile.mkdtemp()) / "w.txt"
    settings = {"files": [path]}

    def build(hp):
        path.write_text(str(value_of(hp)))
        return times(lambda: float(settings["files"][0].read_text()))

    return build


def a_path_that_is_opened():
    path = pathlib.Path(tempfile.mkdtemp()) / "w.txt"

    def build(hp):
        path.write_text(str(value_of(hp)))

        def read():
            with path.open() as file:
                return float(file.read())

        return times(read)

    return build


def an_opened_file():
    path = pathlib.Path(tempfile.mkdtemp()) / "w.txt"

    def build(hp):
        path.write_text(str(value_of(hp)))
        name = str(path)

        def read():
            with open(name) as file:  # noqa: PTH123
                return float(file.read())

        return times(read)

    return build


def the_environment(hp):
    os.environ["TFCOURSE_HIDDEN"] = str(value_of(hp))
    return times(lambda: float(os.getenv("TFCOURSE_HIDDEN")))


def globals_by_name(hp):
    global GLOBAL
    GLOBAL = value_of(hp)
    return times(lambda: globals()["GLOBAL"])


def evaluated_text(hp):
    global GLOBAL
    GLOBAL = value_of(hp)
    return times(lambda: eval("GLOBAL"))


def a_module_by_its_text(hp):
    SETTINGS.w = value_of(hp)
    name = "settings_of_hidden_state"
    return times(lambda: importlib.import_module(name).w)


def a_generator_of_python(hp):
    values = itertools.repeat(value_of(hp))
    return times(lambda: next(values))


def a_file_that_tensorflow_reads():
    path = pathlib.Path(tempfile.mkdtemp()) / "w.txt"

    def build(hp):
        path.write_text(str(value_of(hp)))
        name = str(path)
        return times(lambda: tf.strings.to_number(tf.io.read_file(name)))

    return build


def a_table():
    frame = pytest.importorskip("pandas").DataFrame({"w": [0.0]})

    def build(hp):
        frame.loc[0, "w"] = value_of(hp)
        return times(lambda: float(frame["w"][0]))

    return build


READ = [
    a_dataclass,
    a_bound_method,
    a_partial_of_a_method,
    a_namedtuple,
    an_attribute_of_a_number,
    an_attribute_of_a_dict,
    a_slot_beside_a_dict,
    a_callable_of_slots,
    an_attribute_of_a_function,
    a_nonlocal,
    an_array_in_a_closure,
    a_view_of_an_array,
    lambdas_of_a_loop,
    an_enumeration,
    a_weak_reference,
    an_attribute_of_a_metaclass,
    a_dynamic_attribute,
    a_module_imported_by_the_loss,
    a_name_imported_by_the_loss,
    a_submodule,
    a_module_by_any_name,
    an_attribute_getter,
    a_closure_not_filled_yet,
    a_captured_hypermodel,
    a_layer_that_reads_hp,
    a_layer_that_reads_its_name,
    the_setting_epsilon,
    a_sparse_tensor,
    a_ragged_tensor,
    a_constant_of_an_operation,
    a_loss_network,
    a_variable_assigned_by_each_build,
    a_layers_variable_assigned_by_each_build,
    a_users_initializer,
    an_initializer_changed_by_each_build,
    kerass_initializer_changed_by_each_build,
]
HIDDEN = [
    a_context_variable,
    a_file,
    a_file_by_a_path_in_a_dict,
    a_path_that_is_opened,
    an_opened_file,
    the_environment,
    globals_by_name,
    evaluated_text,
    a_module_by_its_text,
    a_generator_of_python,
    a_file_that_tensorflow_reads,
    a_table,
]
AFTER_A_STEP = [a_setting_of_an_optimizer]
QUICK = [a_slot_beside_a_dict, the_environment, a_users_initializer]
CASES = [
    pytest.param(
        space,
        marks=[] if space in QUICK else pytest.mark.slow,
        id=space.__name__,
    )
    for space in READ + HIDDEN + AFTER_A_STEP
]
TUNERS = [Caviar, pytest.param(SerialTuner, marks=pytest.mark.slow)]


@pytest.fixture(autouse=True)
def same_epsilon():
    before = keras.config.epsilon()
    yield
    keras.config.set_epsilon(before)


@pytest.mark.parametrize("tuner_class", TUNERS)
@pytest.mark.parametrize("space", CASES)
def test_each_trial_has_its_own_value(tmp_path, space, tuner_class):
    build = space if space.__code__.co_argcount else space()
    epochs = 2 if space in AFTER_A_STEP else 1
    tuner = search_by_one_weight(tuner_class, tmp_path, build, epochs=epochs)
    trials = tuner.oracle.trials
    last = [curves(tuner, trials[i])["loss"][-1] for i in sorted(trials)]
    assert last == pytest.approx(W)
