"""Where a module of that time is found now."""

import importlib.machinery
import importlib.util
import pathlib
import sys

_OURS = "tfcourse.tf1_runner.shims"
_INPUT_DATA = f"{_OURS}.examples.tutorials.mnist.input_data"
_KERAS = "tf_keras.api._v1.keras"

# The first line that fits the beginning of a name counts.
_MODULES = {
    "tensorflow.examples": f"{_OURS}.examples",
    "tensorflow.estimator": f"{_OURS}.estimator",
    "tensorflow.contrib.distributions": "tensorflow.distributions",
    "tensorflow.contrib.estimator": f"{_OURS}.estimator",
    "tensorflow.contrib.keras": _KERAS,
    "tensorflow.contrib.autograph": "tensorflow.autograph",
    "tensorflow.contrib.signal": "tensorflow.signal",
    "tensorflow.contrib.skflow": f"{_OURS}.contrib.learn",
    "tensorflow.contrib.losses": "tf_slim.losses",
    "tensorflow.contrib.learn.python.learn.datasets.mnist": _INPUT_DATA,
    "tensorflow.contrib.learn.datasets.mnist": _INPUT_DATA,
    "tensorflow.contrib.learn.python.learn.datasets.base": (
        f"{_OURS}.contrib.learn.datasets"
    ),
    "tensorflow.contrib.learn.python.learn.datasets": (
        f"{_OURS}.contrib.learn.datasets"
    ),
    "tensorflow.contrib.slim.python.slim.nets": "tf_slim.nets",
    "tensorflow.contrib.slim": "tf_slim",
    "tensorflow.contrib.tensorboard.plugins.projector": (
        f"{_OURS}.contrib.tensorboard"
    ),
    "tensorflow.contrib.tensorboard.plugins": f"{_OURS}.contrib.tensorboard",
    "tensorflow.contrib": f"{_OURS}.contrib",
    "tensorflow.keras.wrappers": f"{_OURS}.keras",
    "tensorflow.keras": _KERAS,
    "tensorflow.models.rnn.rnn_cell": f"{_OURS}.models.rnn.rnn_cell",
    "tensorflow.models.rnn.rnn": "tensorflow.nn",
    "tensorflow.models.rnn.seq2seq": f"{_OURS}.contrib.legacy_seq2seq",
    "tensorflow.models": f"{_OURS}.models",
    "tensorflow.python.ops.constant_op": (
        "tensorflow.python.framework.constant_op"
    ),
    "tensorflow.python.ops.seq2seq": f"{_OURS}.contrib.legacy_seq2seq",
    "tensorflow.layers": f"{_KERAS}.__internal__.legacy.layers",
    "tensorflow.nn.rnn_cell": f"{_KERAS}.__internal__.legacy.rnn_cell",
    "keras.backend.common": f"{_KERAS}.backend",
    "keras.backend.tensorflow_backend": f"{_KERAS}.backend",
    "keras.engine": f"{_KERAS}.layers",
    "keras.layers": f"{_KERAS}.layers",
    "keras.initializations": f"{_OURS}.keras.initializations",
    "keras.objectives": f"{_KERAS}.losses",
    "keras.legacy": f"{_KERAS}.layers",
    "keras.regularizers": f"{_KERAS}.regularizers",
    "keras.utils.visualize_util": f"{_OURS}.keras.visualize_util",
    "keras.wrappers": f"{_OURS}.keras",
    "keras": _KERAS,
    # Where TensorFlow looks for the batch normalization of `tf.layers`.
    "tf_keras.legacy_tf_layers": "tf_keras.src.legacy_tf_layers",
    "scipy.misc": f"{_OURS}.scipy_misc",
    "sklearn.cluster.k_means_": "sklearn.cluster",
    "sklearn.cross_validation": f"{_OURS}.cross_validation",
    "sklearn.datasets.base": "sklearn.datasets",
    "sklearn.datasets.samples_generator": "sklearn.datasets",
    "sklearn.ensemble.forest": "sklearn.ensemble",
    "sklearn.externals.joblib": "joblib",
    "sklearn.externals.six": "six",
    "sklearn.grid_search": "sklearn.model_selection",
    "sklearn.lda": f"{_OURS}.discriminant_analysis",
    "sklearn.learning_curve": "sklearn.model_selection",
    "sklearn.linear_model.base": "sklearn.linear_model",
    "sklearn.linear_model.logistic": "sklearn.linear_model",
    "sklearn.metrics.classification": "sklearn.metrics",
    "sklearn.metrics.ranking": "sklearn.metrics",
    "sklearn.metrics.scorer": "sklearn.metrics",
    "sklearn.neural_network.multilayer_perceptron": "sklearn.neural_network",
    "sklearn.preprocessing.data": "sklearn.preprocessing",
    "sklearn.preprocessing.imputation": "sklearn.preprocessing",
    "sklearn.preprocessing.label": "sklearn.preprocessing",
    "sklearn.qda": f"{_OURS}.discriminant_analysis",
    "sklearn.svm.classes": "sklearn.svm",
    "sklearn.tree.tree": "sklearn.tree",
}


