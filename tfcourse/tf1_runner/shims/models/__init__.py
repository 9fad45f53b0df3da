"""`tensorflow.models`, where recurrent networks were until 0.8."""

from tfcourse.tf1_runner.shims.models import rnn  # noqa: F401
