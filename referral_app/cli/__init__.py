"""The command line."""

from flask import Flask

from . import documents, limits, ops, users


def init_app(app: Flask) -> None:
    """Add the commands."""
    for commands in (ops, users, limits):
        app.cli.add_command(commands.group)
    documents.init_app(app)