# Files inside a part of contrib, as scripts import them from beyond its front:
# `from tensorflow.contrib.eager.python import tfe`. The part stands for each.
_FILES = {
    "crf": "crf",
    "eager": "tfe",
    "framework": "arg_scope checkpoint_ops checkpoint_utils ops tensor_util "
    "variables",
    "layers": "embedding_ops encoders feature_column initializers layers "
    "optimizers regularizers summaries target_column utils",
    "learn": "dnn dnn_linear_combined estimator estimators experiment learn "
    "linear metric_spec model_fn monitors run_config trainable",
    "legacy_seq2seq": "seq2seq",
    "losses": "loss_ops losses",
    "metrics": "metric_ops",
    "opt": "external_optimizer lazy_adam_optimizer nadam_optimizer",
    "rnn": "core_rnn core_rnn_cell core_rnn_cell_impl gru_ops lstm_ops rnn "
    "rnn_cell",
    "seq2seq": "attention_wrapper basic_decoder beam_search_decoder "
    "beam_search_ops decoder helper loss seq2seq",
    "summary": "summary",
    "tensorboard": "plugins projector",
    "training": "device_setter evaluation hparam sampling_ops training",
}


# Python 2's, unless the script has one of that name beside it.
PYTHON_2 = {
    "BaseHTTPServer": "http.server",
    "ConfigParser": "configparser",
    "Cookie": "http.cookies",
    "HTMLParser": "html.parser",
    "Queue": "queue",
    "SocketServer": "socketserver",
    "StringIO": f"{_OURS}.python_2.string_io",
    "Tkinter": "tkinter",
    "__builtin__": "builtins",
    "cPickle": f"{_OURS}.python_2.pickles",
    "cStringIO": f"{_OURS}.python_2.string_io",
    "commands": "subprocess",
    "cookielib": "http.cookiejar",
    "copy_reg": "copyreg",
    "exceptions": "builtins",
    "httplib": "http.client",
    "thread": "_thread",
    "tkFileDialog": "tkinter.filedialog",
    "tkMessageBox": "tkinter.messagebox",
    "urllib2": f"{_OURS}.python_2.urls",
    "urlparse": "urllib.parse",
}


def modern(name: str) -> str | None:
    """Returns the module that serves the one called `name`, or None."""
    if name in PYTHON_2:
        beside = importlib.machinery.PathFinder.find_spec(name)
        return None if beside else PYTHON_2[name]
    if name == "input_data":
        return None if _is_their_own(name) else _INPUT_DATA
    if name.startswith(f"{_KERAS}.layers."):
        return None  # All layers are in the package itself.
    if name.startswith(f"{_KERAS}."):
        # A part of Keras asked for by `from keras.utils import layer_utils`.
        inner = f"tf_keras.src{name.removeprefix(_KERAS)}"
        return inner if not _is_file_of(name) and _exists(inner) else None
    for old, new in _MODULES.items():
        if name == old or name.startswith(f"{old}."):
            return _within(new, name.removeprefix(old))
    return None


def files_of(name: str) -> list[str]:
    """Returns the names of the files of a part of contrib that it stands for.

    Args:
        name: Of a module, such as `tensorflow.contrib.eager`.
    """
    part = name.removeprefix("tensorflow.contrib.")
    return _FILES.get(part, "").split() if part != name else []


def _within(package, rest):
    """Returns the module `rest` of a package, or the package that took it in.

    Old code imports from the files inside a package, which were moved:
    `contrib.layers.python.layers` is served by `contrib.layers`, and
    `keras.layers.core` by `keras.layers`.
    """
    if package.startswith(f"{_KERAS}."):
        return package
    inside, _, _ = f"{rest}.".partition(".python.")
    found = package + inside.rstrip(".")
    return found if _exists(found) else None


def _is_their_own(helper):
    """Returns whether a helper is more than a copy of TensorFlow's own.

    Before TensorFlow brought it, scripts came with a copy of `input_data.py`,
    which today's NumPy does not run.
    """
    spec = importlib.machinery.PathFinder.find_spec(helper)
    if spec is None or spec.origin is None:
        return False
    return "downloading and reading MNIST" not in pathlib.Path(
        spec.origin
    ).read_text(errors="replace")


def _exists(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, AttributeError, ValueError):
        return False


def _is_file_of(name):
    """Returns whether a package itself has a module, asked without our help."""
    parent, _, _ = name.rpartition(".")
    path = getattr(sys.modules.get(parent), "__path__", None)
    return importlib.machinery.PathFinder.find_spec(name, path) is not None
