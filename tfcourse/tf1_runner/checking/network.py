"""What a program loads from the network, and whether it could."""

import functools
import os
import pathlib
import re
import socket

from tfcourse.tf1_runner.source.program import Source

_DOWNLOADS = re.compile(
    r"keras\.datasets\.\w+\.load_data$|urllib\.request\.url\w+$"
    r"|urllib2?\.url\w+$|sklearn\.datasets\.fetch_\w+$|keras\.utils\.get_file$"
    r"|keras\.utils\.data_utils\.get_file$|requests\.get$|nltk\.download$"
    r"|tf\.examples\.\S*read_data_sets$|tensorflow_datasets\.load$"
    r"|tf\.contrib\.learn\.datasets\.load_dataset$|^input_data\.read_data_sets$"
)
# What a part of a name reads, and the stand-in for it.
_STAND_INS = {
    "mnist": "mnist",
    "read_data_sets": "mnist",
    "cifar": "cifar",
    "imdb": "text",
    "reuters": "text",
    "boston": "housing",
    "california": "housing",
}
# Where Keras and most data sets of that time lie.
_HOST = ("storage.googleapis.com", 443)


def downloads(name: str) -> bool:
    """Returns whether a function loads something from the network."""
    return bool(_DOWNLOADS.search(name))


def stand_in(name: str) -> str | None:
    """Returns which made-up data can take the place of what is loaded."""
    return next((s for part, s in _STAND_INS.items() if part in name), None)


@functools.cache
def is_reachable() -> bool:
    """Returns whether there is a network, as far as one host tells."""
    if any(os.environ.get(n) for n in ("https_proxy", "HTTPS_PROXY")):
        return True
    try:
        socket.create_connection(_HOST, timeout=3).close()
    except OSError:
        return False
    return True


def is_here(name: str, source: Source, folder: pathlib.Path) -> bool:
    """Returns whether what a function would load seems to be here already.

    Args:
        name: Of the function.
        source: Where it is called.
        folder: Where the program runs.
    """
    keras = pathlib.Path.home() / ".keras" / "datasets"
    found = {path.name for path in keras.glob("*")}
    match = re.search(r"keras\.datasets\.(\w+)\.", name)
    if match:
        start = match[1].replace("cifar", "cifar-")
        return any(file.startswith(start) for file in found)
    if name.startswith("sklearn."):
        return any((pathlib.Path.home() / "scikit_learn_data").glob("*"))
    texts = re.findall(r"""['"]([^'"\n]+)['"]""", source.text)
    if name.endswith("read_data_sets"):
        files = (folder / t / "train-images-idx3-ubyte.gz" for t in texts)
        return "mnist.npz" in found or any(file.exists() for file in files)
    last = {text.rpartition("/")[2] for text in texts} - {""}
    return bool(last & found) or any((folder / t).is_file() for t in last)
