"""pyOpenSSL: the other engine, with its contexts, its connections and what it tells of them."""
