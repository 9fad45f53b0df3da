"""Is a value that code reads late each trial's own?

One weight, one batch, one epoch: the score says which value was read.
"""

import collections
import functools
import os
import types

import keras
import keras_tuner
import numpy as np
import pytest
from side_by_side import model_of_one_weight as model_of
from side_by_side import scores, search_by_one_weight, squares

from tfcourse.tuning import Caviar, SerialTuner

pytestmark = pytest.mark.slow

GLOBAL = 0.0
ARRAY = np.zeros(())
SETTINGS = {"w": 0.0}
MODULE = types.ModuleType("settings_of_the_user")


class Settings:
    w = 0.0


def hypermodels_attribute():
    class Space(keras_tuner.HyperModel):
        def build(self, hp):
            self.w = hp.Choice("w", [1.0, 3.0])
            return model_of(lambda y, p: self.w * squares(y, p))

    return Space()


def hypermodels_method():
    class Space(keras_tuner.HyperModel):
        def build(self, hp):
            self.w = hp.Choice("w", [1.0, 3.0])
            return model_of(self.loss)

        def loss(self, y, p):
            return self.w * squares(y, p)

    return Space()


def times(read):
    return lambda y, p: read() * squares(y, p)


def global_number(hp):
    global GLOBAL
    GLOBAL = hp.Choice("w", [1.0, 3.0])
    return model_of(lambda y, p: GLOBAL * squares(y, p))


def read_global():
    return GLOBAL


def global_behind_a_function(hp):
    global GLOBAL
    GLOBAL = hp.Choice("w", [1.0, 3.0])
    return model_of(lambda y, p: read_global() * squares(y, p))


def global_array(hp):
    ARRAY[...] = hp.Choice("w", [1.0, 3.0])
    return model_of(lambda y, p: float(ARRAY) * squares(y, p))


def global_dict(hp):
    SETTINGS["w"] = hp.Choice("w", [1.0, 3.0])
    return model_of(lambda y, p: SETTINGS["w"] * squares(y, p))


def class_attribute(hp):
    Settings.w = hp.Choice("w", [1.0, 3.0])
    return model_of(lambda y, p: Settings.w * squares(y, p))


def attribute_of_a_module(hp):
    MODULE.w = hp.Choice("w", [1.0, 3.0])
    return model_of(lambda y, p: MODULE.w * squares(y, p))


def environment(hp):
    os.environ["TFCOURSE_TEST_W"] = str(hp.Choice("w", [1.0, 3.0]))
    return model_of(
        lambda y, p: float(os.environ["TFCOURSE_TEST_W"]) * squares(y, p)
    )


def closure_over_a_list():
    box = [0.0]

    def build(hp):
        box[0] = hp.Choice("w", [1.0, 3.0])
        return model_of(times(lambda: box[0]))

    return build


def closure_over_a_deque():
    box = collections.deque(maxlen=1)

    def build(hp):
        box.append(hp.Choice("w", [1.0, 3.0]))
        return model_of(times(lambda: box[0]))

    return build


def closure_over_a_namespace():
    box = types.SimpleNamespace()

    def build(hp):
        box.w = hp.Choice("w", [1.0, 3.0])
        return model_of(times(lambda: box.w))

    return build


class Slotted:
    __slots__ = ("_hidden",)

    @property
    def w(self):
        return self._hidden

    def __repr__(self):
        return "Slotted()"


def property_of_slots():
    box = Slotted()

    def build(hp):
        box._hidden = hp.Choice("w", [1.0, 3.0])
        return model_of(times(lambda: box.w))

    return build


def partial_of_a_holder():
    box = types.SimpleNamespace()

    def loss(box, y, p):
        return box.w * squares(y, p)

    def build(hp):
        box.w = hp.Choice("w", [1.0, 3.0])
        partial = functools.partial(loss, box)
        partial.__name__ = "partial"
        return model_of(partial)

    return build


def default_argument(hp):
    w = hp.Choice("w", [1.0, 3.0])
    return model_of(lambda y, p, w=w: w * squares(y, p))


# What begins late: initial weights are drawn, a rate is read.


def initializer_of_a_hypermodel():
    class Space(keras_tuner.HyperModel):
        def build(self, hp):
            self.w = hp.Choice("w", [1.0, 3.0])
            return model_of(kernel_initializer=self.initial)

        def initial(self, shape, dtype=None):
            return np.full(shape, 1 - self.w**0.5, dtype)

    return Space()


def initializer_that_reads_a_global(hp):
    global GLOBAL
    GLOBAL = hp.Choice("w", [1.0, 3.0])
    return model_of(
        kernel_initializer=lambda shape, dtype=None: np.full(
            shape, 1 - GLOBAL**0.5, dtype
        )
    )


class Shifted(keras.layers.Layer):
    def build(self, shape):
        self.w = GLOBAL

    def call(self, x):
        return x + 1 - self.w**0.5


def layer_that_reads_a_global_in_build(hp):
    global GLOBAL
    GLOBAL = hp.Choice("w", [1.0, 3.0])
    return model_of(layers=[Shifted()])


SPACES = [
    hypermodels_attribute,
    hypermodels_method,
    global_number,
    global_behind_a_function,
    global_array,
    global_dict,
    class_attribute,
    attribute_of_a_module,
    environment,
    closure_over_a_list,
    closure_over_a_deque,
    closure_over_a_namespace,
    property_of_slots,
    partial_of_a_holder,
    default_argument,
    initializer_of_a_hypermodel,
    initializer_that_reads_a_global,
    layer_that_reads_a_global_in_build,
]
# That each trial has its own value is what `model.fit` does.
TUNERS = [Caviar, pytest.param(SerialTuner, marks=pytest.mark.slow)]


@pytest.mark.parametrize("tuner_class", TUNERS)
@pytest.mark.parametrize("space", SPACES, ids=lambda s: s.__name__)
def test_each_trial_has_its_own_value(tmp_path, space, tuner_class):
    build = space if space.__code__.co_argcount else space()
    tuner = search_by_one_weight(tuner_class, tmp_path, build)
    assert scores(tuner) == pytest.approx([1, 3])
