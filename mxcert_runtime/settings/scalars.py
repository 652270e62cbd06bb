"""Settings of one value each: one row is all that says of one how it is called, read and told.

The environment, the file, ``check``, the search for near misses, the JSON Schema and the documents
read the rows; type and default are those of the field of that name in :class:`.model.Settings`.
Constants only, since every import of the package loads this.
"""

from . import names


class Scalar:
    """A setting of one value, by the name of its field and of its key in the file."""

    __slots__ = ("documentation", "key", "reader")

    def __init__(self, key: str, reader: str, documentation: str) -> None:
        self.key = key
        #: the name of what reads it, in :mod:`.readers`
        self.reader = reader
        #: what it says, in Markdown, behind the values that it can have
        self.documentation = documentation

    @property
    def variable(self) -> str:
        """The environment variable; with ``_FILE`` behind it the name of a file with the value."""
        return names.PREFIX + self.key.upper()


SCALARS = (
    Scalar("unlisted_hosts", "choice", "what a host without a rule gets"),
    Scalar(
        "unnamed_hosts",
        "choice",
        "whether the default goes where the client names no host and some name has a rule",
    ),
    Scalar(
        "require_verified_server",
        "choice",
        "which identities are kept from a server that the client does not verify: those of rules "
        "that pin CAs, all, or none",
    ),
    Scalar("expired_identities", "choice", "what an identity outside its validity means"),
    Scalar("services", "services", ""),
    Scalar("service_prefixes", "prefixes", "to try in front of a WSDL's service name"),
    Scalar(
        "trust_cache",
        "switch",
        "whether a CA bundle that was loaded before, unchanged, need not be loaded again",
    ),
    Scalar(
        "watch",
        "watch",
        "when a new connection looks whether files and sources have changed, and takes them up",
    ),
    Scalar(
        "sighup",
        "switch",
        "whether SIGHUP has the next connection look, in a program without a handler of its own",
    ),
    Scalar(
        "inherit",
        "inherited_switch",
        "whether the Pythons that this one starts begin with the plugin: [Processes](processes.md)",
    ),
    Scalar("pkcs11_module", "path", "the module of the tokens that keys are in"),
)

#: settings of ours that may each also come from a file, under the name with ``_FILE``
WITH_FILE = (*names.FAMILY.values(), *(each.variable for each in SCALARS))
