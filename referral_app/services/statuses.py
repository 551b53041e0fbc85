"""Statuses: what became of an SMS that a provider has taken, asked for until it is final."""

import logging
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Update, or_, select, update

from .. import clock
from ..config import settings
from ..db import transaction
from ..gateways import choice
from ..gateways.sms import GatewayError
from ..models import Message
from .batches import SLOW, TAKEN_FOR

log = logging.getLogger(__name__)
# After it was sent. What is not final by the last of them stays unknown.
CHECKS = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))


class Taken(NamedTuple):
    """A message whose status this process asks for, until `taken_until`."""

    id: int
    phone: str | None
    provider: str | None
    provider_ref: str | None
    checks: int
    sent_at: datetime | None
    taken_until: datetime


_ROW = [getattr(Message, name) for name in Taken._fields]


class Result(NamedTuple):
    """What a provider said, and when to ask again."""

    message: Taken
    state: str
    check_at: datetime | None


def check_once() -> int:
    """Ask for the statuses of one batch that is due; return how many were asked for: none where nothing is due.

    One batch alone: what is to be sent goes before the next. Where a provider is slow the rest is given back.
    """
    began, results = clock.now(), []
    batch = _take_due(began)
    for message in batch:
        results.append(_ask(message))
        if clock.now() - began > SLOW:
            break
    _settle(results, batch[len(results) :])
    return len(results)


def _take_due(now: datetime, limit: int = 50) -> list[Taken]:
    due = (
        select(Message.id)
        .where(Message.state == "sent", Message.check_at <= now)
        .where(or_(Message.taken_until.is_(None), Message.taken_until <= now))
        .order_by(Message.check_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    with transaction() as db:
        ids = db.scalars(due).all()
        if not ids:
            return []
        taken = update(Message).where(Message.id.in_(ids)).values(taken_until=now + TAKEN_FOR)
        rows = {row.id: Taken(*row) for row in db.execute(taken.returning(*_ROW))}
    return [rows[number] for number in ids]


def _ask(message: Taken) -> Result:
    state = "sent"
    gateway = choice.by_name(settings(), message.provider or "")
    try:
        if gateway is not None and message.phone is not None:
            state = gateway.status(message.provider_ref or "", str(message.id), message.phone).state
    except GatewayError as error:
        log.info("a status was not told", extra={"facts": {"message": message.id, "reason": error.reason}})
    except Exception:
        log.exception("asking for a status failed", extra={"facts": {"message": message.id}})
    if state != "sent":
        return Result(message, state, None)
    now = clock.now()
    sent_at = message.sent_at or now
    check_at = next((sent_at + pause for pause in CHECKS if sent_at + pause > now), None)
    return Result(message, "sent" if check_at else "unknown", check_at)


def _settle(results: list[Result], left: list[Taken]) -> None:
    facts: dict[Taken, dict[str, Any]] = {message: {} for message in left}
    for message, state, check_at in results:
        facts[message] = {"state": state, "checks": message.checks + 1, "check_at": check_at}
    with transaction() as db:
        # By their ids, as an erasure locks them: neither waits for the other.
        for message in sorted(facts):
            # A final state stays: whoever was slower changes no row.
            db.execute(_mine(message).values(taken_until=None, **facts[message]))


def _mine(message: Taken) -> Update:
    return update(Message).where(
        Message.id == message.id, Message.state == "sent", Message.taken_until == message.taken_until
    )
