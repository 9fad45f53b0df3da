"""Runs of `tfcourse tune --evolve`: what they take, and how they begin."""
