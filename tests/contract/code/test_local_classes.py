"""Are dataclasses, and classes made in each build, read by what they are?"""

import dataclasses
import functools
import typing

import keras
import pytest
from keras import layers
from marks import slow_but
from side_by_side import assert_same, examples


@dataclasses.dataclass
class Config:
    rate: float = 0.5
    sizes: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    rate: float = 0.5


class Named(typing.NamedTuple):
    rate: float = 0.5


class Scaled(layers.Layer):
    def __init__(self, config):
        super().__init__()
        self.config = config

    def call(self, x):
        return x * self.config.rate


def local_layer(factor):
    class Local(layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=shape[1:], initializer="ones")

        def call(self, x):
            return x * self.scale * factor

    return Local()


def local_config(factor):
    @dataclasses.dataclass
    class Local:
        rate: float = factor

    return Scaled(Local())


def local_attribute(factor):
    class Local(Config):
        pass

    Local.rate = factor
    config = Local()
    del config.rate
    return Scaled(config)


def local_metadata(factor):
    @dataclasses.dataclass
    class Local:
        size: int = dataclasses.field(default=3, metadata={"rate": factor})

        @property
        def rate(self):
            (field,) = dataclasses.fields(self)
            return field.metadata["rate"]

    return Scaled(Local())


def local_base(factor):
    bases = {1: (Config,), 2: (Config, Doubled)}[factor]

    class Local(*reversed(bases)):
        pass

    return Scaled(Local())


class Doubled:
    @property
    def rate(self):
        return 1.0

    @rate.setter
    def rate(self, value):
        pass


@functools.cache
def made_before():
    """Two classes that are alike, but for what the table says of them."""

    def make():
        class Local(layers.Layer):
            def call(self, x):
                return x * TABLE[type(self)]

        return Local

    return make(), make()


TABLE = dict(zip(made_before(), (1.0, 2.0), strict=True))


def of_a_table(factor):
    return made_before()[int(factor) - 1]()


# What makes a layer of a number, and whether two of them differ by it.
CASES = {
    "a dataclass": (lambda factor: Scaled(Config()), False),
    "another dataclass": (lambda factor: Scaled(Config(factor)), True),
    "a frozen one": (lambda factor: Scaled(Frozen()), False),
    "another frozen one": (lambda factor: Scaled(Frozen(factor)), True),
    "a named tuple": (lambda factor: Scaled(Named()), False),
    "another named tuple": (lambda factor: Scaled(Named(factor)), True),
    "a local layer": (lambda factor: local_layer(2), False),
    "another local layer": (local_layer, True),
    "a local dataclass": (lambda factor: local_config(2), False),
    "another local dataclass": (local_config, True),
    "another attribute": (local_attribute, True),
    "other words for a field": (local_metadata, True),
    "another base": (local_base, True),
    "a table of classes": (of_a_table, True),
}
QUICK = ["a dataclass", "a local layer", "another local layer"]


@pytest.mark.parametrize("name", slow_but(CASES, QUICK))
def test_what_is_alike_goes_together(tmp_path, name):
    make, differ = CASES[name]

    def build(hp):
        factor = hp.Choice("factor", [1, 2])
        model = keras.Sequential([keras.Input((3,)), make(factor)])
        model.add(layers.Dense(1))
        rate = hp.Choice("learning_rate", [0.05, 0.2])
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    tuner = assert_same(tmp_path, lambda: (build, examples(), {}))
    sizes = [len(group["trials"]) for group in tuner.groups]
    assert sizes == ([2, 2] if differ else [4])
    assert {group["how"] for group in tuner.groups} == {"vectorised"}


def test_what_is_called_like_a_builtin_is_none(tmp_path):
    class Compiles:
        def compile(self):
            return 2.0

    class Multiplies(layers.Layer):
        def __init__(self):
            super().__init__()
            self.other = Compiles()

        def call(self, x):
            return x * self.other.compile()

    def build(hp):
        model = keras.Sequential(
            [keras.Input((3,)), Multiplies(), layers.Dense(1)]
        )
        rate = hp.Choice("learning_rate", [0.05, 0.2])
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    tuner = assert_same(tmp_path, lambda: (build, examples(), {}))
    assert [group["how"] for group in tuner.groups] == ["vectorised"]
