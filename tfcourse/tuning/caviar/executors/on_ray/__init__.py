"""Workers of a Ray cluster.

`cluster` has the executor, `session` what it does while a search runs, `worker`
what runs elsewhere, `by_value` how code gets there that nobody has installed,
and `probe` asks nodes what they have.
"""
