"""What can be presented: sources, material, identities and authorities; nobody else decrypts."""
