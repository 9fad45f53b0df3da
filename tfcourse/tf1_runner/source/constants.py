"""The values of expressions of which a program leaves no doubt."""

import ast
import collections
import copy
import os
import pathlib
import re
from collections.abc import Callable, Iterable


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
        self._read_all(nodes)
        # What is set in a branch that is not taken is not set.
        dead = {id(node) for branch in self._dead(nodes) for node in branch}
        if dead:
            for table in (self._given, self._flags, self._set, self._by_call):
                table.clear()
            self._read_all([node for node in nodes if id(node) not in dead])

    def _dead(self, nodes):
        """Yields the nodes of each branch whose condition does not hold."""
        for node in nodes:
            answer = self.truth(node.test) if isinstance(node, ast.If) else None
            if answer is not None:
                for part in node.orelse if answer else node.body:
                    yield ast.walk(part)

    def _read_all(self, nodes):
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
            case ast.Attribute(owner, name) if self._is_flag(owner, name):
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
            case ast.Call(ast.Attribute(ast.Name("K"), "backend"), [], []):
                return "tensorflow"
            case ast.Call(ast.Attribute(text, "format"), parts, []):
                parts = [inner(part) for part in (text, *parts)]
                return _called(str.format, parts)
            case ast.Call(
                ast.Attribute(_, name) | ast.Name(name), arguments, []
            ) if name in _FUNCTIONS:
                return _called(_FUNCTIONS[name], [inner(a) for a in arguments])
        return None

    def truth(
        self, test: ast.expr, holds: Callable | None = None
    ) -> bool | None:
        """Returns whether a condition holds, or None if it is not sure.

        Args:
            test: The condition.
            holds: Tells it of parts of a condition, in place of this method.
        """
        holds = holds or self.truth
        match test:
            case ast.UnaryOp(ast.Not(), inner):
                answer = holds(inner)
                return None if answer is None else not answer
            case ast.BoolOp(kind, parts):
                answers = [holds(part) for part in parts]
                decides = isinstance(kind, ast.Or)
                if decides in answers:
                    return decides
                return None if None in answers else not decides
            case ast.Compare(
                left, [ast.Is() | ast.IsNot() as kind], [ast.Constant(None)]
            ):
                # What is known is not None; what is not there is.
                answer = False if self._is_none(left) else holds(left)
                negated = isinstance(kind, ast.IsNot)
                return None if answer is None else answer is negated
            case ast.Compare(left, [ast.Eq() | ast.NotEq() as kind], [right]):
                left, right = self.value(left), self.value(right)
                if left is None or right is None:
                    return None
                return (left == right) is isinstance(kind, ast.Eq)
        value = self.value(test)
        if value is None:
            return False if self._is_none(test) else None
        return bool(value)

    def _is_flag(self, owner, name):
        of_flags = re.search("(?i)flag|arg|opt|conf|param", ast.unparse(owner))
        return name in self._flags and bool(of_flags)

    def _is_none(self, node):
        """Returns whether an expression is surely None."""
        match node:
            case ast.Name(name):
                node = self.expression(name)
            case ast.Attribute(owner, name) if self._is_flag(owner, name):
                node = self._flags[name]
        return isinstance(node, ast.Constant) and node.value is None

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

    def ways(
        self, node: ast.AST | None, unsure: set[int]
    ) -> list[ast.AST | None]:
        """Returns the expressions of which a name is given one.

        Those of a parameter are here only if no call is sure.

        Args:
            node: The name, or any expression.
            unsure: The ids of calls that may not be made.
        """
        if not isinstance(node, ast.Name) or self.value(node) is not None:
            return [node]
        calls = {} if node.id in self._set else self._by_call.get(node.id, {})
        if calls and not {*calls} <= unsure:
            return [node]
        given = {
            ast.dump(value): value
            for value in self._given.get(node.id) or []
            if value is not None
        }
        unknown = None in self._given.get(node.id, ())
        return [node] if unknown or not given else [*given.values()]

    def items(self, node: ast.AST | None, depth: int = 9) -> list[ast.AST]:
        """Returns the expressions of what a list has; or of one thing, that.

        What is looked for by a pattern is the pattern.
        """
        match node:
            case None:
                return []
            case ast.List(parts) | ast.Tuple(parts):
                return [i for part in parts for i in self.items(part, depth)]
            case ast.ListComp(part, [ast.comprehension(ast.Name(name), over)]):
                return [
                    _Put(name, value).visit(copy.deepcopy(part))
                    for value in self._counted(over)
                ]
            case ast.Call(ast.Attribute(_, "glob" | "Glob"), [pattern]):
                return [pattern]
            case ast.Name(name) if depth and self.value(node) is None:
                given = self.expression(name)
                return self.items(given, depth - 1) if given else [node]
        return [node]

    def _counted(self, node):
        """Returns what `range(1, 6)` and the like give, as far as is known."""
        match node:
            case ast.Call(ast.Name("range" | "xrange"), parts):
                numbers = [self.value(part) for part in parts]
                return _called(range, numbers) or []
            case ast.List(parts) | ast.Tuple(parts):
                return [self.value(part) for part in parts]
        return []

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
                settings = {k.arg: k.value for k in rest}
                for name in names:
                    option = str(getattr(name, "value", ""))
                    if option.startswith("-") and "dest" not in settings:
                        option = option.lstrip("-").replace("-", "_")
                        self._set_flag(option, _default(settings))

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


def _default(settings):
    """Returns what an option of `argparse` is where it is not given."""
    match settings.get("action"):
        case ast.Constant("store_true"):
            return ast.Constant(False)
        case ast.Constant("store_false"):
            return ast.Constant(True)
    return settings.get("default", ast.Constant(None))


class _Put(ast.NodeTransformer):
    """Puts a value in the place of a name."""

    def __init__(self, name, value):
        self._name, self._value = name, value

    def visit_Name(self, node):
        return ast.Constant(self._value) if node.id == self._name else node


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
