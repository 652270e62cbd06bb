"""The settings for Kubernetes: a Secret, a ConfigMap, and what a Deployment needs of both."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from ...base import Secret, read_bounded
from ..writing.next_steps import probe_command
from .native import native_text
from .wanted import CannotSayError, Formatted, Wanted, plain_ending

SECRETS, SETTINGS = "/run/identities", "/etc/mxcert"
_PASSWORD = "password"
_AUTHORITIES = "ca.pem"


def resources(wanted: Wanted, path: str | None) -> Formatted:
    """YAML documents. The Secret is among them only where the user wants secrets printed."""
    name = resource_name(wanted.name)
    parts = [_deployment(name), _config_map(name, wanted)]
    command = ""
    if not wanted.includes_secrets:
        command = f"kubectl create secret generic {name}-client {_from_files(wanted)}"
    else:
        parts.append(_secret(name, wanted))
    head = (
        ""
        if wanted.includes_secrets
        else f"# The Secret of it is made from the files:\n# {command}\n"
    )
    file = shlex.quote(path or "FILE")
    apply = f"kubectl apply -f {file}   # what is of the Deployment belongs into yours"
    inside = f"kubectl exec deploy/{name} -- "
    steps = [] if wanted.includes_secrets else [command]
    steps += [apply, f"{inside}mxcert check", inside + probe_command(wanted.hosts)]
    text = head + "---\n".join(parts)
    return Formatted(Secret(text), wanted.includes_secrets, tuple(steps))


def resource_name(name: str) -> str:
    """A name as Kubernetes takes it: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].strip("-") or "client"


def _keys(wanted: Wanted) -> dict[str, str]:
    """The keys of the Secret, and the path of the file that is behind each."""
    keys = {_key(key, path): path for key, path in wanted.material}
    return {**keys, **({_PASSWORD: wanted.password_file} if wanted.password is not None else {})}


def _key(key: str, path: str) -> str:
    # What cert-manager and `kubectl create secret tls` call them.
    pem = {"certificate": "tls.crt", "key": "tls.key"}
    return pem.get(key) or f"client{plain_ending(path) or '.p12'}"


def _from_files(wanted: Wanted) -> str:
    for path in _keys(wanted).values():
        # `--from-file` is a list with commas and quotes, of which each entry has one `=`.
        if not path.isprintable() or any(mark in path for mark in ',="'):
            raise CannotSayError(f"kubectl cannot name {path!r}. Move the file to a plainer path.")
    return " ".join(f"--from-file={key}={shlex.quote(path)}" for key, path in _keys(wanted).items())


def _secret(name: str, wanted: Wanted) -> str:
    lines = [f"  {key}: {_encoded(content)}" for key, content in _contents(wanted)]
    head = _head("v1", "Secret", f"{name}-client")
    return "\n".join([head, "type: Opaque", "data:", *lines]) + "\n"


def _contents(wanted: Wanted) -> Iterator[tuple[str, Secret[bytes]]]:
    for key, path in wanted.material:
        yield _key(key, path), read_bounded(path)
    if wanted.password is not None:
        yield _PASSWORD, Secret(wanted.password.reveal().encode())


def _encoded(content: Secret[bytes]) -> str:
    return base64.b64encode(content.reveal()).decode()


def _config_map(name: str, wanted: Wanted) -> str:
    inside = replace(
        wanted,
        material=tuple((key, f"{SECRETS}/{_key(key, path)}") for key, path in wanted.material),
        password_file=f"{SECRETS}/{_PASSWORD}",
        includes_secrets=False,
        authorities=(f"{SETTINGS}/{_AUTHORITIES}",) if wanted.authorities else (),
    )
    lines = [_head("v1", "ConfigMap", f"{name}-mtls"), "data:"]
    lines += ["  mxcert.toml: |", *_block(native_text(inside).reveal())]
    if wanted.authorities:
        pem = "".join(map(_text_of, wanted.authorities))
        lines += [f"  {_AUTHORITIES}: |", *_block(pem)]
    return "\n".join(lines) + "\n"


def _text_of(path: str) -> str:
    text = read_bounded(path).reveal().decode("utf-8", "replace")
    return text if text.endswith("\n") else f"{text}\n"


def _block(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.splitlines()]


def _head(version: str, kind: str, name: str) -> str:
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {json.dumps(name)}}}"


def _deployment(name: str) -> str:
    return f"""\
# Of your Deployment; its other parts stay as they are.
{_head("apps/v1", "Deployment", name)}
spec:
  template:
    spec:
      securityContext: {{fsGroup: 10001}}  # a group of the program's user
      volumes:
        - name: identities
          secret: {{secretName: {name}-client, defaultMode: 0440}}
        - name: mxcert
          configMap: {{name: {name}-mtls}}
      containers:
        - name: {name}
          env:
            - {{name: MXCERT_CONFIG, value: {SETTINGS}/mxcert.toml}}
            - {{name: MXCERT_AUTOSTART, value: "1"}}
          volumeMounts:
            - {{name: identities, mountPath: {SECRETS}, readOnly: true}}
            - {{name: mxcert, mountPath: {SETTINGS}, readOnly: true}}
"""
