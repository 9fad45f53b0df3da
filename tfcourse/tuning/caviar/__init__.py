"""Many trials trained as one program.

`tuner.Caviar` is the search; `steps` has what it does with each batch of
trials, step by step; `programs` what trains those of one structure.
"""
