"""Which names of libraries a program uses, and on which lines."""

import ast
import dataclasses
import re

# How the check and the tables call a library.
_SHORT = {"tensorflow": "tf", "numpy": "np"}


@dataclasses.dataclass(frozen=True)
class Use:
    """A dotted name such as `tf.nn.relu`, and the line where it stands.

    Args:
        name: As the library's documentation has it.
        line: Of the file or cell.
        keywords: Of the arguments, where it is called.
        is_call: Whether it is called.
        is_import: Whether it is the name of a module that is imported.
        is_guarded: Whether it stands in a `try` for what may not be there.
    """

    name: str
    line: int
    keywords: tuple = ()
    is_call: bool = False
    is_import: bool = False
    is_guarded: bool = False


def names_used(tree, aliases=None, star=lambda module: {}, package=""):
    """Returns the uses of imported names in a module's syntax tree, in order.

    `import tensorflow.contrib.rnn as rnn` and `slim = tf.contrib.slim` are
    followed, so that `rnn.GRUCell` reads `tf.contrib.rnn.GRUCell`.

    Args:
        tree: What `ast.parse` returns.
        aliases: Names already known, from earlier cells; extended.
        star: Returns the names that `from module import *` makes known.
        package: Of the module, which `from . import module` is relative to.
    """
    aliases = {} if aliases is None else aliases
    visitor = _NameVisitor(aliases, star, package)
    visitor.visit(tree)
    return sorted(visitor.uses, key=lambda use: use.line)


class _NameVisitor(ast.NodeVisitor):
    def __init__(self, aliases, star, package):
        self.package = package.split(".") if package else []
        self.aliases = aliases
        self.star = star
        self.uses = []
        self.guards = 0

    def visit_Try(self, node):
        guards = any(map(is_for_names, node.handlers))
        self.guards += guards
        self.generic_visit(node)
        self.guards -= guards

    def visit_Import(self, node):
        for item in node.names:
            name = _shortened(item.name)
            self._use(name, node, is_import=True)
            if item.asname:
                self.aliases[item.asname] = name
            else:
                root = item.name.partition(".")[0]
                self.aliases[root] = _shortened(root)

    def visit_ImportFrom(self, node):
        module = self._module(node)
        if not module:
            self._use(
                f"{'.' * node.level}{node.module or ''}", node, is_import=True
            )
            return
        self._use(module, node, is_import=True)
        if any(item.name == "*" for item in node.names):
            self.aliases.update(self.star(module))
        for item in node.names:
            if item.name != "*":
                name = f"{module}.{item.name}"
                self._use(name, node)
                self.aliases[item.asname or item.name] = name

    def _module(self, node):
        """Returns the whole name of the module that is imported from."""
        if not node.level:
            return _shortened(node.module)
        outer = self.package[: len(self.package) - node.level + 1]
        inside = node.level <= len(self.package)
        parts = [*outer, *([node.module] if node.module else [])]
        return ".".join(parts) if inside else ""

    def visit_Assign(self, node):
        self.visit(node.value)
        name = self._dotted(node.value)
        for target in node.targets:
            is_module = name and (_is_module(name) or _imported(node.value))
            if is_module and isinstance(target, ast.Name):
                self.aliases[target.id] = name
            else:
                self.visit(target)
            if not name and isinstance(target, ast.Name):
                # `cell = cell.Basic(4)`: it is no module any more.
                self.aliases.pop(target.id, None)

    def visit_Call(self, node):
        name = self._dotted(node.func)
        if _imported(node):
            self._use(_imported(node), node, is_import=True)
        elif name:
            keywords = tuple(k.arg for k in node.keywords)
            self._use(name, node.func, keywords, is_call=True)
        else:
            self.visit(node.func)
        for argument in [*node.args, *node.keywords]:
            self.visit(argument)

    def visit_Attribute(self, node):
        name = self._dotted(node)
        if name:
            self._use(name, node)
        else:
            self.generic_visit(node)

    def visit_Name(self, node):
        name = self.aliases.get(node.id)
        if name and "." in name:
            self._use(name, node)

    def _dotted(self, node):
        if isinstance(node, ast.Call):
            return _imported(node)
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        root = self.aliases.get(node.id) if isinstance(node, ast.Name) else None
        return ".".join([root, *reversed(parts)]) if root else None

    def _use(self, name, node, keywords=(), **kinds):
        guarded = self.guards > 0
        use = Use(name, node.lineno, keywords, is_guarded=guarded, **kinds)
        self.uses.append(use)


def is_for_names(handler: ast.ExceptHandler) -> bool:
    """Returns whether an `except` is for what some version has not."""
    if not goes_on(handler):
        return False
    caught = ast.dump(handler.type) if handler.type else "ImportError"
    return bool(
        re.search("(Import|Name|Attribute|ModuleNotFound)Error", caught)
    )


def goes_on(handler: ast.ExceptHandler) -> bool:
    """Returns whether the program goes on after an `except`."""
    return goes_on_after(handler.body[-1])


def goes_on_after(statement: ast.stmt) -> bool:
    """Returns whether a statement neither raises an error nor exits."""
    match statement:
        case ast.Raise():
            return False
        case ast.Expr(ast.Call(ast.Name(name) | ast.Attribute(_, name))):
            return name not in {"exit", "quit", "_exit"}
    return True


def _shortened(name):
    root, dot, rest = name.partition(".")
    return f"{_SHORT.get(root, root)}{dot}{rest}"


def _imported(call):
    """Returns the module that `__import__("7-16  loader")` gives, or None."""
    match call:
        case ast.Call(
            ast.Name("__import__" | "import_module")
            | ast.Attribute(_, "import_module"),
            [ast.Constant(str(name))],
        ) if not name.startswith("."):
            return _shortened(name)
    return None


def _is_module(name):
    """Returns whether a name looks like a module's: `tf.contrib.slim`."""
    last = name.rpartition(".")[2]
    return name.startswith(("tf.", "np.")) and last.islower()
