"""What happens to a run while `fit` goes on."""
