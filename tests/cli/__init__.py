"""The command ``mxcert``: what it prints, its exit status, and what it leaves behind."""
