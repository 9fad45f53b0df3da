"""The values of expressions of which a program leaves no doubt."""

import ast
import collections
import os
import pathlib
from collections.abc import Iterable


class Constants:
    """Gives strings and numbers that are written in a program.

    A name has a value if it is given the same wherever the program sets it; so
    has a parameter of its functions, by their calls.

    Args:
        trees: The parsed sources of the program and of its helpers.
        script: The path that `__file__` is.
        flags: Whether flags have what the program gives them.
    """

    def __init__(
        self, trees: Iterable[ast.Module], script: str, flags: bool = True
    ):
        self._reads_flags = flags
        self._script = script
        # From a name to what it is given; None stands for what is not known.
        self._given = collections.defaultdict(list)
        self._set = set()  # Names, where they are not parameters.
        self._by_call = collections.defaultdict(dict)
        self._flags = {}
        nodes = [node for tree in trees for node in ast.walk(tree)]
        known = {
            id(node.targets[0])
            for node in nodes
            if isinstance(node, ast.Assign) and len(node.targets) == 1
        }
        functions = collections.defaultdict(list)
        for node in nodes:
            self._read(node, known)
            if isinstance(node, ast.FunctionDef):
                functions[node.name].append(node)
        for node in nodes:
            if isinstance(node, ast.Call):
                self._read_call(node, functions)

    def value(self, node: ast.AST | None, depth: int = 9) -> object:
        """Returns the value of an expression, or None if it is not sure."""
        if node is None or depth == 0:
            return None

        def inner(node):
            return self.value(node, depth - 1)

        match node:
            case ast.Constant(value):
                return value
            case ast.Name("__file__"):
                return self._script
            case ast.Name(name):
                return inner(self.expression(name))
            case ast.Attribute(_, name) if name in self._flags:
                return inner(self._flags[name])
            case ast.BinOp(left, ast.Add(), right):
                return _called(lambda a, b: a + b, [inner(left), inner(right)])
            case ast.BinOp(text, ast.Mod(), ast.Tuple(parts)):
                parts = [inner(part) for part in (text, *parts)]
                return _called(lambda t, *p: t % p, parts)
            case ast.BinOp(text, ast.Mod(), part):
                return _called(lambda t, p: t % p, [inner(text), inner(part)])
            case ast.JoinedStr(parts):
                return _called(_joined, [inner(part) for part in parts])
            case ast.FormattedValue(part, -1, None):
                return inner(part)
            case ast.Call(ast.Attribute(text, "format"), parts, []):
                parts = [inner(part) for part in (text, *parts)]
                return _called(str.format, parts)
            case ast.Call(
                ast.Attribute(_, name) | ast.Name(name), arguments, []
            ) if name in _FUNCTIONS:
                return _called(_FUNCTIONS[name], [inner(a) for a in arguments])
        return None

    def truth(self, test: ast.expr) -> bool | None:
        """Returns whether a condition holds, or None if it is not sure."""
        match test:
            case ast.UnaryOp(ast.Not(), inner):
                answer = self.truth(inner)
                return None if answer is None else not answer
            case ast.BoolOp(kind, parts):
                answers = [self.truth(part) for part in parts]
                decides = isinstance(kind, ast.Or)
                if decides in answers:
                    return decides
                return None if None in answers else not decides
            case ast.Compare(left, [ast.Eq() | ast.NotEq() as kind], [right]):
                left, right = self.value(left), self.value(right)
                if left is None or right is None:
                    return None
                return (left == right) is isinstance(kind, ast.Eq)
        value = self.value(test)
        return None if value is None else bool(value)

    def values(
        self, node: ast.AST | None, passed_over: set[int]
    ) -> list[object]:
        """Returns the values that an expression surely has at some time.

        A parameter of a function has one for each call.

        Args:
            node: The expression.
            passed_over: The ids of calls that may not be made.
        """
        value = self.value(node)
        if isinstance(node, ast.Name) and node.id not in self._set:
            given = self._by_call.get(node.id, {})
            found = [
                self.value(given[c]) for c in given if c not in passed_over
            ]
            return [*dict.fromkeys(v for v in found if v is not None)]
        return [] if value is None else [value]

    def expression(self, name: str) -> ast.AST | None:
        """Returns the one expression that a name is given, or None."""
        given = self._given.get(name) or [None]
        if any(value is None for value in given):
            return None
        return given[0] if len({*map(ast.dump, given)}) == 1 else None

    def _read(self, node, known):
        match node:
            case ast.Assign([ast.Name(name)], value):
                self._given[name].append(value)
                self._set.add(name)
            case ast.Name(name, ast.Store()) if id(node) not in known:
                self._given[name].append(None)
                self._set.add(name)
            case ast.Call(ast.Attribute(_, defines), [name, value, *_]) if (
                defines.startswith("DEFINE_")
            ):
                self._set_flag(getattr(name, "value", None), value)
            case ast.Call(ast.Attribute(_, "add_argument"), names, rest):
                default = [k.value for k in rest if k.arg == "default"]
                for name in names:
                    option = str(getattr(name, "value", ""))
                    if default and option.startswith("-"):
                        option = option.lstrip("-").replace("-", "_")
                        self._set_flag(option, default[0])

    def _set_flag(self, name, value):
        if self._reads_flags:
            self._flags[name] = value

    def _read_call(self, call, functions):
        """Gives the parameters of a function what a call gives them."""
        name = getattr(call.func, "id", getattr(call.func, "attr", None))
        for function in functions.get(name, ()):
            parameters = [a.arg for a in function.args.args]
            defaults = function.args.defaults
            given = dict(
                zip(reversed(parameters), reversed(defaults), strict=False)
            )
            places = [p for p in parameters if p != "self"]
            given |= dict(zip(places, call.args, strict=False))
            given |= {k.arg: k.value for k in call.keywords if k.arg}
            for parameter in places:
                self._given[parameter].append(given.get(parameter))
                self._by_call[parameter][id(call)] = given.get(parameter)


def _called(function, arguments):
    """Returns what a function gives, or None where an argument is not known."""
    if any(argument is None for argument in arguments):
        return None
    try:
        return function(*arguments)
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def _joined(*parts):
    return "".join(map(str, parts))


_FUNCTIONS = {
    "Path": lambda *parts: str(pathlib.PurePath(*parts)),
    "abspath": os.path.abspath,
    "basename": os.path.basename,
    "dirname": os.path.dirname,
    "expanduser": os.path.expanduser,
    "getcwd": lambda: str(pathlib.Path.cwd()),
    "join": os.path.join,
    "normpath": os.path.normpath,
    "realpath": os.path.realpath,
    "str": str,
}
