"""What to write instead of what is gone."""

import difflib
import inspect
import re
import sys

from tfcourse.tf1_runner.contrib_advice import advise_on_contrib
from tfcourse.tf1_runner.source.detect_tf1 import renames

# What has no successor under another name: the beginning of a name, and what
# to do. The longest beginning counts.
_GONE = {
    "tf.contrib": "`tf.contrib` was dissolved with TensorFlow 2",
    "keras.layers.containers": "nest `Sequential` models",
    "keras.layers.AutoEncoder": "use a `Sequential` of encoder and decoder",
    "keras.layers.LambdaMerge": "use `merge(inputs, mode=function)`, which "
    "runs",
    "keras.models.Graph": "use `Model(inputs, outputs)`",
    "keras.datasets.data_utils": "use `keras.utils.get_file`",
    "keras.backend.theano_backend": "use `keras.backend`",
    "keras.applications.music_tagger_crnn": "it was removed from Keras",
    "np.cast": "use `np.asarray(array, dtype)`",
    "np.sctypes": "list the types yourself",
    "np.lookfor": "use help(numpy)",
    "np.source": "use inspect.getsource",
    "np.loads": "use pickle.loads",
    "np.nbytes": "use np.dtype(kind).itemsize",
    "np.deprecate": "use warnings.warn",
    "np.safe_eval": "use ast.literal_eval",
    "pandas.ols": "use `statsmodels.api.OLS`",
    "pandas.Panel": "use a MultiIndex, or the package `xarray`",
    "pandas.ewma": "use `frame.ewm(...).mean()`",
    "pandas.io.data": "use the package `pandas-datareader`",
    "pandas.tools.plotting": "use `pandas.plotting`",
    "matplotlib.finance": "use the package `mplfinance`",
    "matplotlib.mlab.PCA": "use `sklearn.decomposition.PCA`",
    "matplotlib.mlab.griddata": "use `scipy.interpolate.griddata`",
    "scipy.weave": "it was for Python 2 only: use NumPy, or Cython",
    "sklearn.datasets.load_boston": "it was removed: use "
    "`fetch_california_housing`, or `--stand-in housing`",
    "sklearn.datasets.fetch_mldata": "use `fetch_openml('mnist_784')`",
    "sklearn.linear_model.RandomizedLasso": "use `LassoCV` and resampling",
    "sklearn.utils.linear_assignment_": "use "
    "`scipy.optimize.linear_sum_assignment`",
    "keras.utils.multi_gpu_model": "use `tf.distribute.MirroredStrategy`",
    "keras.utils.io_utils.HDF5Matrix": "read the file with `h5py`",
    "keras.wrappers": "use the package `scikeras`",
    "tf.models": "these tutorials are no longer part of TensorFlow",
}


def advise(name: str) -> str:
    """Returns what to write instead of a name that is not served.

    Args:
        name: Such as `tf.contrib.crf.crf_log_likelihood`.
    """
    new = renames().get(name)
    if new and new != name:
        return f"use `{new}`"
    if name.startswith("tf.contrib."):
        found = advise_on_contrib(name.removeprefix("tf.contrib."))
        if found:
            return found
    fits = [gone for gone in _GONE if f"{name}.".startswith(f"{gone}.")]
    if fits:
        return _GONE[max(fits, key=len)]
    near = _near(name)
    if near:
        return f"did you mean `{near}`?"
    if name.startswith("tf."):
        return "TensorFlow has no such name: see tensorflow.org/api_docs"
    return "it no longer exists"


def _near(name):
    """Returns the name of TensorFlow that is spelled most alike, or None."""
    owner, _, last = name.rpartition(".")
    value = sys.modules.get("tensorflow")
    for part in owner.split(".")[1:]:
        value = vars(value).get(part) if inspect.ismodule(value) else None
    if not name.startswith("tf.") or not inspect.ismodule(value):
        return None
    found = difflib.get_close_matches(last, dir(value), 1, cutoff=0.8)
    return f"{owner}.{found[0]}" if found else None


