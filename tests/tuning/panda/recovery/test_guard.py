"""A guard takes settings that make sense only."""

import pytest

from tfcourse.tuning.panda import Guard


@pytest.mark.parametrize(
    "settings, error, message",
    [
        ({"factor": 1.0}, ValueError, r"`factor` of Guard .*\(1, inf\)"),
        ({"steps": 0}, ValueError, r"`steps` of Guard .*\[1, inf\)"),
        ({"beta": 1.0}, ValueError, r"`beta` of Guard .*\[0, 1\)"),
        ({"learning_rate_factor": 2}, ValueError, "`learning_rate_factor`"),
        ({"rollbacks": -1}, ValueError, "`rollbacks` of Guard"),
        ({"factor": "3"}, TypeError, "`factor` of Guard must be a number"),
    ],
)
def test_refuses_wrong_settings(settings, error, message):
    with pytest.raises(error, match=message):
        Guard(**settings)
