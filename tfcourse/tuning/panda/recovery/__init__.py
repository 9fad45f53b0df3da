"""Checkpoints of a run, and what tells that it has gone wrong."""
