"""Patches: in place once, away exactly, others left alone."""
