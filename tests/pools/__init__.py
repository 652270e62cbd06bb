"""Pools of connections: what a kept connection may be used again for, leg by leg."""
