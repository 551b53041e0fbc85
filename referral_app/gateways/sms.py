"""The gateway of SMS: what each provider does, how it fails, and the providers in their order."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol


class GatewayError(Exception):
    """A message was not handed over, or nobody knows; `reason` is a word for the list of messages, without a phone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotTaken(GatewayError):
    """The provider surely did not take it. `later` tells that the same provider would refuse it again at once."""

    def __init__(self, reason: str, *, later: bool = False) -> None:
        super().__init__(reason)
        self.later = later


class NoAccess(NotTaken):
    """The provider takes nothing at all: `no_money` or `wrong_key`. Somebody has to do something about it."""


class Unclear(GatewayError):
    """The provider may have taken it: it has to be asked before anything goes again."""


@dataclass(frozen=True)
class Receipt:
    """What the provider says of a message; `reference` is its name for it, `cost` in roubles where it is known."""

    state: Literal["sent", "delivered", "failed"]
    reference: str
    cost: Decimal | None = None


class SmsGateway(Protocol):
    """A provider of SMS. `key` is our name for a message, `phone` in E.164."""

    name: str

    def send(self, key: str, phone: str, text: str) -> Receipt:
        """Hand one SMS over; raise GatewayError where it was not taken or nobody knows."""
        ...

    def find(self, key: str, phone: str, text: str, others: Collection[str]) -> Receipt | None:
        """Return what became of a message whose handing over was Unclear; None where it was surely not taken.

        `others` are the references of messages with the same text that are known already: a code that goes again.
        """
        ...

    def status(self, reference: str, key: str, phone: str) -> Receipt:
        """Return what became of a message that was taken."""
        ...

    def balance(self) -> Decimal | None:
        """Return the money left, in roubles; None where there is no such thing."""
        ...
