"""Optimizers as functions of their variables."""
