"""Searches on Keras as people run them, built anew with data of like sizes."""

from catalogue import examples, guides, pictures, series, tables
from catalogue.search import Search

__all__ = ["CATALOGUE", "Search"]

# From name, `S01` and so on, to a function that makes it, given a folder for
# the files of its callbacks.
CATALOGUE = {
    name.upper(): make
    for module in (guides, series, tables, pictures, examples)
    for name, make in vars(module).items()
    if name[0] == "s" and name[1:].isdecimal()
}
CATALOGUE = {name: CATALOGUE[name] for name in sorted(CATALOGUE)}
