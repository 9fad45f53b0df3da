"""Which losses are spikes, and when they are too many."""

import numpy as np
import pytest
import reference

from tfcourse.tuning.panda import Guard
from tfcourse.tuning.panda.recovery.loss_monitor import BatchLoss, LossMonitor


def test_a_spike_is_a_loss_above_its_average_for_some_steps():
    monitor = LossMonitor(Guard(factor=3.0, steps=2, beta=0.5))
    losses = [4.0, 8.0, 4.0]
    for loss in losses:
        assert monitor.trouble(loss) is None
    average = reference.corrected_average(losses, 0.5)

    assert monitor.trouble(3 * average - 0.1) is None
    average = reference.corrected_average([*losses, 3 * average - 0.1], 0.5)
    assert monitor.trouble(3 * average + 0.1) is None
    assert monitor.trouble(average) is None
    average = reference.corrected_average(
        [*losses, 3 * reference.corrected_average(losses, 0.5) - 0.1, average],
        0.5,
    )
    assert monitor.trouble(3 * average + 0.1) is None
    # The spike before has not raised the average.
    assert "for 2 steps" in monitor.trouble(3 * average + 0.1)


@pytest.mark.parametrize(
    "spikes, trouble",
    [("11011011", True), ("10101010", False), ("110100110", False)],
)
def test_a_noisy_loss_is_trouble_if_most_steps_are_spikes(spikes, trouble):
    monitor = LossMonitor(Guard(factor=2.0, steps=4, beta=0.99))
    for _ in range(100):
        monitor.trouble(1.0)

    found = [monitor.trouble(1.0 + 9 * int(spike)) for spike in spikes]
    assert (found[-1] is not None) == trouble
    assert found[:-1] == [None] * (len(spikes) - 1)


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_trouble_at_once(loss):
    assert LossMonitor(Guard()).trouble(loss) == f"the loss was {loss}"


def test_negative_losses_have_spikes_too():
    monitor = LossMonitor(Guard(factor=2.0, steps=1, beta=0.5))
    for _ in range(5):
        assert monitor.trouble(-10.0) is None

    assert monitor.trouble(-0.1) is None
    assert LossMonitor(Guard(factor=2.0, steps=1)).trouble(-10.0) is None
    assert "was 100" in monitor.trouble(100.0)


def test_state_goes_on():
    one, other = LossMonitor(Guard(steps=3)), LossMonitor(Guard(steps=3))
    for loss in (2.0, 1.0, 50.0, 50.0):
        one.trouble(loss)
    other.set_state(one.get_state())

    assert one.trouble(50.0) == other.trouble(50.0) is not None


def test_loss_of_a_batch_follows_from_the_means(rng):
    losses = rng.uniform(size=9)
    means = losses.cumsum() / np.arange(1, 10)
    batch_loss = BatchLoss()

    np.testing.assert_allclose(
        [batch_loss.of(mean, 1) for mean in means], losses
    )
    batch_loss.reset()
    # Several steps an execution.
    np.testing.assert_allclose(
        [batch_loss.of(means[n], 3) for n in (2, 5, 8)],
        losses.reshape(3, 3).mean(axis=1),
    )


def test_loss_after_a_huge_one_is_not_taken_for_a_small_one():
    losses = np.array([8.0, 6e10, *[40.0] * 43], "float32")
    means = losses.cumsum(dtype="float32") / np.arange(1, 46, dtype="float32")
    batch_loss = BatchLoss()
    seen = [batch_loss.of(float(mean), 1) for mean in means]

    assert seen[0] == 8
    # Not by the differences, which are as often below 0 as above.
    assert np.median(np.diff(means * np.arange(1, 46, dtype="float32"))) < 8
    assert min(seen[1:]) > 4 * 8
