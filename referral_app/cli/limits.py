"""Commands about limits."""

from datetime import datetime, timedelta

import click
from flask.cli import AppGroup

from .. import clock
from ..config import settings
from ..phone import mask
from ..services import guesses, limits
from ..services.guesses import Length
from ..services.limits import Standing
from . import arguments

group = AppGroup("limits", help="What is used up, and giving it back.")


@group.command("show")
@click.argument("subject", required=False, metavar="[PHONE|ADDRESS]")
def show(subject: str | None) -> None:
    """Show how far the limits of a PHONE or an ADDRESS are used; without one, which limits fired within a day."""
    if subject is None:
        for fired in limits.list_fired(clock.now() - timedelta(days=1)):
            click.echo(f"{_time(fired.hour)}  {fired.rule:18}{fired.n:>8}")
        return
    phone, address = arguments.phone_or_address(subject)
    if phone:
        click.echo(mask(phone))
        _show("codes sent", limits.list_standings("phone-sends", phone))
        _show("unsolved in its 10,000 numbers", limits.list_standings("block-sends", phone[:-4]))
        click.echo(f"  guesses of 45 days: {guesses.of_phone(phone)} of {guesses.PER_PHONE}")
        _show_length(guesses.look_ahead(phone, ""))
    elif address:
        click.echo(address)
        _show("unsolved requests", limits.list_standings("address-requests", address))
        click.echo(f"  wrong guesses of this hour: {guesses.of_address(address)} of {guesses.PER_ADDRESS}")
        _show_length(guesses.look_ahead("", address))


@group.command("reset")
@click.argument("phone")
def reset(phone: str) -> None:
    """Give a PHONE its sends back. Its ration of guesses stays: it makes codes longer and locks nobody out."""
    number = arguments.phone(phone)
    limits.reset_phone(number)
    click.echo(f"{mask(number)} has its sends back.")


def _show(what: str, standings: list[Standing]) -> None:
    for standing in standings:
        click.echo(f"  {what}: {standing.n} of {standing.limit} until {_time(standing.ends_at)}")


def _show_length(length: Length) -> None:
    click.echo(f"  next code: {length.digits} digits" + (f" ({length.rule})" if length.rule else ""))


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(settings().timezone):%Y-%m-%d %H:%M}"
