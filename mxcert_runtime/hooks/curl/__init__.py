"""pycurl: what a transfer presents is put into its handle before it begins, and taken out after."""
