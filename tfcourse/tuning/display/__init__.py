"""A search as people watch it, on a terminal, in a log or in a notebook."""
