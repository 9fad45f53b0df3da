"""The best few trials of a search: with other seeds, and as an ensemble."""
