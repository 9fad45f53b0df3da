"""Behaviour of the time, put back in the process of a script."""
