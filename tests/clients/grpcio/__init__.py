"""grpcio, sync and aio: what each call presents, by what the server saw."""
