from .callback import Panda
from .control.remote import Remote
from .journal.journal import read_journal
from .journal.plots import draw_plots
from .journal.status import read_status
from .policy import daily_nudge
from .recovery.guard import Guard

__all__ = [
    "Guard",
    "Panda",
    "Remote",
    "daily_nudge",
    "draw_plots",
    "read_journal",
    "read_status",
]
