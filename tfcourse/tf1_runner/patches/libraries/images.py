"""Pillow, SciPy and h5py of the time of TensorFlow 1."""

import importlib

from tfcourse.tf1_runner.patches.libraries.added import add


def _pillow(image):
    add(
        image,
        ANTIALIAS=image.Resampling.LANCZOS,
        LINEAR=image.Resampling.BILINEAR,
        CUBIC=image.Resampling.BICUBIC,
    )


def _pillow_draw(draw):
    add(draw.ImageDraw, textsize=_textsize)


def _textsize(self, text, font=None, *args, **kwargs):
    left, top, right, bottom = self.textbbox((0, 0), text, font)
    return right - left, bottom - top


def _pillow_font(font):
    add(font.FreeTypeFont, getsize=_getsize)
    add(font.ImageFont, getsize=_getsize)


def _getsize(self, text, *args, **kwargs):
    return self.getbbox(text)[2:]


def _h5py(h5py):
    add(h5py.Dataset, value=property(lambda dataset: dataset[()]))


def _ndimage(ndimage):
    # It brought `scipy.misc` along, for those who had only imported `scipy`.
    misc = importlib.import_module("scipy.misc")
    add(ndimage, imread=misc.imread)


def _integrate(integrate):
    add(
        integrate,
        simps=integrate.simpson,
        trapz=integrate.trapezoid,
        cumtrapz=integrate.cumulative_trapezoid,
    )


def _signal(signal):
    names = ("gaussian", "hann", "hamming", "blackman", "boxcar", "triang")
    add(signal, **{name: getattr(signal.windows, name) for name in names})


PATCHES = {
    "scipy.ndimage": _ndimage,
    "scipy.integrate": _integrate,
    "scipy.signal": _signal,
    "PIL.Image": _pillow,
    "PIL.ImageDraw": _pillow_draw,
    "PIL.ImageFont": _pillow_font,
    "h5py": _h5py,
}
