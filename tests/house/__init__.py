"""Rules for the whole package: its structure, secrecy and documents, and the tests' own tools."""
