"""Messages: the rows of SMS, made with what they tell of, and what became of them."""

from datetime import datetime
from typing import NamedTuple

from blinker import Signal
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from .. import sms_texts
from ..config import settings
from ..db import read
from ..models import Challenge, Message
from . import limits

CODE = "code"
# Sent with the id of a message after the commit that has made it.
queued = Signal()


class MessageState(NamedTuple):
    """What became of an SMS."""

    state: str
    created_at: datetime
    sent_at: datetime | None


def queue_code(db: Session, challenge: Challenge, language: str, now: datetime) -> int:
    """Put the SMS of a challenge's code into the queue; return its id. The code itself is derived when it is sent.

    Raise Spent where the site may send no more.
    """
    chosen = settings()
    text = sms_texts.code(language, chosen.site_name, chosen.site_host, "0" * challenge.code_length)
    _count(db, text, now, is_sign_in=challenge.purpose == "sign_in")
    delay = chosen.sms_simulated_delay if chosen.sms_provider == "console" else None
    message = Message(
        kind=CODE,
        phone=challenge.phone,
        language=language,
        challenge_id=challenge.id,
        due_at=now + delay if delay else now,
        expires_at=challenge.expires_at,
        created_at=now,
    )
    db.add(message)
    db.flush()
    return message.id


def _count(db: Session, text: str, now: datetime, *, is_sign_in: bool) -> None:
    """Count an SMS and what it will cost before it is paid for; the last tenth is for signing in."""
    kopecks = int(settings().sms_price * sms_texts.parts(text) * 100)
    limits.take(db, "sms-money", "", now, amount=kopecks, spare_tenth=not is_sign_in)
    limits.take(db, "sms", "", now, spare_tenth=not is_sign_in)


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
