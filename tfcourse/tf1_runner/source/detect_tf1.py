"""Is a script of TensorFlow 1? Its names decide; nothing is imported."""

import ast
import functools
import importlib.util
import pathlib
import re
import sys

from tfcourse.tf1_runner.imports.symbol_names import RENAMED
from tfcourse.tf1_runner.source.local_modules import uses_with_helpers
from tfcourse.tf1_runner.source.program import Source

# Modules of Keras 2 that course notebooks import and Keras 3 has not.
_KERAS_2 = (
    "keras.engine",
    "keras.initializations",
    "keras.layers.advanced_activations",
    "keras.layers.core",
    "keras.layers.convolutional",
    "keras.layers.embeddings",
    "keras.layers.local",
    "keras.layers.merge",
    "keras.layers.noise",
    "keras.layers.normalization",
    "keras.layers.pooling",
    "keras.layers.recurrent",
    "keras.layers.wrappers",
    "keras.objectives",
    "keras.preprocessing.image",
    "keras.preprocessing.text",
    "keras.utils.data_utils",
    "keras.utils.generic_utils",
    "keras.utils.io_utils",
    "keras.utils.layer_utils",
    "keras.utils.np_utils",
    "keras.utils.vis_utils",
)
# Arguments of its optimizers, and of the layers of Keras 1.
_KEYWORDS = {
    *("lr", "decay", "init", "nb_filter", "border_mode", "subsample"),
    *("W_regularizer", "b_regularizer", "U_regularizer", "W_constraint"),
    *("inner_init", "inner_activation", "dropout_W", "dropout_U"),
    *("consume_less", "nb_row", "filter_length", "pool_length", "bias"),
    *("dim_ordering", "nb_words", "nb_classes", "input", "output"),
    "input_length",
}
# Arguments and methods of its models.
_OF_MODELS = {
    *("nb_epoch", "nb_val_samples", "samples_per_epoch", "show_accuracy"),
    *("evaluate_generator", "fit_generator", "predict_classes"),
    *("predict_generator", "sample_weight_mode", "max_queue_size"),
    *("use_multiprocessing", "max_q_size", "nb_worker", "pickle_safe"),
}
# Attributes of its layers, and of its optimizers.
_OF_LAYERS = {
    *("get_input_at", "get_output_at", "get_output_shape_at", "output_mask"),
    *("inbound_nodes", "outbound_nodes", "get_updates", "total_loss"),
    *("_make_predict_function", "_make_train_function", "container_nodes"),
}
# Files and keys that Keras 3 refuses, or gives no more.
_OF_TEXT = re.compile(
    r"""(ModelCheckpoint|save_weights)\(.*(\.hdf5|(?<!\.weights)\.h5)['"]"""
    r"""|['"]val_acc['"]|history\[['"]acc['"]\]"""
)
# With Keras, and without TensorFlow, they tell the time as well.
_OF_THE_TIME = (
    *("scipy.misc.", "scipy.ndimage.imread.", "sklearn.cross_validation."),
    *("sklearn.externals.", "sklearn.grid_search.", "pandas.rolling_"),
)
_KERAS_3_BACKEND = {
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
}
_REMOVED = (
    "tf.contrib",
    "tf.examples",
    "tf.compat.v1",
    "tf.layers",
    "tf.estimator",
)


# By these a script of TensorFlow 2 silences it, or leaves memory on the GPU.
_OF_BOTH = ("tf.compat.v1.logging", "tf.compat.v1.keras.backend.set_session")
_OF_MEMORY = ("tf.compat.v1.ConfigProto", "tf.compat.v1.GPUOptions")
_SESSIONS = ("tf.compat.v1.Session", "tf.compat.v1.InteractiveSession")


def is_tensorflow_1(sources: list[Source], folder: pathlib.Path) -> bool:
    """Returns whether a program, or a helper beside it, is of TensorFlow 1."""
    found = list(uses_with_helpers(sources, folder))
    uses = [use for _, some in found for use in some]
    if any(f"{use.name}.".startswith("keras.") for use in uses) and any(
        _has_models_of_keras_2(source) for source, _ in found
    ):
        return True
    of_both = _OF_BOTH
    if any(use.name.startswith(_OF_MEMORY) for use in uses):
        of_both += _OF_MEMORY + _SESSIONS
    names = [f"{use.name}." for use in uses]
    if (
        any(name.startswith("keras.") for name in names)
        and not any(name.startswith("tf.") for name in names)
        and any(name.startswith(_OF_THE_TIME) for name in names)
    ):
        return True
    return any(
        _is_keras_2(use)
        or (_is_old(use.name) and not use.name.startswith(of_both))
        for use in uses
    )


