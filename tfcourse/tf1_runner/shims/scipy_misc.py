"""`scipy.misc`: its images were read and written by Pillow all along."""

import numpy as np
from PIL import Image
from scipy.special import comb, factorial, logsumexp  # noqa: F401

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "lanczos": Image.Resampling.LANCZOS,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "cubic": Image.Resampling.BICUBIC,
}


def imread(name, flatten=False, mode=None):
    """Returns an image as bytes, or as gray floats if `flatten`."""
    image = Image.open(name)
    if mode or image.mode == "P":
        image = image.convert(mode or "RGB")
    return np.array(image.convert("F") if flatten else image)


def imsave(name, arr, format=None):
    toimage(arr).save(name, format)


def imresize(arr, size, interp="bilinear", mode=None):
    """Returns an image of another size; always bytes, scaled to 0 to 255.

    Args:
        arr: The image.
        size: A percentage, a fraction, or `(height, width)`.
        interp: `nearest`, `lanczos`, `bilinear`, `bicubic` or `cubic`.
        mode: Of Pillow, in which to do it.
    """
    image = toimage(arr, mode=mode)
    if isinstance(size, int | np.integer):
        size = size / 100
    if isinstance(size, float | np.floating):
        width, height = (int(side * size) for side in image.size)
    else:
        height, width = size
    return np.array(image.resize((width, height), _FILTERS[interp]))


def imrotate(arr, angle, interp="bilinear"):
    return np.array(toimage(arr).rotate(angle, resample=_FILTERS[interp]))


def imshow(arr):
    toimage(arr).show()


def toimage(arr, high=255, low=0, cmin=None, cmax=None, mode=None):
    """Returns a Pillow image; what is not bytes is stretched to 0 to 255."""
    arr = np.asarray(arr)
    if mode == "F":
        return Image.fromarray(arr.astype("float32"))
    if arr.ndim == 3 and arr.shape[2] == 1:
        arr = arr[..., 0]
    return Image.fromarray(bytescale(arr, cmin, cmax, high, low), mode)


def fromimage(image, flatten=False, mode=None):
    image = image.convert(mode) if mode else image
    return np.array(image.convert("F") if flatten else image)


def bytescale(data, cmin=None, cmax=None, high=255, low=0):
    """Returns an array as bytes between `low` and `high`."""
    data = np.asarray(data)
    if data.dtype == np.uint8:
        return data
    cmin = data.min() if cmin is None else cmin
    cmax = data.max() if cmax is None else cmax
    scaled = (data - cmin) * (high - low) / ((cmax - cmin) or 1) + low
    return (scaled.clip(low, high) + 0.5).astype("uint8")


def face(gray=False):
    from scipy.datasets import face

    return face(gray=gray)
