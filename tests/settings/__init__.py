"""What settings say, in every format, and what is told about those that cannot be used."""
