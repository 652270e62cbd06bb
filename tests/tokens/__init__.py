"""Keys in PKCS#11 tokens, from settings to what servers saw."""
