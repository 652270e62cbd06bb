"""What ``mxcert init`` and ``mxcert import`` write: the settings file, and files with secrets."""
