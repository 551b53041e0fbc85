"""The command line."""

from flask import Flask

from . import documents, ops


def init_app(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(ops.group)
    documents.init_app(app)
