"""`tf.contrib.training`: hyperparameters in one object."""

from tfcourse.tf1_runner.imports.symbol_names import names_from

__getattr__ = names_from(
    "tf.contrib.training",
    "tensorflow.train",
    "tf_slim.training.training",
    "tf_slim.training.evaluation",
    "tf_slim.evaluation",
)


class HParams:
    """Settings as attributes, changed by `name=value` strings.

    Args:
        **kwargs: The names and their values.
    """

    def __init__(self, **kwargs):
        self.__dict__.update(kwargs)

    def add_hparam(self, name, value):
        if name in self.__dict__:
            raise ValueError(f"`{name}` is a setting already.")
        setattr(self, name, value)

    def set_hparam(self, name, value):
        setattr(self, name, value)

    def get(self, name, default=None):
        return self.__dict__.get(name, default)

    def values(self):
        return dict(self.__dict__)

    def override_from_dict(self, values):
        self.__dict__.update(values)
        return self

    def parse(self, text):
        """Sets values from `"name=value,name=value"`, each of its old type."""
        for pair in filter(None, text.split(",")):
            name, _, value = pair.partition("=")
            old = getattr(self, name)
            setattr(self, name, _as_type_of(old, value))
        return self

    def __contains__(self, name):
        return name in self.__dict__


def _as_type_of(old, text):
    if isinstance(old, bool):
        return text.lower() in {"1", "true"}
    return text if old is None else type(old)(text)
