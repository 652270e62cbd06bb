"""``mxcert explain``: which certificate a connection would present, and why."""
