"""`tensorflow.models`, where recurrent networks were until 0.8."""

from tfcourse.graph_mode.runner.models import rnn  # noqa: F401
