"""What a shell is told when somebody presses Tab."""

import os
import subprocess
import sys

import pytest

_MAIN = """
import sys
from tfcourse.cli import main
sys.argv[0] = "tfcourse"
main()
"""


@pytest.mark.parametrize(
    "words, expected",
    [
        ("tfcourse tu", "tune"),
        ("tfcourse panda st", "status stop"),
        ("tfcourse tune --ev", "--evolve"),
    ],
)
def test_a_shell_completes_commands(words, expected):
    done = subprocess.run(
        [sys.executable, "-c", _MAIN],
        env=os.environ
        | {
            "_TFCOURSE_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        },
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == expected.split()
