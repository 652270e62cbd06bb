"""Clients with TLS of their own that hooks reach: gRPC and pycurl."""

from __future__ import annotations

from ..values import Column, Row, Server

_UNLISTED = (
    "it does not show what a server asks for, so what is offered by default it presents to nobody: "
    "give the host a rule"
)
_LATE = (
    "libcurl from 8.17 on verifies a server after the handshake, so hosts with pinned CAs get "
    "nothing: use an older one, or set `require_verified_server`"
)
_BAD_SERVER = (
    "libcurl from 8.17 on refuses it after the handshake: it gets no request, and no identity "
    "where CAs are pinned"
)
_CURL = {Column.PINNED: _LATE, Column.UNLISTED: _UNLISTED, Column.BAD_SERVER: _BAD_SERVER}

ROWS = (
    Row(
        "grpcio",
        """
        import grpc
        channels = {}
        def call(host, port):
            target = f"{host}:{port}"
            if target not in channels:
                channels[target] = grpc.secure_channel(target, grpc.ssl_channel_credentials())
            channels[target].unary_unary("/a/b")(b"", timeout=20)
        """,
        Server.GRPC,
        distribution="grpcio",
        imports="import grpc",
        known={Column.UNLISTED: _UNLISTED},
        environment="own-tls",
    ),
    Row(
        "grpcio (aio)",
        """
        import grpc, grpc.aio
        channels = {}
        async def call(host, port):
            target = f"{host}:{port}"
            if target not in channels:
                credentials = grpc.ssl_channel_credentials()
                channels[target] = grpc.aio.secure_channel(target, credentials)
            await channels[target].unary_unary("/a/b")(b"", timeout=20)
        """,
        Server.GRPC,
        distribution="grpcio",
        imports="import grpc, grpc.aio",
        known={Column.UNLISTED: _UNLISTED},
        environment="own-tls",
    ),
    Row(
        "google-auth (gRPC)",
        """
        from google.auth.credentials import AnonymousCredentials
        from google.auth.transport.grpc import secure_authorized_channel
        channels = {}
        def call(host, port):
            target = f"{host}:{port}"
            if target not in channels:
                channels[target] = secure_authorized_channel(AnonymousCredentials(), None, target)
            channels[target].unary_unary("/a/b")(b"", timeout=20)
        """,
        Server.GRPC,
        distribution="google-auth",
        imports="import google.auth.transport.grpc",
        known={Column.UNLISTED: _UNLISTED},
        environment="own-tls",
    ),
    Row(
        "pycurl",
        """
        import io, os, pycurl
        curl = pycurl.Curl()
        curl.setopt(pycurl.CAINFO, os.environ["PYCURL_CA"])
        def call(host, port):
            curl.setopt(pycurl.URL, f"https://{host}:{port}/")
            curl.setopt(pycurl.WRITEFUNCTION, io.BytesIO().write)
            curl.perform()
        """,
        distribution="pycurl",
        imports="import pycurl",
        known=_CURL,
        environment="own-tls",
    ),
    Row(
        "tornado (curl)",
        """
        import os
        from tornado.httpclient import AsyncHTTPClient
        AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient", max_clients=1)
        async def call(host, port):
            url = f"https://{host}:{port}/"
            await AsyncHTTPClient().fetch(url, ca_certs=os.environ["PYCURL_CA"])
        """,
        distribution="tornado",
        imports="import tornado.curl_httpclient",
        known=_CURL,
        environment="own-tls",
    ),
)
