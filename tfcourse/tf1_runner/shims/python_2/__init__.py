"""Modules of Python 2 of which the parts are elsewhere today."""
