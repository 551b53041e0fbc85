"""Commands for whoever runs the service."""

import time

from flask.cli import AppGroup

from ..config import settings
from ..schema import prepare
from .worker import HEALTH

group = AppGroup("ops", help="Run the service.")


@group.command("prepare")
def prepare_database() -> None:
    """Make or upgrade the database; does nothing when it is current."""
    prepare(settings().instance_path)


@group.command("worker-health")
def worker_health() -> None:
    """End with 0 where the worker of this machine has been alive within half a minute."""
    try:
        silent = time.time() - (settings().instance_path / HEALTH).stat().st_mtime
    except FileNotFoundError:
        silent = float("inf")
    raise SystemExit(silent > 30)
