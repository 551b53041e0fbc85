"""Batches: messages that are due, held by one process for a while.

An attempt is written before its provider is asked, so that whoever finds it left knows whom to ask.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import case, delete, insert, or_, select, update
from sqlalchemy.orm import Session as Db

from ..config import settings
from ..db import transaction
from ..models import Attempt, Challenge, Message
from . import codes, messages

TAKEN_FOR = timedelta(seconds=60)
SLOW = timedelta(seconds=2)  # of a batch, after which the rest of it is given back


class Taken(NamedTuple):
    """A message that this process holds until `taken_until`, with the attempt that is its to make.

    `is_left` tells that another process began the attempt and is gone.
    """

    id: int
    kind: str
    phone: str | None
    text: str | None
    language: str
    challenge_id: str | None
    attempts: int
    created_at: datetime
    expires_at: datetime | None
    taken_until: datetime
    attempt_id: int = 0
    provider: str = ""
    is_left: bool = False


_ROW = [getattr(Message, name) for name in Taken._fields[:10]]


def take_due(now: datetime, limit: int = 20) -> list[Taken]:
    """Take messages that are due, and those whose holder is gone, the most urgent first."""
    due = (
        select(Message.id, Message.state)
        .where(Message.state.in_(["queued", "sending"]), Message.due_at <= now)
        .where(or_(Message.taken_until.is_(None), Message.taken_until <= now))
        .order_by(Message.priority, Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL alone knows it; on SQLite one command writes at a time
    )
    with transaction() as db:
        states = {row.id: row.state for row in db.execute(due)}
        if not states:
            return []
        taken = update(Message).where(Message.id.in_(states))
        rows = db.execute(
            taken.values(state="sending", taken_until=now + TAKEN_FOR, attempts=_ATTEMPTS).returning(*_ROW)
        )
        held = {row.id: Taken(*row) for row in rows}
        _find_left(db, held, [number for number, state in states.items() if state == "sending"])
        _begin_attempts(db, held, now)
        _add_texts(db, held)
    return [held[number] for number in states]


# One that was left has had its attempt counted.
_ATTEMPTS = Message.attempts + case((Message.state == "queued", 1), else_=0)


def _find_left(db: Db, held: dict[int, Taken], left: list[int]) -> None:
    if not left:
        return
    columns = select(Attempt.id, Attempt.message_id, Attempt.provider)
    for row in db.execute(columns.where(Attempt.message_id.in_(left), Attempt.outcome.is_(None))):
        held[row.message_id] = held[row.message_id]._replace(attempt_id=row.id, provider=row.provider, is_left=True)


def _begin_attempts(db: Db, held: dict[int, Taken], now: datetime) -> None:
    order = settings().sms_providers
    new = [
        {"message_id": row.id, "provider": order[(row.attempts - 1) % len(order)], "started_at": now}
        for row in held.values()
        if not row.is_left
    ]
    if new:
        for row in db.execute(insert(Attempt).returning(Attempt.id, Attempt.message_id, Attempt.provider), new):
            held[row.message_id] = held[row.message_id]._replace(attempt_id=row.id, provider=row.provider)


def _add_texts(db: Db, held: dict[int, Taken]) -> None:
    """Derive the codes, of challenges that are still there."""
    wanted = {row.challenge_id for row in held.values() if row.challenge_id}
    if not wanted:
        return
    found = {one.id: one for one in db.scalars(select(Challenge).where(Challenge.id.in_(wanted)))}
    for row in list(held.values()):
        if challenge := found.get(row.challenge_id or ""):
            text = messages.code_text(challenge, row.language, codes.code_for(challenge))
            held[row.id] = row._replace(text=text)


def give_back(batch: list[Taken]) -> None:
    """Let messages that were taken and not sent be anybody's again."""
    with transaction() as db:
        # By their ids, as an erasure locks them: neither waits for the other.
        for message in sorted(batch):
            if message.is_left:
                facts: dict[str, Any] = {"taken_until": None}
            else:
                db.execute(delete(Attempt).where(Attempt.id == message.attempt_id))
                facts = {"taken_until": None, "state": "queued", "attempts": message.attempts - 1}
            db.execute(
                update(Message)
                .where(Message.id == message.id, Message.taken_until == message.taken_until)
                .values(**facts)
            )
