"""Steering a run that trains in another process."""
