"""Clients of cloud services and of products with an HTTP interface."""

from __future__ import annotations

from ..values import Row


def _client_of_each_url(imports: str, made: str, called: str) -> str:
    """A program that keeps a client for each ``url``, made once and called again and again."""
    return f"""
        {imports}
        clients = {{}}
        def call(host, port):
            url = f"https://{{host}}:{{port}}"
            if url not in clients:
                clients[url] = {made}
            clients[url].{called}
        """


ROWS = (
    Row(
        "boto3",
        """
        import boto3
        from botocore.config import Config
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        clients = {}
        def call(host, port):
            url = f"https://{host}:{port}"
            if url not in clients:
                keys = dict(aws_access_key_id="a", aws_secret_access_key="b")
                clients[url] = boto3.client("s3", "x", endpoint_url=url, config=config, **keys)
            clients[url].get_object(Bucket="b", Key="k")["Body"].read()
        """,
        distribution="boto3",
        imports="import boto3",
    ),
    Row(
        "google-auth",
        """
        from google.auth.credentials import AnonymousCredentials
        from google.auth.transport.requests import AuthorizedSession
        session = AuthorizedSession(AnonymousCredentials())
        def call(host, port):
            session.get(f"https://{host}:{port}/")
        """,
        distribution="google-auth",
        imports="import google.auth.transport.requests",
    ),
    Row(
        "azure-core",
        """
        from azure.core import PipelineClient
        from azure.core.rest import HttpRequest
        clients = {}
        def call(host, port):
            url = f"https://{host}:{port}"
            client = clients.setdefault(url, PipelineClient(url))
            client.send_request(HttpRequest("GET", url))
        """,
        distribution="azure-core",
        imports="import azure.core",
    ),
    Row(
        "kubernetes",
        """
        import os
        from kubernetes import client
        clients = {}
        def call(host, port):
            url = f"https://{host}:{port}"
            if url not in clients:
                settings = client.Configuration(host=url, ssl_ca_cert=os.environ["SSL_CERT_FILE"])
                settings.retries = False
                clients[url] = client.VersionApi(client.ApiClient(settings))
            clients[url].get_code_with_http_info(_preload_content=False)
        """,
        distribution="kubernetes",
        imports="import kubernetes",
    ),
    Row(
        "docker",
        _client_of_each_url(
            "import docker", 'docker.APIClient(base_url=url, version="1.41", tls=True)', "version()"
        ),
        distribution="docker",
        imports="import docker",
    ),
    Row(
        "elasticsearch",
        _client_of_each_url(
            "from elasticsearch import Elasticsearch", "Elasticsearch(url, max_retries=0)", "info()"
        ),
        distribution="elasticsearch",
        imports="import elasticsearch",
    ),
    Row(
        "opensearch-py",
        _client_of_each_url(
            "from opensearchpy import OpenSearch",
            "OpenSearch(url, verify_certs=True, max_retries=0)",
            "info()",
        ),
        distribution="opensearch-py",
        imports="import opensearchpy",
    ),
    Row(
        "hvac",
        """
        import hvac
        clients = {}
        def call(host, port):
            url = f"https://{host}:{port}"
            clients.setdefault(url, hvac.Client(url)).sys.read_health_status(method="GET")
        """,
        distribution="hvac",
        imports="import hvac",
    ),
    Row(
        "PyGithub",
        _client_of_each_url(
            "import github", "github.Github(base_url=url, retry=None)", "get_emojis()"
        ),
        distribution="PyGithub",
        imports="import github",
    ),
    Row(
        "minio",
        """
        import minio, urllib3
        clients = {}
        def call(host, port):
            place = f"{host}:{port}"
            if place not in clients:
                pool = urllib3.PoolManager(retries=False)
                clients[place] = minio.Minio(place, "a", "b", region="x", http_client=pool)
            clients[place].bucket_exists("bucket")
        """,
        distribution="minio",
        imports="import minio",
    ),
    Row(
        "slack-sdk",
        """
        from slack_sdk import WebClient
        def call(host, port):
            WebClient(token="x", base_url=f"https://{host}:{port}/").api_test()
        """,
        distribution="slack-sdk",
        imports="import slack_sdk",
        keeps=False,
    ),
    Row(
        "python-keycloak",
        """
        from keycloak import KeycloakOpenID
        clients = {}
        def call(host, port):
            url = f"https://{host}:{port}/"
            if url not in clients:
                clients[url] = KeycloakOpenID(url, "realm", "client")
            clients[url].well_known()
        """,
        distribution="python-keycloak",
        imports="import keycloak",
    ),
    Row(
        "clickhouse-connect",
        """
        import clickhouse_connect
        def call(host, port):
            clickhouse_connect.get_client(host=host, port=port, secure=True, connect_timeout=5)
        """,
        distribution="clickhouse-connect",
        imports="import clickhouse_connect",
        keeps=False,
    ),
    Row(
        "influxdb-client",
        _client_of_each_url(
            "from influxdb_client import InfluxDBClient",
            'InfluxDBClient(url, "token", org="o")',
            "version()",
        ),
        distribution="influxdb-client",
        imports="import influxdb_client",
    ),
    Row(
        "python-consul",
        """
        import consul
        clients = {}
        def call(host, port):
            place = host, port
            if place not in clients:
                clients[place] = consul.Consul(host, port, scheme="https")
            clients[place].status.leader()
        """,
        distribution="python-consul",
        imports="import consul",
    ),
)
