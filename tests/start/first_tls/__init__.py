"""A start that waits for TLS: it costs nothing before, and no connection is made without it."""
