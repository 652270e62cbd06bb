"""A SPIFFE Workload API agent in a process of its own: gRPC on a Unix socket, streaming SVIDs.

It takes one JSON line for each update from its standard input, sends that to every open stream,
and tells what happens on its standard output, so that a test waits for events and not for time.
"""

from __future__ import annotations

import base64
import json
import queue
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
from spiffe._proto import workload_pb2, workload_pb2_grpc

#: what every request must bring (SPIFFE Workload Endpoint, section 5)
_SECURITY_HEADER = ("workload.spiffe.io", "true")

_output = threading.Lock()


def tell(event: str, **facts: Any) -> None:
    """Write an event for whoever has started this process."""
    with _output:
        print(json.dumps({"event": event, **facts}), flush=True)


def response_of(update: dict[str, Any]) -> workload_pb2.X509SVIDResponse:
    """The message for an update: ``svids`` with base64 fields, ``federated`` bundles by domain."""
    svids = [
        workload_pb2.X509SVID(
            spiffe_id=each["spiffe_id"],
            x509_svid=base64.b64decode(each["chain"]),
            x509_svid_key=base64.b64decode(each["key"]),
            bundle=base64.b64decode(each["bundle"]),
            hint=each.get("hint", ""),
        )
        for each in update["svids"]
    ]
    federated = {domain: base64.b64decode(bundle) for domain, bundle in update["federated"].items()}
    return workload_pb2.X509SVIDResponse(svids=svids, federated_bundles=federated)


class WorkloadApi(workload_pb2_grpc.SpiffeWorkloadAPIServicer):  # type: ignore[misc]
    """Sends the last update to a new stream at once, and each one after that as it comes."""

    def __init__(self) -> None:
        self._last: dict[str, Any] | None = None
        self._streams: set[queue.SimpleQueue[dict[str, Any] | None]] = set()
        self._lock = threading.Lock()

    def update(self, update: dict[str, Any]) -> None:
        """Send it to every stream."""
        with self._lock:
            self._last = update
            for stream in self._streams:
                stream.put(update)

    def FetchX509SVID(self, _: object, context: Any) -> Iterator[Any]:
        """The stream of one client, until that goes."""
        if _SECURITY_HEADER not in context.invocation_metadata():
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "security header missing from request")
        updates: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        context.add_callback(lambda: updates.put(None))
        with self._lock:
            if self._last is not None:  # before any that comes from now on
                updates.put(self._last)
            self._streams.add(updates)
        tell("stream opened")
        try:
            yield from self._responses(updates, context)
        finally:
            with self._lock:
                self._streams.discard(updates)
            tell("stream closed")

    def _responses(self, updates: queue.SimpleQueue[Any], context: Any) -> Iterator[Any]:
        while True:
            update = updates.get()
            if update is None:
                return
            if not update["svids"]:
                context.abort(grpc.StatusCode.PERMISSION_DENIED, "no identity issued")
            yield response_of(update)


def main(path: str) -> None:
    """Serve on the socket until standard input ends."""
    service = WorkloadApi()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    workload_pb2_grpc.add_SpiffeWorkloadAPIServicer_to_server(service, server)
    server.add_insecure_port(f"unix:{path}")
    server.start()
    tell("listening")
    for line in sys.stdin:
        service.update(json.loads(line))
        tell("updated")
    server.stop(None).wait()


if __name__ == "__main__":
    main(sys.argv[1])
