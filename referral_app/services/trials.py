"""Trying the providers out: a test message, the balance, and how often they had no money or a wrong key."""

from decimal import Decimal
from typing import NamedTuple

from .. import clock
from ..config import settings
from ..db import read
from ..gateways import choice
from ..gateways.sms import GatewayError
from . import limits, messages


class Said(NamedTuple):
    """What a provider said."""

    provider: str
    said: str
    works: bool


def send_test(phone: str) -> list[Said]:
    """Hand a message to each provider, outside the queue and its limits."""
    key = f"test{int(clock.now().timestamp())}"
    results = []
    for gateway in choice.providers(settings()):
        try:
            receipt = gateway.send(key, phone, f"{settings().site_name}: test")
        except GatewayError as error:
            results.append(Said(gateway.name, f"not taken ({error.reason})", works=False))
        else:
            cost = f", {receipt.cost} roubles" if receipt.cost is not None else ""
            results.append(Said(gateway.name, f"{receipt.state} as {receipt.reference}{cost}", works=True))
    return results


def ask_balances() -> list[Said]:
    """Ask each provider for the money that is left."""
    results = []
    for gateway in choice.providers(settings()):
        try:
            left = gateway.balance()
        except GatewayError as error:
            results.append(Said(gateway.name, f"no answer ({error.reason}){_refusals(gateway.name)}", works=False))
        else:
            said = "costs nothing" if left is None else f"{left} roubles"
            results.append(Said(gateway.name, said + _refusals(gateway.name), works=True))
    return results


def find_day_cost() -> Decimal:
    """Return what the SMS sent today, by UTC, have cost, in roubles."""
    return messages.find_day_cost(clock.now())


def _refusals(provider: str) -> str:
    """Tell how often this hour the provider took nothing."""
    counts = {
        reason: limits.count(read(), f"sms-{reason}", provider, limits.HOUR, clock.now())
        for reason in ("no_money", "wrong_key")
    }
    return "".join(f", {reason} {n} times this hour" for reason, n in counts.items() if n)
