"""Callbacks of each member of a population, called after its epochs."""
