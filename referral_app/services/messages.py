"""Messages: the rows of SMS, made with what they tell of, and what became of them."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from blinker import Signal
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from .. import sms_texts
from ..config import settings
from ..db import read
from ..models import Challenge, Message
from . import limits
from .limits import DAY

CODE, NOTICE = "code", "notice"
NOTICE_LIFETIME = timedelta(days=1)
# Sent with the id of a message after the commit that has made it.
queued = Signal()
# Sent with the seconds after which messages are due that a provider has not taken.
postponed = Signal()
# Sent when providers have taken messages whose status is to be asked for.
sent = Signal()


class MessageState(NamedTuple):
    """What became of an SMS."""

    state: str
    created_at: datetime
    sent_at: datetime | None


def queue_code(db: Session, challenge: Challenge, language: str, now: datetime) -> int:
    """Put the SMS of a challenge's code into the queue; return its id. The code itself is derived when it is sent.

    Raise Spent where the site may send no more.
    """
    text = code_text(challenge, language, "0" * challenge.code_length)
    _count(db, text, now, spare_tenth=challenge.purpose != "sign_in")
    message = Message(
        kind=CODE,
        phone=challenge.phone,
        language=language,
        challenge_id=challenge.id,
        due_at=now + settings().sms_delay,
        expires_at=challenge.expires_at,
        created_at=now,
    )
    db.add(message)
    db.flush()
    return message.id


def code_text(challenge: Challenge, language: str, digits: str) -> str:
    """Return the SMS with a challenge's code."""
    chosen = settings()
    return sms_texts.code(challenge.purpose, language, chosen.site_name, chosen.site_host, digits)


def queue_notice(db: Session, user_id: int, phone: str, new_phone: str, language: str, now: datetime) -> int:
    """Put the SMS into the queue that tells a user's old number of the new one; return its id.

    Raise Spent where the site may send no more. Like codes for signing in it may use all of that.
    """
    text = sms_texts.phone_changed(language, settings().site_name, new_phone)
    _count(db, text, now, spare_tenth=False)
    message = Message(
        kind=NOTICE,
        phone=phone,
        language=language,
        text=text,
        priority=1,  # codes go first
        user_id=user_id,
        due_at=now + settings().sms_delay,
        expires_at=now + NOTICE_LIFETIME,
        created_at=now,
    )
    db.add(message)
    db.flush()
    return message.id


def _count(db: Session, text: str, now: datetime, *, spare_tenth: bool) -> None:
    """Count an SMS and what it will cost before it is paid for; the last tenth is for signing in."""
    limits.take(db, "sms-money", "", now, amount=_kopecks(text), spare_tenth=spare_tenth)
    limits.take(db, "sms", "", now, spare_tenth=spare_tenth)


def list_references(db: Session, challenge_id: str | None, but: int) -> list[str]:
    """Return what providers call the other messages of a challenge, whose text is the same."""
    references = select(Message.provider_ref).where(
        Message.challenge_id == challenge_id, Message.id != but, Message.provider_ref.is_not(None)
    )
    return [reference for reference in db.scalars(references) if reference]


def correct_costs(db: Session, costs: list[tuple[str, Decimal, datetime]]) -> None:
    """Let the day's money be what providers really ask for: texts, their cost in roubles, when they were queued."""
    by_day: dict[datetime, int] = {}
    for text, cost, queued_at in costs:
        day = limits.window(queued_at, DAY)
        by_day[day] = by_day.get(day, 0) + int(cost * 100) - _kopecks(text)
    for day, amount in sorted(by_day.items()):
        if amount:
            limits.correct(db, "sms-money", "", DAY, day, amount)


def _kopecks(text: str) -> int:
    return int(settings().sms_price * sms_texts.parts(text) * 100)


def find_day_cost(now: datetime) -> Decimal:
    """Return what the SMS sent since midnight UTC have cost, in roubles."""
    since = limits.window(now, DAY)
    spent = read().execute(select(func.sum(Message.cost)).where(Message.sent_at >= since)).scalar_one()
    return spent or Decimal(0)


_OF_CHALLENGE = (
    select(Message.state, Message.created_at, Message.sent_at)
    .where(Message.challenge_id == bindparam("challenge_id"))
    .order_by(Message.id.desc())
    .limit(1)
)


def find_of_challenge(challenge_id: str) -> MessageState | None:
    """Return what became of a challenge's newest SMS."""
    row = read().execute(_OF_CHALLENGE, {"challenge_id": challenge_id}).first()
    return MessageState(*row) if row else None
