"""``mxcert probe``: one real handshake, told step by step."""
