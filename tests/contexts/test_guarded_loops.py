"""An event loop that is guarded against blocking calls connects as it does without us."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contexts.ground import GOOD, Ground
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

# No client is imported under the guard: what they do then is theirs.
_PROGRAM = """
import asyncio, json, os, ssl, sys
import aiohttp, httpx
from blockbuster import blockbuster_ctx

port, bundle, directory = sys.argv[1:]
HOST = "good.test"
URL = f"https://{HOST}:{port}/"

def loading(**arguments):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(**arguments)
    return context

def default_paths(file, folder):
    os.environ["SSL_CERT_FILE"], os.environ["SSL_CERT_DIR"] = file, folder
    return ssl.create_default_context()

TEXT = open(bundle).read()
FORMS = {
    "file": lambda: ssl.create_default_context(cafile=bundle),
    "data": lambda: ssl.create_default_context(cadata=TEXT),
    "directory": lambda: loading(capath=directory),
    "default file": lambda: default_paths(bundle, "/nowhere"),
    "default directory": lambda: default_paths("/nowhere", directory),
    "both defaults": lambda: default_paths(bundle, directory),
}

async def by_streams(context):
    reader, writer = await asyncio.open_connection(HOST, int(port), ssl=context)
    writer.write(f"GET / HTTP/1.1\\r\\nHost: {HOST}\\r\\nConnection: close\\r\\n\\r\\n".encode())
    answer = await reader.read()
    writer.close()
    return json.loads(answer.partition(b"\\r\\n\\r\\n")[2])

async def by_httpx(context):
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=60) as client:
        return (await client.get(URL)).json()

async def by_aiohttp(context):
    connector = aiohttp.TCPConnector(ssl=context, resolver=aiohttp.ThreadedResolver())
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(URL) as response:
            return json.loads(await response.text())

async def see(client, context):
    try:
        return (await client(context))["fingerprint"]
    except Exception as error:
        return repr(error)

async def main():
    older = {form: make() for form, make in FORMS.items()}
    import mxcert_runtime
    newer = {form: make() for form, make in FORMS.items()}
    again = {form: make() for form, make in FORMS.items()}
    seen = []
    with blockbuster_ctx():
        for form, make in FORMS.items():
            for client in (by_streams, by_httpx, by_aiohttp):
                in_loop = make()
                for context in (older[form], newer[form], again[form], in_loop, make(), in_loop):
                    seen.append([form, client.__name__, await see(client, context)])
    print(json.dumps([mxcert_runtime.is_active(), seen]))

asyncio.run(main())
"""

_COUNT = 6 * 3 * 6


@pytest.mark.versions_in_turns
@pytest.mark.parametrize("setting", ["plain", "identity", "extra authorities", "no cache"])
def test_connections_of_a_guarded_loop(
    setting: str,
    ground: Ground,
    server: TlsServer,
    client_files: ClientFiles,
    client_authority: Authority,
    alpha: Leaf,
) -> None:
    """First and further ones, of contexts old and new, also of those that the loop makes itself."""
    bundle = ground.file(ground.realm.authority.pem)
    directory = ground.directory(ground.realm.authority)
    variables: dict[str, Any] = client_files.variables(usages={GOOD: alpha})
    if setting == "extra authorities":
        variables["CACertificates"] = str(client_files.authority(client_authority))
    if setting == "no cache":
        variables["MXCERT_TRUST_CACHE"] = "off"
    if setting == "plain":
        variables["MXCERT_DISABLE"] = "1"
    arguments = (str(server.port), str(bundle), str(directory))
    active, seen = run_client(_PROGRAM, *arguments, environment=variables).json()
    assert active == (setting != "plain")
    expected = alpha.fingerprint if active else None
    assert [] == [each for each in seen if each[2] != expected]
    assert _COUNT == len(seen)
