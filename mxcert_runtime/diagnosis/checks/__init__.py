"""What is wrong, or may be, with settings and identities that can be used all the same.

``mxcert check`` tells it. Each module checks one thing, and gives each thing that it finds as a
:class:`~.diagnostic.Diagnostic` with a stable code.
"""
