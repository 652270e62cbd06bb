"""Benchmarks of mxcert_runtime: every figure is a ratio, or a difference, within one run.

``python -m benchmarks`` runs all of them; `README.md` here says what each number means.
"""
