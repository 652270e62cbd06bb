"""Certificates that change while the program runs."""
