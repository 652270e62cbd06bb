"""``mxcert import``: the settings of another product, carried over."""
