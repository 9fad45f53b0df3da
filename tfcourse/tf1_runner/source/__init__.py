"""Reads old scripts and notebooks, and rewrites what Python has lost."""
