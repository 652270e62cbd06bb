"""What a server asks for, and what is presented to it."""
