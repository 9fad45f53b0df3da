"""What a column of a table is."""

import dataclasses
from typing import Any

# Kind: what a value of it must be, in the words of an error.
KINDS = {
    "number": "a number",
    "boolean": "true or false",
    "category": "text",
    "date": "a date",
    "text": "text",
}


@dataclasses.dataclass(frozen=True)
class Column:
    """A column whose values a model takes.

    Attributes:
        name: Its header.
        kind: A key of `KINDS`.
        order: Of a date written as numbers: `"ymd"`, `"dmy"` or `"mdy"`.
        unit: What stands beside each number of text, as in $1.50 or 5 %.
    """

    name: str
    kind: str = "number"
    order: str | None = None
    unit: str | None = None

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers to a model, rather than text."""
        return self.kind not in ("category", "text")

    def to_json(self) -> dict[str, Any]:
        """Returns what `from_json` takes."""
        content = dataclasses.asdict(self)
        return {name: v for name, v in content.items() if v is not None}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Column":
        """Returns the column that `to_json` described; more is left out."""
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{n: v for n, v in content.items() if n in known})
