"""Pandas 0.17 to 0.25: names that it had, and what its functions took."""

import datetime
import functools

from tfcourse.tf1_runner.patches.libraries.added import add, taking

_BY_POSITION = (
    *("drop", "drop_duplicates", "dropna", "fillna", "interpolate"),
    *("reset_index", "set_index", "sort_index", "sort_values", "to_csv"),
    *("to_dict", "set_axis", "clip", "bfill", "ffill"),
)
# They left out what has no mean.
_OF_NUMBERS = (
    *("corr", "cov", "kurt", "max", "mean", "median", "min", "prod"),
    *("quantile", "sem", "skew", "std", "var"),
)
_WINDOWS = ("mean", "std", "var", "sum", "median", "min", "max", "count")


def _pandas(pandas):
    import numpy

    pandas.options.future.infer_string = False  # Text was of dtype object.
    add(pandas, np=numpy, datetime=datetime.datetime, Panel=None)
    for name in _WINDOWS:
        add(pandas, **{f"rolling_{name}": _rolling(name)})
    pandas.concat = taking(pandas.concat, ignored=("join_axes",))
    pandas.get_dummies = _of_bytes(pandas.get_dummies)
    for name in ("read_csv", "read_table"):
        setattr(pandas, name, _reading(getattr(pandas, name)))
    for kind in (pandas.DataFrame, pandas.Series):
        _extend(kind, pandas)
    _extend_frame(pandas.DataFrame, pandas)
    pandas.Series.__getitem__ = _also_by_place(pandas.Series.__getitem__)


def _extend(kind, pandas):
    """Extends frames and series, which have most methods in common."""
    add(
        kind,
        as_matrix=_as_matrix,
        append=_append(pandas),
        get_value=lambda self, *labels: self.loc[labels],
        iteritems=kind.items,
        ix=property(_ByLabelOrPlace),
    )
    for name in _BY_POSITION:
        if hasattr(kind, name):
            setattr(kind, name, taking(getattr(kind, name)))
    kind.fillna = _filling(kind.fillna)
    kind.values = property(_writeable(kind.values.fget))
    kind.to_numpy = _writeable(kind.to_numpy)


def _extend_frame(frame, pandas):
    add(
        frame,
        applymap=frame.map,
        from_csv=staticmethod(
            functools.partial(pandas.read_csv, index_col=0, parse_dates=True)
        ),
        sort=lambda self, columns=None, *args, **kwargs: (
            self.sort_index(*args, **kwargs)
            if columns is None
            else self.sort_values(columns, *args, **kwargs)
        ),
    )
    add(
        pandas.Series,
        order=pandas.Series.sort_values,
        sort=lambda self, *args, **kwargs: self.sort_values(
            *args, inplace=True, **kwargs
        ),
    )
    for name in _OF_NUMBERS:
        setattr(frame, name, _of_numbers(getattr(frame, name)))


def _rolling(name):
    def roll(values, window, min_periods=None, center=False, **kwargs):
        rolling = values.rolling(window, min_periods, center)
        return getattr(rolling, name)(**kwargs)

    return roll


def _as_matrix(self, columns=None):
    return (self if columns is None else self[columns]).to_numpy()


def _append(pandas):
    def append(self, other, ignore_index=False, *args, **kwargs):
        if isinstance(other, dict):
            other = pandas.Series(other)
        if isinstance(self, pandas.DataFrame) and isinstance(
            other, pandas.Series
        ):
            other = other.to_frame().T
        others = other if isinstance(other, list | tuple) else [other]
        return pandas.concat([self, *others], ignore_index=ignore_index)

    return append


def _of_bytes(get_dummies):
    """Indicators were bytes, 0 and 1; today they are booleans."""

    @functools.wraps(get_dummies)
    def call(*args, dtype="uint8", **kwargs):
        return get_dummies(*args, dtype=dtype, **kwargs)

    return call


_OF_READING = (
    *("tupleize_cols", "as_recarray", "compact_ints", "buffer_lines"),
    *("infer_datetime_format", "mangle_dupe_cols", "low_memory"),
)


def _reading(read):
    read = taking(read, ignored=_OF_READING)

    @functools.wraps(read)
    def call(*args, squeeze=False, error_bad_lines=True, **kwargs):
        if kwargs.pop("delim_whitespace", False):
            kwargs["sep"] = r"\s+"
        kwargs.pop("warn_bad_lines", None)
        if not error_bad_lines:
            kwargs["on_bad_lines"] = "skip"
        table = read(*args, **kwargs)
        return table.squeeze("columns") if squeeze else table

    call._old_arguments = {"delim_whitespace", "warn_bad_lines"}
    return call


def _filling(fillna):
    """`fillna(method="ffill")`."""

    @functools.wraps(fillna)
    def call(self, value=None, method=None, *args, **kwargs):
        if method is None:
            return fillna(self, value, *args, **kwargs)
        forward = method in {"ffill", "pad"}
        return (self.ffill if forward else self.bfill)(**kwargs)

    return call


def _writeable(values):
    """What a script got, it could change."""

    @functools.wraps(values)
    def call(self, *args, **kwargs):
        array = values(self, *args, **kwargs)
        flags = getattr(array, "flags", None)
        return array if flags is None or flags.writeable else array.copy()

    return call


def _of_numbers(function):
    @functools.wraps(function)
    def call(self, *args, **kwargs):
        try:
            return function(self, *args, **kwargs)
        except (TypeError, ValueError):
            if "numeric_only" in kwargs:
                raise
            return function(self, *args, numeric_only=True, **kwargs)

    return call


def _also_by_place(get):
    """`series[0]` was the first where no label is a number."""

    @functools.wraps(get)
    def call(self, key):
        try:
            return get(self, key)
        except KeyError:
            if isinstance(key, int) and self.index.dtype.kind not in "iuf":
                return self.iloc[key]
            raise

    return call


class _ByLabelOrPlace:
    """`frame.ix[rows, columns]`: labels, or places where labels are text."""

    def __init__(self, owner):
        self._owner = owner

    def __getitem__(self, key):
        found, key = self._found(key)
        return found[key]

    def __setitem__(self, key, value):
        found, key = self._found(key)
        found[key] = value

    def _found(self, key):
        """Returns `iloc` or `loc`, and the key that it takes."""
        keys = key if isinstance(key, tuple) else (key,)
        pairs = list(zip(self._owner.axes, keys, strict=False))
        if all(_is_place(*pair) for pair in pairs):
            return self._owner.iloc, key
        labels = tuple(
            _labels(*pair) if _is_place(*pair) else pair[1] for pair in pairs
        )
        return self._owner.loc, labels if len(labels) > 1 else labels[0]


def _is_place(index, key):
    """Returns whether a key counts; where labels are numbers, none does."""
    if index.dtype.kind in "iuf":
        return False
    if isinstance(key, slice):
        return any(isinstance(end, int) for end in (key.start, key.stop))
    first = key[0] if isinstance(key, list) and key else key
    return isinstance(first, int) and not isinstance(first, bool)


def _labels(index, key):
    labels = index[key]
    return list(labels) if isinstance(key, slice | list) else labels


PATCHES = {"pandas": _pandas}
