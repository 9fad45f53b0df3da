"""What a call reads and writes, as far as its name tells."""

import ast
import pathlib
import re
from collections.abc import Iterator

from tfcourse.tf1_runner.checking.calls import Call
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
        "list_files",
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
    "system|magic|get_file$|create|convert|run|call|popen|checkpoint|getoutput",
    re.IGNORECASE,
)
# These only read, whatever else their names have in them.
_ONLY_READ = re.compile("get_checkpoint|print|inspect|latest|list|load")
_OPENERS = {"open", "File", "GFile", "FastGFile", "Open"}
# What writes into a folder that must be there; of these owners, if any.
_WRITERS = {"save": ("np", "numpy"), "savez": ("np", "numpy")} | dict.fromkeys(
    ["TFRecordWriter", "imsave", "savefig", "savetxt", "to_csv", "to_excel"], ()
)
_NOT_FILES = {"webbrowser", "os", "request", "urllib", "urllib2"}


def may_make(call: Call, constants: Constants) -> bool:
    """Returns whether a call may make a file that its arguments name."""
    opens = call.name in _OPENERS and _writes(call.node, constants.value)
    makes = _MAKERS.search(call.name) and not _ONLY_READ.match(call.name)
    return bool(opens or makes)


def makes_folders(call: Call) -> bool:
    """Returns whether a call makes a folder, with nothing in it."""
    return bool(re.search("mkd|makedirs", call.name, re.IGNORECASE))


def asks(call: Call) -> bool:
    """Returns whether a call asks if a file is there."""
    return call.name in _ASKERS


def asked(test: ast.expr, constants: Constants) -> str | None:
    """Returns the path of which a condition asks whether it is there."""
    match test:
        case ast.Call(ast.Attribute(_, name) | ast.Name(name), [path]) if (
            name in _ASKERS
        ):
            path = constants.value(path)
            return path if isinstance(path, str) else None
    return _latest(test, constants)


def paths_read(
    call: Call, constants: Constants, unsure: set[int]
) -> Iterator[list[list[str]]]:
    """Yields the paths that a call reads: ways, of which one is taken.

    Args:
        call: The call.
        constants: What its arguments are.
        unsure: The ids of calls that may not be made.
    """
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
    ways = [
        [p for item in constants.items(n) for p in _paths(item, constants)]
        for n in constants.ways(node, unsure)
    ]
    if len(ways) > 1:
        yield from [ways] if all(ways) else []
        return
    for item in constants.items(node):
        for path in _paths(item, constants, unsure):
            yield [[path]]


def folders_written(
    call: Call, constants: Constants, unsure: set[int]
) -> Iterator[str]:
    """Yields the folders that a call writes a file into, and does not make."""
    opens = call.name in _OPENERS and _writes(call.node, constants.value, "wa")
    owners = _WRITERS.get(call.name)
    if opens or owners == () or (owners and call.owner in owners):
        node = (call.node.args or [None])[0]
        for path in _paths(node, constants, unsure):
            if path.strip("/") != pathlib.PurePath(path).name:
                yield str(pathlib.PurePath(path).parent)
        yield from _folder_of_join(node, constants)


def _folder_of_join(node, constants):
    """Yields the folder where only the name of the file is not known."""
    if isinstance(node, ast.Name):
        node = constants.expression(node.id)
    match node:
        case ast.Call(ast.Attribute(_, "join"), [*outer, ast.AST()]) if outer:
            parts = [constants.value(part) for part in outer]
            if constants.value(node) is None and all(
                isinstance(part, str) for part in parts
            ):
                yield str(pathlib.PurePath(*parts))


def _paths(node, constants, unsure=frozenset()):
    latest = _latest(node, constants)
    for path in [latest] if latest else constants.values(node, unsure):
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


def _writes(call, value, surely=""):
    """Returns whether a file is opened for writing, or that is not sure.

    Args:
        call: Of what opens it.
        value: Gives the values of expressions.
        surely: The beginnings of a mode that is surely one of writing.
    """
    modes = [k.value for k in call.keywords if k.arg == "mode"] or call.args[
        1:2
    ]
    mode = value(modes[0]) if modes else "r"
    if surely:
        return isinstance(mode, str) and mode.startswith((*surely,))
    return not isinstance(mode, str) or not mode.startswith("r")
