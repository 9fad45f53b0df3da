"""A matplotlib backend that saves figures instead of showing them.

Chosen by `MPLBACKEND` where there is no screen: `plt.show()` saves each open
figure to a folder and closes it, as a person closes a window.
"""

import os
import pathlib
import sys

import matplotlib
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

_saved = 0


class FigureManager(FigureManagerBase):
    """A figure that has a file for its window."""

    @classmethod
    def pyplot_show(cls, *, block=None):
        # An animation shows the same figure again and again, without waiting.
        waits = block or (block is None and not matplotlib.is_interactive())
        if waits:
            save_all()

    def show(self):
        """Leaves the figure open: it is saved when the script ends."""


class FigureCanvas(FigureCanvasAgg):
    """Draws with Agg, and waits for nobody."""

    manager_class = FigureManager

    def start_event_loop(self, timeout=0):
        """Returns at once: no person will press a button."""


def save_all():
    """Saves all open figures, says where, and closes them."""
    global _saved
    from matplotlib import pyplot

    folder = pathlib.Path(os.environ.get("TFCOURSE_FIGURES", "figures"))
    for number in pyplot.get_fignums():
        folder.mkdir(parents=True, exist_ok=True)
        _saved += 1
        file = folder / f"figure-{_saved}.png"
        pyplot.figure(number).savefig(file)
        print(f"tfcourse: figure saved to {file}", file=sys.stderr)
        pyplot.close(number)
