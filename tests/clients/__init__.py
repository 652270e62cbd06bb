"""The hooks proven with real client libraries, by what the server saw."""
