"""Points of a search space trained with several seeds each."""
