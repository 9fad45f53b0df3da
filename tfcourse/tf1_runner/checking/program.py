"""A program and the modules beside it, read but not run."""

import functools
import pathlib
from collections.abc import Iterator

from tfcourse.tf1_runner.checking.files.absent import absent
from tfcourse.tf1_runner.checking.reached import Reached
from tfcourse.tf1_runner.checking.undefined import bound, hides_names
from tfcourse.tf1_runner.source.constants import Constants
from tfcourse.tf1_runner.source.local_modules import uses_with_helpers
from tfcourse.tf1_runner.source.program import Source
from tfcourse.tf1_runner.source.search_path import lies_in, search_path


class Program:
    """What a script or notebook and its helpers use, and which of it runs.

    Args:
        sources: The script, or the cells of a notebook.
        folder: Where it lies.

    Attributes:
        start: Where it runs: a notebook in its folder, a script here.
    """

    def __init__(self, sources: list[Source], folder: pathlib.Path):
        self.sources = sources
        self.folder = folder
        is_notebook = bool(sources) and sources[0].is_cell
        self.start = folder if is_notebook else pathlib.Path()
        self._folders = search_path(sources, folder)
        self.files = list(uses_with_helpers(sources, folder))
        self.uses = [(file, use) for file, uses in self.files for use in uses]
        self.trees = {}
        for source, _ in self.files:
            try:
                self.trees[source.name] = source.parse()
            except SyntaxError:
                continue
        self.parsed = [
            (source, self.trees[source.name])
            for source, _ in self.files
            if source.name in self.trees
        ]

    @functools.cached_property
    def _reached(self):
        return Reached(self.parsed, {source.name for source in self.sources})

    def runs(self, source: Source, line: int) -> bool:
        """Returns whether a line runs, as far as names tell."""
        return self._reached(source, line)

    def has(self, name: str) -> bool:
        """Returns whether a dotted name is of a module beside the program."""
        root = name.partition(".")[0]
        return bool(root) and any(
            lies_in(root, folder) for folder in self._folders
        )

    def lacks(self, name: str) -> str | None:
        """Returns the file of its own that has no such name, or None.

        Args:
            name: With dots, such as `utils.layers.max_pool`.
        """
        parts = name.split(".")
        for folder in self._folders:
            for number in range(len(parts) - 1, 0, -1):
                path = folder.joinpath(*parts[:number])
                for file in (path.with_suffix(".py"), path / "__init__.py"):
                    if file.is_file():
                        return self._lacking(file, parts[number])
        return None

    def _lacking(self, file, name):
        tree = self.trees.get(str(file))
        inner = file.with_name(name)
        inside = inner.is_dir() or inner.with_suffix(".py").is_file()
        if tree is None or name.startswith("__") or inside:
            return None
        if hides_names(tree) or name in bound(tree) | {"__getattr__"}:
            return None
        return str(file)

    def absent_files(
        self, given: int = 0
    ) -> Iterator[tuple[Source, int, str, str]]:
        """Yields the source, line, path and remark on what ends a run.

        That is a file that is not there, most of the time.

        Args:
            given: How many arguments the script is given.
        """
        if not self.parsed:
            return
        own = {source.name for source in self.sources}
        in_order = [pair for pair in self.parsed if pair[0].name in own]
        scripts = len(in_order)
        in_order += [pair for pair in self.parsed if pair[0].name not in own]
        trees = [tree for _, tree in in_order]
        constants = Constants(trees, self.sources[0].name, flags=not given)
        of_tree = {id(tree): source for source, tree in self.parsed}
        for tree, *row in absent(trees, constants, self.start, scripts):
            yield of_tree[id(tree)], *row
