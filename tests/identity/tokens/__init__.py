"""Keys in PKCS#11 tokens, as far as no token is needed."""
