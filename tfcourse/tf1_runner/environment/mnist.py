"""MNIST's files: where they are, what is in them, where to get them."""

import gzip
import pathlib
import sys
import urllib.error
import urllib.request

import numpy as np

from tfcourse.utils.atomic_files import replacing

DEFAULT_SOURCE_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_KERAS = pathlib.Path("~/.keras").expanduser()


def load_arrays(train_dir, source_url=DEFAULT_SOURCE_URL):
    """Returns training images and labels, test images and labels, as bytes."""
    folder = pathlib.Path(train_dir)
    for place in (folder, _KERAS / "datasets", _KERAS):
        files = [_find(place, name) for name in FILES]
        if all(files):
            return [read(file) for file in files]
        # Keras keeps all four in one file.
        whole = place / "mnist.npz"
        if whole.exists() and source_url == DEFAULT_SOURCE_URL:
            with np.load(whole, allow_pickle=False) as arrays:
                parts = ("x_train", "y_train", "x_test", "y_test")
                train, labels, test, test_labels = (arrays[p] for p in parts)
            return train[..., None], labels, test[..., None], test_labels
    return [read(_download(folder, name, source_url)) for name in FILES]


def _find(folder, name):
    stem = name.removesuffix(".gz")
    # Unpacked by a person, the files may bear a dot for the last hyphen.
    for spelling in (name, stem, stem.replace("-idx", ".idx")):
        if (folder / spelling).is_file():
            return folder / spelling
    return None


def read(file):
    """Returns the array in a file of Yann LeCun's IDX format."""
    data = file.read_bytes()
    if file.suffix == ".gz":
        data = gzip.decompress(data)
    rank = data[3]
    shape = np.frombuffer(data, ">u4", count=rank, offset=4)
    array = np.frombuffer(data, "u1", offset=4 + 4 * rank).reshape(shape)
    return array[..., None] if rank == 3 else array


def maybe_download(filename, work_directory, source_url=DEFAULT_SOURCE_URL):
    """Returns the path of one of the files, downloaded if it is not there."""
    folder = pathlib.Path(work_directory)
    found = _find(folder, filename)
    return str(found or _download(folder, filename, source_url))


def _download(folder, name, source_url):
    for source in dict.fromkeys([source_url, DEFAULT_SOURCE_URL]):
        try:
            with urllib.request.urlopen(f"{source}{name}", timeout=20) as reply:
                data = reply.read()
        except (urllib.error.URLError, OSError):
            continue
        print(f"tfcourse: downloaded {name} to {folder}", file=sys.stderr)
        with replacing(folder / name) as file:
            file.write_bytes(data)
        return folder / name
    raise FileNotFoundError(
        f"MNIST is not in {folder.absolute()} nor in {_KERAS}, and cannot be "
        f"downloaded. Put {', '.join(FILES)} into {folder.absolute()}, or run "
        "with --mnist digits."
    )
