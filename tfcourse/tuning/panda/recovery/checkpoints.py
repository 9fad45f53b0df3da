"""A ring of checkpoints, each one file, and the best apart."""

import dataclasses
import json
import os
import pathlib
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfcourse.errors import InputError
from tfcourse.utils.atomic_files import replacing
from tfcourse.utils.shapes import check_shape

_META = "meta.json"
_SHAPE = dict.fromkeys(("step", "epoch", "batch"), int)
# What reading a file raises that is no archive, or was one.
_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    # Of a method or a secret that an archive of ours does not have.
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A state of a run on disk.

    Attributes:
        path: The file.
        step: How many batches the run had seen.
        epoch: How many epochs it had finished.
        batch: How many batches of the next epoch it had seen.
        bytes: Size of the file.
        meta: All that is in it besides arrays.
    """

    path: pathlib.Path
    step: int
    epoch: int
    batch: int
    bytes: int
    meta: dict[str, Any] = dataclasses.field(repr=False)

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the arrays in it by name."""
        with np.load(self.path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored if name != _META}

    def is_whole(self) -> bool:
        """Whether all of it can be read."""
        try:
            self.arrays()
        except _DAMAGED:
            return False
        return True

    def describe(self) -> dict[str, Any]:
        """Returns what identifies it, for JSON."""
        return {
            "file": self.path.name,
            "epoch": self.epoch,
            "batch": self.batch,
            "step": self.step,
            "bytes": self.bytes,
        }

    def __str__(self) -> str:
        plural = "es" if self.batch > 1 else ""
        batch = f" and {self.batch} batch{plural}" if self.batch else ""
        return f"epoch {self.epoch}{batch} (step {self.step})"


class CheckpointRing:
    """The last checkpoints of a run.

    Args:
        folder: Where they lie.
        keep: How many. The best one is kept besides.

    Attributes:
        kept: Those of the ring, oldest first.
        best: The best one, or `None`.
        damaged: The files that `load` could not read.
    """

    def __init__(self, folder: pathlib.Path, keep: int) -> None:
        self._folder = folder
        self._keep = keep
        self.kept: list[Checkpoint] = []
        self.best: Checkpoint | None = None
        self.damaged: list[pathlib.Path] = []

    def load(self) -> None:
        """Finds what an earlier process left, oldest first.

        What is damaged is left out, and named in `damaged`.

        Raises:
            InputError: If nothing else is there.
        """
        found = map(_read, self._folder.glob("step-*.npz"))
        self.kept = sorted(
            (one for one in found if one), key=lambda one: one.step
        )
        # Only the newest is gone on from: to read all would take its time.
        while self.kept and not self.kept[-1].is_whole():
            self.kept.pop()
        best = _read(self._folder / "best.npz")
        self.best = best if best and best.is_whole() else None
        known = {one.path for one in (*self.kept, self.best) if one}
        self.damaged = sorted(
            path for path in self._folder.glob("[!.]*.npz") if path not in known
        )
        if self.damaged and not self.kept:
            raise InputError(
                f"{self.damaged[-1]} is damaged or from another version of "
                "tfcourse, and no other checkpoint is left. Restore it, or "
                f"move {self._folder} away to start anew."
            )

    def best_is_lost(self) -> None:
        """Counts the file of the best one as damaged, as it is gone."""
        path = self._folder / "best.npz"
        if path not in self.damaged:
            self.damaged.append(path)

    @property
    def newest(self) -> Checkpoint | None:
        """The last one, or `None`."""
        return self.kept[-1] if self.kept else None

    def write(
        self,
        arrays: Mapping[str, np.ndarray],
        meta: dict[str, Any],
        best: bool = False,
    ) -> Checkpoint:
        """Writes a checkpoint, and drops the oldest of those kept.

        Args:
            arrays: NumPy arrays by name.
            meta: A dict for JSON, with `step`, `epoch` and `batch`.
            best: Whether it becomes the best one.

        Returns:
            The `Checkpoint`.

        Raises:
            OSError: If it cannot be written. All others are still there.
        """
        path = self._folder / f"step-{meta['step']:012}.npz"
        write(path, arrays, meta)
        written = _checkpoint(path, meta)
        others = [old for old in self.kept if old.path != path]
        self.kept = [*others, written]
        while len(self.kept) > self._keep:
            self.drop(self.kept[0])
        if best:
            self._link_best(written)
        return written

    def write_best(
        self, arrays: Mapping[str, np.ndarray], meta: dict[str, Any]
    ) -> None:
        """Writes a checkpoint as the best one only."""
        path = self._folder / "best.npz"
        write(path, arrays, meta)
        self.best = _checkpoint(path, meta)

    def _link_best(self, written: Checkpoint) -> None:
        path = self._folder / "best.npz"
        with replacing(path) as beside:
            try:
                os.link(written.path, beside)
            except OSError:
                # Some file systems have no links.
                shutil.copyfile(written.path, beside)
        self.best = dataclasses.replace(written, path=path)

    def drop(self, checkpoint: Checkpoint) -> None:
        """Forgets a checkpoint of the ring."""
        self.kept.remove(checkpoint)
        checkpoint.path.unlink(missing_ok=True)

    def find(
        self, epoch: int | None = None, step: int | None = None
    ) -> Checkpoint:
        """Returns the checkpoint of an epoch or step, or else the newest.

        Raises:
            InputError: If it is not kept; says which are.
        """
        found = [
            one
            for one in self.kept
            if (epoch is None or (one.epoch, one.batch) == (epoch, 0))
            and (step is None or one.step == step)
        ]
        if found:
            return found[-1]
        wanted = f"epoch {epoch}" if step is None else f"step {step}"
        kept = ", ".join(map(str, self.kept)) or "none"
        raise InputError(
            f"{wanted} is not kept. Those kept, counted in finished epochs: "
            f"{kept}."
        )


def write(
    path: pathlib.Path,
    arrays: Mapping[str, np.ndarray],
    meta: dict[str, Any],
) -> None:
    """Writes arrays and a dict as one file, whole or not at all."""
    with replacing(path) as beside, beside.open("wb") as file:
        text = np.frombuffer(json.dumps(meta).encode(), "uint8")
        np.savez(file, **arrays, **{_META: text})
        file.flush()
        # Without it a loss of power can leave the new name with no content.
        os.fsync(file.fileno())


def _read(path: pathlib.Path) -> Checkpoint | None:
    """Returns the checkpoint in a file; `None` if there is none, or damage."""
    if not path.is_file():
        return None  # One would wait at a pipe for ever.
    try:
        # Opened here: NumPy leaves a file open that it cannot read.
        with (
            path.open("rb") as file,
            np.load(file, allow_pickle=False) as stored,
        ):
            meta = json.loads(stored[_META].tobytes())
        return _checkpoint(path, check_shape(meta, _SHAPE))
    except _DAMAGED:
        return None


def _checkpoint(path: pathlib.Path, meta: dict[str, Any]) -> Checkpoint:
    return Checkpoint(
        path=path,
        step=meta["step"],
        epoch=meta["epoch"],
        batch=meta["batch"],
        bytes=path.stat().st_size,
        meta=meta,
    )
