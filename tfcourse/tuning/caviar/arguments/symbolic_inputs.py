"""The inputs of data as symbolic tensors, which models take their shapes of."""

from typing import Any

import keras
import numpy as np

from tfcourse.data.adapters import are_arrays, is_tensorflow_dataset
from tfcourse.errors import CannotVectorize


class SymbolicInputs:
    """Knows the inputs of data; of each dataset it reads no more than a batch.

    A search has one, as all of its trials are fitted to the same data.
    """

    def __init__(self) -> None:
        # Datasets stay alive, so that no other takes the place of one.
        self._known: dict[int, tuple[Any, Any]] = {}

    def of(self, x: Any) -> Any:
        """Returns nested `KerasTensor`s, like the inputs of a batch.

        Args:
            x: What `model.fit` takes.

        Raises:
            CannotVectorize: If the shapes are not known.
        """
        if are_arrays(x):
            return keras.tree.map_structure(_of_array, x)
        if id(x) not in self._known:
            self._known[id(x)] = x, _of_dataset(x)
        return self._known[id(x)][1]


def _of_dataset(data: Any) -> Any:
    if is_tensorflow_dataset(data):
        spec = keras.utils.unpack_x_y_sample_weight(data.element_spec)[0]
        return keras.tree.map_structure(_of_spec, spec)
    if isinstance(data, keras.utils.PyDataset):
        first = keras.utils.unpack_x_y_sample_weight(data[0])[0]
        return keras.tree.map_structure(_of_array, first)
    raise CannotVectorize(
        "it has no Input, and its data do not say their shapes"
    )


def _of_array(array: Any) -> keras.KerasTensor:
    # Some arrays know no data type as a whole, such as a table of columns.
    dtype = np.asarray(array[:1]).dtype
    return _symbolic(array.shape, keras.backend.standardize_dtype(dtype))


def _of_spec(spec: Any) -> keras.KerasTensor:
    if getattr(spec, "shape", None) is None or spec.shape.rank is None:
        raise CannotVectorize(
            f"it has no Input, and its dataset gives no shapes but {spec}"
        )
    dtype = keras.backend.standardize_dtype(spec.dtype)
    return _symbolic(spec.shape, dtype)


def _symbolic(shape: Any, dtype: str) -> keras.KerasTensor:
    if keras.backend.is_float_dtype(dtype):
        # As `fit` does: floats in the precision of the models.
        dtype = keras.config.floatx()
    return keras.KerasTensor((None, *shape[1:]), dtype)
