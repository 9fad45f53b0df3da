"""Layers that a supernet has beside those of its members."""
