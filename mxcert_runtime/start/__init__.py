"""Putting settings in force and taking them back: by a call, by an import, by the ``.pth`` file."""
