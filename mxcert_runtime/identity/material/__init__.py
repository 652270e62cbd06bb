"""Keys and certificates out of files and bytes; nothing outside this package decrypts anything."""
