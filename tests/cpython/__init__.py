"""CPython's own test suites, run without and with the plugin: every result must be the same."""
