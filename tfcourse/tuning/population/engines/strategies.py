"""Where TensorFlow's distribution strategies train."""

import tensorflow as tf


def is_default_device(strategy: tf.distribute.OneDeviceStrategy) -> bool:
    """Whether a strategy is the device that Keras takes without one."""
    (device,) = strategy.extended.worker_devices
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return device.endswith(f"device:{kind}:0")
