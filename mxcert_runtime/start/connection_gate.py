"""A gate before every TLS connection of an engine, for an interpreter without its identities.

It needs nothing but the standard library: it stands where the plugin cannot, or not yet.
"""

from __future__ import annotations

import sys

from ..base import find_genuine_class, give_way, stand_in

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

#: what makes connections, and where in its arguments a server says so, if it does
_MAKERS = {"_wrap_socket": 1, "_wrap_bio": 2}
_MAKERS_OF_PYOPENSSL = {"__init__": None}


class ConnectionGate:
    """Calls ``ask`` before each connection to a server; those of servers go through ``ssl``'s.

    ``ask`` raises to refuse the connection, or opens the gate; where it does neither, that very
    connection goes through.
    """

    def __init__(
        self,
        ask: Callable[[], None],
        owner: Any = None,
        makers: Mapping[str, int | None] = _MAKERS,
    ) -> None:
        self._ask = ask
        self._owner = owner or find_genuine_class(sys.modules["ssl"])
        self._makers = makers
        self._standing: dict[str, Any] = {}

    @property
    def is_closed(self) -> bool:
        """Whether ``ask`` is called."""
        return bool(self._standing)

    def close(self) -> None:
        """Put the gate onto the class, and so onto every context, older ones included."""
        for name, position in self._makers.items():
            self._standing[name] = self._guard(name, position, getattr(self._owner, name))
            stand_in(self._owner, name, self._standing[name])

    def open(self) -> None:
        """Take it away; where another's patch stands on top, it lets everything through."""
        for name, standing in tuple(self._standing.items()):
            give_way(self._owner, name, standing)
        self._standing.clear()

    def _guard(self, name: str, position: int | None, original: Any) -> Any:
        def make(context: Any, *args: Any, **kwargs: Any) -> Any:
            is_server = position is not None and (
                kwargs.get("server_side") or any(args[position : position + 1])
            )
            if self.is_closed and not is_server:
                self._ask()
                if not self._standing:  # somebody has opened it meanwhile
                    # What stands there now is the plugin's.
                    return getattr(context, name)(*args, **kwargs)
            return original(context, *args, **kwargs)

        return make


def pyopenssl_gate(ask: Callable[[], None]) -> ConnectionGate:
    """A gate before what pyOpenSSL, which is loaded, connects; it cannot tell a server's."""
    owner = sys.modules["OpenSSL.SSL"].Connection
    return ConnectionGate(ask, owner, _MAKERS_OF_PYOPENSSL)
