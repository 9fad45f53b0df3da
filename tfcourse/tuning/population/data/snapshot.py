"""All that a population needs to go on after an epoch, in one file."""

import dataclasses
import io
import json
import os
from typing import Any

import numpy as np

from tfcourse.utils.atomic_files import read_bytes, replacing
from tfcourse.utils.shapes import ANY, check_shape

# Small things, as JSON, among the arrays.
_PLAIN = "plain"
_SHAPE = {
    "epoch": int,
    "histories": [{"history": {str: [ANY]}, "epoch": [int]}],
    "order": ANY,
    "extra": ANY,
}


@dataclasses.dataclass
class Snapshot:
    """A population between two epochs.

    Attributes:
        epoch: How many epochs it has been trained.
        arrays: The arrays of its state, those of metrics left out.
        best: Those of members' best epochs, or None.
        marks: Arrays of one value a member, by name.
        histories: What is known of each member, as JSON has it.
        order: The state of what draws the order of examples, or None.
        extra: What the caller adds, as JSON has it.
    """

    epoch: int
    arrays: list[np.ndarray]
    best: list[np.ndarray] | None
    marks: dict[str, np.ndarray]
    histories: list[dict[str, Any]]
    order: Any
    extra: Any = None

    def write(self, path: str | os.PathLike) -> None:
        """Writes it, whole or not at all."""
        plain = {name: getattr(self, name) for name in _SHAPE}
        named: dict[str, Any] = {
            f"array_{i}": a for i, a in enumerate(self.arrays)
        }
        named |= {f"best_{i}": a for i, a in enumerate(self.best or [])}
        named |= {f"mark_{name}": a for name, a in self.marks.items()}
        named[_PLAIN] = np.frombuffer(json.dumps(plain).encode(), np.uint8)
        with replacing(path) as beside, beside.open("wb") as file:
            np.savez(file, **named)
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def read(cls, path: str | os.PathLike) -> "Snapshot":
        """Returns what was written.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it is damaged.
        """
        content = io.BytesIO(read_bytes(path))
        try:
            with np.load(content, allow_pickle=False) as file:
                named = dict(file)
            plain = json.loads(named.pop(_PLAIN).tobytes())
        except Exception as error:
            raise ValueError(f"it is damaged ({error})") from error
        check_shape(plain, _SHAPE)
        return cls(
            arrays=_numbered(named, "array_"),
            best=_numbered(named, "best_") or None,
            marks={
                name.removeprefix("mark_"): array
                for name, array in named.items()
                if name.startswith("mark_")
            },
            **plain,
        )


def _numbered(named: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    """Returns the arrays of a list."""
    count = sum(name.startswith(prefix) for name in named)
    return [named[f"{prefix}{i}"] for i in range(count)]
