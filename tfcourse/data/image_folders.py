"""Folders of images, one folder a class."""

import contextlib
import os
import pathlib
import types
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfcourse.data.chunks import Chunk
from tfcourse.data.dataset import Dataset
from tfcourse.errors import InputError
from tfcourse.utils.text import first_line

if TYPE_CHECKING:
    import PIL.Image

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"),
    *(".tif", ".tiff", ".ppm", ".pgm"),
)
# Images of several sizes, or larger ones, become so many pixels wide and high.
_SIDE = 64
# Modes of one channel, which RGB would only repeat.
_GREY = ("1", "L", "LA", "I", "I;16", "F")
# What an image must have in each direction to be one.
_FEWEST_PIXELS = 4
# The tag in a photograph; from 5 on width and height change places.
_ORIENTATION = 0x0112


def are_images(shape: Sequence[int]) -> bool:
    """Returns whether examples of a shape are images: height, width, and up to
    four channels.
    """
    return (
        len(shape) in (2, 3)
        and min(shape[:2]) >= _FEWEST_PIXELS
        and (len(shape) == 2 or shape[2] <= 4)
    )


def read_image_folder(
    path: str | os.PathLike, size: int | None = None
) -> Dataset:
    """Reads images that lie in a folder for each class.

    Args:
        path: The folder of these folders, whose names are the classes.
        size: How many pixels wide and high they become; by default as they
            are, if all have one size of up to 64, else 64.

    Returns:
        A `Dataset`, its `x` `(m, height, width, channels)` from 0 to 255: one
        channel if all images are grey, else red, green and blue.

    Raises:
        InputError: If there are no such folders, one has no image, an image
            cannot be read, or the classes are too few.
    """
    path = pathlib.Path(path)
    found = {folder.name: _images_in(folder) for folder in _folders(path)}
    if not found:
        raise InputError(
            f"{path} has no folders. Put the images of each class into a "
            f"folder of their own, as in {path / 'cat' / '1.png'}."
        )
    for name, images in found.items():
        if not images:
            raise InputError(
                f"The folder {path / name} has no image. Remove it, or put "
                f"images there ({', '.join(SUFFIXES)})."
            )
    files = [image for images in found.values() for image in images]
    labels = [name for name, images in found.items() for _ in images]
    shape = _shape_of(files, size)
    x = np.stack([_pixels(file, shape) for file in files])
    return Dataset.from_labels(
        path.resolve().name,
        x,
        labels,
        source=f"Images in {path}, {'grey' if shape[2] == 1 else 'in colour'}",
    )


class ImageReader:
    """The images in a folder and the folders in it, a chunk at a time.

    Args:
        path: The folder.
        shape: What they become, `(height, width, channels)`.
        size: How many to give at once.

    Raises:
        InputError: If there is none; while iterating, if one cannot be read.
    """

    names = ()
    others = ("file", "class")
    assumed = None
    filled: Mapping[str, int] = types.MappingProxyType({})

    def __init__(
        self, path: str | os.PathLike, shape: Sequence[int], size: int = 512
    ) -> None:
        self._path, self._shape = pathlib.Path(path), tuple(shape)
        self._size = size
        self._files = _images_in(self._path, "**/*")
        if not self._files:
            raise InputError(f"{path} has no images ({', '.join(SUFFIXES)}).")

    def __iter__(self) -> Iterator[Chunk]:
        """Yields the chunks in order, each with the files of its images, and
        with their folders as classes.
        """
        for start in range(0, len(self._files), self._size):
            some = self._files[start : start + self._size]
            others = {
                "file": [str(file.relative_to(self._path)) for file in some],
                "class": [file.parent.name for file in some],
            }
            pixels = np.stack([_pixels(file, self._shape) for file in some])
            yield Chunk(pixels, others)


def _folders(path):
    return sorted(
        folder
        for folder in path.iterdir()
        if folder.is_dir() and not folder.name.startswith(".")
    )


def _images_in(folder, pattern="*"):
    return sorted(
        file
        for file in folder.glob(pattern)
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    )


def _shape_of(files: Iterable[pathlib.Path], size: int | None):
    """Returns height, width and channels that all images become."""
    sizes, grey = Counter(), True
    for file in files:
        with _opened(file) as image:
            sizes[_turned_size(image)] += 1
            grey = grey and image.mode in _GREY
    (width, height), _ = sizes.most_common(1)[0]
    if size or len(sizes) > 1 or max(width, height) > _SIDE:
        width = height = size or _SIDE
    if min(width, height) < _FEWEST_PIXELS:
        raise InputError(
            f"Images must be {_FEWEST_PIXELS} pixels or more wide and high. "
            f"These are {width} x {height}: enlarge them with --image-size."
        )
    return height, width, 1 if grey else 3


def _turned_size(image):
    """Returns width and height as a photograph says that it is to be seen."""
    turned = image.getexif().get(_ORIENTATION, 1) >= 5
    return image.size[::-1] if turned else image.size


def _pixels(file, shape):
    from PIL import Image, ImageOps

    *size, channels = shape if len(shape) == 3 else (*shape, 1)
    with _opened(file) as image:
        # A photograph may say that it is to be turned.
        image = _converted(ImageOps.exif_transpose(image), channels)
        if image.size != tuple(size[::-1]):
            image = image.resize(size[::-1], Image.Resampling.BILINEAR)
        return np.asarray(image, "float32").reshape(shape)


def _converted(image, channels):
    if channels == 1 and image.mode.startswith("I"):
        # Sixteen bits, of which Pillow would cut the upper ones off.
        return image.convert("F").point(lambda value: value / 257)
    return image.convert({1: "L", 3: "RGB", 4: "RGBA"}.get(channels, "RGB"))


@contextlib.contextmanager
def _opened(file) -> "Iterator[PIL.Image.Image]":
    """Yields an image; whatever is wrong with it is an `InputError`."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            yield image
    except (
        *(OSError, ValueError, SyntaxError),
        # So many pixels that they may be meant to fill the memory.
        *(Image.DecompressionBombError, MemoryError),
    ) as error:
        raise InputError(
            f"{file} cannot be read as an image ({first_line(error)}). Remove "
            "it, or restore it."
        ) from error
