"""Programs of their own with a watched agent: forked, with gevent, and at their end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from tests.support.listener import TIMEOUT
from tests.support.spiffe import AgentProcess, TrustDomain
from tests.support.subprocesses import ROOT, client_environment, run_client

#: Each line of standard input asks for the next change, each line of output is a serial number.
_PROGRAM = """
    import json, os, sys, threading
    {first}
    from mxcert_runtime.identity.spiffe.agent import agent_at
    from cryptography import x509

    def held(api):
        pem = api.read(20).svids[0].certificates
        return x509.load_pem_x509_certificate(pem).serial_number

    def converse(api):
        changed = threading.Semaphore(0)
        stop = api.watch(changed.release)
        said = held(api)
        print(said, flush=True)
        while sys.stdin.readline():
            while said == held(api):
                changed.acquire()
            said = held(api)
            print(said, flush=True)
        {last}

    api = agent_at(sys.argv[1])
    {main}
"""
_CHILD = """
api.read(20)
stop = api.watch(lambda: None)
pid = os.fork()
if pid == 0:
    {in_child}
    stop()
    converse(api)
    sys.exit()
sys.exit(os.waitpid(pid, 0)[1])
"""
_GEVENT = "from gevent import monkey; monkey.patch_all()"

PROGRAMS = {
    "one process": {"main": "converse(api)"},
    "a forked child": {"main": _CHILD.format(in_child="pass")},
    "gevent": {"first": _GEVENT, "main": "converse(api)"},
    "gevent in a forked child": {"main": _CHILD.format(in_child=_GEVENT)},
}


def run(agent: AgentProcess, **parts: str) -> subprocess.Popen[str]:
    """Start the program with these parts."""
    blanks: dict[str, str] = {"first": "", "last": "stop()"}
    script = textwrap.dedent(_PROGRAM).format(**{**blanks, **parts})
    return subprocess.Popen(
        [sys.executable, "-c", script, agent.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=client_environment(host_patterns=()),
    )


def answer(process: subprocess.Popen[str]) -> Any:
    """The program's next line."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return json.loads(line)


def ask(process: subprocess.Popen[str]) -> Any:
    """Have the program wait for a change, and say what it holds then."""
    assert process.stdin is not None
    process.stdin.write("next\n")
    process.stdin.flush()
    return answer(process)


def renew(agent: AgentProcess, domain: TrustDomain) -> int:
    """The serial number of an SVID that is new."""
    leaf = domain.issue("web")
    agent.send(domain.svid("web", leaf))
    return leaf.certificate.serial_number


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
@pytest.mark.parametrize("name", PROGRAMS)
def test_renewals_and_losses(name: str, agent: AgentProcess, domain: TrustDomain) -> None:
    """Each program takes up what is pushed, and again after the agent was killed."""
    expected = [renew(agent, domain)]
    process = run(agent, **PROGRAMS[name])
    said = [answer(process)]
    for is_killed in (False, True):
        if is_killed:
            agent.kill()
            agent.start()
        expected.append(renew(agent, domain))
        said.append(ask(process))
    _, told = process.communicate(timeout=TIMEOUT)
    assert (expected, 0) == (said, process.returncode), told


def test_a_stream_keeps_no_process_alive(agent: AgentProcess, domain: TrustDomain) -> None:
    """A program that ends without stopping anything ends at once, and in order."""
    expected = renew(agent, domain)
    process = run(agent, main="converse(api)", last="pass")
    assert expected == answer(process)
    _, told = process.communicate(timeout=TIMEOUT)
    assert (0, "") == (process.returncode, told)


def test_without_the_package_the_fault_says_what_to_install(agent: AgentProcess) -> None:
    """The activation fails with one fault; nothing else of the package needs it."""
    script = """
        import json, sys
        sys.modules["spiffe"] = None
        import mxcert_runtime
        source = {"kind": "spiffe", "socket": sys.argv[1]}
        try:
            mxcert_runtime.activate({"identity": [{"name": "web", "source": source}]})
        except mxcert_runtime.SettingsError as error:
            print(json.dumps(error.as_data()))
    """
    [fault] = run_client(script, agent.url, host_patterns=()).json()
    assert "cannot be imported" in fault["problem"]
    assert "`pip install spiffe`" in fault["remedy"]
