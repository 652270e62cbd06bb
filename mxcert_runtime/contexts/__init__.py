"""What an SSL context is: the ledger of the caller's, and the identity contexts that are ours."""
