"""Failures over certificates, and what the application is told of them."""
