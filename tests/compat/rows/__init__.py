"""The rows of the table, by what their clients speak."""

from . import brokers, cloud, databases, http, mail, own_tls, reactors

ROWS = (
    *http.ROWS,
    *cloud.ROWS,
    *reactors.ROWS,
    *mail.ROWS,
    *databases.ROWS,
    *brokers.ROWS,
    *own_tls.ROWS,
)
