"""``mxcert check``: what is in effect, what is wrong with it, and never a secret."""
