"""Sign-in by phone and code."""
