"""The linear layer inside recurrent cells, which scripts borrow for theirs."""

import tensorflow.compat.v1 as tf


def linear(
    args,
    output_size,
    bias,
    bias_initializer=None,
    kernel_initializer=None,
    *,
    bias_start=0.0,
    scope=None,
):
    """Returns the matrices side by side, times a kernel, and a bias added.

    Args:
        args: A matrix, or a list of them with as many rows each.
        output_size: Columns of the result.
        bias: Whether to add one.
        bias_initializer: Of the bias; before TensorFlow 1.2, its first value.
        kernel_initializer: Of the kernel.
        bias_start: The bias's first value.
        scope: Of the variables, before TensorFlow 1.0.
    """
    if isinstance(bias_initializer, int | float):
        bias_start, bias_initializer = bias_initializer, None
    args = args if isinstance(args, list | tuple) else [args]
    with tf.variable_scope(scope or tf.get_variable_scope()):
        dtype = args[0].dtype
        kernel = tf.get_variable(
            "kernel",
            [sum(part.shape[1] for part in args), output_size],
            dtype,
            kernel_initializer,
        )
        inputs = args[0] if len(args) == 1 else tf.concat(args, 1)
        result = tf.matmul(inputs, kernel)
        if not bias:
            return result
        start = tf.constant_initializer(bias_start, dtype=dtype)
        return tf.nn.bias_add(
            result,
            tf.get_variable(
                "bias", [output_size], dtype, bias_initializer or start
            ),
        )
