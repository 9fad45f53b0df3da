"""Flags as TensorFlow parsed them before it took Abseil's, in 1.5."""

import functools
import sys

import numpy as np
import tensorflow.compat.v1 as tf

_DEFINITIONS = (
    *("DEFINE_bool", "DEFINE_boolean", "DEFINE_float", "DEFINE_integer"),
    *("DEFINE_string", "DEFINE_enum", "DEFINE_list"),
)
_defined = set()


def apply() -> None:
    """Lets a script define any flag, with any default, and parse at once."""
    for name in _DEFINITIONS:
        define = _of_script(getattr(tf.flags, name), whole=name.endswith("er"))
        for flags in (tf.flags, tf.app.flags):
            setattr(flags, name, define)
    _extend_values(type(tf.flags.FLAGS))


def _of_script(define, whole):
    @functools.wraps(define)
    def call(name, default=None, *args, **kwargs):
        for old in ("default_value", "default"):
            default = kwargs.pop(old, default)
        if isinstance(default, np.generic):
            default = default.item()
        if whole and isinstance(default, float) and default.is_integer():
            default = int(default)
        _give_way(name)
        _defined.add(name)
        return define(name, default, *args, **kwargs)

    return call


def _give_way(name):
    """Takes away Abseil's own flag of that name, such as `log_dir`."""
    flags = tf.flags.FLAGS
    if name in flags:
        owner = flags.find_module_defining_flag(name) or ""
        if owner.startswith("absl"):
            delattr(flags, name)


def _extend_values(wrapper):
    def parse(self, args=None):
        self(sys.argv if args is None else [sys.argv[0], *args], True)
        return self

    find, look_up = wrapper.__getattribute__, wrapper.__getattr__

    def find_as_then(self, name):
        if name == "_parse_flags":
            return functools.partial(parse, self)
        if name == "__flags":  # The values, by name.
            if not self.is_parsed():
                parse(self)
            return _own_values(self)
        return find(self, name)

    def look_up_as_then(self, name):
        # It parses at the first look; what it does not know is another's.
        if not self.is_parsed():
            parse(self)
        return look_up(self, name)

    wrapper.__getattribute__ = find_as_then
    wrapper.__getattr__ = look_up_as_then


def _own_values(flags):
    """Returns the values of the flags that the script has defined."""
    return {name: flags[name].value for name in _defined}
