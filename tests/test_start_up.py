"""TensorFlow's start-up lines: dropped where asked for, and nothing else is."""

import os
import subprocess
import sys

import pytest

BLOCK = """
import os, sys
import tfcourse
assert "tensorflow" not in sys.modules
with tfcourse.quiet_start():
    {body}
print("after", file=sys.stderr)
"""
# As TensorFlow writes them, past Python.
LINES = (
    "WARNING: All log messages before absl::InitializeLog() is called are "
    "written to STDERR\\n"
    "I0000 00:00:1.2 3 port.cc:153] oneDNN custom operations are on. You may\\n"
    "I0000 00:00:1.2 3 cudart_stub.cc:31] Could not find cuda drivers on\\n"
    "E0000 00:00:1.2 3 cuda_platform.cc:52] failed call to cuInit: UNKNOWN\\n"
    "E0000 00:00:1.2 3 other.cc:1] the disk is on fire\\n"
)


def stderr_of(body, **environment):
    clean = {k: v for k, v in os.environ.items() if "TF_CPP" not in k}
    done = subprocess.run(
        [sys.executable, "-c", BLOCK.format(body=body)],
        capture_output=True,
        text=True,
        env=clean | environment,
    )
    return done.stderr


@pytest.mark.parametrize("level", [{}, {"TF_CPP_MIN_LOG_LEVEL": "3"}])
def test_start_up_lines_are_dropped_and_others_are_kept(level):
    said = stderr_of(f'os.write(2, b"{LINES}")', **level)

    assert said == "E0000 00:00:1.2 3 other.cc:1] the disk is on fire\nafter\n"


def test_an_error_is_told_with_what_was_written_before_it():
    said = stderr_of('print("before", file=sys.stderr); 1 / 0')
    assert said.startswith("before\nTraceback")
    assert "ZeroDivisionError" in said


def test_a_user_who_asks_for_every_line_sees_all():
    said = stderr_of(f'os.write(2, b"{LINES}")', TF_CPP_MIN_LOG_LEVEL="0")
    assert said.count("\n") == LINES.count("\\n") + 1


@pytest.mark.slow
def test_keras_loads_in_silence():
    said = stderr_of("import keras; keras.layers.Dense(1).build((1, 1))")
    assert said == "after\n"
