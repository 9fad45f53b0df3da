"""Tables as people have them: read once, understood the same everywhere."""
