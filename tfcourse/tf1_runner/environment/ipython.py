"""What a notebook expects of IPython, where IPython is not installed."""

import ast
import builtins
import importlib.util
import os
import pathlib
import re
import shlex
import subprocess
import sys
import types

from tfcourse.tf1_runner.source.program import Source


def install() -> None:
    """Gives the script `get_ipython`, `display` and the module `IPython`."""
    shell = Shell()
    builtins.get_ipython = lambda: shell
    builtins.display = display
    if importlib.util.find_spec("IPython") is None:
        package = types.ModuleType("IPython")
        package.__path__ = []
        package.version_info = (9, 0)
        package.__version__ = "9.0"
        package.get_ipython = builtins.get_ipython
        package.display = _display_module()
        package.embed = lambda *args, **kwargs: None
        sys.modules["IPython"] = package
        sys.modules["IPython.display"] = package.display
        sys.modules["IPython.core.display"] = package.display


def run_cell(source: Source, tree: ast.Module, namespace: dict) -> None:
    """Runs a cell's syntax tree, and shows the value of its last expression."""
    # IPython lets its magics stand before them.
    tree.body.sort(key=lambda node: not _is_of_the_future(node))
    last = tree.body[-1] if tree.body else None
    show = isinstance(last, ast.Expr) and not _ends_in_semicolon(source.text)
    if show:
        tree.body.pop()
    exec(compile(tree, source.name, "exec"), namespace)
    if show:
        expression = compile(ast.Expression(last.value), source.name, "eval")
        value = eval(expression, namespace)
        namespace["_"] = value
        display(value)


def _is_of_the_future(node):
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _ends_in_semicolon(source):
    return source.rstrip().endswith(";")


def display(*values, **_) -> None:
    """Prints each value, as a notebook would show it in text."""
    for value in values:
        if value is not None and not isinstance(value, Shown):
            print(repr(value))


class Shown:
    """An image, a video, a piece of HTML: nothing to see in a terminal."""

    def __init__(self, data=None, *args, **kwargs):
        self.data = data

    def __repr__(self):
        return f"<{type(self).__name__}>"


_SHOWN = (
    "Audio",
    "HTML",
    "IFrame",
    "Image",
    "Javascript",
    "Latex",
    "Markdown",
    "Math",
    "Pretty",
    "SVG",
    "Video",
    "YouTubeVideo",
)


def _display_module():
    module = types.ModuleType("IPython.display")
    for name in _SHOWN:
        setattr(module, name, type(name, (Shown,), {}))
    module.display = display
    module.clear_output = lambda *args, **kwargs: None
    module.set_matplotlib_formats = lambda *args, **kwargs: None
    return module


class _Absent:
    """A part of a front end that is not here: takes any call, does nothing."""

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return None


_PIP = re.compile(r"^\s*(?:sudo )?pip[23]? (?=\w)")
_VARIABLE = re.compile(r"(?<!\$)\{(\w+)\}|(?<!\\)\$(\w+)")


class Shell:
    """What `get_ipython()` returns: shell commands run, magics mostly rest."""

    _folder_before = "."

    def magic(self, line):
        name, _, rest = line.partition(" ")
        return self.run_line_magic(name, rest)

    def run_line_magic(self, name, line, *args, **kwargs):
        if name in {"time", "timeit", "prun"}:
            return self._evaluate(re.sub(r"^(\s*-\w+)*\s*", "", line))
        if name == "run":
            import runpy

            path, *_ = line.split()
            variables = runpy.run_path(path, run_name="__main__")
            sys.modules["__main__"].__dict__.update(variables)
        elif name == "cd":
            self._change_folder(line)
        elif name in {"pip", "conda", "ls", "mkdir", "cat", "cp", "mv", "rm"}:
            self.system(f"{name} {line}")
        elif name == "pwd":
            return str(pathlib.Path.cwd())
        elif name in {"env", "set_env"} and line:
            key, _, value = line.replace("=", " ", 1).partition(" ")
            os.environ[key] = value.strip()
        return None

    def _change_folder(self, line):
        """Changes this process's folder; `%cd -` goes back."""
        before = pathlib.Path.cwd()
        words = shlex.split(line.partition("#")[0]) or ["~"]
        wanted = self._folder_before if words[0] == "-" else words[0]
        try:
            os.chdir(pathlib.Path(wanted).expanduser())
        except OSError as error:
            print(f"[Errno {error.errno}] {error.strerror}: {wanted!r}")
            return
        self._folder_before = before
        print(pathlib.Path.cwd())

    def run_cell_magic(self, name, line, cell):
        if name in {"bash", "sh", "!"}:
            self.system(cell)

    def system(self, command):
        sys.stdout.flush()
        self._run(command)

    def getoutput(self, command):
        done = self._run(command, capture_output=True, text=True)
        return done.stdout.splitlines()

    def _run(self, command, **settings):
        """Runs a command; `pip` and `python` are those of this process."""
        folder = str(pathlib.Path(sys.executable).parent)
        path = os.pathsep.join([folder, os.environ.get("PATH", "")])
        # An environment may have no script called `pip`.
        command = _PIP.sub(f"{shlex.quote(sys.executable)} -m pip ", command)
        return subprocess.run(
            self._with_variables(command),
            shell=True,
            check=False,
            env=os.environ | {"PATH": path},
            **settings,
        )

    def _with_variables(self, command):
        """Returns a command with `{name}` and `$name` of the script filled."""
        namespace = vars(sys.modules["__main__"])

        def value(match):
            name = match[1] or match[2]
            return str(namespace[name]) if name in namespace else match[0]

        return _VARIABLE.sub(value, command)

    def run_cell(self, source, *args, **kwargs):
        self._evaluate(source)

    def __getattr__(self, name):
        return _Absent()

    def _evaluate(self, source):
        namespace = sys.modules["__main__"].__dict__
        try:
            return eval(source, namespace)
        except SyntaxError:
            exec(source, namespace)
