"""Rotation under pyOpenSSL: a renewed identity gets other contexts, and the other one keeps its."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.decisions import in_force
from mxcert_runtime.hooks.pyopenssl import contexts
from tests.clients.openssl_calls import over_memory, trusting
from tests.rotation.renewal import Renewal
from tests.rotation.test_watching import ALWAYS
from tests.support.scene import ALPHA_HOST, BETA_HOST


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """One entry for each context of ours from now on."""
    found: list[Any] = []
    make = contexts._make_bare

    def counting(manner: Any) -> Any:
        found.append(manner)
        return make(manner)

    monkeypatch.setattr(contexts, "_make_bare", counting)
    return found


def test_only_the_renewed_one_is_made_anew(renewal: Renewal, made: list[Any]) -> None:
    """Both present what their files hold, again and again, on one Context of the caller."""
    renewal.activate()
    scene, context = renewal.scene, trusting(renewal.scene.ca_file)

    def seen() -> list[str]:
        urls = [scene.url(host) for host in (ALPHA_HOST, BETA_HOST)]
        return [over_memory(url, context)["fingerprint"] for url in urls]

    assert [scene.alpha.fingerprint, scene.beta.fingerprint] == seen()
    assert 2 == len(made)
    for number in range(3):
        leaf = renewal.renew()
        mxcert_runtime.reload()
        assert [leaf.fingerprint, scene.beta.fingerprint] == seen()
        assert 3 + number == len(made)


def test_an_old_key_goes(renewal: Renewal) -> None:
    """What is renewed leaves no key behind on the caller's Context."""
    renewal.activate()
    context = trusting(renewal.scene.ca_file)
    over_memory(renewal.scene.url(), context)
    assert in_force.current is not None
    key = weakref.ref(in_force.current.identities[0].key)
    renewal.renew()
    mxcert_runtime.reload()
    gc.collect()
    assert key() is None


def test_taken_up_before_a_connection(renewal: Renewal) -> None:
    """A connection of pyOpenSSL looks as one of ssl does."""
    renewal.activate(watch=ALWAYS)
    context = trusting(renewal.scene.ca_file)
    for _ in range(2):
        leaf = renewal.renew()
        assert leaf.fingerprint == over_memory(renewal.scene.url(), context)["fingerprint"]