def advice_for(error: BaseException, folder: str = ".") -> str | None:
    """Returns the advice for an error of the script, or None.

    Args:
        error: What ended the script.
        folder: Where the script lies, and its own modules should.
    """
    if isinstance(error, AttributeError):
        name = getattr(error, "name", None) or ""
        if name.startswith("tf."):
            return _told(name, "TensorFlow")
    if re.search("URL fetch failure|urlopen error", str(error)):
        return _download_advice(str(error))
    if isinstance(error, ImportError):
        return _import_advice(error, folder)
    if isinstance(error, TypeError) and re.search(
        r"float\d*' object cannot be interpreted as an integer|^slice indices",
        str(error),
    ):
        return (
            "in Python 2, `/` of whole numbers gave a whole number. If this "
            "script is that old, write `//`"
        )
    if isinstance(error, SyntaxError) and re.search(
        r"print|exec|leading zeros|multiple exception|inconsistent use of tabs",
        str(error.msg),
    ):
        return (
            "this was written for Python 2. Convert it first: "
            "pip install fissix && python -m fissix -w SCRIPT"
        )
    return None


# Part of an address, and the options that do without.
_STAND_INS = {
    "boston": "--stand-in housing",
    "cifar": "--stand-in cifar",
    "imdb": "--stand-in text",
    "mnist": "--mnist digits",
    "reuters": "--stand-in text",
}


def _download_advice(message):
    options = {o for part, o in _STAND_INS.items() if part in message}
    if not options:
        return "the script needs the network"
    return (
        "the script needs the network; to see whether it runs without, use "
        f"`tfcourse run-v1 {options.pop()} SCRIPT`, whose data are made up"
    )


def _told(name, library):
    advice = advise(name)
    end = "" if advice.endswith("?") else "."
    return f"`{name}` is not in today's {library}: {advice}{end}"


def _import_advice(error, folder):
    if "load_boston" in str(error):
        return (
            "`sklearn.datasets.load_boston` was removed; to see whether the "
            "script runs, use `tfcourse run-v1 --stand-in housing SCRIPT`, "
            "whose data are made up"
        )
    name = str(error.name or "")
    match = re.search(r"cannot import name '(\w+)'", str(error))
    if match:
        name = f"{name}.{match.group(1)}"
    if f"{name}.".startswith("tensorflow."):
        name = "tf" + name.removeprefix("tensorflow")
        return _told(name, "TensorFlow")
    name = name.replace("tf_keras.api._v1.", "")
    name = name.replace("tf_keras.src.", "keras.")
    if name.startswith("keras."):
        return _told(name, "Keras")
    return missing_module(name, folder) if name and "." not in name else None


def missing_module(name: str, folder: str) -> str:
    """Returns what to do about a module that is not there.

    Only packages that are known here are named as such: under another's name a
    stranger may have published one.

    Args:
        name: Of the module, without dots.
        folder: Where the script lies.
    """
    if name in _PACKAGES:
        package = _PACKAGES[name] or name
        return f"the script needs a package: pip install {package}"
    return (
        f"`{name}` is neither beside the script nor a package known here. If "
        f"it came with the script, put {name}.py into {folder}"
    )


# Packages, and modules that are called otherwise than theirs.
_KNOWN = (
    "absl bokeh boto3 Box2D click colorama cython datasets dill docopt edward "
    "fire flask fuzzywuzzy gensim gflags graphviz gym gymnasium h5py horovod "
    "imageio imblearn imgaug imutils jieba joblib jsonlines keras "
    "keras_contrib "
    "librosa lightgbm lmdb lxml mlxtend mock moviepy mpi4py msgpack music21 "
    "networkx nibabel nltk numba oauth2client openpyxl opt_einsum pandas "
    "pandas_datareader patsy pexpect plotly pretty_midi progressbar psutil "
    "pyaudio pydicom pydot pygame pyglet pymongo pypinyin pytest pytz pywt "
    "quandl redis regex requests scipy seaborn selenium sentencepiece "
    "setproctitle shapely simplejson six sonnet soundfile spacy sqlalchemy "
    "statsmodels sympy tables tabulate tensorboardX tensorflow_datasets "
    "tensorflow_hub tensorflow_probability termcolor textblob theano thulac "
    "tkinter toml toolz torch torchvision tqdm tweepy ujson wandb wget "
    "wordcloud xgboost xlrd yahoo_finance zmq "
)
_PACKAGES = dict.fromkeys(_KNOWN.split()) | {
    "Bio": "biopython",
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "PIL": "Pillow",
    "SimpleITK": "SimpleITK",
    "attr": "attrs",
    "baselines": "stable-baselines3",
    "bs4": "beautifulsoup4",
    "cairo": "pycairo",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "git": "GitPython",
    "google": "protobuf",
    "imblearn": "imbalanced-learn",
    "mpl_toolkits": "matplotlib",
    "progressbar": "progressbar2",
    "pywt": "PyWavelets",
    "seqeval": "seqeval",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "sonnet": "dm-sonnet",
    "tables": "tables",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
