"""``mxcert check``: what is in effect, and what is wrong with it."""
