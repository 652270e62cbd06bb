"""What is wrong with a connection or with settings, in words with a remedy."""
