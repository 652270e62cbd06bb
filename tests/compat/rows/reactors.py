"""Clients of event loops that are not asyncio's: gevent, eventlet, Twisted."""

from __future__ import annotations

from ..values import Column, Row

_GEVENT = """
import warnings
warnings.simplefilter("ignore")
from gevent import monkey
monkey.patch_all()
"""
_REACTOR = """
import threading, json, queue
from twisted.internet import reactor, defer
threading.Thread(target=reactor.run, args=(False,), daemon=True).start()
def in_reactor(function, host, port):
    # The service is named in the reactor's thread, as a program of Twisted would.
    import contextvars
    done = queue.Queue()
    context = contextvars.copy_context()
    def start():
        context.run(lambda: function(host, port).addBoth(done.put))
    reactor.callFromThread(start)
    result = done.get(timeout=20)
    if hasattr(result, "raiseException"):
        result.raiseException()
"""

_SCRAPY = (
    "it accepts every server unless told otherwise; one that the pinned CAs do not verify gets no "
    "identity, and one of another name does: set `DOWNLOAD_VERIFY_CERTIFICATES = True`"
)

ROWS = (
    Row(
        "gevent",
        """
        import gevent, requests
        session = requests.Session()
        def call(host, port):
            job = gevent.spawn(session.get, f"https://{host}:{port}/")
            job.get()
        """,
        environment="core",
        distribution="gevent",
        imports=_GEVENT,
    ),
    Row(
        "gevent (pool)",
        """
        import gevent.pool, requests
        session = requests.Session()
        pool = gevent.pool.Pool(2)
        def call(host, port):
            pool.apply(session.get, (f"https://{host}:{port}/",))
        """,
        environment="core",
        distribution="gevent",
        imports=_GEVENT,
    ),
    Row(
        "eventlet",
        """
        import eventlet, requests
        session = requests.Session()
        def call(host, port):
            eventlet.spawn(session.get, f"https://{host}:{port}/").wait()
        """,
        environment="core",
        distribution="eventlet",
        imports="""
import warnings
warnings.simplefilter("ignore")
import eventlet
eventlet.monkey_patch()
""",
    ),
    Row(
        "twisted (Agent)",
        _REACTOR
        + """
from twisted.web.client import Agent, HTTPConnectionPool, readBody
pool = HTTPConnectionPool(reactor, persistent=True)
agent = Agent(reactor, pool=pool)
def get(host, port):
    return agent.request(b"GET", f"https://{host}:{port}/".encode()).addCallback(readBody)
def call(host, port):
    in_reactor(get, host, port)
""",
        environment="core",
        distribution="twisted",
        imports="import twisted.web.client",
    ),
    Row(
        "treq",
        _REACTOR
        + """
import treq
def get(host, port):
    return treq.get(f"https://{host}:{port}/").addCallback(treq.content)
def call(host, port):
    in_reactor(get, host, port)
""",
        environment="core",
        distribution="treq",
        imports="import treq",
    ),
    Row(
        "scrapy",
        _REACTOR
        + """
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.utils.test import get_crawler
from scrapy.utils.defer import deferred_from_coro
import inspect
handler = HTTP11DownloadHandler(get_crawler())
def get(host, port):
    result = handler.download_request(Request(f"https://{host}:{port}/"))
    return deferred_from_coro(result) if inspect.isawaitable(result) else result
def call(host, port):
    in_reactor(get, host, port)
""",
        distribution="scrapy",
        known=dict.fromkeys((Column.BAD_SERVER, Column.WRONG_NAME), _SCRAPY),
        imports="import scrapy",
    ),
)
