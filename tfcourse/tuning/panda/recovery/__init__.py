"""Checkpoints, rollback, and going on after a crash."""
