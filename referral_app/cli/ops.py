"""Commands for whoever runs the service."""

from flask.cli import AppGroup

from ..config import settings
from ..schema import prepare

group = AppGroup("ops", help="Run the service.")


@group.command("prepare")
def prepare_database() -> None:
    """Make or upgrade the database; does nothing when it is current."""
    prepare(settings().instance_path)
