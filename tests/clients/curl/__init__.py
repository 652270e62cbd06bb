"""pycurl, the handles of libcurl: what each transfer presents, by what the server saw."""
