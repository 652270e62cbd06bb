"""Clients of HTTP and WebSocket, as their own documentation begins with them."""

from __future__ import annotations

from ..values import THREADS, Column, Row, Server

ROWS = (
    Row(
        "urllib",
        """
        import urllib.request
        def call(host, port):
            urllib.request.urlopen(f"https://{host}:{port}/").read()
        """,
        imports="import urllib.request",
        keeps=False,
        environment="core",
    ),
    Row(
        "http.client",
        """
        import http.client
        connections = {}
        def call(host, port):
            place = host, port
            connection = connections.setdefault(place, http.client.HTTPSConnection(*place))
            connection.request("GET", "/")
            connection.getresponse().read()
        """,
        imports="import http.client",
        environment="core",
    ),
    Row(
        "xmlrpc.client",
        """
        import xmlrpc.client
        proxies = {}
        def call(host, port):
            url = f"https://{host}:{port}/"
            proxies.setdefault(url, xmlrpc.client.ServerProxy(url)).system.listMethods()
        """,
        imports="import xmlrpc.client",
        environment="core",
    ),
    Row(
        "requests",
        """
        import requests
        session = requests.Session()
        def call(host, port):
            session.get(f"https://{host}:{port}/").raise_for_status()
        """,
        distribution="requests",
        imports="import requests",
        environment="core",
    ),
    Row(
        "requests-futures",
        """
        from requests_futures.sessions import FuturesSession
        session = FuturesSession(max_workers=1)
        def call(host, port):
            session.get(f"https://{host}:{port}/").result()
        """,
        distribution="requests-futures",
        imports="import requests_futures.sessions",
        known={Column.SERVICE: THREADS, Column.KEPT: THREADS},
    ),
    Row(
        "urllib3",
        """
        import urllib3
        manager = urllib3.PoolManager(retries=False)
        def call(host, port):
            manager.request("GET", f"https://{host}:{port}/")
        """,
        distribution="urllib3",
        imports="import urllib3",
        environment="core",
    ),
    Row(
        "httpx",
        """
        import httpx
        client = httpx.Client()
        def call(host, port):
            client.get(f"https://{host}:{port}/")
        """,
        distribution="httpx",
        imports="import httpx",
        environment="core",
    ),
    Row(
        "httpx (async)",
        """
        import httpx
        client = httpx.AsyncClient()
        async def call(host, port):
            await client.get(f"https://{host}:{port}/")
        """,
        distribution="httpx",
        imports="import httpx",
        environment="core",
    ),
    Row(
        "httpx (HTTP/2)",
        """
        import httpx
        client = httpx.Client(http2=True)
        def call(host, port):
            client.get(f"https://{host}:{port}/")
        """,
        Server.HTTP2,
        distribution="httpx",
        imports="import httpx",
    ),
    Row(
        "httpx (trio)",
        """
        import httpx, trio
        def call(host, port):
            async def get():
                async with httpx.AsyncClient() as client:
                    await client.get(f"https://{host}:{port}/")
            trio.run(get)
        """,
        distribution="trio",
        imports="import httpx, trio",
        keeps=False,
    ),
    Row(
        "aiohttp",
        """
        import aiohttp
        session = None
        async def call(host, port):
            global session
            if session is None:
                connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
                session = aiohttp.ClientSession(connector=connector)
            async with session.get(f"https://{host}:{port}/") as response:
                await response.read()
        """,
        distribution="aiohttp",
        imports="import aiohttp",
        environment="core",
    ),
    Row(
        "aiohttp on uvloop",
        """
        import aiohttp, asyncio, uvloop
        async def get(host, port):
            connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
            async with aiohttp.ClientSession(connector=connector) as session:
                async with session.get(f"https://{host}:{port}/") as response:
                    await response.read()
        def call(host, port):
            uvloop.run(get(host, port))
        """,
        distribution="uvloop",
        imports="import aiohttp, uvloop",
        keeps=False,
    ),
    Row(
        "tornado",
        """
        from tornado.httpclient import AsyncHTTPClient
        async def call(host, port):
            await AsyncHTTPClient().fetch(f"https://{host}:{port}/")
        """,
        distribution="tornado",
        imports="import tornado.httpclient",
        keeps=False,
        environment="core",
    ),
    Row(
        "httplib2",
        """
        import httplib2
        client = httplib2.Http()
        def call(host, port):
            client.request(f"https://{host}:{port}/")
        """,
        distribution="httplib2",
        imports="import httplib2",
        environment="core",
    ),
    Row(
        "websockets",
        """
        import websockets
        async def call(host, port):
            async with websockets.connect(f"wss://{host}:{port}/", proxy=None) as socket:
                await socket.recv()
        """,
        distribution="websockets",
        imports="import websockets",
        keeps=False,
    ),
    Row(
        "websockets (sync)",
        """
        from websockets.sync.client import connect
        def call(host, port):
            with connect(f"wss://{host}:{port}/", proxy=None) as socket:
                socket.recv()
        """,
        distribution="websockets",
        imports="import websockets.sync.client",
        keeps=False,
    ),
    Row(
        "websocket-client",
        """
        import websocket
        def call(host, port):
            websocket.create_connection(f"wss://{host}:{port}/").close()
        """,
        distribution="websocket-client",
        imports="import websocket",
        keeps=False,
    ),
    Row(
        "python-socketio",
        """
        import socketio
        def call(host, port):
            socketio.Client(reconnection=False).connect(f"https://{host}:{port}/")
        """,
        distribution="python-socketio",
        imports="import socketio",
        keeps=False,
    ),
    Row(
        "zeep",
        """
        import zeep
        transport = zeep.Transport()
        def call(host, port):
            transport.load(f"https://{host}:{port}/?wsdl")
        """,
        distribution="zeep",
        imports="import zeep",
    ),
    Row(
        "suds",
        """
        from suds.client import Client
        def call(host, port):
            Client(f"https://{host}:{port}/?wsdl", cache=None)
        """,
        distribution="suds",
        imports="import suds.client",
        keeps=False,
    ),
    Row(
        "niquests",
        """
        import niquests
        session = niquests.Session(disable_http3=True)
        def call(host, port):
            session.get(f"https://{host}:{port}/")
        """,
        distribution="niquests",
        imports="import niquests",
        environment="niquests",
    ),
    Row(
        "niquests (async)",
        """
        import niquests
        session = niquests.AsyncSession(disable_http3=True)
        async def call(host, port):
            await session.get(f"https://{host}:{port}/")
        """,
        distribution="niquests",
        imports="import niquests",
        environment="niquests",
    ),
    Row(
        "urllib3-future",
        """
        import urllib3
        manager = urllib3.PoolManager(retries=False)
        def call(host, port):
            manager.request("GET", f"https://{host}:{port}/")
        """,
        distribution="urllib3-future",
        imports="import urllib3",
        environment="niquests",
    ),
    Row(
        "grpclib",
        """
        from grpclib.client import Channel, UnaryUnaryMethod
        from grpclib.encoding.base import CodecBase
        class Raw(CodecBase):
            __content_subtype__ = "raw"
            def encode(self, message, message_type):
                return message
            def decode(self, data, message_type):
                return data
        channels = {}
        async def call(host, port):
            if (host, port) not in channels:
                channels[host, port] = Channel(host, port, ssl=True, codec=Raw())
            await UnaryUnaryMethod(channels[host, port], "/a/b", bytes, bytes)(b"")
        """,
        Server.HTTP2,
        environment="core",
        distribution="grpclib",
        imports="import grpclib.client",
    ),
)
