"""The command line."""

from flask import Flask

from . import documents, limits, ops, sms, users, worker


def init_app(app: Flask) -> None:
    """Add the commands."""
    for commands in (ops, users, limits, sms):
        app.cli.add_command(commands.group)
    app.cli.add_command(worker.worker)
    documents.init_app(app)
