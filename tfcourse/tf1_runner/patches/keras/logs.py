"""`history["accuracy"]` and `history["acc"]`: Keras 2.3 changed the name."""

import functools
import re

from tf_keras.src import callbacks


class Logs(dict):
    """What an epoch gave: accuracy under both of its names."""

    def __missing__(self, key):
        other = _other_name(key)
        if other in self.keys():
            return self[other]
        raise KeyError(key)

    def __contains__(self, key):
        return super().__contains__(key) or super().__contains__(
            _other_name(key)
        )

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default


def _other_name(key):
    if not isinstance(key, str):
        return None
    prefix, name = ("val_", key[4:]) if key.startswith("val_") else ("", key)
    return {"acc": f"{prefix}accuracy", "accuracy": f"{prefix}acc"}.get(name)


def apply() -> None:
    """Lets callbacks and histories be asked by either."""
    process = callbacks.CallbackList._process_logs

    def process_as_logs(self, logs, is_batch_hook=False):
        logs = process(self, logs, is_batch_hook)
        return Logs(logs) if isinstance(logs, dict) else logs

    callbacks.CallbackList._process_logs = process_as_logs
    begin = callbacks.History.__init__

    def begin_as_logs(self):
        begin(self)
        self.history = Logs()

    callbacks.History.__init__ = begin_as_logs
    checkpoint = callbacks.ModelCheckpoint
    checkpoint._get_file_path = _by_either_name(checkpoint._get_file_path)


def _by_either_name(get_file_path):
    """Lets the name of a file have either, `{val_acc:.2f}`."""

    @functools.wraps(get_file_path)
    def call(self, epoch, batch, logs):
        filepath = self.filepath
        known = set(dict(logs or {}))

        def name(match):
            other = _other_name(match[1])
            swap = match[1] not in known and other in known
            return other if swap else match[1]

        self.filepath = re.sub(r"(?<={)(\w+)", name, filepath)
        try:
            return get_file_path(self, epoch, batch, logs)
        finally:
            self.filepath = filepath

    return call
