"""Putting settings in force: by a call, an import, the .pth file."""
