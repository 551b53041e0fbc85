"""A command beside `flask openapi write`: the Postman collection of what that wrote."""

import json
from pathlib import Path

import click
from flask import Flask

from ..postman import collection


def init_app(app: Flask) -> None:
    """Add the command to the group `openapi`."""
    group = app.cli.commands["openapi"]
    assert isinstance(group, click.Group)  # noqa: S101  flask-smorest's
    group.add_command(write_postman)


@click.command("postman")
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
def write_postman(document: Path, output: Path) -> None:
    """Write the Postman collection of an OpenAPI DOCUMENT to a file."""
    made = collection(json.loads(document.read_text(encoding="utf-8")))
    output.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
