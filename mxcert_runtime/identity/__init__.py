"""What can be presented: sources, material, identities, authorities, keys on their way.

Nobody else decrypts.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import key_transfer
    from .authorities import Authorities, certificates_of, load_authority_certificates
    from .export import exportable
    from .guarded_source import GuardedSource
    from .identity import Identity, Validity, load_identities, load_identity
    from .key_transfer import NO_WAY_REMEDY, KeyTransferError, present, try_identity
    from .loading import Load, load_all
    from .material.certificate import Certificate
    from .material.distinguished_name import ComparableName, comparable_name, readable_name
    from .material.pairing import has_issued, is_root
    from .material.refusal import RefusalsIgnored
    from .opening import Content
    from .openssl_reason import Refusal, explain_reason, explain_refusal
    from .password_search import PasswordSearch
    from .pulled import PulledSource
    from .source import Credentials, OpenSource, Options, Source
    from .source_kinds import find_kind, known_kinds
    from .sources import (
        INLINE,
        Authority,
        AuthorityFile,
        AuthorityText,
        IdentitySettings,
        Material,
        PemFiles,
        Pkcs12File,
        Pkcs12Inline,
        SourceMaterial,
        sources_of,
    )
    from .tokens.access import mechanism_numbers
    from .tokens.material import TokenMaterial
    from .tokens.scheme import is_token_uri
    from .tokens.signing import mechanisms_of, schemes_of, signs
    from .tokens.token_key import TokenKey
    from .tokens.uri import MalformedUriError, TokenUri, parse_token_uri
    from .validity import (
        DATES_REMEDY,
        DateProblem,
        describe_dates,
        examine_dates,
        stage_of,
        until_next_stage,
        warning_window,
    )

__all__ = (
    "DATES_REMEDY",
    "INLINE",
    "NO_WAY_REMEDY",
    "Authorities",
    "Authority",
    "AuthorityFile",
    "AuthorityText",
    "Certificate",
    "ComparableName",
    "Content",
    "Credentials",
    "DateProblem",
    "GuardedSource",
    "Identity",
    "IdentitySettings",
    "KeyTransferError",
    "Load",
    "MalformedUriError",
    "Material",
    "OpenSource",
    "Options",
    "PasswordSearch",
    "PemFiles",
    "Pkcs12File",
    "Pkcs12Inline",
    "PulledSource",
    "Refusal",
    "RefusalsIgnored",
    "Source",
    "SourceMaterial",
    "TokenKey",
    "TokenMaterial",
    "TokenUri",
    "Validity",
    "certificates_of",
    "comparable_name",
    "describe_dates",
    "examine_dates",
    "explain_reason",
    "explain_refusal",
    "exportable",
    "find_kind",
    "has_issued",
    "is_root",
    "is_token_uri",
    "key_transfer",
    "known_kinds",
    "load_all",
    "load_authority_certificates",
    "load_identities",
    "load_identity",
    "mechanism_numbers",
    "mechanisms_of",
    "parse_token_uri",
    "present",
    "readable_name",
    "schemes_of",
    "signs",
    "sources_of",
    "stage_of",
    "try_identity",
    "until_next_stage",
    "warning_window",
)  # fmt: skip

#: which file has which names; it is loaded once one of them is asked for
_FILES = {
    "authorities": "Authorities certificates_of load_authority_certificates",
    "export": "exportable",
    "guarded_source": "GuardedSource",
    "identity": "Identity Validity load_identities load_identity",
    "key_transfer": "KeyTransferError NO_WAY_REMEDY present try_identity",
    "loading": "Load load_all",
    "material.certificate": "Certificate",
    "material.distinguished_name": "ComparableName comparable_name readable_name",
    "material.pairing": "has_issued is_root",
    "material.refusal": "RefusalsIgnored",
    "opening": "Content",
    "openssl_reason": "Refusal explain_reason explain_refusal",
    "password_search": "PasswordSearch",
    "pulled": "PulledSource",
    "source": "Credentials OpenSource Options Source",
    "source_kinds": "find_kind known_kinds",
    "sources": (
        "Authority AuthorityFile AuthorityText INLINE IdentitySettings Material PemFiles "
        "Pkcs12File Pkcs12Inline SourceMaterial sources_of"
    ),
    "tokens.access": "mechanism_numbers",
    "tokens.material": "TokenMaterial",
    "tokens.signing": "mechanisms_of schemes_of signs",
    "tokens.token_key": "TokenKey",
    "tokens.scheme": "is_token_uri",
    "tokens.uri": "MalformedUriError TokenUri parse_token_uri",
    "validity": (
        "DATES_REMEDY DateProblem describe_dates examine_dates stage_of until_next_stage "
        "warning_window"
    ),
}  # fmt: skip


if not TYPE_CHECKING:
    from ..base import names_of_files

    __getattr__ = names_of_files(__name__, _FILES)
