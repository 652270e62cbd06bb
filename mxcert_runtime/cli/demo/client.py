"""The client of ``mxcert demo``, an ordinary script: nothing in it speaks of certificates.

Calls every URL among its arguments by each library and prints a line of JSON for each call.
"""

from __future__ import annotations

import mxcert_runtime  # noqa: F401 - the only line that is for the plugin

# isort: split
import json
import sys
import urllib.request
from typing import Any

import urllib3

try:
    import requests
except ImportError:
    requests = None  # type: ignore[assignment]

TIMEOUT = 5


def get_by_requests(url: str) -> Any:
    return requests.get(url, timeout=TIMEOUT).json()


def get_by_urllib3(url: str) -> Any:
    pools = urllib3.PoolManager()
    return json.loads(pools.request("GET", url, timeout=TIMEOUT, retries=False).data)


def get_by_urllib(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310 - always https
        return json.load(answer)


CALLS = {
    "requests": get_by_requests,
    "urllib3": get_by_urllib3,
    "urllib.request": get_by_urllib,
}


def call(library: str, url: str) -> dict[str, Any]:
    try:
        return {"library": library, "url": url, "answer": CALLS[library](url)}
    except Exception as error:
        return {"library": library, "url": url, "error": repr(error)}


def main() -> None:
    libraries = [name for name in CALLS if name != "requests" or requests is not None]
    for url in sys.argv[1:]:
        for library in libraries:
            print(json.dumps(call(library, url)))


if __name__ == "__main__":
    main()
