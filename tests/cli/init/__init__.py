"""``mxcert init``: settings for an identity, made out of its files."""
