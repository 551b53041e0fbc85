"""The providers that the settings name, in their order. Each is made once for a process: it keeps its connections."""

from functools import lru_cache

from ..config import Settings
from .console import ConsoleGateway
from .sms import SmsGateway
from .smsaero import SmsAeroGateway
from .smsc import SmscGateway


@lru_cache(maxsize=8)
def providers(settings: Settings) -> tuple[SmsGateway, ...]:
    """Return the providers, the first one to be tried first."""
    return tuple(_make(name, settings) for name in settings.sms_providers)


def by_name(settings: Settings, name: str) -> SmsGateway | None:
    """Return a provider that a message was handed to; None where the settings know it no more."""
    return next((gateway for gateway in providers(settings) if gateway.name == name), None)


def console(settings: Settings) -> ConsoleGateway:
    """Return what keeps SMS as files, also where the settings name it no more: its files may still be there."""
    return ConsoleGateway(settings.instance_path / "sms", prints=settings.shows_codes)


def _make(name: str, settings: Settings) -> SmsGateway:
    if name == "smsaero":
        return SmsAeroGateway(settings)
    if name == "smsc":
        return SmscGateway(settings)
    return console(settings)
