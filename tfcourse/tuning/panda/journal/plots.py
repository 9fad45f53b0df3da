"""The course of a run as pictures: PNG, and a page that opens offline."""

import os
import pathlib

from tfcourse.errors import InputError
from tfcourse.tuning.panda.control.run_folder import run_folder
from tfcourse.tuning.panda.journal.journal import (
    FILE,
    periods,
    read_surviving,
)
from tfcourse.tuning.panda.journal.page import write_page
from tfcourse.tuning.panda.journal.picture import write_picture


def draw_plots(
    run_dir: str | os.PathLike[str], out: str | os.PathLike[str] | None = None
) -> list[pathlib.Path]:
    """Writes `panda.png` and `panda.html`: the loss with all that was done.

    Args:
        run_dir: The folder of the run, which may still be training.
        out: The folder to write to; by default that of the run.

    Returns:
        The paths of what was written.

    Raises:
        InputError: If there is no run, or its journal has no period yet.
    """
    folder = run_folder(run_dir)
    target = pathlib.Path(out) if out else folder
    entries = read_surviving(folder)
    if not periods(entries):
        raise InputError(
            f"{folder / FILE} has no period yet. Wait until the first "
            "has ended."
        )
    title = pathlib.Path(run_dir).resolve().name
    return [
        write_picture(entries, title, target / "panda.png"),
        write_page(entries, title, target / "panda.html"),
    ]
