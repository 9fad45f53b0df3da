"""Population-based training: hyperparameters that change while members train.

`tuner.Evolution` is the search. After each interval, `generations` lets the
worst members go on as copies of the best (`selection`), with other
hyperparameters (`exploration`), which `members` turns into values of variables.
`ancestry` keeps who came of whom, and so the `schedule` of each member, which
`following` repeats on a single model, and `replay` with the same mini-batches.
"""
