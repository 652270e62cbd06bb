"""``mxcert run``: what it refuses to start, and that what it starts is as without it."""
