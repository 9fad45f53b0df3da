"""Files that a program reads, does not make, and that are not there."""

import ast
import dataclasses
import glob
import pathlib
import re
from collections.abc import Iterator

from tfcourse.tf1_runner.checking.calls import Call, calls_of
from tfcourse.tf1_runner.source.constants import Constants

# The functions that read a file or a folder, and which argument names it.
_READERS = dict.fromkeys(
    [
        "ExcelFile",
        "FastGFile",
        "FixedLengthRecordDataset",
        "GFile",
        "ListDirectory",
        "NewCheckpointReader",
        "TFRecordDataset",
        "TextLineDataset",
        "ZipFile",
        "flow_from_directory",
        "from_saved_model",
        "fromfile",
        "genfromtxt",
        "import_meta_graph",
        "imread",
        "init_from_checkpoint",
        "list_variables",
        "listdir",
        "load_checkpoint",
        "load_files",
        "load_img",
        "load_variable",
        "load_model",
        "load_weights",
        "load_word2vec_format",
        "loadmat",
        "loadtxt",
        "match_filenames_once",
        "open",
        "open_workbook",
        "print_tensors_in_checkpoint_file",
        "read_csv",
        "read_excel",
        "read_hdf",
        "read_json",
        "read_pickle",
        "read_table",
        "scandir",
        "string_input_producer",
        "tf_record_iterator",
    ],
    0,
) | {"restore": 1}
# Those that read only as parts of these.
_LOAD = ("joblib", "np", "numpy", "sp", "librosa", "KeyedVectors", "Word2Vec")
_OF = {
    "File": {"h5py": 0},
    "Open": {"gfile": 0},
    "load": dict.fromkeys(_LOAD, 0) | {"loader": 2},
    "read": {"wavfile": 0},
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
_OPENERS = {"open", "File", "GFile", "FastGFile", "Open"}
_NOT_FILES = {"webbrowser", "os", "request", "urllib", "urllib2"}
# What a saved model is made of.
_ENDINGS = ("", ".index", ".meta", ".npy")


def absent(
    trees: list[ast.Module],
    constants: Constants,
    folder: pathlib.Path,
    scripts: int,
) -> Iterator[tuple[ast.Module, int, str]]:
    """Yields the tree, line and path of each file that is not there.

    None that the program may make, asks for first, or reads in a `try`.

    Args:
        trees: The parsed sources of the program, and then of its helpers.
        constants: What their expressions are.
        folder: Where the program runs.
        scripts: How many of the trees are the program itself.
    """
    numbers = [*range(scripts), *[None] * (len(trees) - scripts)]

    def calls_by(truth):
        pairs = zip(trees, numbers, strict=True)
        return [calls_of(tree, number, truth) for tree, number in pairs]

    calls = calls_by(lambda node: constants.truth(node.test))
    if any(call.name == "chdir" for some in calls for call in some):
        return
    made = [*_made(calls, constants)]
    calls = calls_by(lambda node: _truth(node, constants, folder, made))
    unsure = {id(c.node) for some in calls for c in some if not c.is_sure}
    for tree, some in zip(trees, calls, strict=True):
        for call in some:
            for path in _read(call, constants, unsure) if call.is_sure else ():
                known = {m.text for m in made if call.may_follow(m.call)}
                if not (_is_there(path, folder) or _is_made(path, known)):
                    yield tree, call.node.lineno, path


def _truth(node, constants, folder, made):
    """Returns whether a condition holds; that a file is there, too."""
    match node.test:
        case ast.UnaryOp(ast.Not(), test):
            inner = ast.If(test, node.body, node.orelse)
            answer = _truth(inner, constants, folder, made)
            return None if answer is None else not answer
        case ast.Call(ast.Attribute(_, name) | ast.Name(name), [path]) if (
            name in _ASKERS
        ):
            path = constants.value(path)
            if not isinstance(path, str) or not path:
                return None
            within = {id(n) for part in _branches(node) for n in ast.walk(part)}
            others = {
                m.text
                for m in made
                if m.call.name not in _ASKERS and id(m.call.node) not in within
            }
            if (folder / path).exists():
                return True
            return None if _is_made(path, others) else False
    return constants.truth(node.test)


def _branches(node):
    for branch in (node.body, node.orelse):
        yield from branch if isinstance(branch, list) else [branch]


def _read(call, constants, unsure):
    """Yields the paths that a call reads."""
    name, value = call.name, constants.value
    place = _READERS.get(name)
    place = _OF[name].get(call.owner, place) if name in _OF else place
    if place is None or (call.owner in _NOT_FILES and name != "listdir"):
        return
    if name in _OPENERS and _writes(call.node, value):
        return
    arguments = call.node.args
    named = [k.value for k in call.node.keywords if k.arg in _ARGUMENTS]
    node = arguments[place] if len(arguments) > place else None
    node = node or (named[0] if named else None)
    items = node.elts if isinstance(node, ast.List) else [node]
    for item in items:
        latest = _latest(item, constants)
        for path in [latest] if latest else constants.values(item, unsure):
            if isinstance(path, str) and path and "://" not in path:
                yield path


def _latest(node, constants):
    """Returns the file that tells the latest checkpoint, where one is read."""
    match node:
        case ast.Attribute(inner, "model_checkpoint_path"):
            return _latest(inner, constants)
        case ast.Name(name):
            given = constants.expression(name)
            if not isinstance(given, ast.Name):
                return _latest(given, constants)
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


@dataclasses.dataclass(frozen=True)
class _Made:
    text: str
    call: Call


def _made(calls, constants):
    """Yields the strings that are given to what may make a file of that name.

    And those that the program looks for, before it reads them.
    """
    for call in (call for some in calls for call in some):
        name, node = call.name, call.node
        opens = name in _OPENERS and _writes(node, constants.value)
        makes = _MAKERS.search(name) and not _ONLY_READ.match(name)
        if opens or name in _ASKERS or makes:
            for given in [*node.args, *(k.value for k in node.keywords)]:
                path = constants.value(given)
                if isinstance(path, str) and path:
                    yield _Made(path, call)
                    if name == "save":  # Of a `Saver`.
                        state = pathlib.PurePath(path).parent / "checkpoint"
                        yield _Made(str(state), call)


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
