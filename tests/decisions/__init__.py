"""Who gets what, and why, without TLS."""
