"""Activation: all or nothing, in force at once, told, and undone without a trace."""
