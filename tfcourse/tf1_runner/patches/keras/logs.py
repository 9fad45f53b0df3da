"""`history["accuracy"]` and `history["acc"]`: Keras 2.3 changed the name."""

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
