"""How a run of Panda looks on a terminal."""

from rich.table import Table
from rich.text import Text

from tfcourse.cli.terminal.tables import key_value_table
from tfcourse.tuning.panda.journal.status import Status
from tfcourse.tuning.panda.journal.summary import status_rows
from tfcourse.utils.text import printable

_COLOURS = {
    "running": "green",
    "paused": "yellow",
    "finished": "green",
    "stopped": "yellow",
    "killed": "red",
    "gave up": "red",
}


def table_of(status: Status) -> Table:
    """Returns the rich table of a `Status`."""
    (name, state), *others = status_rows(status)
    text = Text(printable(state))
    text.stylize(_COLOURS.get(status.state, ""), 0, len(status.state))
    return key_value_table([(name, text), *others])
