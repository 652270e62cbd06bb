"""The faults of others: each row of the table in the reference `peers.md` is a test here."""
