"""nginx with ``ssl_verify_client`` as an independent judge of what is presented."""

from __future__ import annotations

import ssl

import pytest

from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.nginx import NginxAnswer, NginxServer
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch_text
from tests.support.server_tls import Demand, TlsVersion

ALPHA_HOST, BETA_HOST, NOBODY = HOSTS


@pytest.fixture
def nginx(
    nginx_server: ServerFactory[NginxServer], stage: Stage, tls_version: TlsVersion
) -> NginxServer:
    """It demands a certificate that the client root leads to, and trusts that root alone."""
    return nginx_server(hosts=HOSTS, version=tls_version, demand=Demand.DEMAND)


@pytest.fixture
def context(stage: Stage) -> ssl.SSLContext:
    """A context that trusts the servers."""
    return ssl.create_default_context(cafile=stage.ca_file)


def _ask(nginx: NginxServer, host: str, context: ssl.SSLContext) -> str:
    return fetch_text(nginx.url(host), context)


def test_two_identities(
    stage: Stage, nginx: NginxServer, context: ssl.SSLContext, alpha: Leaf, beta: Leaf
) -> None:
    """nginx verifies each host's own identity."""
    stage.activate()
    for host, leaf in ((ALPHA_HOST, alpha), (BETA_HOST, beta), (ALPHA_HOST, alpha)):
        answer = NginxAnswer.parse(_ask(nginx, host, context))
        assert answer.shows(leaf)
        assert ("SUCCESS", host) == (answer.verify, answer.sni)


def test_chain(
    stage: Stage,
    nginx: NginxServer,
    context: ssl.SSLContext,
    client_files: ClientFiles,
    gamma: Leaf,
) -> None:
    """A leaf under an intermediate is verified, so the intermediate was sent along."""
    rule = client_files.identity("gamma", gamma, hosts=[ALPHA_HOST])
    stage.activate(identity=[rule])
    answer = NginxAnswer.parse(_ask(nginx, ALPHA_HOST, context))
    assert answer.shows(gamma)
    assert "SUCCESS" == answer.verify


def test_chain_by_pyopenssl(
    stage: Stage,
    nginx: NginxServer,
    client_files: ClientFiles,
    gamma: Leaf,
    tls_version: TlsVersion,
) -> None:
    """The same through pyOpenSSL: nginx takes it, and then answers with its text."""
    pytest.importorskip("OpenSSL")
    from tests.clients import openssl_calls

    rule = client_files.identity("gamma", gamma, hosts=[ALPHA_HOST])
    stage.activate(identity=[rule])
    # The JSON reader stumbles over nginx's text, which is how far it has to come.
    with pytest.raises(ValueError, match="Expecting value") as found:
        openssl_calls.over_socket(nginx.url(ALPHA_HOST), openssl_calls.trusting(stage.ca_file))
    answer = NginxAnswer.parse(found.value.doc)  # type: ignore[attr-defined]
    assert answer.shows(gamma)
    assert ("SUCCESS", tls_version.value) == (answer.verify, answer.tls)


def test_none(stage: Stage, nginx: NginxServer, context: ssl.SSLContext) -> None:
    """nginx refuses a host without a rule: nothing was presented."""
    stage.activate()
    assert "No required SSL certificate was sent" in _ask(nginx, NOBODY, context)


def test_foreign_identity(
    stage: Stage, nginx: NginxServer, context: ssl.SSLContext, client_files: ClientFiles
) -> None:
    """nginx refuses a certificate of an authority that it does not trust."""
    stranger = Authority("Stranger root").issue("stranger", server=False)
    stage.activate(identity=[client_files.identity("stranger", stranger, hosts=[ALPHA_HOST])])
    assert "The SSL certificate error" in _ask(nginx, ALPHA_HOST, context)


def test_optional(
    stage: Stage,
    nginx_server: ServerFactory[NginxServer],
    tls_version: TlsVersion,
    context: ssl.SSLContext,
    alpha: Leaf,
) -> None:
    """Where nginx only accepts a certificate, the host with a rule shows it and others none."""
    nginx = nginx_server(hosts=HOSTS, version=tls_version, demand=Demand.ACCEPT)
    stage.activate()
    listed = NginxAnswer.parse(_ask(nginx, ALPHA_HOST, context))
    unlisted = NginxAnswer.parse(_ask(nginx, NOBODY, context))
    assert listed.shows(alpha)
    assert ("", "NONE") == (unlisted.subject, unlisted.verify)


def test_older_context(
    stage: Stage, nginx: NginxServer, old_context: ssl.SSLContext, alpha: Leaf
) -> None:
    """A context that is older than the activation convinces nginx too."""
    stage.activate()
    assert NginxAnswer.parse(_ask(nginx, ALPHA_HOST, old_context)).shows(alpha)
