"""The best few trials of a search, trained again with other seeds."""
