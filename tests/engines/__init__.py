"""One suite over both engines, ``ssl`` and pyOpenSSL: what is true of one is true of the other."""
