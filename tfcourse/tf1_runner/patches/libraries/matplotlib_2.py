"""Matplotlib 1.4 to 2.2: names that it had, and what its functions took."""

import functools
import importlib

import numpy as np

from tfcourse.tf1_runner.patches.libraries.added import add, taking

_COLOR = {"axisbg": "facecolor", "axis_bgcolor": "facecolor"}
_METHODS = {
    "bar": {"left": "x"},
    "barh": {"bottom": "y"},
    "boxplot": {"labels": "tick_labels"},
    "grid": {"b": "visible"},
    "hist": {"normed": "density"},
    "hist2d": {"normed": "density"},
    "annotate": {"s": "text"},
    "set_xlabel": {"s": "xlabel"},
    "set_ylabel": {"s": "ylabel"},
    "set_title": {"s": "label"},
}
_IGNORED = {"stem": ("use_line_collection",)}
# They took `hold`, whether to draw over what is there.
_DRAWING = (
    *("plot", "scatter", "contour", "contourf", "imshow", "bar", "hist"),
    *("errorbar", "fill_between", "pcolor", "pcolormesh", "semilogx"),
    *("semilogy", "loglog", "step"),
)


def _axes(axes):
    kind = axes.Axes
    for name in {*_METHODS, *_DRAWING, *_IGNORED}:
        ignored = ("hold", *_IGNORED.get(name, ()))
        method = getattr(kind, name)
        setattr(kind, name, _renaming(method, _METHODS.get(name), ignored))
    kind.__init__ = _renaming(kind.__init__, _COLOR)
    kind.tick_params = _by_on_and_off(kind.tick_params)
    kind.legend = _with_place(kind.legend)
    add(
        kind,
        get_axis_bgcolor=kind.get_facecolor,
        set_axis_bgcolor=kind.set_facecolor,
        hold=lambda self, *args: None,
        ishold=lambda self: True,
        set_color_cycle=lambda self, colors: self.set_prop_cycle(color=colors),
    )
    add(
        importlib.import_module("matplotlib.axes._base")._AxesBase.ArtistList,
        remove=lambda self, artist: artist.remove(),
        pop=_popped,
        clear=lambda self: [artist.remove() for artist in list(self)],
        __delitem__=lambda self, place: _popped(self, place),
    )


def _popped(artists, place=-1):
    """Takes an artist out of its axes, and returns it."""
    artist = artists[place]
    artist.remove()
    return artist


def _renaming(function, renamed=None, ignored=()):
    renamed = renamed or {}

    @functools.wraps(function)
    def call(*args, **kwargs):
        for old in {*renamed} & {*kwargs}:
            kwargs.setdefault(renamed[old], kwargs.pop(old))
        for old in {*ignored} & {*kwargs}:
            del kwargs[old]
        return function(*args, **kwargs)

    call._old_arguments = {*renamed, *ignored}
    return call


def _by_on_and_off(tick_params):
    """`labelbottom="off"`, which is true today as any text is."""
    words = {"on": True, "off": False}

    @functools.wraps(tick_params)
    def call(self, *args, **kwargs):
        kwargs = {
            k: words.get(v, v) if isinstance(v, str) else v
            for k, v in kwargs.items()
        }
        return tick_params(self, *args, **kwargs)

    return call


def _with_place(legend):
    """`legend(handles, labels, loc)`."""

    @functools.wraps(legend)
    def call(self, *args, **kwargs):
        if len(args) > 2:
            *args, kwargs["loc"] = args[:3]
        return legend(self, *args, **kwargs)

    return call


def _pyplot(pyplot):
    add(pyplot, hold=lambda *args: None, ishold=lambda: True)
    pyplot.show = _shown_by_position(pyplot.show)
    pyplot.subplots = taking(pyplot.subplots)
    for name, today in {"xlabel": "xlabel", "ylabel": "ylabel"}.items():
        renamed = {"s": today}
        setattr(pyplot, name, _renaming(getattr(pyplot, name), renamed))
    for name in ("axes", "subplot"):
        setattr(pyplot, name, _renaming(getattr(pyplot, name), _COLOR))
    for name, renamed in _METHODS.items():
        if hasattr(pyplot, name):
            setattr(pyplot, name, _renaming(getattr(pyplot, name), renamed))
    pyplot.stem = _renaming(pyplot.stem, ignored=_IGNORED["stem"])
    pyplot.legend = _legend(pyplot.legend)
    pyplot.gca = _gca(pyplot)
    cm = pyplot.cm
    for old, new in _COLORMAPS.items():
        add(cm, **{old: pyplot.colormaps[new]})


