"""Settings in which members of one structure may differ.

What differs between models as a number, or as a choice among Keras's own
functions, need not make two programs: a rate of dropout, an activation, the
strength of a regularizer, a loss, the momentum of an optimizer. Each is read
off the models, as a `Setting`, and held in a variable of which each member has
its own value. `places` lists where they stand, each `Form` is how some are read
and computed, and `template` and supernets put them into what is built.
"""
