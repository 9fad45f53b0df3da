"""The trials of a search as a pandas frame."""

from typing import TYPE_CHECKING

from tfcourse.tuning.results.search_results import Source, read_results
from tfcourse.tuning.results.table import columns, row

if TYPE_CHECKING:
    import pandas as pd


def trials_frame(source: Source) -> "pd.DataFrame":
    r"""Returns the trials of a search as a pandas frame, one per row.

    Columns: `trial`, `status` (`"completed"`, `"failed"`, `"unfinished"`),
    `score`, one per hyperparameter as a person reads it ($\beta$, not $1 -
    \beta$), `seconds`, `best_epoch`, `message`. What a trial does not have is
    missing. A hyperparameter of one of these names gets `"hyperparameter "`
    before its own.

    `frame.attrs` has the rest: `"objective"` and `"direction"`, and
    `"scales"`, each hyperparameter's name to `"linear"`, `"log"`,
    `"one_minus_log"` or `"category"`.

    Args:
        source: A keras-tuner tuner, the folder of a run of `tfcourse tune`, or
            a keras-tuner project folder.

    Returns:
        A `pandas.DataFrame`, in order of start.

    Raises:
        InputError: If there is no search, or its files cannot be understood.
    """
    import pandas as pd

    results = read_results(source)
    frame = pd.DataFrame(
        [row(record, results.axes) for record in results.records],
        columns=list(columns(results.axes)),
    )
    frame.attrs = {
        "objective": results.objective,
        "direction": results.direction,
        "scales": {axis.name: axis.kind for axis in results.axes},
    }
    return frame
