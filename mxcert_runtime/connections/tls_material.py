"""Hands an identity to a library with TLS of its own: ``with mxcert_runtime.material(...)``.

Whoever connects asks by the endpoint, ``material(host="db.example", port=5432)``, and the rules
decide, as they do for connections that are hooked; where they give no identity, that is an error,
and nothing is handed over. ``material("billing")`` asks by name: then the program alone answers for
where the identity goes. Both together, ``material("billing", host=...)``, choose among what the
rules give.

What is handed over is of the moment and lasts as long as the block: a later connection asks again,
and gets what is then in force. It has two forms. In memory: certificates and an encrypted key as
PEM; the key in clear is a method, and shows itself nowhere. For C libraries that take paths only:
files, each made when its path is asked for, whose paths are never used twice
(:mod:`.base.lent_folder`); a key in clear is on no disk. It belongs to the process that asked.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from typing import NoReturn

from ..base import ForkSafeLock, LentFolder, Secret, logger as _logger, reason_of
from ..decisions import IdentitySummary, summary_of
from ..errors import MaterialClosedError, MaterialError
from ..identity import NO_WAY_REMEDY, exportable
from ..monitoring import look_if_due
from .identity_given import Given, given_by_name, given_to_endpoint
from .trust_anchors import trust_anchors

_OVER = "the material is used after its `with` block"
_FORKED = "the material is used in a process that was forked within its `with` block"
_CERTIFICATE, _KEY, _CA = "certificate.pem", "key.pem", "ca.pem"


class TlsMaterial:
    """Certificates, key and CAs for one connection; nothing of it shows a key."""

    def __init__(self, given: Given) -> None:
        self._given: Given | None = given
        exportable(given.identity)  # or an error, before anything is lent
        self._password = Secret(secrets.token_hex(32))
        self._why_closed = ""
        self._lock = ForkSafeLock()
        self._folder: LentFolder | None = None
        self._paths: dict[str, str] = {}
        self._is_key_encrypted = False

    @property
    def identity(self) -> IdentitySummary:
        """What may be told of it: name, subject, fingerprint, dates."""
        return summary_of(self._open().identity)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate and the chain above it, without the root."""
        return self._open().identity.certificates_pem()

    @property
    def encrypted_key_pem(self) -> bytes:
        """The key (PKCS8) under :attr:`password`."""
        return self._encrypted_key().reveal()

    @property
    def password(self) -> Secret[str]:
        """That of :attr:`encrypted_key_pem`: random, and of this block only."""
        self._open()
        return self._password

    def clear_key_pem(self) -> Secret[bytes]:
        """The key in clear, for a library that cannot decrypt; ``reveal()`` gives the bytes."""
        return exportable(self._open().identity).as_pem()

    @property
    def ca_pem(self) -> bytes:
        """What verifies the server: the pinned CAs of the rule, or else default trust.

        Raises :class:`~.errors.MaterialError` where there are none.
        """
        given = self._open()
        return trust_anchors(given.pinned, given.extra)

    @property
    def certificate_path(self) -> str:
        """A file with :attr:`certificate_pem`."""
        return self._path_of(_CERTIFICATE)

    @property
    def key_path(self) -> str:
        """A file with the key: in memory and in clear, or encrypted where there is no such file."""
        return self._path_of(_KEY)

    @property
    def key_path_password(self) -> Secret[str]:
        """That of :attr:`key_path`; empty where the key there is in clear."""
        self._path_of(_KEY)
        return self._password if self._is_key_encrypted else Secret("")

    @property
    def ca_path(self) -> str:
        """A file with :attr:`ca_pem`; raises as that does."""
        return self._path_of(_CA)

    def _path_of(self, name: str) -> str:
        failed = ""
        with self._lock:
            self._open()
            try:
                if name not in self._paths:
                    self._paths[name] = self._write(name)
                self._open()  # it may have ended meanwhile
                return self._paths[name]
            except OSError as error:
                # The frames of this one belong to the writing, and are nobody's business.
                failed = reason_of(error)
        raise MaterialError(f"there is no way for the material: {failed}", NO_WAY_REMEDY)

    def _write(self, name: str) -> str:
        folder = self._folder = self._folder or LentFolder()
        try:
            return self._write_into(folder, name)
        finally:
            # Another thread may have left the block, or the collector has ended it in between.
            if self._given is None:
                folder.close()

    def _write_into(self, folder: LentFolder, name: str) -> str:
        if name != _KEY:
            content = self.certificate_pem if name == _CERTIFICATE else self.ca_pem
            return folder.put_on_disk(name, Secret(content))
        path = folder.put_in_memory(name, self.clear_key_pem())
        if path is not None:
            return path
        self._is_key_encrypted = True
        return folder.put_on_disk(name, self._encrypted_key())

    def _encrypted_key(self) -> Secret[bytes]:
        return exportable(self._open().identity).as_encrypted_pem(self._password)

    def _open(self) -> Given:
        if self._given is None:
            remedy = "Connect within the block, and ask for the material again for each connection"
            raise MaterialClosedError(self._why_closed, remedy)
        return self._given

    def _close(self, why: str) -> None:
        """Give back all that there is; it can be done again."""
        self._given, self._why_closed = None, self._why_closed or why
        folder, self._folder = self._folder, None
        self._paths.clear()
        if folder is not None:
            folder.close()

    def __repr__(self) -> str:
        name = "(closed)" if self._given is None else f"of {self._given.identity.name!r}"
        return f"<TlsMaterial {name}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("material cannot be pickled or copied: it must not leave the process")


#: what is lent in this process
_lent: dict[int, TlsMaterial] = {}


@contextlib.contextmanager
def material(
    name: str | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    service: str | None = None,
) -> Iterator[TlsMaterial]:
    """The identity of an endpoint, or the one of that name, for the time of the block.

    Without ``service`` the one that the running code has named counts. Raises
    :class:`~.errors.NoIdentityError` where the rules give the endpoint none,
    :class:`~.errors.IdentityError` for a key that cannot leave its token, and TypeError where
    neither a name nor a host is given.
    """
    look_if_due()
    _refuse_wrong_types(name, host, port, service)
    if host is not None:
        given = given_to_endpoint((host, port, service), name)
    elif name is None or port is not None or service is not None:
        raise TypeError('material() takes host="db.example" with its port, or an identity\'s name')
    else:
        given = given_by_name(name)
    lent = TlsMaterial(given)
    _lent[id(lent)] = lent
    _logger.debug("%s is handed over to a library with TLS of its own", given)
    try:
        yield lent
    finally:
        _lent.pop(id(lent), None)
        lent._close(_OVER)


def _refuse_wrong_types(name: object, host: object, port: object, service: object) -> None:
    # A port that is a text would equal that of no rule, so that another rule decided.
    texts = ("name", name, str), ("host", host, str), ("service", service, str)
    for what, value, kind in (*texts, ("port", port, int)):
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"the {what} of material() is of type {kind.__name__}, not {value!r}")


def _close_all_in_child() -> None:
    """What was lent when the process forked is the parent's, and not to be kept open here."""
    for each in list(_lent.values()):
        each._close(_FORKED)
    _lent.clear()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_close_all_in_child)
