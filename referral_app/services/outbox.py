"""The outbox: takes messages that are due, hands them to the gateway, settles their rows.

The row is the truth: what a wake-up misses, the sweep finds.
"""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import or_, select, update

from .. import clock, sms_texts
from ..config import settings
from ..db import transaction
from ..gateways import sms
from ..models import Challenge, Message
from . import challenges

log = logging.getLogger(__name__)
TAKEN_FOR = timedelta(seconds=60)
PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))  # after the first try, the second, …


class Taken(NamedTuple):
    """A message that this process holds until `taken_until`."""

    id: int
    kind: str
    phone: str | None
    text: str | None
    language: str
    challenge_id: str | None
    attempts: int
    expires_at: datetime | None
    taken_until: datetime


def run_once(message_id: int | None = None) -> int:
    """Send what is due, all of it or one message; return how many were handled."""
    handled = 0
    while batch := take_due(clock.now(), message_id):
        for message in batch:
            send(message)
            handled += 1
        if message_id is not None:
            break
    return handled


def take_due(now: datetime, message_id: int | None = None, limit: int = 20) -> list[Taken]:
    """Take messages that are due, and those whose holder is gone, the most urgent first."""
    due = (
        select(Message.id)
        .where(Message.state == "queued", Message.due_at <= now)
        .where(or_(Message.taken_until.is_(None), Message.taken_until <= now))
        .order_by(Message.priority, Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL alone knows it; on SQLite one command writes at a time
    )
    if message_id is not None:
        due = due.where(Message.id == message_id)
    with transaction() as db:
        ids = db.scalars(due).all()
        rows = db.execute(
            update(Message)
            .where(Message.id.in_(ids))
            .values(taken_until=now + TAKEN_FOR, attempts=Message.attempts + 1)
            .returning(*(getattr(Message, name) for name in Taken._fields))
        ).all()
    return sorted((Taken(*row) for row in rows), key=lambda message: ids.index(message.id))


def send(message: Taken) -> None:
    """Hand one message to the gateway, outside any transaction, and write down what came of it."""
    now = clock.now()
    if message.taken_until <= now:
        return  # the ones before it took so long that it is anybody's again
    is_late = message.expires_at is not None and message.expires_at <= now
    text = None if is_late else _text(message)
    if text is None or message.phone is None:
        settle(message, state="expired")
        return
    gateway = sms.choose(settings())
    try:
        receipt = gateway.send(message.id, message.phone, text)
    except sms.GatewayError as error:
        log.warning(
            "an SMS was not taken by the gateway", extra={"facts": {"message": message.id, "reason": error.reason}}
        )
        if message.attempts <= len(PAUSES):
            settle(message, due_at=now + PAUSES[message.attempts - 1], provider=gateway.name, error=error.reason)
        else:
            settle(message, state="failed", provider=gateway.name, error=error.reason)
        return
    settle(
        message,
        state=receipt.state,
        provider=gateway.name,
        provider_ref=receipt.reference,
        sent_at=clock.now(),
        error=None,
    )


def settle(message: Taken, **facts: object) -> bool:
    """Write down what came of a message that this process still holds; tell whether it did."""
    # A slow holder whose time has passed: somebody else has the row by now, and this changes none.
    with transaction() as db:
        return (
            db.connection()
            .execute(
                update(Message)
                .where(Message.id == message.id, Message.taken_until == message.taken_until)
                .values(taken_until=None, **facts)
            )
            .rowcount
            == 1
        )


def _text(message: Taken) -> str | None:
    if message.challenge_id is None:
        return message.text
    with transaction() as db:  # ended before the gateway is called
        challenge = db.get(Challenge, message.challenge_id)
    if challenge is None:
        return None
    chosen = settings()
    digits = challenges.code_for(challenge)
    return sms_texts.code(message.language, chosen.site_name, chosen.site_host, digits)
