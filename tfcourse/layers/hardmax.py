"""The largest score as a decision."""

from typing import Any

import keras
from keras import ops

from tfcourse.utils.validation import check_integer


@keras.saving.register_keras_serializable(package="tfcourse")
class Hardmax(keras.layers.Layer):
    r"""Puts 1 where the scores are largest and 0 elsewhere.

    $$y_i = 1 \text{ if } i = \min \arg\max_j z_j, \text{ else } 0,$$

    so that of equal scores the first wins, and each vector has exactly one 1.
    It is what softmax tends to as the scores grow apart. It is flat, so no
    gradient passes through it: it is for decisions, not for training.

    Keras has `argmax`, which gives the index, but no such layer.

    Args:
        axis: The axis of the classes.
        **kwargs: Passed to `keras.layers.Layer`.

    Call arguments:
        inputs: Scores $z$ of any shape.

    Returns:
        Shape and dtype of `inputs`.

    Raises:
        TypeError: If `axis` is not an integer.
        ValueError: When called, if the inputs have no such axis.

    Example:

    >>> np.asarray(Hardmax()(np.array([[5.0, 2.0, -1.0, 3.0]]))).tolist()
    [[1.0, 0.0, 0.0, 0.0]]
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_integer(axis, "axis", "Hardmax", least=None)
        self.axis = axis
        self.supports_masking = True
        # Nothing is left to create once the shape of the inputs is known.
        self.built = type(self).build is keras.layers.Layer.build

    def call(self, inputs: Any) -> Any:
        axis = self._axis_of(inputs)
        return ops.one_hot(
            # A `tf.Variable` has not all that Keras asks of a tensor.
            ops.argmax(ops.copy(inputs), axis),
            ops.shape(inputs)[axis],
            axis=axis,
            dtype=inputs.dtype,
        )

    def _axis_of(self, inputs):
        ndim = len(inputs.shape)
        if not -ndim <= self.axis < ndim:
            raise ValueError(
                f"`axis` of {self.name} must be one of its input's {ndim}. "
                f"Received: axis={self.axis}, shape={inputs.shape}"
            )
        return self.axis % ndim

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def compute_output_spec(self, inputs: Any) -> Any:
        self._axis_of(inputs)
        return keras.KerasTensor(inputs.shape, inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
