"""``mxcert import``: from settings of Mendix to the native file."""
