"""Making and upgrading the database's schema."""

import fcntl
from pathlib import Path

import flask_migrate
from flask import Flask

from .db import db

MIGRATIONS = Path(__file__).parent.parent / "migrations"
migrate = flask_migrate.Migrate(directory=str(MIGRATIONS))


def init_app(app: Flask) -> None:
    """Give the app the commands `flask db …`."""
    migrate.init_app(app, db)


def prepare(instance_path: Path) -> None:
    """Upgrade the schema to the newest migration, one process at a time."""
    with (instance_path / "prepare.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if db.engine.dialect.name == "sqlite":
            # Set once and kept in the file; from several processes at once it fails whatever the busy timeout.
            with db.engine.connect() as connection:
                connection.connection.dbapi_connection.execute("PRAGMA journal_mode=WAL").close()  # type: ignore[union-attr]
        flask_migrate.upgrade()
