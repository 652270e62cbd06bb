"""Clients of Mosquitto and NATS: by which name the broker lets them in."""

from __future__ import annotations

import asyncio
import queue
import re
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.mosquitto import MosquittoServer
from tests.support.nats_server import NatsServer
from tests.support.server_tls import Demand

from .conftest import HOSTS, KNOWN, NOBODY, Ground

pytestmark = pytest.mark.any_python

Client = Callable[[str, int, Ground], Any]


def paho(host: str, port: int, ground: Ground) -> Any:
    """``paho.mqtt.client``; what the broker answers."""
    mqtt = pytest.importorskip("paho.mqtt.client")
    answers: queue.Queue[Any] = queue.Queue()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    client.on_connect = lambda client, data, flags, reason, properties: answers.put(reason)
    client.on_disconnect = lambda client, data, flags, reason, properties: answers.put(None)
    client.tls_set_context(ground.context())
    try:
        client.connect(host, port)
        client.loop_start()
        return answers.get(timeout=TIMEOUT)
    except (ssl.SSLError, ConnectionError):
        return None
    finally:
        client.disconnect()
        client.loop_stop()


def aiomqtt_client(host: str, port: int, ground: Ground) -> Any:
    """``aiomqtt.Client``."""
    aiomqtt = pytest.importorskip("aiomqtt")

    # It hears nothing of a connection that ends before it is answered.
    patience = 1 if host == NOBODY else TIMEOUT

    async def connect() -> Any:
        context = ground.context()
        async with aiomqtt.Client(host, port, tls_context=context, timeout=patience):
            return "Success"

    try:
        return asyncio.run(connect())
    except aiomqtt.MqttError:
        return None


@pytest.mark.parametrize("client", [paho, aiomqtt_client])
def test_mosquitto(
    client: Client, mosquitto_server: ServerFactory[MosquittoServer], ground: Ground
) -> None:
    """Its log has the common name as the user; who has no certificate is not let in."""
    server = mosquitto_server(hosts=HOSTS, demand=Demand.DEMAND)
    assert client(NOBODY, server.port, ground) is None
    assert "Success" == str(client(KNOWN, server.port, ground))
    assert "alpha" == server.user


def nats(host: str, port: int, ground: Ground) -> Any:
    """``nats.connect``."""
    library = pytest.importorskip("nats")

    async def connect() -> Any:
        client = await library.connect(
            f"tls://{host}:{port}",
            tls=ground.context(),
            allow_reconnect=False,
            max_reconnect_attempts=0,
            connect_timeout=TIMEOUT,
        )
        await client.flush()
        await client.close()
        return True

    return asyncio.run(connect())


def test_nats(nats_server: ServerFactory[NatsServer], ground: Ground) -> None:
    """A certificate with the subject of a user is let in; none is, without one."""
    pytest.importorskip("nats")
    server = nats_server(hosts=HOSTS, demand=Demand.DEMAND, subjects=[ground.alpha.subject])
    assert nats(KNOWN, server.port, ground) is True
    with pytest.raises(Exception):  # noqa: B017, PT011 - as the end of the connection is noticed
        nats(NOBODY, server.port, ground)
    assert server.line(re.compile("client didn't provide a certificate"))


def test_nats_of_others(nats_server: ServerFactory[NatsServer], ground: Ground) -> None:
    """The twin: a server with another user takes the certificate for nobody's."""
    pytest.importorskip("nats")
    server = nats_server(hosts=HOSTS, demand=Demand.DEMAND, subjects=["CN=beta,O=mxcert tests"])
    with pytest.raises(Exception, match=r"(?i)authorization violation"):
        nats(KNOWN, server.port, ground)
