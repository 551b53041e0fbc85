"""What is typed at the command line, checked like what comes through the other doors."""

import click

from .. import address as addresses
from .. import phone as phones
from ..config import settings


def phone(text: str) -> str:
    """Return a phone in E.164."""
    chosen = settings()
    try:
        return phones.parse(text, chosen.phone_region, chosen.phone_countries)
    except phones.InvalidPhone as error:
        raise click.UsageError("This is no mobile number of the countries that are allowed.") from error


def phone_or_address(text: str) -> tuple[str | None, str | None]:
    """Return a phone in E.164 and None, or None and a client's address."""
    address = addresses.normalise(text)
    return (None, address) if address else (phone(text), None)
