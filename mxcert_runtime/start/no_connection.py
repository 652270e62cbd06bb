"""What a client gets whose connection is not made, where identities are asked for and not there."""

from __future__ import annotations

import ssl

from ..errors import MxcertError


class NoConnectionError(MxcertError, ssl.SSLError):
    """The connection is not made, since the identities that are asked for are not there.

    It is an ``ssl.SSLError`` so that clients treat it as what it is to them: a failed handshake.
    """
