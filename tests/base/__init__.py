"""Values without a world: hosts, secrets, files, words."""
