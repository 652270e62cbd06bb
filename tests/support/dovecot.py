"""Dovecot as a server of IMAP and POP3, whose users have the names of their certificates."""

from __future__ import annotations

import re
from typing import Any

from .daemon import Daemon, free_port, program, unprivileged_user, write_certificates
from .server_tls import Demand, ServerTls

_SETTINGS = """
protocols = imap pop3
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = /dev/stderr
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
ssl = required
ssl_cert = <{folder}/leaf.crt
ssl_key = <{folder}/leaf.key
ssl_ca = <{folder}/clients.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
auth_ssl_require_client_cert = {demand}
auth_ssl_username_from_cert = yes
auth_mechanisms = plain external
mail_location = maildir:{folder}/mail
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""
_LOGIN = re.compile(r"-login: Info: Login: user=<(.*?)>")


class DovecotServer(Daemon):
    """One server, TLS by STARTTLS; its users have no passwords, and no mail either."""

    ready = re.compile("master: .*Dovecot .* starting up")

    def __init__(self, tls: ServerTls) -> None:
        super().__init__()
        self._program = program("dovecot")
        self._tls = tls
        self.imap = self.pop3 = 0

    @property
    def user(self) -> str:
        """Who has logged in first, once somebody has."""
        return self.line(_LOGIN)[1]

    def prepare(self) -> None:
        """Its certificates, and the folder of its sockets."""
        write_certificates(self._tls, self.folder)
        (self.folder / "run").mkdir()

    def command(self) -> list[str]:
        """With its settings written anew."""
        self.imap, self.pop3 = free_port(), free_port()
        is_strict = self._tls.effective_demand is Demand.DEMAND
        settings = _SETTINGS.format(
            folder=self.folder,
            demand="yes" if is_strict else "no",
            imap=self.imap,
            pop3=self.pop3,
            **_account(),
        )
        (self.folder / "dovecot.conf").write_text(settings, encoding="utf-8")
        return [self._program, "-F", "-c", str(self.folder / "dovecot.conf")]


def _account() -> dict[str, Any]:
    """Whom it runs as, by name and number."""
    import grp
    import pwd

    number = unprivileged_user()
    account = pwd.getpwuid(number)
    return {
        "user": account.pw_name,
        "group": grp.getgrgid(account.pw_gid).gr_name,
        "uid": number,
        "gid": account.pw_gid,
    }
