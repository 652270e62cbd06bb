"""Sources of credentials: a command, what systemd passes, and kinds of others."""
