"""Other libraries' own tests, run without and with the plugin: every result must be the same."""
