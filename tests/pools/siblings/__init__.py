"""A pool of urllib3 serves several identities as one: its use, its bounds, its end."""
