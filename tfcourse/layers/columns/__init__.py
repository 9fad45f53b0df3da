"""What stands before a network that takes the columns of a table."""

from tfcourse.layers.columns.calendar_parts import CalendarParts
from tfcourse.layers.columns.fill_missing import FillMissing
from tfcourse.layers.columns.standardize import Standardize

__all__ = ["CalendarParts", "FillMissing", "Standardize"]
