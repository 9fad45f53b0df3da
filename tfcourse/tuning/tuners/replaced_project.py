"""What `overwrite=True` of a tuner may delete: a search, and nothing else."""

import os
import pathlib
import re
from typing import Any

from tfcourse.errors import InputError

# What keras-tuner and tfcourse write into a project, and what hides itself.
_OF_A_SEARCH = re.compile(
    r"oracle\.json|tuner\w*\.json|trial_.*|groups.*\.json|fingerprint\.json"
    r"|batches\.json|evolution\.json|population\.npz"
    r"|report\.html|trials\.csv|tensorboard|\w+\.png|\..*"
)


def check_replaceable(
    directory: str | os.PathLike[str] | None = None,
    project_name: str | None = None,
    overwrite: bool = False,
    **_: Any,
) -> None:
    """Raises if a tuner would delete what is no search's.

    Args:
        directory: As for a keras-tuner tuner.
        project_name: Likewise.
        overwrite: Likewise.

    Raises:
        InputError: If `overwrite` is true and something else is in the folder.
    """
    project = pathlib.Path(directory or ".", project_name or "untitled_project")
    if not overwrite or not project.is_dir():
        return
    names = sorted(path.name for path in project.iterdir())
    others = [name for name in names if not _OF_A_SEARCH.fullmatch(name)]
    if others:
        raise InputError(
            f"{project} has {others[0]!r}, which does not belong to a search, "
            "and `overwrite=True` would delete it. Choose another "
            "`project_name`, or remove it."
        )
