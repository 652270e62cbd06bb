"""X509-SVIDs of a SPIFFE agent as identities: streamed, held, and taken up as they are renewed."""
