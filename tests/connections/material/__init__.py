"""``mxcert_runtime.material``: who gets what, what servers see, and that nothing stays."""