def _shown_by_position(show):
    @functools.wraps(show)
    def call(*args, **kwargs):
        if args:
            kwargs["block"] = bool(args[0])
        return show(**kwargs)

    return call


def _legend(legend):
    @functools.wraps(legend)
    def call(*args, **kwargs):
        if len(args) > 2:
            *args, kwargs["loc"] = args[:3]
        return legend(*args, **kwargs)

    return call


def _gca(pyplot):
    today = pyplot.gca

    @functools.wraps(today)
    def gca(projection=None, **kwargs):
        if projection is None:
            return today(**kwargs)
        return pyplot.gcf().gca(projection=projection)

    return gca


def _axes3d(axes3d):
    """Axes joined their figure by themselves, and `gca` made them."""
    kind = axes3d.Axes3D
    begin = kind.__init__

    @functools.wraps(begin)
    def begin_in_figure(self, fig, *args, **kwargs):
        begin(self, fig, *args, **kwargs)
        fig.add_axes(self)

    kind.__init__ = begin_in_figure
    for letter in "xyz":
        name = f"{letter}axis"
        axis = property(functools.partial(_attribute, name))
        add(kind, **{f"w_{name}": axis})


def _attribute(name, self):
    return getattr(self, name)


def _figure(figure):
    gca = figure.Figure.gca

    def gca_as_then(self, projection=None, **kwargs):
        if projection is None or (self.axes and gca(self).name == projection):
            return gca(self)
        return self.add_subplot(projection=projection, **kwargs)

    figure.Figure.gca = gca_as_then
    figure.Figure.savefig = _renaming(
        figure.Figure.savefig, ignored=("frameon",)
    )


def _backend_bases(bases):
    def set_window_title(self, title):
        if self.manager is not None:
            self.manager.set_window_title(title)

    add(bases.FigureCanvasBase, set_window_title=set_window_title)


_COLORMAPS = {
    "spectral": "nipy_spectral",
    "Vega10": "tab10",
    "Vega20": "tab20",
    "Vega20b": "tab20b",
    "Vega20c": "tab20c",
}


def _cm(cm):
    add(cm, get_cmap=_colormap)


def _colormap(name=None, lut=None):
    import matplotlib

    name = name or matplotlib.rcParams["image.cmap"]
    if not isinstance(name, str):
        return name
    colors = matplotlib.colormaps[_COLORMAPS.get(name, name)]
    return colors if lut is None else colors.resampled(lut)


def _style(style):
    """`seaborn-...`, which is called by the version that it had."""
    use = style.use

    def use_as_then(names):
        several = [names] if isinstance(names, str) else names
        return use([_style_name(style, name) for name in several])

    style.use = use_as_then


def _style_name(style, name):
    if not isinstance(name, str) or not name.startswith("seaborn"):
        return name
    today = name.replace("seaborn", "seaborn-v0_8", 1)
    return today if today in style.available else name


def _mlab(mlab):
    add(mlab, normpdf=_normal, bivariate_normal=_bivariate_normal)


def _normal(x, mu, sigma):
    z = (np.asarray(x) - mu) / sigma
    return np.exp(-(z**2) / 2) / (np.sqrt(2 * np.pi) * sigma)


def _bivariate_normal(
    X,  # noqa: N803
    Y,  # noqa: N803
    sigmax=1.0,
    sigmay=1.0,
    mux=0.0,
    muy=0.0,
    sigmaxy=0.0,
):
    """Returns the density of two normal variables; `sigmaxy` is covariance."""
    x, y = (X - mux) / sigmax, (Y - muy) / sigmay
    rho = sigmaxy / (sigmax * sigmay)
    z = x**2 + y**2 - 2 * rho * x * y
    scale = 2 * np.pi * sigmax * sigmay * np.sqrt(1 - rho**2)
    return np.exp(-z / (2 * (1 - rho**2))) / scale


def _matplotlib(matplotlib):
    use = matplotlib.use
    matplotlib.use = lambda backend, *args, **kwargs: use(backend)


PATCHES = {
    "matplotlib": _matplotlib,
    "matplotlib.axes": _axes,
    "matplotlib.backend_bases": _backend_bases,
    "matplotlib.cm": _cm,
    "matplotlib.figure": _figure,
    "matplotlib.mlab": _mlab,
    "matplotlib.pyplot": _pyplot,
    "matplotlib.style": _style,
    "mpl_toolkits.mplot3d.axes3d": _axes3d,
}
