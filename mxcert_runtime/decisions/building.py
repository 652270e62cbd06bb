"""Builds a generation from what was read: loads all that it names, gathers what is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from ..base import HostPattern, parse_pattern
from ..errors import Fault, HostNameError, IdentityError, IdentityProblem, SettingsError
from ..identity import (
    NO_WAY_REMEDY,
    Authorities,
    Authority,
    AuthorityFile,
    Certificate,
    Content,
    Identity,
    IdentitySettings,
    KeyTransferError,
    Load,
    SourceMaterial,
    Validity,
    examine_dates,
    load_all,
    load_authority_certificates,
    try_identity,
)
from ..settings import (
    ExpiredIdentities,
    Reading,
    RuleKind,
    RuleSettings,
    UnlistedHosts,
    UnnamedHosts,
    VerifiedServer,
)
from .generation import Generation
from .last_good import LastGood
from .policy import Policy, Rule, Unverified, decide_by_default

if TYPE_CHECKING:
    from ..identity import PasswordSearch

_UNVERIFIED = {
    VerifiedServer.PINNED: Unverified.UNPINNED,
    VerifiedServer.ALL: Unverified.NOTHING,
    VerifiedServer.OFF: Unverified.ALL,
}
_PASSWORD_PROBLEMS = frozenset(
    {
        IdentityProblem.WRONG_PASSWORD_OR_DAMAGED,
        IdentityProblem.PASSWORD_MISSING,
    }
)


def build_generation(reading: Reading) -> Generation:
    """Load all that the settings name.

    Raises :class:`SettingsError` with every fault, those of the reading included.
    """
    return _built(_Builder(reading, LastGood()))


def build_renewal(reading: Reading, before: Generation) -> tuple[Generation, tuple[Fault, ...]]:
    """Load all that the settings name; what cannot be loaded stays as it was ``before``.

    With it come the faults of what stays. Raises :class:`SettingsError` with every fault where one
    is of something that was not there before.
    """
    builder = _Builder(reading, LastGood(before))
    return _built(builder), tuple(builder.outlived)


def _built(builder: _Builder) -> Generation:
    generation = builder.build()
    parse_pattern.cache_clear()
    if builder.faults:
        raise SettingsError([*builder.faults, *builder.outlived])
    return generation


class _Builder:
    """Goes through the settings once, gathering what is wrong instead of stopping at it."""

    def __init__(self, reading: Reading, last_good: LastGood) -> None:
        self.settings = reading.settings
        self.faults = list(reading.faults)
        #: of what stays as it was
        self.outlived: list[Fault] = []
        self._last_good = last_good
        self.warnings = list(reading.warnings)
        self.invalid: list[Fault] = []
        self._own_authorities: dict[str, Authorities | None] = {}
        #: why no key can be given to OpenSSL, once one could not
        self._no_way: str | None = None

    @cached_property
    def _passwords(self) -> PasswordSearch:
        """One for all entries, since it bounds the tries of all of them together."""
        from ..identity import PasswordSearch

        return PasswordSearch(self.settings.identities)

    def build(self) -> Generation:
        identities = self._load_identities()
        extra = self._load_authorities(self.settings.authorities)
        hosts, services = self._make_rules(identities)
        offered = self.settings.unlisted_hosts is UnlistedHosts.OFFER
        loaded = tuple(each for entry in identities.values() for each in entry)
        self._try_transfer(loaded[:1])
        default = decide_by_default(loaded, offered=offered)
        offers_unnamed = self.settings.unnamed_hosts is UnnamedHosts.OFFER
        unverified = _UNVERIFIED[self.settings.require_verified_server]
        policy = Policy(
            hosts, services, default, offers_unnamed=offers_unnamed, unverified=unverified
        )
        warnings, invalid = tuple(self.warnings), tuple(self.invalid)
        return Generation(
            settings=self.settings,
            identities=loaded,
            policy=policy,
            extra_authorities=extra,
            entries=identities,
            pinned=self._own_authorities,
            warnings=warnings,
            invalid=invalid,
        )

    def _load_identities(self) -> dict[str, tuple[Identity, ...]]:
        """By the name of their entry, which has several where its file holds several keys."""
        loaded = {}
        for each, load in load_all(self.settings.identities):
            entry = self._look_at_dates(each, self._load_entry(each, load))
            if entry:
                loaded[each.name] = entry
        return loaded

    def _load_entry(self, each: IdentitySettings, load: Load) -> tuple[Identity, ...]:
        entry: tuple[Identity, ...] = ()
        try:
            entry, pinned = load()
        except IdentityError as error:
            entry = self._go_on_with(each, error, load.content)
        except KeyTransferError as error:
            self._no_way = error.strerror  # the same for every identity, and so told once
            self._load_authorities(each.authorities)
        else:
            self._own_authorities[each.name] = self._load_authorities(pinned)
        return entry

    def _go_on_with(
        self, each: IdentitySettings, error: IdentityError, content: Content | None
    ) -> tuple[Identity, ...]:
        """The last good identities of an entry, if there are any, and what verified for them."""
        entry = self._last_good.identities(each)
        if not entry:
            error = self._passwords.explain(each, error, content)
        fault = Fault(_origin_of(each, error), error.message, error.remedy)
        (self.outlived if entry else self.faults).append(fault)
        own = self._load_authorities(each.authorities)
        # A source that gives nothing now may have given CAs, without which more would be trusted.
        goes_on = bool(entry) and isinstance(each.material, SourceMaterial)
        self._own_authorities[each.name] = self._last_good.pinned(each.name) if goes_on else own
        return entry

    def _try_transfer(self, identities: Iterable[Identity]) -> None:
        """What would fail in every handshake is a fault here: no way for a key to OpenSSL."""
        try:
            for each in identities:
                try_identity(each)
        except KeyTransferError as error:
            self._no_way = error.strerror
        if self._no_way is not None:
            problem = (
                "private keys cannot be given to OpenSSL: there is no file in memory"
                f" (memfd_create and /proc), and no temporary file can be made ({self._no_way})"
            )
            self.faults.append(Fault("this process", problem, NO_WAY_REMEDY))

    def _look_at_dates(
        self, each: IdentitySettings, entry: tuple[Identity, ...]
    ) -> tuple[Identity, ...]:
        """The identities of an entry, or its last good ones where their dates are refused."""
        now = datetime.now(timezone.utc)
        problems = [found for identity in entry if (found := examine_dates(identity, now))]
        outside = [found.fault for found in problems if found.validity is not Validity.VALID]
        self.warnings += [found.fault for found in problems if found.validity is Validity.VALID]
        before = self._last_good.identities(each)
        # What has expired in force is told each day, and holds up nothing else.
        is_as_before = _digests(before) == _digests(entry)
        if not outside or is_as_before or not self._refuses_dates(entry, before, now):
            self.invalid += outside
            return entry
        (self.outlived if before else self.faults).extend(outside)
        if before and isinstance(each.material, SourceMaterial):
            self._own_authorities[each.name] = self._last_good.pinned(each.name)
        return before or entry

    def _refuses_dates(
        self, entry: Iterable[Identity], before: tuple[Identity, ...], now: datetime
    ) -> bool:
        """Whether identities outside their validity are an error, in the place of those before."""
        if self.settings.expired_identities is ExpiredIdentities.REFUSE:
            return True
        # At a start the clock may be wrong. Beside one that is valid by it, it says enough.
        has_valid = bool(before) and all(each.validity_at(now) is Validity.VALID for each in before)
        return has_valid and any(each.validity_at(now) is Validity.EXPIRED for each in entry)

    def _load_authorities(self, authorities: Iterable[Authority]) -> Authorities | None:
        pems: dict[str, None] = {}
        sources: list[str] = []
        faults = []
        for each in authorities:
            sources.append(each.path if isinstance(each, AuthorityFile) else str(each.origin))
            try:
                certificates = load_authority_certificates(each)
            except IdentityError as error:
                faults.append(Fault(str(each.origin), error.message, error.remedy))
            else:
                pems.update(dict.fromkeys(map(_as_pem, certificates)))
        if not sources:
            return None
        before = self._last_good.authorities(tuple(sources)) if faults else None
        (self.faults if before is None else self.outlived).extend(faults)
        if before is not None:
            return before
        pem = "".join(pems)
        return Authorities(pem, hashlib.sha256(pem.encode()).hexdigest(), tuple(sources))

    def _make_rules(
        self, identities: Mapping[str, tuple[Identity, ...]]
    ) -> tuple[dict[HostPattern, Rule], dict[str, Rule]]:
        hosts: dict[HostPattern, Rule] = {}
        services: dict[str, Rule] = {}
        for each in self.settings.rules:
            if each.identity is not None and each.identity not in identities:
                continue  # its identity is a fault already
            rule = self._make_rule(each, identities)
            if each.kind is not RuleKind.HOST:
                services[each.identifier] = rule
            if each.kind is not RuleKind.SERVICE:
                self._add_host(hosts, each, rule)
        self._spread_services(hosts, services)
        return hosts, services

    def _make_rule(
        self, each: RuleSettings, identities: Mapping[str, tuple[Identity, ...]]
    ) -> Rule:
        if each.identity is None:
            return Rule(each.identifier, None, str(each.origin))
        own = self._own_authorities[each.identity]
        entry = identities[each.identity]
        candidates = entry if len(entry) > 1 else ()
        return Rule(
            name=each.identifier,
            identity=entry[0],
            origin=str(each.origin),
            authorities=own,
            candidates=candidates,
        )

    def _add_host(self, hosts: dict[HostPattern, Rule], each: RuleSettings, rule: Rule) -> None:
        try:
            hosts[parse_pattern(each.identifier)] = rule
        except HostNameError as error:
            # In the namespace that hosts and services share, it is the name of a service then.
            if each.kind is RuleKind.HOST:
                self.faults.append(Fault(str(each.origin), str(error), error.remedy))

    def _spread_services(self, hosts: dict[HostPattern, Rule], services: dict[str, Rule]) -> None:
        """Give the hosts of a service the rule of the service."""
        named = {each.identifier for each in self.settings.rules}
        for service, names in self.settings.services:
            rule = services.get(service)
            if rule is None and service in named:
                continue  # its identity is a fault already
            if rule is None:
                problem = f"the service {service!r} has hosts but no identity"
                remedy = "Name it in the `services` of an identity, or take it out"
                self.faults.append(Fault("services", problem, remedy))
                continue
            for name in names:
                self._add_service_host(hosts, service, name, rule)

    def _add_service_host(
        self, hosts: dict[HostPattern, Rule], service: str, name: str, rule: Rule
    ) -> None:
        try:
            pattern = parse_pattern(name)
        except HostNameError as error:
            self.faults.append(Fault(f"services, {service}", str(error), error.remedy))
            return
        standing = hosts.setdefault(pattern, rule)
        if standing.identity is not rule.identity:
            problem = f"the host {name!r} of the service {service!r} has another identity's rule"
            remedy = f"Take the host out of the service, or out of {standing.origin}"
            self.faults.append(Fault(f"services, {service}", problem, remedy))


def _digests(identities: Iterable[Identity]) -> list[str]:
    return [each.digest for each in identities]


def _as_pem(certificate: Certificate) -> str:
    return certificate.as_pem().decode("ascii")


def _origin_of(settings: IdentitySettings, error: IdentityError) -> str:
    """The password's origin where the password is what is wrong."""
    if error.problem in _PASSWORD_PROBLEMS and settings.password_origin:
        same_source = settings.origin.source == settings.password_origin.source
        password = settings.password_origin
        return str(password) if same_source else f"{settings.origin} with {password}"
    return str(settings.origin)
