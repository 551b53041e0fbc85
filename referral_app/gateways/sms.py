"""The gateway of SMS: what each provider does, and the choice of one."""

from dataclasses import dataclass
from typing import Protocol

from ..config import Settings


class GatewayError(Exception):
    """The provider did not take the message; `reason` is a word for the list of messages, without a phone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Receipt:
    """What the provider said: `sent` or `delivered`, and its own name for the message."""

    state: str
    reference: str | None = None


class SmsGateway(Protocol):
    """A provider of SMS."""

    name: str

    def send(self, message_id: int, phone: str, text: str) -> Receipt:
        """Hand one SMS over; raise GatewayError where it was not taken."""
        ...


def choose(settings: Settings) -> SmsGateway:
    """Return the gateway that the settings name."""
    from .console import ConsoleGateway  # noqa: PLC0415  it needs the types above

    return ConsoleGateway(settings.instance_path / "sms", prints=settings.sms_show_codes)
