"""The runner of old scripts, by the name that it has in this package."""

from tfcourse.tf1_runner import run_script

__all__ = ["run_script"]
