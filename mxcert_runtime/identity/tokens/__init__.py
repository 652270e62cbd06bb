"""Keys in PKCS#11 tokens, such as smart cards and HSMs: the key itself never comes here."""
