"""The worker: sends SMS and runs the schedule, beside any number of others."""

import signal
import socket
import threading

import click
from flask import current_app
from flask.cli import with_appcontext

from ..config import settings
from ..jobs import ConsumerThread, connect

HEALTH = f"worker-{socket.gethostname()}.alive"


@click.command("worker")
@click.option("--threads", default=8, show_default=True, help="How many SMS are handed over at a time.")
@with_appcontext
def worker(threads: int) -> None:
    """Take jobs from Redis until SIGTERM; then finish what is in hand, within 10 seconds."""
    if not settings().redis_url:
        raise click.ClickException("REDIS_URL is not set: without it the web process runs the jobs itself.")
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    connect(app, waits=5)
    consumer = ConsumerThread(app, workers=threads, alone=False)
    health = settings().instance_path / HEALTH
    consumer.start()
    click.echo("The worker waits for jobs.")
    while not stop.wait(1):
        health.touch()
        if not consumer.is_alive():
            raise click.ClickException("The consumer has ended by itself.")
    consumer.stop()
