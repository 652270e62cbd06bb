"""Connections whose client names no host to TLS: which name counts, and what goes to no name."""
