"""Checkpoints of a run, and how a loss that goes wrong is noticed."""
