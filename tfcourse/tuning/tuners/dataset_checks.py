"""What `model.fit` cannot do with a dataset is said before the first trial."""

from typing import Any

import keras

from tfcourse.data.adapters import is_tensorflow_dataset
from tfcourse.errors import InputError

_STEPS = {"x": "steps_per_epoch", "validation_data": "validation_steps"}


def check_datasets(given: dict[str, Any]) -> None:
    """Checks the datasets among the arguments of `fit`.

    Args:
        given: The arguments that are not None, by name.

    Raises:
        InputError: If `fit` would fail with one of them, or never end.
    """
    for name, steps in _STEPS.items():
        data = given.get(name)
        if _is_dataset(data):
            _check_length(data, name, steps, given.get(steps))
    if not _is_dataset(given.get("x")):
        return
    kind = type(given["x"]).__name__
    for name in ("y", "sample_weight"):
        if name in given:
            raise InputError(
                f"`{name}` is given beside a dataset (x is a {kind}), which "
                f"yields it itself: let each batch be `(x, y)` or `(x, y, "
                f"sample_weight)` and leave `{name}` out."
            )
    if given.get("validation_split") and "validation_data" not in given:
        raise InputError(
            f"`validation_split` cannot split a dataset (x is a {kind}). Pass "
            "a second dataset as `validation_data`, for instance "
            "`dataset.take(n)` if `x` is `dataset.skip(n)`."
        )


def _is_dataset(data: Any) -> bool:
    return is_tensorflow_dataset(data) or isinstance(
        data, keras.utils.PyDataset
    )


def _check_length(data: Any, name: str, steps: str, given: int | None) -> None:
    if isinstance(data, keras.utils.PyDataset):
        length = data.num_batches
        endless = length is None
    else:
        length = int(data.cardinality())
        endless = length == -1  # as `tf.data.INFINITE_CARDINALITY`
    if endless and given is None:
        raise InputError(
            f"`{name}` has no end: the first epoch would never finish. Set "
            f"the number of batches per epoch with `{steps}`, or give a "
            "dataset without `repeat()`."
        )
    if length == 0:
        raise InputError(f"`{name}` is a dataset without batches.")
