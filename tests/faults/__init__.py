"""Faults of others, each a test here, by what the server saw.

Each was seen to fail with the guard that it tests taken out of a copy of the tree. What was taken
out, row by row:

- curl CVE-2016-5419, 2017-7468 (session resumed although the certificate changed): the comparison
  of marks in ``hooks/ssl_sessions.py``; connections left without a mark; a mark without the
  decision; sessions of unknown source left to CPython.
- curl CVE-2016-5420 (pooled connection with another certificate or none): for each client its own,
  the siblings and the key in ``hooks/urllib3_pools.py``, the keyed URL in
  ``hooks/httpcore_pools.py``, the connection key in ``hooks/aiohttp_connector.py``; and the service
  in the memo of ``policy.py``.
- curl CVE-2016-7141 (certificate where none is set): rules of no identity dropped; the decision
  left out of the key of a plan.
- curl CVE-2021-22890 (a proxy's session behind it): the host left out of a mark.
- curl CVE-2021-22924 (paths without case): paths and services compared in lower case.
- curl CVE-2021-22926 (file in the working directory): the folder of a file taken for the working
  directory; a relative default file.
- curl CVE-2022-27782, 2026-8932 (TLS options missing from the reuse key): reuse keys by name
  instead of digest, and without the authorities.
- curl CVE-2026-8286 (STARTTLS skips the match): sockets without a stated leg left alone.
- Envoy CVE-2022-21654, Go CVE-2025-68121 (resumption after a change): marks without generation
  and by the identity's name.
- nginx CVE-2025-23419 (resumption across names): the host left out of a mark.
- Node GHSA-98vx-jqrx-7mq2 (reuse skips verification): the same, and the caller's context left out.
- requests CVE-2024-35195 (verify=False sticks): siblings shared by host; the verify mode sticking
  to a context.
- requests CVE-2024-47081 (crafted URLs): hosts matched by prefix and by suffix; the port dropped.
- requests CVE-2018-18074 (credentials kept on redirect): ``unlisted_hosts`` ignored.
- urllib3 CVE-2016-9015 (verification off): verify mode and host check turned off at creation; the
  late handover too early.
- OpenSSL CVE-2024-0727 (malformed PKCS12): the refusal left out.
"""
