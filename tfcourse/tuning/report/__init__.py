"""The page of plots and tables on a search."""
