"""Names of TensorFlow 0.x and 1.x: those that moved, load late, or are gone."""

import importlib

# Parts of the API where a missing name is explained.
_SUBMODULES = (
    "nn",
    "train",
    "image",
    "summary",
    "losses",
    "metrics",
    "python_io",
)
# Old name, name in v1.
RENAMED = {
    "TensorArray.pack": "TensorArray.stack",
    "TensorArray.unpack": "TensorArray.unstack",
    "audio_summary": "summary.audio",
    "batch_cholesky": "cholesky",
    "batch_fft": "fft",
    "batch_ifft": "ifft",
    "batch_matmul": "matmul",
    "batch_matrix_determinant": "matrix_determinant",
    "batch_matrix_diag": "matrix_diag",
    "batch_matrix_inverse": "matrix_inverse",
    "batch_matrix_solve": "matrix_solve",
    "batch_self_adjoint_eig": "self_adjoint_eig",
    "complex_abs": "abs",
    "histogram_summary": "summary.histogram",
    "image_summary": "summary.image",
    "image.per_image_whitening": "image.per_image_standardization",
    "inv": "reciprocal",
    "list_diff": "setdiff1d",
    "listdiff": "setdiff1d",
    "merge_all_summaries": "summary.merge_all",
    "merge_summary": "summary.merge",
    "mul": "multiply",
    "neg": "negative",
    "nn.bidirectional_rnn": "nn.static_bidirectional_rnn",
    "nn.rnn": "nn.static_rnn",
    "nn.state_saving_rnn": "nn.static_state_saving_rnn",
    "pack": "stack",
    "python.framework.graph_util.convert_variables_to_constants": (
        "graph_util.convert_variables_to_constants"
    ),
    "python.framework.graph_util.extract_sub_graph": (
        "graph_util.extract_sub_graph"
    ),
    "python.framework.graph_util.remove_training_nodes": (
        "graph_util.remove_training_nodes"
    ),
    "python.ops.rnn.bidirectional_rnn": "nn.static_bidirectional_rnn",
    "python.ops.rnn.rnn": "nn.static_rnn",
    "python.util.nest.is_sequence": "nest.is_nested",
    "scalar_summary": "summary.scalar",
    "select": "where",
    "sub": "subtract",
    "train.SummaryWriter": "summary.FileWriter",
    "types.bool": "bool",
    "types.float32": "float32",
    "types.float64": "float64",
    "types.int32": "int32",
    "types.int64": "int64",
    "types.string": "string",
    "types.uint8": "uint8",
    "unpack": "unstack",
}

# Served by other packages, when they are first used.
_LATE = {
    "tf.contrib": "tensorflow.contrib",
    "tf.estimator": "tensorflow.estimator",
    "tf.examples": "tensorflow.examples",
    "tf.nn.seq2seq": "tensorflow.contrib.legacy_seq2seq",
}


def add_old_names(tf) -> None:
    """Adds the names that moved to the v1 API, and those that load late."""
    for name, new in RENAMED.items():
        set_symbol(tf, name, find_symbol(tf, new))
    tf.__getattr__ = _late_or_explained(tf, "tf")
    for name in _SUBMODULES:
        module = getattr(tf, name)
        module.__getattr__ = _late_or_explained(module, f"tf.{name}")


def find_symbol(tf, name: str):
    """Returns what `tf.name` is, where `name` may have dots."""
    value = tf
    for part in name.split("."):
        value = getattr(value, part)
    return value


def set_symbol(tf, name: str, value) -> None:
    """Makes `tf.name` the value, where `name` may have dots."""
    owner, _, last = name.rpartition(".")
    setattr(find_symbol(tf, owner) if owner else tf, last, value)


def _late_or_explained(module, prefix):
    """Returns a `__getattr__` that loads a part, or says what became of it."""

    def find(name):
        full = f"{prefix}.{name}"
        if full in _LATE:
            found = importlib.import_module(_LATE[full])
            setattr(module, name, found)
            return found
        raise missing_name(prefix, name)

    return find


def names_from(prefix: str, *sources: str):
    """Returns a module's `__getattr__` that looks through other modules.

    Args:
        prefix: What the script calls the module, for the message.
        *sources: Names of modules, imported when first needed.
    """

    def find(name):
        if not name.startswith("_"):
            for source in sources:
                found = getattr(importlib.import_module(source), name, None)
                if found is not None:
                    return found
        raise missing_name(prefix, name)

    return find


def missing_name(prefix: str, name: str) -> AttributeError:
    """Returns the error of a name that is not there, with the script's words.

    Args:
        prefix: What the script calls the module, such as `tf.contrib`.
        name: What the module has not.
    """
    return AttributeError(
        f"module '{prefix.replace('tf', 'tensorflow', 1)}' has no "
        f"attribute '{name}'",
        name=f"{prefix}.{name}",
    )
