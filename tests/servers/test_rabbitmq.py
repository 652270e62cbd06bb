"""Clients of RabbitMQ: as which user the broker lets them in, by nothing but their certificates."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.factories import LOCAL_HOSTS
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority, Leaf
from tests.support.rabbitmq import RabbitmqServer, rabbitmq
from tests.support.server_tls import ServerTls, TlsVersion

from .conftest import HOSTS, KNOWN, NOBODY, Ground

pytestmark = pytest.mark.any_python

#: connects to a host and port, and ends that in order
Client = Callable[[str, int, Ground], None]

#: how the broker logs a handshake in which it got no certificate: with TLS 1.3, with TLS 1.2
_NO_CERTIFICATE = re.compile("- (certificate_required|no_client_certificate_provided)")

#: how it logs a certificate that it trusts, of nobody whom it knows
_NO_USER = re.compile("EXTERNAL login refused: user '(.*)' - invalid credentials")


@pytest.fixture
def broker(authority: Authority, client_authority: Authority) -> Iterator[RabbitmqServer]:
    """It demands certificates and knows alpha."""
    leaf = authority.issue("server", hosts=(*LOCAL_HOSTS, *HOSTS))
    with rabbitmq(ServerTls(leaf, (client_authority,)), user="alpha") as server:
        yield server


def pika(host: str, port: int, ground: Ground, version: TlsVersion = TlsVersion.BOTH) -> None:
    """``pika.BlockingConnection``."""
    library = pytest.importorskip("pika")
    context = ground.context()
    context.minimum_version, context.maximum_version = version.pin
    parameters = library.ConnectionParameters(
        host,
        port,
        ssl_options=library.SSLOptions(context, host),
        credentials=library.credentials.ExternalCredentials(),
    )
    library.BlockingConnection(parameters).close()


def pika_tls12(host: str, port: int, ground: Ground) -> None:
    """The same with TLS 1.2, the others having 1.3."""
    pika(host, port, ground, TlsVersion.TLS12)


def aio_pika(host: str, port: int, ground: Ground) -> None:
    """``aio_pika.connect``."""
    library = pytest.importorskip("aio_pika")

    async def connect() -> None:
        address = f"amqps://{host}:{port}/?auth=external"
        context = ground.context()
        await (await library.connect(address, ssl_context=context, timeout=TIMEOUT)).close()

    asyncio.run(connect())


def _options(host: str, ground: Ground) -> dict[str, Any]:
    required = ssl.CERT_REQUIRED
    return {"ca_certs": ground.ca_file, "cert_reqs": required, "server_hostname": host}


def py_amqp(host: str, port: int, ground: Ground) -> None:
    """``amqp.Connection``, as kombu and celery use it."""
    library = pytest.importorskip("amqp")
    options = _options(host, ground)
    with library.Connection(f"{host}:{port}", ssl=options, login_method="EXTERNAL"):
        pass


_CLIENTS = [pika, aio_pika, py_amqp]


# One test, since each process that runs a part of it would start a broker, for seconds.
def test_rabbitmq(broker: RabbitmqServer, ground: Ground, beta: Leaf, tmp_path: Path) -> None:
    """The log has the common name as the user; without rule, trust or that name: no login."""
    for client in _CLIENTS:
        _logs_in(client, broker, ground)
        _is_refused(client, broker, ground, "certificate_required")
    _logs_in(pika_tls12, broker, ground)
    _is_refused(pika_tls12, broker, ground, "no_client_certificate_provided")
    _refuses_the_broker(broker, ground, tmp_path)
    _is_no_user(broker, dataclasses.replace(ground, alpha=beta))
    logins = sum("authenticated and granted access" in line for line in broker.output)
    assert len(_CLIENTS) + 1 == logins


def _logs_in(client: Client, broker: RabbitmqServer, ground: Ground) -> None:
    before = len(broker.output)
    client(KNOWN, broker.port, ground)
    assert "alpha" == broker.user(before), client


def _is_refused(client: Client, broker: RabbitmqServer, ground: Ground, reason: str) -> None:
    before = len(broker.output)
    with pytest.raises(Exception):  # noqa: B017, PT011 - as the end of the connection is noticed
        client(NOBODY, broker.port, ground)
    assert reason == broker.line(_NO_CERTIFICATE, after=before)[1], client


def _refuses_the_broker(broker: RabbitmqServer, ground: Ground, folder: Path) -> None:
    other = folder / "other.pem"
    other.write_bytes(Authority("Other root").pem)
    for client in _CLIENTS:
        with pytest.raises(Exception, match=r"(?i)certificate.verify.failed"):
            client(KNOWN, broker.port, dataclasses.replace(ground, ca_file=str(other)))


def _is_no_user(broker: RabbitmqServer, ground: Ground) -> None:
    ground.activate(KNOWN)
    before = len(broker.output)
    with pytest.raises(Exception, match="ACCESS_REFUSED"):
        py_amqp(KNOWN, broker.port, ground)
    assert "beta" == broker.line(_NO_USER, after=before)[1]
