"""``ssl`` and what of the standard library stands on it: every patch of its modules."""
