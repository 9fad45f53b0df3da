"""NumPy 1.11 to 1.16: names that it had, and what its functions took."""

import functools
import math
import sys

import numpy as np

from tfcourse.tf1_runner.patches.libraries.added import add


def _numpy(np):
    _add_types(np)
    _add_functions(np)
    # Numbers print as numbers, not as np.float64(1.0).
    np.set_printoptions(legacy="1.25")
    np.load = _load_with_pickles(np.load)
    np.lib.npyio.NpzFile.items = lambda file: [(n, file[n]) for n in file]
    np.reshape = _reshape_with_newshape(np.reshape)
    np.set_printoptions = _untruncated_by_nan(np.set_printoptions)
    for name in ("array", "asarray", "asanyarray"):
        setattr(np, name, _ragged_as_objects(getattr(np, name)))
    for name in _OF_SEQUENCES:
        setattr(np, name, _of_iterators(getattr(np, name)))
    for name in ("linspace", "logspace"):
        setattr(np, name, _with_whole_number(getattr(np, name)))
    np.fromstring = _from_bytes_too(np.fromstring)
    np.histogram = _taking_normed(np.histogram)
    np.sum = _of_generators(np.sum)


def _add_types(np):
    add(
        np,
        bool=bool,
        int=int,
        float=float,
        complex=complex,
        object=object,
        str=str,
        unicode=str,
        long=int,
        float_=np.float64,
        cfloat=np.complex128,
        complex_=np.complex128,
        singlecomplex=np.complex64,
        longfloat=np.longdouble,
        unicode_=np.str_,
        unicode0=np.str_,
        string_=np.bytes_,
        bool8=np.bool_,
        int0=np.intp,
        uint0=np.uintp,
        object0=np.object_,
        Inf=np.inf,
        Infinity=np.inf,
        infty=np.inf,
        NaN=np.nan,
        PINF=np.inf,
        NINF=-np.inf,
        PZERO=0.0,
        NZERO=-0.0,
        AxisError=np.exceptions.AxisError,
        ComplexWarning=np.exceptions.ComplexWarning,
        RankWarning=np.exceptions.RankWarning,
        VisibleDeprecationWarning=np.exceptions.VisibleDeprecationWarning,
    )


def _add_functions(np):
    add(
        np,
        product=np.prod,
        cumproduct=np.cumprod,
        alltrue=np.all,
        sometrue=np.any,
        round_=np.round,
        row_stack=np.vstack,
        in1d=np.isin,
        mat=np.asmatrix,
        rank=np.ndim,
        trapz=getattr(np, "trapezoid", None),
        alen=lambda array: len(np.atleast_1d(array)),
        asfarray=lambda array, dtype=np.float64: np.asarray(array, dtype),
        asscalar=lambda array: np.asarray(array).item(),
        disp=lambda mesg, device=None, linefeed=True: print(mesg),
        find_common_type=lambda arrays, scalars: np.result_type(
            *arrays, *scalars
        ),
        issubclass_=lambda a, b: isinstance(a, type) and issubclass(a, b),
        msort=lambda array: np.sort(array, axis=0),
    )
    add(np.lib, pad=np.pad)
    add(np.random, random_integers=_random_integers)


def _random_integers(low, high=None, size=None):
    """Draws from low to high, both of them possible."""
    low, high = (1, low) if high is None else (low, high)
    return np.random.randint(low, high + 1, size)


def _load_with_pickles(load):
    """`np.load` unpickled without being asked: the weights of old models."""

    def load_as_then(file, mmap_mode=None, allow_pickle=True, **kwargs):
        return load(file, mmap_mode, allow_pickle, **kwargs)

    return load_as_then


def _reshape_with_newshape(reshape):
    def reshape_as_then(a, shape=None, order="C", *, newshape=None, **kwargs):
        return reshape(a, newshape if shape is None else shape, order, **kwargs)

    return reshape_as_then


def _untruncated_by_nan(set_printoptions):
    def set_as_then(precision=None, threshold=None, *args, **kwargs):
        if threshold is not None and math.isnan(threshold):
            threshold = sys.maxsize
        return set_printoptions(precision, threshold, *args, **kwargs)

    return set_as_then


def _ragged_as_objects(make):
    """Rows of different lengths were an array of objects."""

    @functools.wraps(make)
    def make_as_then(*args, **kwargs):
        if kwargs.get("copy") is False:
            kwargs["copy"] = None  # As little as can be: not "never".
        try:
            return make(*args, **kwargs)
        except ValueError as error:
            given = kwargs.get("dtype", args[1] if len(args) > 1 else None)
            if given is not None or "inhomogeneous" not in str(error):
                raise
            kwargs["dtype"] = object
            return make(*args[:1], *args[2:], **kwargs)

    return make_as_then


_OF_SEQUENCES = (
    "vstack",
    "hstack",
    "dstack",
    "column_stack",
    "stack",
    "concatenate",
    "row_stack",
)


def _of_iterators(function):
    """They took what can only be gone through once, such as a `map`."""

    @functools.wraps(function)
    def call(arrays, *args, **kwargs):
        if hasattr(arrays, "__next__"):
            arrays = list(arrays)
        return function(arrays, *args, **kwargs)

    return call


def _of_generators(function):
    @functools.wraps(function)
    def call(a, *args, **kwargs):
        if hasattr(a, "__next__"):
            return sum(a)
        return function(a, *args, **kwargs)

    return call


def _with_whole_number(function):
    """`np.linspace(0, 1, 10.0)`: a number of points that is a float."""

    @functools.wraps(function)
    def call(start, stop, num=50, *args, **kwargs):
        return function(start, stop, int(num), *args, **kwargs)

    return call


def _from_bytes_too(fromstring):
    @functools.wraps(fromstring)
    def call(string, dtype=float, count=-1, *, sep="", **kwargs):
        if sep:
            return fromstring(string, dtype, count, sep=sep, **kwargs)
        data = string.encode("latin1") if isinstance(string, str) else string
        return np.frombuffer(data, dtype, count).copy()

    return call


def _taking_normed(histogram):
    @functools.wraps(histogram)
    def call(*args, normed=None, **kwargs):
        if normed is not None:
            kwargs["density"] = bool(normed)
        return histogram(*args, **kwargs)

    return call


PATCHES = {"numpy": _numpy}
