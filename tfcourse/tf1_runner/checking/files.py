"""Files that a program reads, does not make, and that are not there."""

import ast
import glob
import pathlib
import re
from collections.abc import Iterator

from tfcourse.tf1_runner.checking.reached import may_be_passed_over
from tfcourse.tf1_runner.source.constants import Constants

# The functions that read a file or a folder, and which argument names it.
_READERS = dict.fromkeys(
    [
        "ExcelFile",
        "FastGFile",
        "GFile",
        "ListDirectory",
        "TFRecordDataset",
        "TextLineDataset",
        "ZipFile",
        "flow_from_directory",
        "genfromtxt",
        "import_meta_graph",
        "imread",
        "listdir",
        "load_files",
        "load_img",
        "load_model",
        "load_weights",
        "load_word2vec_format",
        "loadmat",
        "loadtxt",
        "match_filenames_once",
        "open",
        "read_csv",
        "read_excel",
        "read_hdf",
        "read_json",
        "read_pickle",
        "read_table",
        "scandir",
        "tf_record_iterator",
    ],
    0,
) | {"restore": 1}
# Those that read only as parts of these.
_OF = {
    "File": ("h5py",),
    "load": ("joblib", "np", "numpy", "sp", "librosa"),
}
_ARGUMENTS = {
    *("container_path", "directory", "file", "filename", "filenames"),
    *("filepath", "filepath_or_buffer", "fname", "io", "path"),
}
_ASKERS = {"Exists", "IsDirectory", "exists", "isdir", "isfile", "file_exists"}
_MAKERS = re.compile(
    "save|write|dump|mkd|makedirs|^to_|retrieve|download|extract|copy|export|"
    "system|magic|get_file|create|convert|run|call|popen|checkpoint|getoutput",
    re.IGNORECASE,
)
# These only read, whatever else their names have in them.
_ONLY_READ = re.compile("print|inspect|list|load")
_OPENERS = {"open", "File", "GFile", "FastGFile"}
_NOT_FILES = {"webbrowser", "os", "request", "urllib", "urllib2"}
# What a saved model is made of.
_ENDINGS = ("", ".index", ".meta", ".npy")


def absent(
    trees: list[ast.Module], constants: Constants, folder: pathlib.Path
) -> Iterator[tuple[ast.Module, int, str]]:
    """Yields the tree, line and path of each file that is not there.

    None that the program may make, asks for first, or reads in a `try`.

    Args:
        trees: The parsed sources of the program and of its helpers.
        constants: What their expressions are.
        folder: Where the program runs.
    """
    calls = {id(tree): [*_calls(tree)] for tree in trees}
    if any(_name(c) == "chdir" for some in calls.values() for c, _ in some):
        return
    made = {*_made(calls.values(), constants)}
    passed_over = {
        id(call) for some in calls.values() for call, guarded in some if guarded
    }
    for tree in trees:
        for call, guarded in calls[id(tree)]:
            for path in () if guarded else _read(call, constants, passed_over):
                if not (_is_there(path, folder) or _is_made(path, made)):
                    yield tree, call.lineno, path


def _calls(node, guarded=False):
    """Yields the calls in a tree, and whether they stand in a `try` or `if`."""
    for child in ast.iter_child_nodes(node):
        inner = guarded or may_be_passed_over(child)
        if isinstance(child, ast.Call):
            yield child, guarded
        yield from _calls(child, inner)


def _name(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _owner(call):
    owner = getattr(call.func, "value", None)
    return getattr(owner, "id", getattr(owner, "attr", None))


def _read(call, constants, passed_over):
    """Yields the paths that a call reads."""
    name, owner, value = _name(call), _owner(call), constants.value
    place = _READERS.get(name)
    if owner in _OF.get(name, ()):
        place = 0
    if place is None or (owner in _NOT_FILES and name != "listdir"):
        return
    if name in _OPENERS and _writes(call, value):
        return
    named = [k.value for k in call.keywords if k.arg in _ARGUMENTS]
    node = call.args[place] if len(call.args) > place else None
    node = node or (named[0] if named else None)
    items = node.elts if isinstance(node, ast.List) else [node]
    for item in items:
        latest = _latest(item, constants)
        for path in [latest] if latest else constants.values(item, passed_over):
            if isinstance(path, str) and path and "://" not in path:
                yield path


def _latest(node, constants):
    """Returns the file that tells the latest checkpoint, where one is read."""
    match node:
        case ast.Attribute(inner, "model_checkpoint_path"):
            return _latest(inner, constants)
        case ast.Name(name) if constants.expression(name):
            return _latest(constants.expression(name), constants)
        case ast.Call(
            ast.Attribute(_, "latest_checkpoint" | "get_checkpoint_state"),
            [folder, *_],
        ):
            folder = constants.value(folder)
            if isinstance(folder, str):
                return str(pathlib.PurePath(folder, "checkpoint"))
    return None


def _writes(call, value):
    """Returns whether a file is opened for writing, or that is not sure."""
    modes = [k.value for k in call.keywords if k.arg == "mode"] or call.args[
        1:2
    ]
    mode = value(modes[0]) if modes else "r"
    return not isinstance(mode, str) or not mode.startswith("r")


def _made(calls, constants):
    """Yields the strings that are given to what may make a file of that name.

    And those that the program looks for, before it reads them.
    """
    for call in (call for some in calls for call, _ in some):
        name = _name(call)
        opens = name in _OPENERS and _writes(call, constants.value)
        makes = _MAKERS.search(name) and not _ONLY_READ.match(name)
        if opens or name in _ASKERS or makes:
            for node in [*call.args, *(k.value for k in call.keywords)]:
                path = constants.value(node)
                if isinstance(path, str) and path:
                    yield path
                    if name == "save":  # Of a `Saver`.
                        yield str(pathlib.PurePath(path).parent / "checkpoint")


def _is_there(path, folder):
    if {"*", "?"} & {*path}:
        return any(glob.iglob(path, root_dir=folder))  # noqa: PTH207
    return any((folder / f"{path}{end}").exists() for end in _ENDINGS)


def _is_made(path, made):
    """Returns whether a path, or a folder that it lies in, is made."""
    path = pathlib.PurePath(path.removesuffix(".meta"))
    if path.name == "checkpoint":
        return str(path) in made
    own = {str(p) for p in (path, *path.parents) if p.name not in {"", ".."}}
    for text in made:
        if str(pathlib.PurePath(text)) in own or path.name == text:
            return True
        if text and path.name in text.split():
            return True
    return False
