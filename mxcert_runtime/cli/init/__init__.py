"""``mxcert init``: from a file with a certificate to settings that work."""
