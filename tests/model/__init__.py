"""Random programs held against a slow and obvious model of what servers must see.

``python -m tests.model --cases 5000 --seed 1`` runs as many as are wanted.
"""
