"""Message brokers."""

from __future__ import annotations

from ..values import THREADS, Column, Row, Server

ROWS = (
    Row(
        "paho-mqtt",
        """
        import paho.mqtt.client as mqtt
        def call(host, port):
            client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
            client.tls_set()
            client.connect(host, port)
            client.loop(timeout=1)
        """,
        Server.TLS,
        distribution="paho-mqtt",
        imports="import paho.mqtt.client",
        keeps=False,
        environment="core",
    ),
    Row(
        "aiomqtt",
        """
        import aiomqtt, ssl
        context = ssl.create_default_context()
        async def call(host, port):
            async with aiomqtt.Client(host, port, tls_context=context, timeout=5):
                pass
        """,
        Server.TLS,
        distribution="aiomqtt",
        imports="import aiomqtt",
        known={Column.SERVICE: THREADS},
        keeps=False,
    ),
    Row(
        "pika",
        """
        import pika, ssl
        context = ssl.create_default_context()
        def call(host, port):
            options = pika.SSLOptions(context, host)
            parameters = pika.ConnectionParameters(host, port, ssl_options=options)
            pika.BlockingConnection(parameters)
        """,
        Server.TLS,
        distribution="pika",
        imports="import pika",
        keeps=False,
    ),
    Row(
        "aio-pika",
        """
        import aio_pika
        async def call(host, port):
            await aio_pika.connect(f"amqps://u:p@{host}:{port}/", timeout=10)
        """,
        Server.TLS,
        distribution="aio-pika",
        imports="import aio_pika",
        keeps=False,
    ),
    Row(
        "amqp",
        """
        import amqp
        def call(host, port):
            verify = {"server_hostname": host}
            amqp.Connection(f"{host}:{port}", ssl=verify, connect_timeout=10).connect()
        """,
        Server.TLS,
        distribution="amqp",
        imports="import amqp",
        keeps=False,
    ),
    Row(
        "kombu",
        """
        import kombu
        def call(host, port):
            verify = {"server_hostname": host}
            kombu.Connection(f"amqps://u:p@{host}:{port}//", ssl=verify).connect()
        """,
        Server.TLS,
        distribution="kombu",
        imports="import kombu",
        keeps=False,
    ),
    Row(
        "celery (amqps)",
        """
        import celery
        def call(host, port):
            app = celery.Celery(broker=f"amqps://u:p@{host}:{port}//")
            app.conf.broker_use_ssl = {"server_hostname": host}
            with app.connection_for_write() as connection:
                connection.connect()
        """,
        Server.TLS,
        distribution="celery",
        imports="import celery",
        keeps=False,
    ),
    Row(
        "celery (rediss)",
        """
        import celery, os, ssl
        def call(host, port):
            app = celery.Celery(broker=f"rediss://{host}:{port}/0", backend=None)
            app.conf.broker_use_ssl = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
            app.conf.broker_transport_options = {"max_retries": 0, "socket_timeout": 10}
            app.send_task("task", retry=False)
        """,
        Server.TLS,
        distribution="celery",
        imports="import celery",
        keeps=False,
    ),
    Row(
        "stomp.py",
        """
        import os, stomp
        def call(host, port):
            connection = stomp.Connection(
                [(host, port)], reconnect_attempts_max=1, reconnect_sleep_initial=0, timeout=5,
            )
            connection.set_ssl([(host, port)], ca_certs=os.environ["SSL_CERT_FILE"])
            connection.connect("u", "p")
        """,
        Server.TLS,
        distribution="stomp-py",
        imports="import stomp",
        keeps=False,
    ),
    Row(
        "nats-py",
        """
        import nats, ssl
        context = ssl.create_default_context()
        async def call(host, port):
            await nats.connect(
                f"tls://{host}:{port}", tls=context, connect_timeout=5,
                allow_reconnect=False, max_reconnect_attempts=0,
            )
        """,
        Server.NATS,
        distribution="nats-py",
        imports="import nats",
        keeps=False,
    ),
    Row(
        "kafka-python",
        """
        import kafka
        def call(host, port):
            kafka.KafkaConsumer(
                bootstrap_servers=f"{host}:{port}", security_protocol="SSL",
                bootstrap_timeout_ms=1500,
            )
        """,
        Server.TLS,
        distribution="kafka-python",
        imports="import kafka",
        known={Column.SERVICE: THREADS},
        keeps=False,
    ),
    Row(
        "aiokafka",
        """
        import aiokafka, ssl
        context = ssl.create_default_context()
        async def call(host, port):
            producer = aiokafka.AIOKafkaProducer(
                bootstrap_servers=f"{host}:{port}", security_protocol="SSL", ssl_context=context,
                request_timeout_ms=3000,
            )
            try:
                await producer.start()
            finally:
                await producer.stop()
        """,
        Server.TLS,
        distribution="aiokafka",
        imports="import aiokafka",
        keeps=False,
    ),
)
