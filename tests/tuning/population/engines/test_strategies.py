import pytest
import tensorflow as tf

from tfcourse.tuning.population.engines.strategies import is_default_device


@pytest.mark.parametrize("number, expected", [(0, True), (1, False)])
def test_only_the_first_device_is_the_default(number, expected):
    kind = "gpu" if tf.config.list_logical_devices("GPU") else "cpu"
    strategy = tf.distribute.OneDeviceStrategy(f"/{kind}:{number}")
    assert is_default_device(strategy) is expected
