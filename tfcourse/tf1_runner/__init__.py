"""Runs TensorFlow 1 scripts and notebooks, unmodified, on today's TensorFlow.

Nothing here imports TensorFlow: the script gets a process of its own, in which
`import tensorflow` yields the TensorFlow 1 API with what it has lost put back.
"""

from tfcourse.tf1_runner.launch import check_script, run_script

__all__ = ["check_script", "run_script"]
