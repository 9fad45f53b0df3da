"""No code loads what would run: no pickles, no models with code in them."""

import ast
import pathlib

import pytest

import tfcourse

ROOT = pathlib.Path(tfcourse.__file__).parent
# Old scripts are programs that a user runs, and may unpickle what they like; a
# sweep reads a temporary file of its own process; a worker what the search that
# it works for sends it through its own cluster.
EXEMPT = {
    "tuning/caviar/executors/on_ray/worker.py",
    "tf1_runner/source/rewrite.py",
    "tf1_runner/patches/libraries.py",
    "tf1_runner/shims/contrib/learn/preprocessing.py",
    "layers/graph_sweep.py",
}
_NEVER = {
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "pd.read_pickle"),
    *("pandas.read_pickle", "joblib.load", "dill.load", "dill.loads"),
    *("cloudpickle.load", "cloudpickle.loads", "marshal.load"),
    *("marshal.loads", "shelve.open", "yaml.load", "yaml.unsafe_load"),
    *("enable_unsafe_deserialization", "torch.load"),
    "keras.config.enable_unsafe_deserialization",
}
_LOADS_ARRAYS = {"np.load", "numpy.load"}


def unsafe_calls(text):
    """Yields `(line, what)` of each call that may run what it loads."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        given = {k.arg: ast.unparse(k.value) for k in node.keywords}
        if name in _NEVER:
            yield node.lineno, name
        if name in _LOADS_ARRAYS and given.get("allow_pickle") != "False":
            yield node.lineno, name
        for argument, value in (
            ("allow_pickle", "True"),
            ("safe_mode", "False"),
        ):
            if given.get(argument) == value:
                yield node.lineno, f"{argument}={value}"


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted(ROOT.rglob("*.py"))
        if path.relative_to(ROOT).as_posix() not in EXEMPT
    ],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_a_module_loads_nothing_that_runs(path):
    assert list(unsafe_calls(path.read_text())) == []


@pytest.mark.parametrize(
    "text",
    [
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "pickle.loads(data)",
        "joblib.load(path)",
        "keras.saving.load_model(path, safe_mode=False)",
    ],
)
def test_what_runs_is_found(text):
    assert list(unsafe_calls(text))
