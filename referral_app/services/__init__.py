"""Commands and reads: they decide and commit."""
