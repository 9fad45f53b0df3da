"""Whether the choice of an old search still holds on new data.

`points` are the old best, its neighbours, a few draws and the default;
`comparison` compares their scores, `drift` old examples with new ones, and
`retest` trains and says what came of it.
"""
