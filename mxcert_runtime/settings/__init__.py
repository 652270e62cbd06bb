"""Settings: environment mapping and files in, frozen settings with their origins out.

This file holds no code, so that an import without settings costs next to nothing: callers import
:mod:`.presence` (are there any settings?) and, only then, :mod:`.loading` (read them).
"""
