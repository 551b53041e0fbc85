"""Commands about users."""

import sys

import click
from flask.cli import AppGroup

from ..errors import PROBLEMS, Refused
from ..services import admins
from . import arguments

group = AppGroup("users", help="Users and admins.")


@group.command("create-admin")
@click.argument("phone")
def create_admin(phone: str) -> None:
    """Make the user of a PHONE an admin, with a password that is asked for, or read from the standard input."""
    number = arguments.phone(phone)
    try:
        created = admins.create_admin(number, _ask_password())
    except Refused as refusal:
        raise click.ClickException(PROBLEMS[refusal.slug].detail) from refusal
    click.echo("The account was made, and is an admin's." if created else "The account is an admin's now.")


def _ask_password() -> str:
    """Ask twice at a terminal; elsewhere the first line counts."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
