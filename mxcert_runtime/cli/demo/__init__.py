"""``mxcert demo``: the whole thing on the loopback interface."""
