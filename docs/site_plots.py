"""The small plots of the formulas page, drawn when the site is built.

They are SVG whose text stays text: the reader's browser has a font with the
characters of either language.
"""

import io
import warnings

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

_STYLE = {
    "svg.fonttype": "none",
    # The same bytes each time.
    "svg.hashsalt": "tfcourse",
    "font.family": ["sans-serif"],
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.figsize": (6.0, 2.9),
    "legend.frameon": False,
    "mathtext.fontset": "dejavusans",
}
_FONTS = (
    "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', "
    "'DejaVu Sans', sans-serif"
)
OURS, THEIRS, THIRD = "#0b3c6f", "#d1495b", "#00798c"


def rmsprop(axes, say):
    """Draws the first step of RMSprop against the size of the gradient."""
    g = np.logspace(-9, 0, 200)
    s = 0.1 * g**2
    axes.loglog(g, g / (np.sqrt(s) + 1e-8), color=OURS, label="tfcourse")
    theirs = g / np.sqrt(s + 1e-7)
    axes.loglog(g, theirs, "--", color=THEIRS, label="Keras")
    axes.set_xlabel(say("size of the gradient", "梯度的大小"))
    axes.set_ylabel(say("first step, in units of α", "第一步的长度（以 α 计）"))
    axes.legend()


def decay(axes, say):
    """Draws the schedules of the lecture."""
    n = np.arange(31)
    stairs = "steps-post"
    axes.step(n, 0.2 / (1 + n), where="post", color=OURS, label="α₀ / (1 + n)")
    axes.step(
        n, 0.2 * 0.95**n, "--", where="post", color=THEIRS, label="0.95ⁿ α₀"
    )
    root = 0.2 / np.sqrt(np.maximum(n, 1))
    axes.step(n, root, "-.", where="post", color=THIRD, label="α₀ / √n")
    by_hand = np.select([n < 12, n < 22], [0.2, 0.05], 0.01)
    label = say("by hand", "手动")
    axes.plot(n, by_hand, ":", color="#7a7a7a", label=label, drawstyle=stairs)
    axes.set(yscale="log", ylim=(0.005, 0.3), xlim=(0, 30))
    axes.set_xlabel(say("epoch n", "周期 n"))
    axes.set_ylabel(say("learning rate α", "学习率 α"))
    axes.legend(ncols=2, loc="lower left")


def average(axes, say):
    """Draws an average with the bias correction and without."""
    rng = np.random.default_rng(0)
    day = np.arange(1, 151)
    theta = 52 - 12 * np.cos(2 * np.pi * (day - 15) / 365)
    theta += rng.normal(scale=5, size=len(day))
    v, plain = 0.0, []
    for value in theta:
        v = 0.98 * v + 0.02 * value
        plain.append(v)
    corrected = np.array(plain) / (1 - 0.98**day)
    axes.plot(day, theta, ".", color="0.75", markersize=4)
    label = say("corrected", "经偏差修正")
    axes.plot(day, corrected, color=OURS, label=label)
    label = say("not corrected", "未修正")
    axes.plot(day, plain, "--", color=THEIRS, label=label)
    axes.set(ylim=(0, None), xlim=(0, 150))
    axes.set_xlabel(say("day", "天"))
    axes.set_ylabel(say("temperature (°F)", "气温 (°F)"))
    axes.legend(loc="lower right")


def batch_norm(axes, say):
    """Draws the moving mean of both layers, of batches whose mean is 10."""
    rng = np.random.default_rng(0)
    means = 10 + rng.normal(scale=0.7, size=300)
    ours, theirs, weight, kept = 0.0, 0.0, 0.0, ([], [])
    for mean in means:
        weight = 0.9 * weight + 0.1
        ours += 0.1 / weight * (mean - ours)
        theirs = 0.99 * theirs + 0.01 * mean
        kept[0].append(ours)
        kept[1].append(theirs)
    axes.plot(means, ".", color="0.8", markersize=3)
    axes.plot(kept[0], color=OURS, label="tfcourse, 0.9")
    axes.plot(kept[1], "--", color=THEIRS, label="Keras, 0.99")
    axes.set(ylim=(0, None), xlim=(0, 300))
    axes.set_xlabel(say("mini-batches", "小批量"))
    axes.set_ylabel(say("moving mean of z", "z 的移动均值"))
    axes.legend(loc="lower right")


def initializers(axes, say):
    """Draws the densities of He's normal and of Keras's truncated one."""
    x = np.linspace(-3.6, 3.6, 400)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    # Keras widens a normal one that is cut off at two deviations.
    wide = 1 / 0.87962566103423978
    cut = np.exp(-((x / wide) ** 2) / 2) / np.sqrt(2 * np.pi) / wide
    cut = np.where(abs(x) < 2 * wide, cut / 0.9544997361036416, 0)
    axes.plot(x, density, color=OURS, label="tfcourse, He")
    axes.plot(x, cut, "--", color=THEIRS, label="Keras, HeNormal")
    axes.set(yticks=[], ylim=(0, None))
    axes.set_xlabel(say("weight, in deviations √(2/n)", "权重（以 √(2/n) 计）"))
    axes.set_ylabel(say("density", "密度"))
    axes.legend()


def scales(axes, say):
    """Draws values of a learning rate on the linear and on the log scale."""
    u = np.random.default_rng(0).random(120)
    for place, draws in ((1, 1e-4 + u * (1 - 1e-4)), (0, 10 ** (4 * u - 4))):
        color = THEIRS if place else OURS
        axes.vlines(draws, place - 0.28, place + 0.28, color=color, lw=0.7)
    names = say("linear", "线性"), say("logarithmic", "对数")
    axes.set_yticks([1, 0], names)
    axes.set(xscale="log", xlim=(1e-4, 1), ylim=(-0.5, 1.5))
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(
        say("120 draws of the learning rate α", "学习率 α 的 120 次抽样")
    )


PLOTS = (rmsprop, decay, average, batch_norm, initializers, scales)


def svg(plot, chinese=False):
    """Returns a plot as SVG, its words in English or in Chinese."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = plt.subplots()
        plot(axes, lambda en, zh: zh if chinese else en)
        written = io.StringIO()
        with warnings.catch_warnings():
            # What matplotlib's font lacks, the reader's has.
            warnings.filterwarnings("ignore", "Glyph .* missing")
            figure.savefig(written, format="svg", metadata={"Date": None})
        plt.close(figure)
    return (
        written.getvalue()
        .replace("'sans-serif'", _FONTS)
        .replace("sans-serif;", f"{_FONTS};")
    )
