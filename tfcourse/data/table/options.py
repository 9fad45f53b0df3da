"""What a user says of a table, beside its path."""

import dataclasses
from collections.abc import Collection

from tfcourse.data.table.calendar import ORDERS
from tfcourse.errors import InputError
from tfcourse.utils.validation import unknown_name

TASKS = ("classification", "regression")


@dataclasses.dataclass(frozen=True)
class TableOptions:
    """How a table is to be understood; what is left out, as is plain.

    Attributes:
        target: The column to predict.
        task: One of `TASKS`.
        drop: Columns to leave out.
        only: The columns to take, and no others.
        keep: Columns to take that would be left out, as identifiers are.
        text: Columns of free text, whose words count.
        category: Columns whose values are names, even if they are numbers.
        skip_bad: Whether to leave rows out that cannot be used, with a word.
        dates: In which order dates are written that do not begin with the
            year: `"dmy"` or `"mdy"`.
        split: Column that says train, dev or test; no feature.
        group: Column whose rows of one value stay in one set; no feature.
        time: Column by which later rows test, dates or numbers.
        dev: File of the development set, with the same columns, for a run.
        test: File of the test set, likewise.
        encoding: Of a text file, as for `text_format`.
        separator: Likewise.
        decimal: Likewise.

    Raises:
        InputError: If an option cannot be, or two contradict.
    """

    target: str | None = None
    task: str | None = None
    drop: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    skip_bad: bool = False
    dates: str | None = None
    split: str | None = None
    group: str | None = None
    time: str | None = None
    dev: str | None = None
    test: str | None = None
    encoding: str | None = None
    separator: str | None = None
    decimal: str | None = None

    def __post_init__(self):
        if self.task not in (None, *TASKS):
            raise InputError(unknown_name("--task", self.task, TASKS))
        if self.dates not in (None, *ORDERS):
            raise InputError(unknown_name("--dates", self.dates, ORDERS))
        if self.drop and self.only:
            raise InputError(
                "--drop leaves columns out and --only uses no others: give "
                "only one of the two."
            )
        for name in {*self.keep, *self.text, *self.category} & {*self.drop}:
            raise InputError(
                f"Column {name!r} is left out by --drop and used by another "
                "option. Leave out one of the two."
            )

        if sum(map(bool, (self.split, self.group, self.time))) > 1:
            raise InputError(
                "--split, --group and --time each say which rows train and "
                "which test: give only one of them."
            )

        if self.partition and (self.dev or self.test):
            raise InputError(
                f"--{self.partition[0]} says which rows test, and so do --dev "
                "and --test: give only one of these."
            )

    @property
    def partition(self) -> tuple[str, str] | None:
        """How a column says which rows train, and which column."""
        for how in ("split", "group", "time"):
            if getattr(self, how):
                return how, getattr(self, how)
        return None

    @property
    def wanted(self) -> set[str]:
        """The columns that are taken whatever they look like."""
        return {*self.only, *self.keep, *self.text, *self.category}

    def check_columns(self, path: object, columns: Collection[str]) -> None:
        """Raises unless all columns that are named are there.

        Raises:
            InputError: If one is not; names the nearest.
        """
        named = (*self.drop, *self.only, *self.keep, *self.text, *self.category)
        partition = self.partition or ()
        for name in (*named, *partition[1:]):
            if name not in columns:
                raise InputError(
                    f"{path}: {unknown_name('column', name, columns)}"
                )
            if name == self.target:
                raise InputError(
                    f"{path}: column {name!r} is the target, which no other "
                    "option may name. Leave it out there."
                )
