"""Which datasets all members of a population may read together.

Alone, each trial makes passes of its own. They are the same as shared ones
where all passes are alike, and as good where nobody can say which values come:
a shuffle or a draw of TensorFlow's without a seed. Where they differ in a way
that is definite, as by a seed or by what the dataset remembers, each trial must
make its own.
"""

import collections
import copy
import hashlib
import io
import pickle
import types
import weakref
from typing import Any

import keras
import numpy as np

from tfcourse.data.adapters import (
    is_tensorflow_dataset,
    overridden_hooks,
)
from tfcourse.errors import CannotVectorize
from tfcourse.utils import global_state

# The transformations whose passes are alike if their functions' are.
_PLAIN_PARTS = {
    "CacheDataset",
    "FixedLengthRecordDatasetV2",
    "TFRecordDatasetV2",
    "TextLineDatasetV2",
    "_AssertCardinalityDataset",
    "_BatchDataset",
    "_ConcatenateDataset",
    "_DenseToRaggedDataset",
    "_FilterDataset",
    "_FlatMapDataset",
    "_InterleaveDataset",
    "_MapDataset",
    "_OptionsDataset",
    "_PaddedBatchDataset",
    "_ParallelBatchDataset",
    "_ParallelInterleaveDataset",
    "_ParallelMapDataset",
    "_PrefetchDataset",
    "_RangeDataset",
    "_RebatchDataset",
    "_RepeatDataset",
    "_RestructuredDataset",
    "_ShardDataset",
    "_ShuffleDataset",
    "_SkipDataset",
    "_TakeDataset",
    "_TensorDataset",
    "_TensorSliceDataset",
    "_UnbatchDataset",
    "_VariantDataset",
    "_WindowDataset",
    "_ZipDataset",
}
# Operations with a state that says nothing of what they give.
_PLAIN_OPERATIONS = {
    "Assert",
    "LookupTableFindV2",
    "PrintV2",
    "RangeDataset",
    "TensorDataset",
    "TensorSliceDataset",
}
# An array of more bytes is not copied to be read on trial.
_MOST_COPIED = 1 << 20
# The last that is read on trial of batches without end.
_FEW = 4
# So many of the last datasets are kept, each with what it holds.
_MOST_KEPT = 4


class SharedPasses:
    """The datasets of one search."""

    def __init__(self) -> None:
        self._shared: weakref.WeakValueDictionary[int, Repeatable] = (
            weakref.WeakValueDictionary()
        )
        # A `HyperModel.fit` may make one a trial, which is not kept for long.
        self._recent = collections.deque(maxlen=_MOST_KEPT)
        self._refused: dict[int, tuple[weakref.ref, str]] = {}

    def shared(self, data: Any, name: str, endless: bool = False) -> Any:
        """Returns what all members read for data that are no arrays.

        Args:
            data: What is given for an argument of `fit`.
            name: The argument.
            endless: Whether data without end may be given.

        Raises:
            CannotVectorize: If each trial must go through the data by itself,
                or it is not known how `fit` would.
        """
        if is_tensorflow_dataset(data):
            why = _why_not_tensorflows(data, endless)
        elif isinstance(data, keras.utils.PyDataset):
            why = self._why_not_kerass(data)
        else:
            why = f"is neither an array nor a dataset but {type(data).__name__}"
        if why:
            raise CannotVectorize(f"`{name}` {why}")
        if is_tensorflow_dataset(data):
            return data
        shared = self._shared.setdefault(id(data), Repeatable(data, name))
        self._recent.append(shared)
        return shared

    def _why_not_kerass(self, data: keras.utils.PyDataset) -> str:
        if id(data) in self._shared:
            return ""
        reference, why = self._refused.get(id(data), (lambda: None, ""))
        if reference() is data:
            return why
        why = _why_not_repeatable(data)
        if why:
            self._refused[id(data)] = weakref.ref(data), why
        return why


