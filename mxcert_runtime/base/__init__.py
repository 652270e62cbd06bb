"""Values without a world: faults, secrets, hosts, locks, files, the SSL classes underneath.

Every room above may use them, and they know none of the rooms.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .bounded_file import MAX_BYTES, read_bounded
    from .c_environment import UnknownEnvironmentError, openssl_variable
    from .environ import change_environ, copied_environ, process_environ
    from .faults import Fault, Origin, OriginKind
    from .file_state import (
        DirectoryState,
        FileState,
        content_of,
        directory_states,
        hashed_files,
        state_of,
    )
    from .files_read import Marks, changed_files, mark_of, newest_change
    from .frozen_dataclass import dataclass
    from .generated_part import with_part
    from .genuine_class import find_genuine_class
    from .genuine_ssl import NativeContext, genuine_context, genuine_poll
    from .hosts import (
        Host,
        HostPattern,
        UnnamedHost,
        canonical_host,
        host_dialled,
        is_address,
        is_name,
        parse_pattern,
        refuse_separators,
    )
    from .late_patterns import late_pattern
    from .lent_folder import LentFolder
    from .locks import ForkSafeLock
    from .module_loading import (
        call_when_loaded,
        drop_call,
        end_load,
        first_found,
        is_kept,
        is_loading,
        loaded_module,
        spec_of_loaded,
    )
    from .momentary_errors import is_momentary
    from .near_words import NearWords
    from .os_reasons import reason_of
    from .owner_notes import OwnerNotes
    from .package_log import DEBUG, logger
    from .passing_files import memory_file, public_file, temporary_file, write_all
    from .path_remedies import mode_remedy, remedy_of
    from .path_text import hidden_text, looks_like_path
    from .python_build import is_free_threaded, refuse_free_threading
    from .secret import Secret
    from .socket_cookie import cookie_of
    from .stand_ins import displaced_by, give_way, stand_in
    from .tls_numbers import (
        ALERT,
        CERTIFICATE,
        CERTIFICATE_REQUEST,
        CERTIFICATE_VERIFY,
        CLOSE_NOTIFY,
        FATAL,
        FINISHED,
        HANDSHAKE,
        HANDSHAKE_HEADER_LENGTH,
        SIGNATURE_SCHEMES,
        TLS_1_2,
        TLS_1_3,
    )
    from .urls import DEFAULT_PORTS, MalformedUrlError, split_url

__all__ = (
    "ALERT",
    "CERTIFICATE",
    "CERTIFICATE_REQUEST",
    "CERTIFICATE_VERIFY",
    "CLOSE_NOTIFY",
    "DEBUG",
    "DEFAULT_PORTS",
    "FATAL",
    "FINISHED",
    "HANDSHAKE",
    "HANDSHAKE_HEADER_LENGTH",
    "MAX_BYTES",
    "SIGNATURE_SCHEMES",
    "TLS_1_2",
    "TLS_1_3",
    "DirectoryState",
    "Fault",
    "FileState",
    "ForkSafeLock",
    "Host",
    "HostPattern",
    "LentFolder",
    "MalformedUrlError",
    "Marks",
    "NativeContext",
    "NearWords",
    "Origin",
    "OriginKind",
    "OwnerNotes",
    "Secret",
    "UnknownEnvironmentError",
    "UnnamedHost",
    "call_when_loaded",
    "canonical_host",
    "change_environ",
    "changed_files",
    "content_of",
    "cookie_of",
    "copied_environ",
    "dataclass",
    "directory_states",
    "displaced_by",
    "drop_call",
    "end_load",
    "find_genuine_class",
    "first_found",
    "genuine_context",
    "genuine_poll",
    "give_way",
    "hashed_files",
    "hidden_text",
    "host_dialled",
    "is_address",
    "is_free_threaded",
    "is_kept",
    "is_loading",
    "is_momentary",
    "is_name",
    "late_pattern",
    "loaded_module",
    "logger",
    "looks_like_path",
    "mark_of",
    "memory_file",
    "mode_remedy",
    "newest_change",
    "openssl_variable",
    "parse_pattern",
    "process_environ",
    "public_file",
    "read_bounded",
    "reason_of",
    "refuse_free_threading",
    "refuse_separators",
    "remedy_of",
    "spec_of_loaded",
    "split_url",
    "stand_in",
    "state_of",
    "temporary_file",
    "with_part",
    "write_all",
)  # fmt: skip

#: which file has which names; it is loaded once one of them is asked for
_FILES = {
    "bounded_file": "MAX_BYTES read_bounded",
    "c_environment": "UnknownEnvironmentError openssl_variable",
    "environ": "change_environ copied_environ process_environ",
    "faults": "Fault Origin OriginKind",
    "file_state": "DirectoryState FileState content_of directory_states hashed_files state_of",
    "files_read": "Marks changed_files mark_of newest_change",
    "frozen_dataclass": "dataclass",
    "generated_part": "with_part",
    "genuine_class": "find_genuine_class",
    "genuine_ssl": "NativeContext genuine_context genuine_poll",
    "hosts": (
        "Host HostPattern UnnamedHost canonical_host host_dialled is_address is_name "
        "parse_pattern refuse_separators"
    ),
    "late_patterns": "late_pattern",
    "lent_folder": "LentFolder",
    "locks": "ForkSafeLock",
    "module_loading": (
        "call_when_loaded drop_call end_load first_found is_kept is_loading loaded_module "
        "spec_of_loaded"
    ),
    "momentary_errors": "is_momentary",
    "near_words": "NearWords",
    "os_reasons": "reason_of",
    "owner_notes": "OwnerNotes",
    "package_log": "DEBUG logger",
    "passing_files": "memory_file public_file temporary_file write_all",
    "path_remedies": "mode_remedy remedy_of",
    "path_text": "hidden_text looks_like_path",
    "python_build": "is_free_threaded refuse_free_threading",
    "secret": "Secret",
    "socket_cookie": "cookie_of",
    "stand_ins": "displaced_by give_way stand_in",
    "tls_numbers": (
        "ALERT CERTIFICATE CERTIFICATE_REQUEST CERTIFICATE_VERIFY CLOSE_NOTIFY FATAL FINISHED "
        "HANDSHAKE HANDSHAKE_HEADER_LENGTH SIGNATURE_SCHEMES TLS_1_2 TLS_1_3"
    ),
    "urls": "DEFAULT_PORTS MalformedUrlError split_url",
}  # fmt: skip


def names_of_files(package: str, files: dict[str, str]) -> Callable[[str], object]:
    """The ``__getattr__`` (PEP 562) of a room's face, which loads a file once a name is asked for.

    ``files`` says which file has which names, with blanks between them. What is found becomes an
    attribute of the face: a name is looked up once, however many import it.
    """
    homes = {name: file for file, names in files.items() for name in names.split()}

    def find(name: str) -> object:
        file = homes.get(name)
        if file is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(__import__(f"{package}.{file}", fromlist=("",)), name)
        setattr(sys.modules[package], name, found)
        return found

    return find


if not TYPE_CHECKING:
    __getattr__ = names_of_files(__name__, _FILES)
