"""What a new connection is for: host, port and service, as far as anybody knows them.

The layer that dials knows best (a leg that the running code states), since the peer of a socket may
be a proxy. On the hot path for ``ssl``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Optional

from ..base import Host, host_dialled
from ..decisions import Policy, current_leg, held_leg, hold_leg, peek_leg, take_leg
from ..decisions.current_service import current_service
from .dialled_sockets import endpoint_of_socket, is_dialled_for_another, note_confirmed

#: host, port and service that a connection is for; what nobody knows is ``None``
Asked = tuple[Optional[Host], Optional[int], Optional[str]]

_FoundLeg = Optional[tuple[Host, Optional[int]]]

_current_service = current_service.get
_current_leg = current_leg.get


def asked_at_creation(policy: Policy, named: str | None, socket: Any) -> Asked:
    """What a connection is for that is created now, and verifies the name; its leg is spent.

    ``socket`` is what it will use, if that is known.
    """
    service, leg = _current_service(), None
    if _current_leg() is not None:
        leg, is_on_the_way = _leg_for(named, socket, take_leg)
        service = None if is_on_the_way else service
    if leg is not None:
        if named is not None:
            return named, leg[1], service
        note_confirmed(socket, *leg)
        return (*leg, service)
    # A port is looked for only where it can matter.
    if named is None or policy.has_port_rules:
        return (*endpoint_of_socket(socket, named), service)
    return named, None, service


def asked_so_far(named: str | None, connection: Any, address: object) -> Asked:
    """What a connection is for that exists already, and may learn its name yet.

    It answers as its socket does. ``address`` is what it is about to dial, if it is.
    """
    leg, is_on_the_way = held_leg(connection, named), False
    if leg is None:
        hold = functools.partial(hold_leg, connection)
        leg, is_on_the_way = _leg_for(named, connection, hold)
    service = None if is_on_the_way else _current_service()
    if leg is not None:
        return named or leg[0], leg[1], service
    if isinstance(address, tuple):
        return named or host_dialled(address[0]), address[1], service
    return (*endpoint_of_socket(connection, named), service)


def _leg_for(
    name: str | None, socket: Any, find: Callable[[str | None], _FoundLeg]
) -> tuple[_FoundLeg, bool]:
    """The leg that a new connection is, if any; or whether it is one to a proxy on the way there.

    That is certain of a socket whose own name is another one than that of the leg. The service is
    none of the proxy's business then.
    """
    stated = peek_leg()
    if stated is None:
        return None, False
    leg = None if name is None else find(name)
    if leg is not None:
        return leg, False
    if is_dialled_for_another(socket, stated[0]):
        return None, True
    return (find(None) if name is None else None), False
