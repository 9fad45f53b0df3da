"""Old module names, and patches, at the moment when something is imported."""

import importlib
import importlib.abc
import importlib.util
import sys


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves modules under the names that they once had."""

    def __init__(self, modern, files_of):
        self.modern = modern
        self.files_of = files_of

    def find_spec(self, name, path=None, target=None):
        if self.modern(name) is None:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=True)

    def exec_module(self, module):
        # The import system takes what it finds here for what it imported.
        name = module.__name__
        found = importlib.import_module(self.modern(name))
        # It may have been a package, whose parts are asked for next.
        vars(found).setdefault("__path__", [])
        sys.modules[name] = found
        for file in self.files_of(name):
            if not hasattr(found, file):
                setattr(found, file, found)


def serve(modern, files_of=lambda name: ()) -> None:
    """Lets old names of modules be imported.

    Args:
        modern: A function of a module's name that gives the name of the module
            to import in its place, or None.
        files_of: A function of a module's name that gives the names which
            stand for the module itself, where it has no such names.
    """
    sys.meta_path.insert(0, _Finder(modern, files_of))


class _Maker(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes modules that have no file."""

    def __init__(self, modules):
        self.modules = modules

    def find_spec(self, name, path=None, target=None):
        if name not in self.modules:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=True)

    def exec_module(self, module):
        self.modules[module.__name__](module)


def make(modules) -> None:
    """Lets modules be imported that have no file.

    Args:
        modules: From the name of a module to a function that is given the new,
            empty module, and fills it.
    """
    sys.meta_path.insert(0, _Maker(modules))


class _Patcher(importlib.abc.MetaPathFinder):
    """Runs a function on a module as soon as it has been imported."""

    def __init__(self, patches):
        self.patches = patches
        self.asked = set()  # Whose own finder is being looked for.

    def find_spec(self, name, path=None, target=None):
        if name not in self.patches or name in self.asked:
            return None
        self.asked.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.asked.remove(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_patch(module):
            execute(module)
            patch = self.patches.pop(name, None)
            if patch:
                patch(module)

        spec.loader.exec_module = execute_and_patch
        return spec


def after_import(patches) -> None:
    """Runs `patches[name](module)` once a module is imported."""
    waiting = {}
    for name, patch in patches.items():
        if name in sys.modules:
            patch(sys.modules[name])
        else:
            waiting[name] = patch
    sys.meta_path.insert(0, _Patcher(waiting))
