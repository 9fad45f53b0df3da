"""What Python, NumPy, SciPy, ... had at the time of TensorFlow 1."""

import collections
import collections.abc
import fractions
import functools
import importlib
import inspect
import math
import sys
import time

from tfcourse.tf1_runner.imports import hooks
from tfcourse.tf1_runner.source import python_2


def apply() -> None:
    """Puts it back: Python's own at once, a library's when it is imported."""
    hooks.after_import(_PATCHES)
    _restore_python()


def _restore_python():
    python_2.restore_builtins()
    _add(time, clock=time.perf_counter)
    _add(inspect, getargspec=inspect.getfullargspec)
    _add(fractions, gcd=math.gcd)
    for name in collections.abc.__all__:
        _add(collections, **{name: getattr(collections.abc, name)})


# What was put back so far, such as `np.float`, for the check.
PUT_BACK = set()


def _add(module, **names):
    short = {"numpy": "np"}.get(module.__name__, module.__name__)
    for name, value in names.items():
        if name not in vars(module):
            setattr(module, name, value)
            PUT_BACK.add(f"{short}.{name}")


def _numpy(np):
    _add(
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
        complex_=np.complex128,
        unicode_=np.str_,
        string_=np.bytes_,
        bool8=np.bool_,
        Inf=np.inf,
        Infinity=np.inf,
        infty=np.inf,
        NaN=np.nan,
        PINF=np.inf,
        NINF=-np.inf,
        product=np.prod,
        cumproduct=np.cumprod,
        alltrue=np.all,
        sometrue=np.any,
        round_=np.round,
        row_stack=np.vstack,
        in1d=np.isin,
        trapz=getattr(np, "trapezoid", None),
        asscalar=lambda array: np.asarray(array).item(),
        msort=lambda array: np.sort(array, axis=0),
    )
    # Numbers print as numbers, not as np.float64(1.0).
    np.set_printoptions(legacy="1.25")
    np.load = _load_with_pickles(np.load)
    np.lib.npyio.NpzFile.items = lambda file: [(n, file[n]) for n in file]
    np.reshape = _reshape_with_newshape(np.reshape)
    np.set_printoptions = _untruncated_by_nan(np.set_printoptions)


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


def _pillow(image):
    _add(
        image,
        ANTIALIAS=image.Resampling.LANCZOS,
        LINEAR=image.Resampling.BILINEAR,
        CUBIC=image.Resampling.BICUBIC,
    )


def _pyplot(pyplot):
    _add(pyplot, hold=lambda *args: None)


def _axes3d(axes3d):
    """Axes joined their figure by themselves, and `gca` made them."""
    begin = axes3d.Axes3D.__init__

    @functools.wraps(begin)
    def begin_in_figure(self, fig, *args, **kwargs):
        begin(self, fig, *args, **kwargs)
        fig.add_axes(self)

    axes3d.Axes3D.__init__ = begin_in_figure


def _figure(figure):
    gca = figure.Figure.gca

    def gca_as_then(self, projection=None):
        if projection is None or (self.axes and gca(self).name == projection):
            return gca(self)
        return self.add_subplot(projection=projection)

    figure.Figure.gca = gca_as_then


def _matplotlib_cm(cm):
    import matplotlib

    _add(cm, get_cmap=lambda name=None, lut=None: _colormap(matplotlib, name))


def _colormap(matplotlib, name):
    return matplotlib.colormaps[name or matplotlib.rcParams["image.cmap"]]


def _pandas(pandas):
    _add(pandas.DataFrame, as_matrix=_as_matrix, ix=property(lambda f: f.loc))
    _add(pandas.Series, as_matrix=_as_matrix)


def _as_matrix(frame, columns=None):
    return (frame if columns is None else frame[columns]).to_numpy()


def _h5py(h5py):
    _add(h5py.Dataset, value=property(lambda dataset: dataset[()]))


def _sklearn_manifold(manifold):
    manifold.TSNE.__init__ = _with_n_iter(manifold.TSNE.__init__)


def _with_n_iter(initialize):
    """Scikit-learn called the iterations of t-SNE `n_iter`."""

    @functools.wraps(initialize)  # It reads the signature.
    def initialize_as_then(self, n_components=2, *, n_iter=None, **kwargs):
        if n_iter is not None:
            kwargs["max_iter"] = n_iter
        initialize(self, n_components, **kwargs)

    return initialize_as_then


def _ndimage(ndimage):
    # It brought `scipy.misc` along, for those who had only imported `scipy`.
    misc = importlib.import_module("scipy.misc")
    _add(ndimage, imread=misc.imread)


def _rnn_cells(module):
    from tfcourse.tf1_runner.shims.rnn_cells.linear import linear

    module._linear = linear


_PATCHES = {
    "numpy": _numpy,
    "scipy.ndimage": _ndimage,
    "sklearn.manifold": _sklearn_manifold,
    "PIL.Image": _pillow,
    "matplotlib.pyplot": _pyplot,
    "matplotlib.cm": _matplotlib_cm,
    "matplotlib.figure": _figure,
    "mpl_toolkits.mplot3d.axes3d": _axes3d,
    "pandas": _pandas,
    "h5py": _h5py,
    "tensorflow.python.ops.rnn_cell": _rnn_cells,
    "tensorflow.python.ops.rnn_cell_impl": _rnn_cells,
    "tf_keras.api._v1.keras.__internal__.legacy.rnn_cell": _rnn_cells,
}
