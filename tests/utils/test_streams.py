"""Does what goes past `sys.stderr` stay off the terminal, and only then?"""

import os

from tfcourse.utils.streams import discard_stderr, stderr_discarded


def test_only_what_is_written_meanwhile_is_discarded(capfd):
    os.write(2, b"before ")
    with stderr_discarded():
        os.write(2, b"meanwhile ")
    os.write(2, b"after")

    assert capfd.readouterr().err == "before after"


def test_the_descriptor_leads_to_where_stderr_led(capfd):
    before = discard_stderr()
    os.write(2, b"nowhere ")
    os.write(before, b"terminal")
    os.dup2(before, 2)
    os.close(before)

    assert capfd.readouterr().err == "terminal"
