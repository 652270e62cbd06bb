"""The names under which settings come; constants only, since every import of the package loads it.

The ClientCertificates family has its names from the reference platform, the ``MXCERT_`` names are
ours.
"""

CERTIFICATES = "ClientCertificates"
PASSWORDS = "ClientCertificatePasswords"
USAGES = "ClientCertificateUsages"
EXEMPT = "NoClientCertificateUsages"
AUTHORITIES = "CACertificates"

#: the family, each with its shell-friendly name
FAMILY = {
    CERTIFICATES: "MXCERT_CLIENT_CERTIFICATES",
    PASSWORDS: "MXCERT_CLIENT_CERTIFICATE_PASSWORDS",
    USAGES: "MXCERT_CLIENT_CERTIFICATE_USAGES",
    EXEMPT: "MXCERT_NO_CLIENT_CERTIFICATE_USAGES",
    AUTHORITIES: "MXCERT_CA_CERTIFICATES",
}
#: what older self-hosted YAML files call the usages
OLDER_USAGES = "WebServiceClientCertificates"

#: the keys that tell the formats of others from our file
SELF_HOSTED = "mxruntime"
KUBERNETES = ("runtime", "spec", "apiVersion")

RUNTIME_PREFIX = "MXRUNTIME_"
CUSTOM = "CUSTOM_RUNTIME_SETTINGS"

INLINE_CERTIFICATES = "CLIENT_CERTIFICATES"
INLINE_AUTHORITIES = "CERTIFICATE_AUTHORITIES"
INLINE_AUTHORITIES_BASE64 = "CERTIFICATE_AUTHORITIES_BASE64"
INLINE = (INLINE_CERTIFICATES, INLINE_AUTHORITIES, INLINE_AUTHORITIES_BASE64)

PREFIX = "MXCERT_"
FILE_SUFFIX = "_FILE"

CONFIG = "MXCERT_CONFIG"
DEFAULT_FILE = "/etc/mxcert/mxcert.toml"

INHERIT = "MXCERT_INHERIT"
DISABLE = "MXCERT_DISABLE"
LOG = "MXCERT_LOG"
AUTOSTART = "MXCERT_AUTOSTART"
#: What it may say, in any case; the file `autostart.pth`, which imports nothing, has them too.
AUTOSTART_YES = ("1", "true", "yes", "on")
AUTOSTART_NO = ("", "0", "false", "no", "off")
#: names that other parts of the product use: they are no settings and no typing errors
OTHER_USES = (
    DISABLE,
    LOG,
    AUTOSTART,
)


def is_ours_elsewhere(name: str) -> bool:
    """Whether another part of the product uses this ``MXCERT_`` name."""
    return name in OTHER_USES
