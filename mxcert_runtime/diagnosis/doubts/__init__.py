"""What gives cause for doubt in settings and identities that can be used all the same.

Nothing here stops a program; ``mxcert check`` tells it. Each module looks at one thing, and every
finding is a :class:`~.doubt.Doubt` with a stable code.
"""
