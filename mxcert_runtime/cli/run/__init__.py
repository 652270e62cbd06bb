"""``mxcert run``: judges the settings, then becomes the program."""
