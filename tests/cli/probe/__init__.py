"""``mxcert probe`` against real servers: what it saw and says, and that it weakens nothing."""
