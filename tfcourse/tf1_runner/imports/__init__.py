"""Old names of modules and symbols, as they are imported."""