class Repeatable(keras.utils.PyDataset):
    """A `PyDataset` whose batches are held to be the same in each pass.

    Args:
        data: The dataset.
        name: The argument of `fit` that it is given for.

    Raises:
        CannotVectorize: When a batch is another one than it was before.
    """

    def __init__(self, data: keras.utils.PyDataset, name: str) -> None:
        super().__init__()
        self._data, self._name = data, name
        self._digests: dict[int, bytes] = {}

    @property
    def num_batches(self) -> Any:
        return self._data.num_batches

    def __getitem__(self, i: int) -> Any:
        batch = self._data[i]
        digest = _digest(batch)
        if self._digests.setdefault(i, digest) != digest:
            raise CannotVectorize(
                f"`{self._name}` gives different batches when it is read again"
            )
        return batch


def _why_not_tensorflows(data: Any, endless: bool) -> str:
    """Returns why passes over a `tf.data.Dataset` must not be shared."""
    from tfcourse.utils.tensorflow_private import parts_of_dataset

    length = int(data.cardinality())
    # -1 is `tf.data.INFINITE_CARDINALITY`.
    if length < 0 and not (endless and length == -1):
        return "is a dataset of unknown length"
    for part in parts_of_dataset(data):
        if part.kind not in _PLAIN_PARTS:
            return f"is a dataset with a {part.kind.strip('_')}"
        if part.shuffle and part.shuffle[2] and any(part.shuffle[:2]):
            return (
                "is a dataset whose `shuffle` has a seed, so each trial would "
                "have its own order; with no seed at all, not even a global "
                "one, or with `reshuffle_each_iteration=False`, they share one"
            )
        for operation in part.operations:
            if not _is_plain(operation):
                return f"is a dataset with a state: {operation.type}"
    return ""


def _is_plain(operation: Any) -> bool:
    if operation.type in _PLAIN_OPERATIONS:
        return True
    seeds = ("seed", "seed2")
    names = {attribute.name for attribute in operation.op_def.attr}
    # Without a seed, it is one of TensorFlow's draws.
    return names.issuperset(seeds) and not any(map(operation.get_attr, seeds))


def _why_not_repeatable(data: keras.utils.PyDataset) -> str:
    """Returns why passes over a `PyDataset` must not be shared."""
    hooks = [name for name in overridden_hooks(data) if name != "num_batches"]
    if hooks:
        return f"is a PyDataset that overrides `{hooks[0]}`"
    with global_state.preserved():
        try:
            return _why_a_twin_differs(_twin(data))
        except Exception as error:
            return (
                "is a PyDataset that cannot be copied and read on trial: "
                f"{type(error).__name__}: {error}"
            )


def _why_a_twin_differs(twin: keras.utils.PyDataset) -> str:
    """Reads some batches of a copy twice."""
    length = twin.num_batches
    if length == 0:
        return "is a PyDataset without batches"
    last = _FEW if length is None else length - 1
    some = sorted({0, last // 2, last})
    states = global_state.random_states()
    before = _pickled(vars(twin))
    first = {i: _digest(twin[i]) for i in some}
    if any(_digest(twin[i]) != first[i] for i in reversed(some)):
        return (
            "is a PyDataset that gives different batches when it is read again"
        )
    if global_state.random_states() != states:
        return "is a PyDataset that draws random numbers"
    if _pickled(vars(twin)) != before:
        return "is a PyDataset that changes when it is read"
    return ""


def _twin(data: keras.utils.PyDataset) -> Any:
    """Returns a copy of which large arrays are the same, but read-only."""
    memo = {}
    for leaf in keras.tree.flatten(vars(data)):
        if isinstance(leaf, np.ndarray) and leaf.nbytes > _MOST_COPIED:
            view = leaf.view()
            view.flags.writeable = False
            memo[id(leaf)] = view
    return copy.deepcopy(data, memo)


class _Pickler(pickle.Pickler):
    """Writes by reference what has no state, or cannot be written to."""

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, (types.FunctionType, types.ModuleType, type)):
            return id(value)
        if isinstance(value, np.ndarray) and not value.flags.writeable:
            return id(value)
        return None


def _pickled(value: Any) -> bytes:
    written = io.BytesIO()
    _Pickler(written).dump(value)
    return written.getvalue()


def _digest(batch: Any) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for leaf in keras.tree.flatten(batch):
        array = np.asarray(leaf)
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()
