"""The five steps of a batch of a search, in this order.

1. `trial_requests`: trials are requested from an oracle.
2. `candidates`: each becomes a candidate, if it is nothing but a `fit`.
3. `grouping`: candidates of one structure become a group.
4. `group_training`: each group is trained as one program; its results.
5. `commit`: these are written, and reported to the oracle.
"""
