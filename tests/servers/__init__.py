"""Ordinary clients against servers of the system, judged by what those say they saw."""