def _has_models_of_keras_2(source):
    if _OF_TEXT.search(source.text):
        return True
    try:
        tree = source.parse()
    except SyntaxError:
        return False
    for node in ast.walk(tree):
        match node:
            case ast.keyword(name) if name in _OF_MODELS:
                return True
            case ast.Call(ast.Attribute(_, "compile")) if _is_for_all(
                node, tree
            ):
                return True
            case ast.Call(ast.Attribute(_, name)) if name in _OF_MODELS:
                return True
            case ast.Attribute(_, name) if name in _OF_LAYERS:
                return True
            case ast.Attribute(
                ast.Subscript(ast.Attribute(_, "layers"))
                | ast.Call(ast.Attribute(_, "get_layer")),
                "output_shape" | "input_shape",
            ):
                return True
            case ast.Attribute(ast.Attribute(_, "optimizer"), "lr"):
                return True
    return False


def _is_for_all(call, tree):
    """Returns whether one list of metrics is for each of several outputs."""
    sizes = {}
    for keyword in call.keywords:
        value = keyword.value
        if isinstance(value, ast.Name):
            value = _list_called(value.id, tree)
        if isinstance(value, ast.List):
            sizes[keyword.arg] = len(value.elts)
        elif isinstance(value, ast.Dict):
            sizes[keyword.arg] = len(value.keys)
    return sizes.get("loss", 0) > 1 and sizes.get("metrics", 0) == 1


def _list_called(name, tree):
    """Returns the last list or dictionary that is given a name, or None."""
    found = None
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Name(own)], ast.List() | ast.Dict()):
                found = node.value if own == name else found
    return found


def _is_in_keras_3(name):
    """Returns whether Keras 3 has a name, as its files tell; none is run."""
    spec = importlib.util.find_spec("keras")
    if spec is None or "__" in name:
        return True
    folder = pathlib.Path(spec.submodule_search_locations[0])
    for part in name.split(".")[1:]:
        if not (folder / part).is_dir():
            names = (folder / "__init__.py").read_text(encoding="utf-8")
            known = re.search(rf"\b(import|as) {re.escape(part)}\b", names)
            return bool(known) or (folder / f"{part}.py").is_file()
        folder /= part
    return True


def _is_keras_2(use):
    """Returns whether Keras 3 has no such function, or argument."""
    if use.name.startswith("keras.backend."):
        return use.name.removeprefix("keras.backend.") not in _KERAS_3_BACKEND
    if use.name.endswith(".Dense") and "output_dim" in use.keywords:
        return use.name.startswith("keras.")
    if not use.name.startswith("keras."):
        return False
    return (
        use.name.startswith(_KERAS_2)
        or bool(_KEYWORDS & {*use.keywords})
        or not _is_in_keras_3(use.name)
    )


def _is_old(name):
    if not name.startswith("tf."):
        return False
    if name.startswith(_REMOVED):
        return True
    parts = name.split(".")
    starts = (".".join(parts[:n]) for n in range(2, len(parts) + 1))
    return any(start in _names_lost_in_2() for start in starts)


@functools.cache
def _names_lost_in_2():
    """Returns the TensorFlow 1 names that TensorFlow 2 has elsewhere or not.

    The table of TensorFlow's own upgrade script, read without importing
    TensorFlow; and the names that were gone before TensorFlow 1.0.
    """
    return {*renames(), *(f"tf.{name}" for name in RENAMED)}


@functools.cache
def renames() -> dict[str, str]:
    """Returns TensorFlow's table of v1 names and what they are called in v2."""
    loaded = sys.modules.get("tensorflow")
    spec = importlib.util.find_spec("tensorflow")
    folders = loaded.__path__ if loaded else spec.submodule_search_locations
    table = pathlib.Path("tools", "compatibility", "renames_v2.py")
    file = next(
        f for f in (pathlib.Path(p, table) for p in folders) if f.exists()
    )
    spec = importlib.util.spec_from_file_location("_renames_v2", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.renames
